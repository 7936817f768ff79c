"""Sources: JSON, ids with missing values, indices, several files, damaged files."""

import bz2
import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sklc.errors import LightCurveError
from sklc.io import Source, read, recognise

BIG = 170028485706776685


@pytest.mark.parametrize("form", ["records", "arrow", "json", "parquet"])
def test_integers_stay_exact_beside_missing_ones(form, tmp_path):
    rows = [{"diaObjectId": BIG, "x": 1.5}, {"diaObjectId": None, "x": None}]
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    source = {
        "records": rows,
        "arrow": pa.Table.from_pylist(rows),
        "json": json.dumps(rows).encode(),
        "parquet": path,
    }[form]
    column = Source(source).frame()["diaObjectId"]
    assert column[0] == BIG
    assert column.isna().tolist() == [False, True]


def test_records_of_several_files_and_of_lines(tmp_path):
    for name, content in {"a.json": [{"x": 1}], "b.json": {"x": 2}}.items():
        (tmp_path / name).write_text(json.dumps(content))
    (tmp_path / "c.json.bz2").write_bytes(bz2.compress(b'{"x": 3}\n{"x": 4}\n'))
    assert [row["x"] for row in Source(tmp_path).records()] == [1, 2, 3, 4]
    assert Source(tmp_path).frame()["x"].tolist() == [1, 2, 3, 4]


def test_a_named_index_is_a_column():
    table = pd.DataFrame({"x": [1.0]}, index=pd.Index(["a"], name="oid"))
    source = Source(table)
    assert source.columns == ("x", "oid")
    assert source.frame()["oid"].tolist() == ["a"]
    both = pd.DataFrame({"oid": ["b"]}, index=pd.Index(["a"], name="oid"))
    assert Source(both).frame()["oid"].tolist() == ["b"]


def test_some_columns_of_a_file(tmp_path):
    table = pd.DataFrame({"x": [1], "y": [2], "z": [3]})
    table.to_parquet(tmp_path / "a.parquet")
    table.to_csv(tmp_path / "a.csv", index=False)
    for name in ("a.parquet", "a.csv"):
        assert list(Source(tmp_path / name).frame({"x", "z", "no"})) == ["x", "z"]


def test_a_parquet_file_that_is_cut_off(tmp_path):
    path = tmp_path / "a.parquet"
    pd.DataFrame({"x": range(1000)}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(LightCurveError, match=r"a\.parquet is not a complete Parquet file"):
        recognise(path)


# -- tables with one row per observation

TABLE = pd.DataFrame({"object_id": [BIG, BIG, BIG + 1], "mjd": [59000.1, 59003.1, 59001.2],
                      "band": ["ztfg", "ztfr", "ztfg"], "flux": [31.0, 52.0, 9.0],
                      "flux_err": [2.0, 3.0, 2.0]})  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        TABLE.to_json(orient="records"),
        TABLE.to_json(orient="records", lines=True),
        TABLE.to_json(),
        json.dumps(TABLE.to_dict(orient="list"), indent=1),
    ],
    ids=["records", "lines", "columns-by-number", "columns"],
)
def test_tables_with_one_row_per_observation(text, tmp_path):
    path = tmp_path / "night.json"
    path.write_text(text)
    assert recognise(path).name == "long-table"
    curves = read(path, verbose=False)
    assert curves.ids.tolist() == [BIG, BIG + 1]
    assert curves.flux.tolist() == [31.0, 52.0, 9.0]
    assert curves.band_names.tolist() == ["ztfg", "ztfr", "ztfg"]


def test_columns_that_begin_a_long_file(tmp_path):
    long = pd.concat([TABLE.assign(mjd=TABLE["mjd"] + k) for k in range(2000)])
    path = tmp_path / "night.json"
    path.write_text(json.dumps(long.to_dict(orient="list")))
    assert read(path, "long-table", verbose=False).lengths.tolist() == [4000, 2000]


@pytest.mark.parametrize(
    "change",
    [{"flux": [1.0, 2.0]}, {"flux": 1.0}, {"flux": {"0": 1.0}, "mjd": {"1": 59000.0}}],
)
def test_columns_that_do_not_fit(change):
    content = {**TABLE.to_dict(orient="list"), **change}
    with pytest.raises(LightCurveError, match="holds columns that differ"):
        read(json.dumps(content).encode(), "long-table", verbose=False)
