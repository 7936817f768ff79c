"""Every form that light curves can take gives them back: passbands, ids, metadata, types, order."""

import copy
import json
import pickle
import subprocess
import sys
import tempfile

import nested_pandas
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import errors, fluxes, times

from sklc import as_light_curves, stream
from sklc.errors import LightCurveError, LightCurveWarning
from sklc.light_curves import LightCurves, concatenate
from sklc.passbands import Passband, get_passband

FEW = settings(max_examples=40)
# One name with two wavelengths, with two surveys, and with a built-in passband's name.
PASSBANDS = [
    Passband("g", "lab", 0.48), Passband("g", "lab", 0.52), Passband("g", "field", 0.48),
    Passband("ztfr", "lab", 0.7), get_passband("ztfr"), get_passband("lsstu"),
]  # fmt: skip
IDS = {
    "str": lambda n: [f"é{k}" for k in range(n)],
    "int64": lambda n: np.arange(n) - 2,
    "int32": lambda n: np.arange(n, dtype=np.int32),
    "uint64": lambda n: np.arange(n, dtype=np.uint64) + 2**63,
    "bytes": lambda n: [b"%d" % k for k in range(n)],
}
METADATA = {
    "int": lambda n: np.arange(n),
    "small": lambda n: np.arange(n, dtype=np.uint8),
    "float": lambda n: np.where(np.arange(n) == 1, np.nan, np.arange(n) / 8),
    "bool": lambda n: np.arange(n) % 2 == 0,
    "str": lambda n: [f"k{k}" for k in range(n)],
    "missing str": lambda n: pd.Series([None, "Ia"] * n, dtype=object)[:n],
    "missing bool": lambda n: pd.Series([None, True] * n, dtype=object)[:n],
    "string": lambda n: pd.array([None, "Ia"] * n, dtype="string")[:n],
    "Int64": lambda n: pd.array([None, 2**60 + 1] * n, dtype="Int64")[:n],
    "boolean": lambda n: pd.array([None, True] * n, dtype="boolean")[:n],
    "categories": lambda n: pd.Categorical([None, "x"] * n, categories=["z", "y", "x"])[:n],
    "levels": lambda n: pd.Categorical([3, 1] * n, categories=[3, 2, 1], ordered=True)[:n],
    "flags": lambda n: pd.Categorical([None, False] * n, categories=[True, False])[:n],
    "nights": lambda n: pd.Categorical(pd.date_range("2020-01-01", periods=n)),
    "ns": lambda n: np.datetime64("2020-01-01T00:00:00.000000001") + np.arange(n),
    "seconds": lambda n: np.datetime64("2020-01-01T00:00:01", "s") + np.arange(n),
    "zone": lambda n: pd.date_range("2020", periods=n, tz="UTC"),
    "period": lambda n: np.arange(n).astype("timedelta64[s]"),
}


@st.composite
def light_curves(draw, min_points=0):
    """A container of any passbands, ids, metadata, zero point and precision."""
    n = draw(st.integers(0, 5))
    lengths = [draw(st.integers(min_points, 4)) for _ in range(n)]
    dtype = draw(st.sampled_from([np.float32, np.float64]))

    def columns(values, dtype):
        return [
            np.array(draw(st.lists(values, min_size=m, max_size=m)), dtype=dtype) for m in lengths
        ]

    names = draw(st.lists(st.sampled_from(sorted(METADATA)), max_size=4, unique=True))
    return LightCurves.from_arrays(
        columns(times, float),
        columns(fluxes, dtype),
        columns(errors, dtype) if draw(st.booleans()) else None,
        [pd.Series(codes, dtype=object).map(PASSBANDS.__getitem__).to_numpy(object)
         for codes in columns(st.integers(0, len(PASSBANDS) - 1), int)],
        ids=IDS[draw(st.sampled_from(sorted(IDS)))](n),
        metadata=pd.DataFrame({name: METADATA[name](n) for name in names}, index=range(n)),
        zero_point=draw(st.sampled_from([27.5, 25.0, 31.4])),
        duplicates="keep",
    )  # fmt: skip


