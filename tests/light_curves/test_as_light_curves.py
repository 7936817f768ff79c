"""Every form of X through `as_light_curves`, and what is refused."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from nested_pandas import NestedFrame
from scipy import sparse
from strategies import assert_equals_naive, container, naive_objects

from sklc.errors import LightCurveError, LightCurveWarning
from sklc.light_curves import LightCurves, as_light_curves, is_series_matrix


@pytest.fixture
def curves(curves):
    return curves[:3]


def object_array(items):
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


def two_d(curve):
    return np.column_stack([curve.time, curve.flux, curve.flux_err, curve.wavelength])


PER_OBJECT = {
    "light curves": lambda c: c,
    "frame": lambda c: c.to_frame(),
    "frame, other names": lambda c: c.to_frame().rename(
        columns={"mjd": "t", "flux_err": "fluxerr", "band": "filter"}
    ),
    "polars": lambda c: pl.from_pandas(c.to_frame()),
    "pyarrow": lambda c: pa.Table.from_pandas(c.to_frame()),
    "mapping": lambda c: dict(c.to_frame().items()),
    "mapping of lists": lambda c: c.to_frame().to_dict("list"),
    "array": two_d,
    "nested list": lambda c: two_d(c).tolist(),
}

WHOLE = {
    "itself": lambda c: c,
    "nested": lambda c: c.to_nested(),
    "nested column": lambda c: c.to_nested()["lightcurve"],
    "plain frame with nested column": lambda c: pd.DataFrame(c.to_nested()),
    "padded": lambda c: c.to_padded(),
    "padded list": lambda c: c.to_padded().tolist(),
    "padded objects": lambda c: c.to_padded().astype(object),
    "array of a nested column": lambda c: np.asarray(c.to_nested()[["lightcurve"]]),
}


def assert_same(made, curves):
    assert made.lengths.tolist() == curves.lengths.tolist()
    assert made.time.tolist() == curves.time.tolist()
    assert made.flux.tolist() == curves.flux.tolist()
    assert made.flux_err.tolist() == curves.flux_err.tolist()
    assert made.band_names.tolist() == curves.band_names.tolist()


@pytest.mark.parametrize("form", WHOLE)
def test_containers(curves, form):
    assert_same(as_light_curves(WHOLE[form](curves)), curves)
    assert not is_series_matrix(WHOLE[form](curves))


@pytest.mark.parametrize("sequence", [list, tuple, object_array, lambda i: pd.Series(i)])
@pytest.mark.parametrize("form", PER_OBJECT)
def test_sequences_of_objects(curves, form, sequence):
    X = sequence([PER_OBJECT[form](c) for c in curves])
    assert_same(as_light_curves(X), curves)
    assert not is_series_matrix(X)


def test_mixed_forms_in_one_list(curves):
    X = [form(c) for form, c in zip(
        (PER_OBJECT["frame"], PER_OBJECT["light curves"], PER_OBJECT["array"]), curves, strict=True
    )]  # fmt: skip
    assert_same(as_light_curves(X), curves)


def test_container_and_single_light_curve(curves):
    assert as_light_curves(curves) is curves
    single = as_light_curves(curves[2])
    assert single.equals(curves[[2]])


@given(objects=naive_objects(min_objects=1), data=st.data())
def test_light_curves_of_one_container_become_a_view(objects, data):
    curves = container(objects)
    rows = data.draw(st.lists(st.integers(0, len(objects) - 1), min_size=1))
    view = as_light_curves([curves[k] for k in rows], min_points=None)
    assert view.is_view
    assert_equals_naive(view, [objects[k] for k in rows])
    assert view.metadata.index.tolist() == [objects[k].id for k in rows]


@given(objects=naive_objects(min_objects=1), data=st.data())
def test_light_curves_of_several_containers(objects, data):
    n = len(objects)
    whole, cut = container(objects), data.draw(st.integers(0, n))
    first, second = container(objects[:cut]), container(objects[cut:])
    rows = data.draw(st.lists(st.integers(0, n - 1), min_size=1))
    picked = [
        data.draw(st.sampled_from([whole[k], first[k] if k < cut else second[k - cut]]))
        for k in rows
    ]
    picked = [pickle.loads(pickle.dumps(c)) if data.draw(st.booleans()) else c for c in picked]
    assert_equals_naive(as_light_curves(picked, min_points=None), [objects[k] for k in rows])


def test_frames_with_zero_points():
    frames = [
        pd.DataFrame({"mjd": [1.0], "flux": [10.0], "zp": [25.0]}),
        pd.DataFrame({"mjd": [1.0], "flux": [10.0]}),
    ]
    curves = as_light_curves(frames)
    np.testing.assert_allclose(curves.flux, [100.0, 10.0])
    assert curves.zero_point == 27.5


def test_objects_with_and_without_errors_and_bands():
    X = [
        np.array([[1.0, 5.0], [2.0, 6.0]]),
        np.array([[1.0, 7.0, 0.5]]),
        pd.DataFrame({"t": [3.0], "flux": [8.0], "band": ["lsstr"]}),
        np.array([[1.0, 9.0, np.nan]]),
    ]
    curves = as_light_curves(X)
    assert np.isnan(curves.flux_err).tolist() == [True, True, False, True, True]
    assert curves.band_names.tolist() == ["unnamed"] * 3 + ["lsstr", "unnamed"]
    X[1][0, 2] = -0.5
    with pytest.raises(LightCurveError, match=r"object 1 \(position 1\): flux_err is not positive"):
        as_light_curves(X)
    X[1][0, 2], X[0][1, 1] = 0.5, np.nan
    with pytest.raises(LightCurveError, match=r"object 0 \(position 0\): flux is NaN"):
        as_light_curves(X)


def test_resampled_nested_frame_may_repeat_objects(curves):
    rows = [2, 0, 2]
    assert_same(as_light_curves(curves.to_nested().iloc[rows]), curves[rows])


def test_nested_frame_keeps_metadata_and_zero_point(curves):
    made = as_light_curves(curves.to_nested())
    assert made.metadata["redshift"].tolist() == [0.03, 0.05, 0.02]
    assert made.ids.tolist() == ["a", "b", "c"]
    other = LightCurves.from_arrays([1.0], [10.0], [1.0], "ztfg", offsets=[0, 1], zero_point=25.0)
    assert as_light_curves(other.to_nested()).equals(other)


# -- 2-D


@given(
    X=arrays(
        st.sampled_from([np.float64, np.float32, np.int32]),
        st.tuples(st.integers(0, 5), st.integers(1, 6)),
        elements=st.integers(1, 100),
    )
)
def test_series_matrix(X):
    for form in (X, pd.DataFrame(X), pl.DataFrame(X) if len(X) else X):
        assert is_series_matrix(form)
        curves = as_light_curves(form)
        assert curves.shape == (len(X),)
        assert curves.lengths.tolist() == [X.shape[1]] * len(X)
        assert curves.flux.reshape(X.shape).tolist() == X.tolist()
        assert curves.time.tolist() == list(range(X.shape[1])) * len(X)
        assert np.isnan(curves.flux_err).all()
        assert [p.name for p in curves.passbands] == ["series"]
        assert curves.ids.tolist() == list(range(len(X)))
    if len(X):
        assert as_light_curves(X.tolist()).flux.tolist() == X.ravel().tolist()
        assert as_light_curves(list(X)).flux.tolist() == X.ravel().tolist()
    # as the general way makes them
    assert as_light_curves(X).equals(
        LightCurves.from_arrays([range(X.shape[1])] * len(X), list(X), band="series")
    )


def test_series_matrix_does_not_copy_or_freeze():
    X = np.ones((3, 4))
    curves = as_light_curves(X)
    assert np.shares_memory(curves.flux, X)
    X[0, 0] = 2.0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_series_matrix_with_gaps(value):
    X = np.ones((3, 4))
    X[1, 2] = value
    with pytest.raises(LightCurveError, match=r"row 1 .*column 2 \(1 values.*list of arrays.*3-D"):
        as_light_curves(X)
    assert is_series_matrix(X)


class OnlyArray:
    def __array__(self, dtype=None, copy=None):
        return np.ones((2, 3))


@pytest.mark.parametrize(("X", "expected"), [
    (np.ones((2, 3)), True), (np.ones((2, 3), dtype=object), True),
    (np.array([[{"a": 1}, 2]], dtype=object), True), (np.ones((2, 3), dtype=complex), True),
    (np.array([["a", "b"]]), True), (np.ones(3), True), (np.array(3.0), True),
    (np.array([1, "a"], dtype=object), True), (np.ones((0, 3)), True), ([1.0, 2.0], True),
    ([[1, 2], [3, 4]], True), ([np.ones(2), np.ones(2)], True), (((1, 2), (3, 4)), True),
    (sparse.csr_matrix(np.eye(3)), True), (pd.DataFrame(np.ones((2, 3))), True),
    (pl.DataFrame({"x": [1, 2], "y": [3.0, 4.0]}), True), (pd.Series([1.0, 2.0]), True),
    (OnlyArray(), True), ([[1, 2], [3]], False), ([], False), ([np.ones((2, 3))], False),
    (np.ones((2, 3, 4)), False), (object_array([np.ones((2, 3)), np.ones((1, 3))]), False),
    (pd.DataFrame({"mjd": [1.0], "flux": [2.0]}), False),
    (pd.DataFrame({"name": ["a"], "x": [2.0]}), False), ({"a": 1}, False), (None, False),
    ("abc", False), (3.0, False), (object(), False),
])  # fmt: skip
def test_is_series_matrix(X, expected):
    assert is_series_matrix(X) is expected


def test_object_that_converts_to_an_array():
    assert as_light_curves(OnlyArray()).flux.tolist() == [1.0] * 6


# -- refused


@pytest.mark.parametrize("library", [lambda f: f, pl.from_pandas, pa.Table.from_pandas])
def test_long_table_is_refused_with_the_line_that_converts_it(curves, library):
    frame = curves.to_frame().drop(columns="zp")
    with pytest.raises(LightCurveError) as error:
        as_light_curves(library(frame))
    line = (
        "LightCurves.from_frame(X, object_id='object_id', time='mjd', flux='flux', "
        "flux_err='flux_err', band='band')"
    )
    assert line in str(error.value)
    made = eval(line, {"LightCurves": LightCurves, "X": library(frame)})
    assert_same(made, curves)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (["oid", "MJD", "flux", "fluxerr", "filter"],
         "object_id='oid', time='MJD', flux='flux', flux_err='fluxerr', band='filter'"),
        (["name", "t", "flux"], "object_id=..., time='t', flux='flux', flux_err=..., band=..."),
        (["mjd", "magpsf"], "time='mjd', flux=..."),
    ],
)  # fmt: skip
def test_long_table_of_other_columns(columns, words):
    with pytest.raises(LightCurveError) as error:
        as_light_curves(pd.DataFrame({c: [1.0] for c in columns}))
    assert words in str(error.value)


def test_structured_array(curves):
    records = curves.to_frame().astype({"band": object}).to_records(index=False)
    with pytest.raises(LightCurveError, match=r"from_frame\(X, object_id='object_id', time='mjd'"):
        as_light_curves(np.asarray(records))
    assert not is_series_matrix(np.asarray(records))


@pytest.mark.parametrize("X", [None, "abc", b"abc", 3, 3.0, np.float64(3), {"a": 1}, object()])
def test_things_that_are_no_light_curves(X):
    with pytest.raises(TypeError, match=r"not light curves.*LightCurves\.from_frame|from_frame"):
        as_light_curves(X)


@pytest.mark.parametrize(("X", "message"), [
    ([1.0, 2.0], r"shape \(2,\).*n_objects, n_samples"), (np.ones(3), r"shape \(3,\)"),
    (np.array(3.0), r"shape \(\)"), (np.ones((3, 0)), r"shape \(3, 0\)"),
    (np.ones((2, 2), dtype=complex), "Complex data not supported"),
    (np.ones((2, 3, 4, 5)), "shape"),
    ([np.ones(3), np.ones(4)], r"position 0 is a ndarray of shape \(3,\).*numpy\.arange"),
    ([[1, 2, 3], [4, 5]], r"position 0 is a list of shape \(3,\)"),
    ([np.ones((3, 2)), np.ones((3, 7))], r"position 1 .*\(3, 7\).*transpose"),
    ([np.ones((3, 2)), np.ones((5, 7))], r"position 1 .*\(5, 7\).*column_stack"),
    ([np.ones((3, 2)), "abc"], "position 1 is a str"),
    ([np.ones((3, 2)), None], "position 1 is a NoneType"),
    ([pd.DataFrame({"x": [1.0]})], r"position 0 has none of the columns.*\['x'\]"),
    (pd.DataFrame({"name": ["a"], "x": [2.0]}), r"\['name', 'x'\]"),
    (np.array([["a", "b"]]), "does not hold numbers"),
    (np.array([[{"a": 1}, 2.0]], dtype=object), "object array of 2 columns"),
])  # fmt: skip
def test_arrays_and_lists_of_the_wrong_kind(X, message):
    with pytest.raises(ValueError, match=message):
        as_light_curves(X)


def test_sparse_matrix():
    with pytest.raises(TypeError, match=r"Sparse data was passed.*toarray"):
        as_light_curves(sparse.csr_matrix(np.eye(3)))


def test_array_of_a_frame_with_metadata_is_refused(curves):
    with pytest.raises(LightCurveError, match=r"column names.*nested_frame\[\[\"lightcurve"):
        as_light_curves(np.asarray(curves.to_nested()))


def test_min_points(curves):
    with pytest.raises(LightCurveError, match=r"'b' \(position 1\) has 1 .*2 needed"):
        as_light_curves(curves, min_points=2)
    empty = curves.detections(1e9)
    assert as_light_curves(empty, min_points=None) is empty
    assert as_light_curves(empty, min_points=0) is empty


@pytest.mark.parametrize("form", ["itself", "nested", "padded"])
def test_no_objects(curves, form):
    assert len(as_light_curves(WHOLE[form](curves[:0]))) == 0
    assert len(as_light_curves([])) == 0
    assert len(as_light_curves(object_array([]))) == 0


@pytest.mark.parametrize("form", ["list of tables", "NestedFrame"])
def test_columns_that_are_not_read_are_named(form):
    table = pd.DataFrame({"mjd": [1.0, 2.0], "fid": ["g", "r"], "flux": [5.0, 6.0], "sigma": 1.0})
    if form == "NestedFrame":
        flat = table.assign(object_id=0).set_index("object_id")
        X = NestedFrame.from_flat(flat, base_columns=[], name="lightcurve")
    else:
        X = [table, table]
    with pytest.warns(LightCurveWarning, match=r"band and flux_err .*\['fid', 'sigma'\]") as seen:
        as_light_curves(X)
    assert len(seen) == 1


def test_light_curves_of_other_zero_points_are_rescaled(curves):
    other = LightCurves.from_arrays([1.0], [10.0], [1.0], "ztfg", offsets=[0, 1], zero_point=25.0)
    joined = as_light_curves([other[0]])
    assert joined.zero_point == 25.0
    numbered = LightCurves.from_arrays([1.0], [10.0], [1.0], "ztfg", offsets=[0, 1])
    joined = as_light_curves([numbered[0], other[0]])
    np.testing.assert_allclose(joined.flux, [10.0, 100.0])
