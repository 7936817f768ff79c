"""Sources: JSON, ids with missing values, indices, several files, damaged files."""

import bz2
import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sklc.errors import LightCurveError
from sklc.io import Source, recognise

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