def assert_same(again, curves):
    """Compare all that `equals` compares, and the types."""
    assert again.equals(curves)
    assert again.flux.dtype == again.flux_err.dtype == curves.flux.dtype
    assert again.ids.dtype == curves.ids.dtype
    assert list(map(type, again.ids)) == list(map(type, curves.ids))
    assert again.metadata.dtypes.equals(curves.metadata.dtypes)
    assert again.metadata.index.equals(curves.metadata.index)
    found, expected = (np.array([*c.passbands, None])[c.band].tolist() for c in (again, curves))
    assert found == expected


@FEW
@given(curves=light_curves(min_points=1))
def test_long_tables(curves):
    frame = curves.to_frame()
    if not len(curves):
        return  # a table without rows tells neither the zero point nor types
    for table in (frame, pl.from_pandas(frame), pa.Table.from_pandas(frame)):
        again = LightCurves.from_frame(table, metadata=curves.metadata, duplicates="keep")
        assert_same(again, curves)


@FEW
@given(curves=light_curves(), data=st.data())
def test_nested_frames(curves, data):
    nested = curves.to_nested()
    if curves.offsets[-1]:
        assert_same(LightCurves.from_nested(nested, duplicates="keep"), curves)
    rows = data.draw(st.lists(st.integers(0, max(len(curves) - 1, 0)), unique=True))
    chosen = curves[rows[: len(curves)]]
    if chosen.offsets[-1]:
        assert_same(
            LightCurves.from_nested(nested.iloc[rows[: len(curves)]], duplicates="keep"), chosen
        )


@FEW
@given(curves=light_curves(), n_objects=st.integers(1, 6), cut=st.integers(0, 5))
def test_parquet(curves, n_objects, cut):
    with tempfile.TemporaryDirectory() as folder:
        curves.to_parquet(f"{folder}/one")
        assert_same(LightCurves.from_parquet(f"{folder}/one", duplicates="keep"), curves)
        for k, part in enumerate((curves[:cut], curves[cut:])):
            part.to_parquet(f"{folder}/many/part-{k:05d}")
        assert_same(LightCurves.from_parquet(f"{folder}/many", duplicates="keep"), curves)
        for source in (f"{folder}/one", f"{folder}/many"):
            parts = LightCurves.iter_parquet(source, n_objects=n_objects, duplicates="keep")
            assert_same(concatenate(list(parts) or [curves]), curves)


@FEW
@given(curves=light_curves(), cut=st.integers(0, 5))
def test_pickles_copies_and_slices(curves, cut):
    for again in (pickle.loads(pickle.dumps(curves)), copy.deepcopy(curves)):
        assert_same(again, curves)
        assert again.passbands == curves.passbands
    assert_same(concatenate([curves[:cut], curves[cut:cut], curves[cut:]]), curves)
    for view in (curves[cut:], curves[::-1], concatenate([curves])[[0, 0] if len(curves) else []]):
        assert_same(pickle.loads(pickle.dumps(view)), view)


@FEW
@given(curves=light_curves())
def test_lists_of_objects(curves):
    if not len(curves):
        return
    assert_same(as_light_curves(list(curves), min_points=None), curves)
    alone = [pickle.loads(pickle.dumps(curve)) for curve in curves]
    assert_same(as_light_curves(alone, min_points=None), curves)


@pytest.fixture
def two_g():
    """Three objects, one without observations, in two passbands of the name g and a known one."""
    return LightCurves.from_arrays(
        [[1.0, 1.0, 2.0], [], [3.0]], [[5.0, 5.0, 6.0], [], [7.0]], [[1.0, 1.0, 1.0], [], [1.0]],
        [np.array(PASSBANDS, dtype=object)[[0, 1, 5]], np.array([], dtype=object), PASSBANDS[1]],
        ids=["a", "b", "c"], zero_point=25.0,
    )  # fmt: skip


