"""Tables and collections in every form: read, or refused with a line that works."""

import nested_pandas as npd
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import QTable, Table
from astropy.timeseries import TimeSeries

from sklc import LightCurves, as_light_curves
from sklc.errors import LightCurveError, LightCurveWarning
from sklc.io import read as read_any


@pytest.fixture
def frame():
    return pd.DataFrame({
        "object_id": ["a", "a", "b"], "mjd": [59000.0, 59001.0, 59002.0],
        "flux": [5.0, 6.0, 7.0], "flux_err": [1.0, 2.0, 3.0], "band": ["ztfg", "ztfr", "ztfg"],
    })  # fmt: skip


@pytest.fixture
def curves(frame):
    return LightCurves.from_frame(frame)


def records(frame):
    types = {"object_id": "S1", "band": "S4"}
    return frame.to_records(index=False, column_dtypes=types)


def big_endian(frame):
    return np.asarray(fits.BinTableHDU(Table.from_pandas(frame)).data)


FORMS = {
    "pandas": lambda f: f,
    "named index": lambda f: f.set_index("object_id"),
    "polars": pl.from_pandas,
    "LazyFrame": lambda f: pl.from_pandas(f).lazy(),
    "pyarrow": pa.Table.from_pandas,
    "RecordBatch": lambda f: pa.RecordBatch.from_pandas(f),
    "Table": Table.from_pandas,
    "QTable": QTable.from_pandas,
    "structured": lambda f: np.asarray(records(f)),
    "recarray": records,
    "masked structured": lambda f: np.ma.asarray(np.asarray(records(f))),
    "FITS": lambda f: fits.BinTableHDU(Table.from_pandas(f)).data,
    "big-endian": big_endian,
    "mapping": lambda f: f.to_dict("list"),
    "mapping of arrays": lambda f: {name: f[name].to_numpy() for name in f},
    "nullable": lambda f: f.convert_dtypes(),
    "Arrow": lambda f: f.convert_dtypes(dtype_backend="pyarrow"),
    "groups as rows": lambda f: pd.concat(dict(list(f.groupby("object_id")))),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_long_tables(frame, curves, form):
    assert LightCurves.from_frame(FORMS[form](frame)).equals(curves)


@pytest.mark.parametrize("form", [
    "LazyFrame", "Table", "QTable", "structured", "recarray", "FITS", "pyarrow",
])  # fmt: skip
def test_long_tables_as_X_name_the_line_that_reads_them(frame, curves, form):
    X = FORMS[form](frame)
    with pytest.raises(LightCurveError, match="long table") as error:
        as_light_curves(X)
    line = str(error.value).split("Convert it first: ")[1]
    assert eval(line, {"LightCurves": LightCurves, "X": X}).equals(curves)


@pytest.mark.parametrize("columns", [["time", "flux"], ["mjd", "flux", "flux_err"]])
def test_the_line_for_a_table_of_one_object(columns):
    X = pd.DataFrame(np.arange(2.0 * len(columns)).reshape(2, -1) + 1, columns=columns)
    with pytest.raises(LightCurveError) as error:
        as_light_curves(X)
    line = str(error.value).split("Convert it first: ")[1]
    made = eval(line, {"LightCurves": LightCurves, "X": X})
    assert made.lengths.tolist() == [2]
    assert made.time.tolist() == X[columns[0]].tolist()


def tables_of(frame):
    return {name: table.drop(columns="object_id") for name, table in frame.groupby("object_id")}


COLLECTIONS = {
    "dict": tables_of,
    "dict of polars": lambda f: {k: pl.from_pandas(t) for k, t in tables_of(f).items()},
    "dict of astropy": lambda f: {k: Table.from_pandas(t) for k, t in tables_of(f).items()},
    "dict of mappings": lambda f: {k: t.to_dict("list") for k, t in tables_of(f).items()},
    "dict of light curves": lambda f: {c.id: c for c in LightCurves.from_frame(f)},
    "groupby": lambda f: f.groupby("object_id"),
    "groupby of a list": lambda f: f.groupby(["object_id"]),
    "polars group_by": lambda f: pl.from_pandas(f).group_by("object_id", maintain_order=True),
}


@pytest.mark.parametrize("form", COLLECTIONS)
def test_tables_by_id(frame, curves, form):
    X = COLLECTIONS[form](frame)
    assert as_light_curves(X).equals(curves)


@pytest.mark.parametrize("form", ["dict", "groupby"])
def test_from_frame_names_the_lines_for_tables_by_id(frame, curves, form):
    tables = COLLECTIONS[form](frame)
    with pytest.raises(LightCurveError, match="is not one table") as error:
        LightCurves.from_frame(tables)
    line = str(error.value).split("with ")[-1]
    table = eval(line, {"pandas": pd, "tables": tables})
    assert LightCurves.from_frame(table).equals(curves)
    assert as_light_curves(tables).equals(curves)


def test_dict_of_arrays():
    X = {"a": np.array([[1.0, 5.0], [2.0, 6.0]]), "b": np.array([[3.0, 7.0]])}
    curves = as_light_curves(X)
    assert curves.ids.tolist() == ["a", "b"]
    assert curves.flux.tolist() == [5.0, 6.0, 7.0]


def test_one_mapping_of_columns_is_one_object():
    with pytest.raises(TypeError, match=r"one light curve: pass .*\[X\]"):
        as_light_curves({"time": [1.0, 2.0], "flux": [5.0, 6.0]})


def test_rows_as_mappings_are_no_objects(frame):
    rows = frame.to_dict("records")
    with pytest.raises(LightCurveError, match=r"is one observation.*pandas\.DataFrame\(rows\)"):
        as_light_curves(rows)
    assert LightCurves.from_frame(pd.DataFrame(rows)).lengths.tolist() == [2, 1]


@pytest.mark.parametrize("X", [TimeSeries(), Table(), {}])
def test_empty_tables(X):
    with pytest.raises((LightCurveError, TypeError)):
        as_light_curves(X)
    with pytest.raises((LightCurveError, TypeError)):
        LightCurves.from_frame(X)


# -- one row per object


@pytest.fixture
def lists():
    return pd.DataFrame({
        "objectId": [901, 902], "time": [[1.0, 2.0], [3.0]], "flux": [[5.0, 6.0], [7.0]],
        "flux_err": [[1.0, 1.0], [2.0]], "band": [["ztfg", "ztfr"], ["ztfg"]], "z": [0.1, 0.2],
    })  # fmt: skip


NAMES = {"object_id": "objectId", "time": "time"}

LISTS = {
    "lists": lambda f: f,
    "arrays": lambda f: f.assign(**{c: f[c].map(np.array) for c in ("time", "flux", "flux_err")}),
    "tuples": lambda f: f.assign(time=f["time"].map(tuple)),
    "Series": lambda f: f.assign(flux=f["flux"].map(pd.Series)),
    "polars": pl.from_pandas,
    "pyarrow": pa.Table.from_pandas,
    "pandas of Arrow": lambda f: pa.Table.from_pandas(f).to_pandas(types_mapper=pd.ArrowDtype),
    "mapping": lambda f: f.to_dict("list"),
    "one band": lambda f: f.assign(band=[["ztfg", "ztfr"], "ztfg"]),
}


@pytest.mark.parametrize("form", LISTS)
def test_columns_of_lists(lists, form):
    X = LISTS[form](lists)
    made = [LightCurves.from_frame(X, **NAMES)]
    if form != "mapping":
        made.append(as_light_curves(X))
    for curves in made:
        assert curves.ids.tolist() == [901, 902]
        assert curves.lengths.tolist() == [2, 1]
        assert curves.time.tolist() == [1.0, 2.0, 3.0]
        assert curves.flux.tolist() == [5.0, 6.0, 7.0]
        assert curves.flux_err.tolist() == [1.0, 1.0, 2.0]
        assert curves.band_names.tolist() == ["ztfg", "ztfr", "ztfg"]
        assert curves.metadata["z"].tolist() == [0.1, 0.2]
        assert list(curves.metadata.columns) == ["z"]


def test_columns_of_lists_in_parquet(lists, tmp_path):
    lists.to_parquet(tmp_path / "a.parquet")
    for X in (
        pd.read_parquet(tmp_path / "a.parquet"), pl.read_parquet(tmp_path / "a.parquet"),
        pq.read_table(tmp_path / "a.parquet"), npd.read_parquet(tmp_path / "a.parquet"),
    ):  # fmt: skip
        assert as_light_curves(X).flux.tolist() == [5.0, 6.0, 7.0]


def test_missing_lists_and_missing_values_in_lists(lists):
    gaps = lists.assign(**{c: [None, lists[c][1]] for c in ("time", "flux", "flux_err", "band")})
    assert LightCurves.from_frame(gaps, **NAMES).lengths.tolist() == [0, 1]
    lists["flux"] = [[5.0, None], [7.0]]
    with pytest.raises(LightCurveError, match=r"object 901 \(position 0\): flux is NaN"):
        LightCurves.from_frame(lists, **NAMES)
    lists["flux"] = [np.ma.masked_array([5.0, 1e20], mask=[0, 1]), [7.0]]
    with pytest.raises(LightCurveError, match=r"object 901 \(position 0\): flux is NaN"):
        LightCurves.from_frame(lists, **NAMES)


def test_lists_of_different_lengths(lists):
    lists["flux"] = [[5.0], [7.0]]
    with pytest.raises(LightCurveError, match=r"901 .*has 2 times and 1 values of 'flux'"):
        LightCurves.from_frame(lists, **NAMES)


def test_columns_of_lists_without_errors_or_bands(lists):
    bare = lists.drop(columns=["band", "flux_err"])
    made = LightCurves.from_frame(bare, **NAMES, flux_err=None, band=None, passband="ztfr")
    assert np.isnan(made.flux_err).all()
    assert made.band_names.tolist() == ["ztfr"] * 3
    with pytest.warns(LightCurveWarning, match=r"no column for band and flux_err.*\['sigma'\]"):
        as_light_curves(bare.assign(sigma=lists["flux_err"]))
    assert LightCurves.from_frame(lists, time="time", object_id=None).ids.tolist() == [0, 1]


def test_columns_of_lists_by_other_names(lists):
    t = lists.rename(columns={"time": "cmjd", "flux": "cflux", "band": "cfid", "flux_err": "csig"})
    with pytest.raises(LightCurveError, match="columns of lists") as error:
        as_light_curves(t)
    line = str(error.value).split("use ")[-1]
    made = eval(line, {"LightCurves": LightCurves, "X": t})
    assert made.flux.tolist() == [5.0, 6.0, 7.0]
    assert made.ids.tolist() == [901, 902]


def test_a_column_of_lists_among_numbers_is_not_printed():
    frame = pd.DataFrame({"object_id": ["a"], "mjd": [1.0], "flux": [np.arange(5000.0)]})
    with pytest.raises(LightCurveError, match="flux column holds a ndarray in each row") as error:
        LightCurves.from_frame(frame, flux_err=None, band=None, passband="ztfg")
    assert len(str(error.value)) < 400


STRUCTURE = [{"time": [1.0, 2.0], "flux": [5.0, 6.0]}, {"time": [3.0], "flux": [7.0]}]


def rows_of(structure):
    return [
        [{"time": t, "flux": f} for t, f in zip(s["time"], s["flux"], strict=True)]
        for s in structure
    ]


STRUCTURES = {
    "dicts of lists": lambda: pd.DataFrame({"id": [8, 9], "lc": STRUCTURE}),
    "lists of dicts": lambda: pd.DataFrame({"id": [8, 9], "lc": rows_of(STRUCTURE)}),
    "Arrow structures": lambda: pa.table({"id": [8, 9], "lc": STRUCTURE}),
    "Arrow lists": lambda: pa.table({"id": [8, 9], "lc": rows_of(STRUCTURE)}),
    "polars": lambda: pl.DataFrame({"id": [8, 9], "lc": STRUCTURE}),
    "polars lists": lambda: pl.DataFrame({"id": [8, 9], "lc": rows_of(STRUCTURE)}),
    "pandas of Arrow": lambda: pa.table({"id": [8, 9], "lc": STRUCTURE}).to_pandas(
        types_mapper=pd.ArrowDtype
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", STRUCTURES)
def test_columns_of_structures(form, tmp_path):
    X = STRUCTURES[form]()
    for made in (as_light_curves(X), LightCurves.from_nested(X, object_id="id")):
        assert made.lengths.tolist() == [2, 1]
        assert made.time.tolist() == [1.0, 2.0, 3.0]
        assert made.flux.tolist() == [5.0, 6.0, 7.0]
    assert made.ids.tolist() == [8, 9]
    if isinstance(X, pa.Table):
        pq.write_table(X, tmp_path / "a.parquet")
        for read in (pd.read_parquet, pl.read_parquet, npd.read_parquet, pq.read_table):
            assert as_light_curves(read(tmp_path / "a.parquet")).flux.tolist() == [5.0, 6.0, 7.0]


def test_from_frame_of_a_nested_frame_says_what_to_do(curves):
    nested = curves.to_nested()
    with pytest.raises(LightCurveError, match=r"LightCurves\.from_nested\(frame\)"):
        LightCurves.from_frame(nested)


def test_from_parquet_of_a_single_file_says_what_to_do(curves, tmp_path):
    curves.to_nested().to_parquet(tmp_path / "nested.parquet")
    with pytest.raises(FileNotFoundError, match=r"is a file.*nested_pandas\.read_parquet"):
        LightCurves.from_parquet(tmp_path / "nested.parquet")
    again = LightCurves.from_nested(npd.read_parquet(tmp_path / "nested.parquet"))
    assert again.flux.tolist() == curves.flux.tolist()


# -- catalogues


def catalogue(**columns):
    table = {"time": [[1.0, 2.0]] * 3, "flux": [[5.0, 6.0]] * 3, **columns}
    frame = npd.NestedFrame(table, index=pd.Index([77, 77, 78], name="_healpix_29"))
    return frame.nest_lists(["time", "flux"], name="lc")


def test_an_index_of_positions_is_no_id():
    frame = catalogue(objectId=[901, 902, 903], z=[0.1, 0.2, 0.3])
    for curves in (
        LightCurves.from_nested(frame, object_id="objectId"), LightCurves.from_nested(frame),
        as_light_curves(frame), as_light_curves(frame.iloc[[0, 1, 2]]),
        LightCurves.from_nested(frame.set_index("objectId")),
    ):  # fmt: skip
        assert curves.ids.tolist() == [901, 902, 903]
        assert list(curves.metadata.columns) == ["z"]
    for read in (LightCurves.from_nested, as_light_curves):
        with pytest.raises(LightCurveError, match=r"position on the sky.*object_id=.*set_index"):
            read(catalogue(star=[901, 902, 903]))
    named = LightCurves.from_nested(catalogue(star=[901, 902, 903]), object_id="star")
    assert named.ids.tolist() == [901, 902, 903]


def test_an_index_that_repeats_names_the_column_of_ids():
    frame = catalogue(objectId=[901, 902, 903]).rename_axis("tile")
    with pytest.raises(LightCurveError, match=r"repeats 77: pass object_id='objectId'"):
        LightCurves.from_nested(frame)
    with pytest.raises(LightCurveError, match=r"no column 'oid' \(argument object_id=\)"):
        LightCurves.from_nested(frame, object_id="oid")
    with pytest.raises(LightCurveError, match="has an id that occurs before"):
        LightCurves.from_nested(frame.assign(objectId=[1, 1, 2]), object_id="objectId")


# -- lists of tables that differ


ONE = pd.DataFrame({"mjd": [1.0, 2.0], "flux": [5.0, 6.0], "flux_err": 1.0, "band": "ztfg"})
TWO = pd.DataFrame({"mjd": [1.0, 2.0], "flux": [5.0, 6.0], "dflux": 1.0, "F": ["o", "c"]})


@pytest.mark.parametrize("tables", [[ONE, TWO], [TWO, ONE], [ONE, ONE, TWO, TWO]])
def test_columns_of_any_table_that_are_not_read_are_named(tables):
    position = next(k for k, table in enumerate(tables) if table is TWO)
    where = f"of the object at position {position} " if position else ""
    with pytest.warns(LightCurveWarning, match=f"{where}have no column for band and flux_err") as w:
        as_light_curves(tables)
    assert len(w) == 1
    assert "['dflux', 'F']" in str(w[0].message)


def test_tables_without_further_columns_are_silent():
    bare = ONE[["mjd", "flux"]]
    assert as_light_curves([ONE, bare]).band_names.tolist() == ["ztfg"] * 2 + ["unnamed"] * 2


def _structures(n_objects=2):
    row = {"mjd": 59000.5, "flux": 3.0, "flux_err": 1.0, "band": "ztfg"}
    nights = [[row, {**row, "mjd": 59001.5, "band": "ztfr"}] for _ in range(n_objects)]
    return pl.DataFrame({"object_id": [7, 8], "lc": nights})


NESTED = {
    "polars": _structures,
    "lazy": lambda: _structures().lazy(),
    "arrow": lambda: _structures().to_arrow(),
    "pandas": lambda: _structures().to_pandas(),
}


@pytest.mark.parametrize("make", NESTED.values(), ids=NESTED)
def test_structures_are_read_by_the_line_that_from_frame_names(make):
    frame = make()
    assert as_light_curves(frame).lengths.tolist() == [2, 2]
    with pytest.raises(LightCurveError, match="read it with") as caught:
        LightCurves.from_frame(frame)
    curves = eval(str(caught.value).rpartition("read it with ")[2])
    assert curves.ids.tolist() == [7, 8]
    assert curves.band_names.tolist() == ["ztfg", "ztfr"] * 2
    assert read_any(frame, verbose=False).ids.tolist() == [7, 8]


@pytest.mark.parametrize("make", [_structures, NESTED["pandas"]], ids=["polars", "pandas"])
def test_a_column_of_structures_is_a_nested_column(make):
    column = make()["lc"]
    assert as_light_curves(column).lengths.tolist() == [2, 2]
    assert LightCurves.from_nested(column).ids.tolist() == [0, 1]
    with pytest.raises(TypeError, match="expected a table"):
        LightCurves.from_frame(column)


def test_columns_of_lists_are_read_by_the_line_that_from_nested_names():
    frame = pl.DataFrame({"object_id": [7, 8], "mjd": [[59000.5, 59001.5]] * 2,
                          "flux": [[3.0, 4.0]] * 2, "flux_err": [[1.0, 1.0]] * 2,
                          "band": [["ztfg", "ztfr"]] * 2})  # fmt: skip
    with pytest.raises(LightCurveError, match="0 nested columns") as caught:
        LightCurves.from_nested(frame)
    curves = eval(str(caught.value).rpartition("is read with ")[2])
    assert curves.ids.tolist() == [7, 8]
    assert read_any(frame, verbose=False).lengths.tolist() == [2, 2]
