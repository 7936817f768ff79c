"""Every form that light curves can take gives them back: passbands, ids, metadata, types, order."""

import copy
import pickle
import subprocess
import sys
import tempfile

import nested_pandas
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import errors, fluxes, times

from sklc import as_light_curves, stream
from sklc.errors import LightCurveError, LightCurveWarning
from sklc.light_curves import LightCurves, concatenate
from sklc.passbands import Passband, get_passband

FEW = settings(max_examples=40)
# One name with two wavelengths, with two surveys, and with a built-in passband's name.
PASSBANDS = [
    Passband("g", "lab", 0.48),
    Passband("g", "lab", 0.52),
    Passband("g", "field", 0.48),
    Passband("ztfr", "lab", 0.7),
    get_passband("ztfr"),
    get_passband("lsstu"),
]
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
    assert_same(pickle.loads(pickle.dumps(curves[cut:])), curves[cut:])


@FEW
@given(curves=light_curves())
def test_lists_of_objects(curves):
    if not len(curves):
        return
    assert_same(as_light_curves(list(curves), min_points=None), curves)
    alone = [pickle.loads(pickle.dumps(curve)) for curve in curves]
    assert_same(as_light_curves(alone, min_points=None), curves)