def test_columns_of_passbands_are_there_only_where_names_do_not_say_them(two_g):
    told = ["band", "band_survey", "band_wavelength"]
    known = two_g.with_bands("lsstu")
    with pytest.warns(LightCurveWarning, match="2 of 3 objects have no observations"):
        assert [c for c in known.to_frame() if c.startswith("band")] == ["band"]
    assert [c for c in known[0].to_frame() if c.startswith("band")] == ["band"]
    with pytest.warns(LightCurveWarning, match="1 of 3 objects have no observations"):
        frame = two_g.to_frame()
    assert [c for c in frame if c.startswith("band")] == told
    assert [c for c in two_g[0].to_frame() if c.startswith("band")] == told
    assert [f for f in two_g.to_nested()["lightcurve"].nest.columns if f.startswith("band")] == told
    assert frame["band_wavelength"].tolist() == two_g.wavelength.tolist()


def test_missing_identities_are_left_to_the_names():
    frame = pd.DataFrame({"object_id": 1, "mjd": [1.0, 2.0, 3.0], "flux": 1.0})
    options = {"flux_err": None, "band": "filter"}
    frame["filter"] = ["ztfg", "g", "g"]
    frame["filter_survey"] = [None, "lsst", "lab"]
    frame["filter_wavelength"] = [np.nan, np.nan, 0.5]
    curves = LightCurves.from_frame(frame, **options)
    mine = Passband("g", "lab", 0.5)
    assert curves.passbands == (get_passband("ztfg"), get_passband("lsstg"), mine)
    with pytest.raises(LightCurveError, match=r"'g' has the wavelength 0\.5 but no survey"):
        LightCurves.from_frame(frame.drop(columns="filter_survey"), **options)
    with pytest.raises(LightCurveError, match=r"4800.*micrometre"):
        LightCurves.from_frame(frame.assign(filter_wavelength=4800.0, filter_survey="x"), **options)


def test_tables_of_single_objects(two_g):
    curves = two_g[[0, 2]]
    again = as_light_curves([curve.to_frame() for curve in curves])
    assert again.equals(LightCurves.from_frame(curves.to_frame().replace({"a": 0, "c": 1})))
    assert again.zero_point == 25.0


def test_nested_frames_keep_passbands_in_files_and_flat_tables(two_g, tmp_path):
    nested = two_g.to_nested()
    nested.to_parquet(tmp_path / "nested.parquet")
    again = LightCurves.from_nested(nested_pandas.read_parquet(tmp_path / "nested.parquet"))
    assert again.wavelength.tolist() == two_g.wavelength.tolist()
    assert again.passbands == two_g.passbands
    late = nested.query("lightcurve.time > 1").dropna(subset="lightcurve")
    assert LightCurves.from_nested(late).passbands == (PASSBANDS[1], PASSBANDS[5])
    flat = nested["lightcurve"].nest.to_flat().rename_axis("object_id").reset_index()
    assert LightCurves.from_frame(flat, time="time").equals(two_g[[0, 2]])


def test_other_processes_need_no_registration(two_g, tmp_path):
    two_g.to_parquet(tmp_path / "folder")
    forms = {"curves": two_g, "nested": two_g.to_nested(), "frame": two_g[[0, 2]].to_frame()}
    (tmp_path / "pickle").write_bytes(pickle.dumps(forms))
    code = (
        "import pickle, sys; from sklc import LightCurves\n"
        "forms = pickle.load(open(sys.argv[1] + '/pickle', 'rb'))\n"
        "made = [forms['curves'], LightCurves.from_nested(forms['nested']),\n"
        "        LightCurves.from_frame(forms['frame']),\n"
        "        LightCurves.from_parquet(sys.argv[1] + '/folder')]\n"
        "print([[str(p) for p in curves.passbands] for curves in made])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert eval(run.stdout) == [[str(p) for p in two_g.passbands]] * 4


def test_streams_and_views_keep_passbands(two_g, tmp_path):
    two_g.to_parquet(tmp_path)
    wavelengths = [
        wavelength
        for _, part in stream(lambda part: [c.wavelength for c in part], tmp_path, n_objects=1)
        for curve in part
        for wavelength in curve
    ]
    assert wavelengths == two_g.wavelength.tolist()
    assert two_g[2].passbands == (PASSBANDS[1],)
    assert two_g[0].band.tolist() == [0, 1, 2]


def test_selections_by_name_and_by_passband(two_g):
    assert two_g.with_bands("g").passbands == tuple(PASSBANDS[:2])
    assert two_g.with_bands("g").lengths.tolist() == [2, 0, 1]
    assert two_g.with_bands(PASSBANDS[1]).lengths.tolist() == [1, 0, 1]
    assert two_g.with_bands("lsstu", PASSBANDS[1]).passbands == (PASSBANDS[5], PASSBANDS[1])
    with pytest.raises(LightCurveError, match=r"'g\(field 0.48um\)'.*'g\(lab 0.48um\)'"):
        two_g.with_bands(PASSBANDS[2])


def test_passbands_of_one_name_are_neither_averaged_nor_taken_for_repetitions(two_g):
    assert two_g.nightly().lengths.tolist() == [3, 0, 1]
    frame = two_g[[0]].to_frame()
    assert LightCurves.from_frame(frame).lengths.tolist() == [3]
    with pytest.raises(LightCurveError, match="occurs twice"):
        LightCurves.from_frame(frame.assign(band_wavelength=0.48))


def test_equality_and_texts_tell_passbands_apart(two_g):
    frame = two_g[[0]].to_frame()
    assert "bands g(lab 0.48um) g(lab 0.52um) lsstu" in repr(two_g)
    assert "g(lab 0.52um)" in repr(two_g[0])
    assert "g(lab 0.52um)" in two_g._repr_html_()
    for change in ({"band_survey": "other"}, {"band_wavelength": 0.5 + np.arange(3) / 100}):
        assert not two_g[[0]].equals(LightCurves.from_frame(frame.assign(**change)))
    joined = concatenate([two_g[[2]], two_g[[0]]])
    assert joined.passbands == two_g.passbands
    assert joined[1].wavelength.tolist() == two_g[0].wavelength.tolist()


def test_passbands_moved_by_redshifting_come_back(tmp_path):
    pytest.importorskip("astropy", reason="astropy is not installed: pip install 'sklc[sim]'")
    from sklc.augment import Redshifting
    from sklc.datasets import load_demo

    curves = load_demo().curves[:30]
    moved = Redshifting(share=0.7, random_state=0).fit_transform(curves)
    again = Redshifting(share=0.7, random_state=1).fit_transform(moved)
    for made in (moved, again):
        assert len(set(made.passbands)) == len(made.passbands) > 4
        assert LightCurves.from_frame(made.to_frame(), metadata=made.metadata).equals(made)
        assert LightCurves.from_nested(made.to_nested()).equals(made)
        made.to_parquet(tmp_path)
        assert LightCurves.from_parquet(tmp_path).equals(made)


def test_files_of_earlier_versions_say_unknown_passbands_in_their_header(tmp_path):
    mine = Passband("my_very_own", "lab", 0.512)
    curves = LightCurves.from_arrays([1.0], [10.0], None, mine, offsets=[0, 1])
    curves.to_parquet(tmp_path)
    file = tmp_path / "photometry.parquet"
    table = pq.read_table(file).drop(["band_survey", "band_wavelength"])
    header = json.dumps({"passbands": {"my_very_own": ["lab", 0.512]}})
    pq.write_table(table.replace_schema_metadata({"sklc": header}), file)
    assert LightCurves.from_parquet(tmp_path).passbands == (mine,)


def test_what_a_padded_array_can_hold(two_g):
    known = two_g.with_bands("lsstu")
    again = LightCurves.from_padded(known.to_padded(), ids=known.ids, zero_point=25.0)
    assert_same(again, known)
    padded = two_g.to_padded()
    again = LightCurves.from_padded(padded, ids=two_g.ids, zero_point=25.0)
    assert again.wavelength.tolist() == two_g.wavelength.tolist()
    assert [p.survey for p in again.passbands] == ["anonymous", "anonymous", "LSST"]


def test_metadata_that_a_form_cannot_hold(two_g, tmp_path):
    with pytest.raises(LightCurveError, match=r'column "lightcurve".*rename'):
        two_g.with_metadata(lightcurve=1).to_nested()
    for column in ([1, "a", 2], pd.cut([1, 2, 3], 2)):
        with pytest.raises(LightCurveError, match=r"metadata cannot be written.*astype\(str\)"):
            two_g.with_metadata(odd=column).to_parquet(tmp_path / "odd")
        assert not (tmp_path / "odd").exists()
