"""Labels, redshifts and weights in the order of the objects; masks; plain arrays as X."""

from contextlib import nullcontext

import astropy.units as u
import numpy as np
import pandas as pd
import pytest
from astropy.table import MaskedColumn
from astropy.utils.masked import Masked
from small import (
    SMALL,
    few_folds,  # noqa: F401
)

from sklc import (
    LatentIsolationForest,
    LightCurveEncoder,
    LightCurves,
    RedshiftRegressor,
    TransferClassifier,
)
from sklc.datasets import load_demo
from sklc.errors import LightCurveError, LightCurveWarning
from sklc.estimators.targets import in_order
from sklc.features import LightCurveFeatures

N = 40


@pytest.fixture(scope="module")
def demo():
    curves, labels = load_demo(return_X_y=True)
    rows = np.concatenate([np.flatnonzero(labels == c)[: N // 2] for c in np.unique(labels)[:2]])
    return curves[rows], labels[rows], np.linspace(0.02, 0.2, len(rows))


PUT_IN_ORDER = pytest.warns(LightCurveWarning, match=r"put into the order of X: pass .*\.loc")


def fitted_outputs(name, curves, labels, redshifts, weight=None):
    """What an estimator makes of the light curves after a fit."""
    if name == "encoder":
        model = LightCurveEncoder(**SMALL, early_stopping=False)
        return model.fit(curves, labels, sample_weight=weight).transform(curves)
    if name == "classifier":
        model = TransferClassifier("ztf", device="cpu", random_state=0)
        return model.fit(curves, labels, sample_weight=weight).predict_proba(curves)
    if name == "regressor":
        model = RedshiftRegressor("ztf", device="cpu", random_state=0)
        return model.fit(curves, redshifts, sample_weight=weight).predict(curves)
    model = LatentIsolationForest("ztf", per_class=True, device="cpu", random_state=0)
    return model.fit(curves, labels, sample_weight=weight).score_samples(curves)


ESTIMATORS = ["encoder", "classifier", "regressor", "forest"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_series_indexed_by_ids_is_aligned_in_fit(demo, name):
    curves, labels, redshifts = demo
    weight = np.linspace(1, 2, len(curves))
    shuffle = np.random.default_rng(0).permutation(len(curves))

    def by_id(values):
        return pd.Series(values, index=curves.ids).iloc[shuffle]

    expected = fitted_outputs(name, curves, labels, redshifts, weight)
    with PUT_IN_ORDER:
        made = fitted_outputs(name, curves, by_id(labels), by_id(redshifts), by_id(weight))
    np.testing.assert_array_equal(made, expected)


@pytest.mark.parametrize("name", ["classifier", "regressor"])
def test_a_series_indexed_by_ids_is_aligned_in_score(demo, name):
    curves, labels, redshifts = demo
    model = {"classifier": TransferClassifier, "regressor": RedshiftRegressor}[name]
    model = model("ztf", device="cpu", random_state=0)
    y = labels if name == "classifier" else redshifts
    model.fit(curves, y)
    shuffled = pd.Series(y, index=curves.ids).sample(frac=1, random_state=0)
    with PUT_IN_ORDER:
        assert model.score(curves, shuffled) == model.score(curves, y) > 0.5
    with pytest.raises(LightCurveError, match=r"indexed by ids, and that of object .* is missing"):
        model.score(curves, shuffled.rename({curves.ids[3]: "another"}))


def simple(ids=None):
    return LightCurves.from_arrays(np.arange(3.0), [5.0, 6, 7], offsets=[0, 1, 2, 3], ids=ids)


def ordered(values, X):
    made = in_order(values, X, X if isinstance(X, LightCurves) else simple(), "y")
    return list(made) if isinstance(made, pd.Series | np.ndarray) else made


@pytest.mark.parametrize("values", [
    pd.Series({"c": 3, "a": 1, "b": 2}), pd.DataFrame({"y": {"c": 3, "a": 1, "b": 2}}),
    {"c": 3, "a": 1, "b": 2}, pd.Series({"a": 1, "b": 2, "c": 3}), pd.Series([1, 2, 3]),
    pd.Series([1, 2, 3], index=[17, 4, 9]), [1, 2, 3],
    pd.Series([3, 1, 2], index=pd.Index(["c", "a", "b"], dtype="string")),
    pd.Series([3, 1, 2], index=pd.CategoricalIndex(["c", "a", "b"])),
])  # fmt: skip
def test_values_by_id_are_put_in_order(values):
    index = getattr(values, "index", None)
    reordered = isinstance(values, pd.Series | pd.DataFrame) and index[0] == "c"
    with PUT_IN_ORDER if reordered else nullcontext():
        assert ordered(values, simple(["a", "b", "c"])) == [1, 2, 3]


def test_values_by_id_of_resampled_objects():
    X = simple(["a", "b", "c"])[[2, 0, 2]]
    y = pd.Series([3, 1, 3], index=["c", "a", "c"])
    assert ordered(y, X) == [3, 1, 3]
    with pytest.raises(LightCurveError, match="'c' occurs twice"):
        ordered(y.iloc[[1, 0, 2]], X)


@pytest.mark.parametrize(("y", "message"), [
    (pd.Series({"a": 1, "b": 2, "x": 3}), r"object 'c' .* is missing \(1 of 3.*to_numpy"),
    (pd.Series([1, 2, 3], index=["a", "a", "b"]), "'a' occurs twice"),
])  # fmt: skip
def test_an_index_that_lacks_ids(y, message):
    with pytest.raises(LightCurveError, match=message):
        ordered(y, simple(["a", "b", "c"]))


def test_numbers_in_another_order_may_be_ids_or_positions():
    y = pd.Series([3, 1, 2], index=[2, 0, 1])
    with pytest.raises(LightCurveError, match=r"y\.loc\[X\.ids\].*y\.to_numpy\(\)"):
        ordered(y, simple())
    assert ordered(y.loc[simple().ids], simple()) == [1, 2, 3]
    assert ordered(y.to_numpy(), simple()) == [3, 1, 2]
    arrays = [np.ones((2, 2))] * 3  # without ids, the order is all there is
    assert ordered(y, arrays) == [3, 1, 2]


def test_float_indices_are_exact():
    ids = np.array([2**60 + 1, 2**60 + 2, 2**60 + 3])
    with pytest.raises(LightCurveError, match="too large to be exact"):
        ordered(pd.Series([1, 2, 3], index=ids.astype(float)[::-1]), simple(ids))


LACKING = {
    "numpy.ma": lambda y: np.ma.masked_array(y, mask=np.arange(len(y)) == 3),
    "MaskedColumn": lambda y: MaskedColumn(y, mask=np.arange(len(y)) == 3),
    "list of masked": lambda y: [np.ma.masked if k == 3 else v for k, v in enumerate(y.tolist())],
    "list of NA": lambda y: [pd.NA if k == 3 else v for k, v in enumerate(y.tolist())],
    "Series of NA": lambda y: pd.Series(y).astype("object").where(np.arange(len(y)) != 3, None),
    "nullable": lambda y: pd.Series(y).convert_dtypes().where(np.arange(len(y)) != 3),
    "Arrow": lambda y: pd.Series(y).convert_dtypes(dtype_backend="pyarrow").where(
        np.arange(len(y)) != 3
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", LACKING)
def test_missing_targets_name_the_object(demo, kind):
    curves, labels, redshifts = demo
    name = f"{curves.ids[3]!r} \\(position 3\\)"
    with pytest.raises(LightCurveError, match=f"label of object {name} is missing"):
        TransferClassifier("ztf").fit(curves, LACKING[kind](labels))
    numbers = np.unique(labels, return_inverse=True)[1]
    with pytest.raises(LightCurveError, match=f"label of object {name} is missing"):
        TransferClassifier("ztf").fit(curves, LACKING[kind](numbers))
    with pytest.raises(LightCurveError, match=f"redshift of object {name} is nan"):
        RedshiftRegressor("ztf").fit(curves, LACKING[kind](redshifts))


def test_masked_redshifts_of_astropy(demo):
    curves, _, redshifts = demo
    masked = Masked(redshifts * u.dimensionless_unscaled, mask=np.arange(len(redshifts)) == 3)
    with pytest.raises(LightCurveError, match=r"\(position 3\) is nan"):
        RedshiftRegressor("ztf").fit(curves, masked)
    with pytest.raises(LightCurveError, match="the y column has the unit 'km / s'"):
        RedshiftRegressor("ztf").fit(curves, redshifts * 3e5 * u.km / u.s)


@pytest.mark.parametrize("value", [-9.0, -99.0, 99.0, 999.0, 1e20])
def test_placeholders_among_redshifts(demo, value):
    curves, _, redshifts = demo
    redshifts = redshifts.copy()
    redshifts[3] = value
    with pytest.raises(LightCurveError, match=r"edshift.*\(position 3\).*Leave such objects out"):
        RedshiftRegressor("ztf").fit(curves, redshifts)


@pytest.mark.slow
@pytest.mark.parametrize("convert", [
    lambda y: y.astype(">f8"), lambda y: y.astype(np.longdouble), lambda y: y[:, None][:, 0],
    lambda y: np.ma.masked_array(y), lambda y: y * u.dimensionless_unscaled,
    lambda y: pd.Series(y).astype("Float64"), lambda y: pd.array(y, dtype="double[pyarrow]"),
])  # fmt: skip
def test_redshifts_of_every_kind(demo, convert):
    curves, _, redshifts = demo
    expected = fitted_outputs("regressor", curves, None, redshifts)
    np.testing.assert_array_equal(
        fitted_outputs("regressor", curves, None, convert(redshifts)), expected
    )


# -- plain arrays


def models(curves, labels, redshifts):
    yield TransferClassifier("ztf", device="cpu", random_state=0).fit(curves, labels), "predict"
    yield RedshiftRegressor("ztf", device="cpu", random_state=0).fit(curves, redshifts), "predict"
    yield LightCurveEncoder.pretrained("ztf", device="cpu").fit(curves), "transform"
    yield LatentIsolationForest("ztf", device="cpu").fit(curves), "score_samples"
    yield LightCurveFeatures().fit(curves), "transform"


def test_a_plain_array_is_refused_after_a_fit_on_light_curves(demo):
    one = np.column_stack([59000.0 + np.arange(8), np.arange(8.0) + 5, np.ones(8)])
    series = np.random.default_rng(0).normal(size=(4, 8))
    for model, method in models(*demo):
        call = getattr(model, method)
        with pytest.raises(LightCurveError, match=r"times of a single light curve.*\[X\]"):
            call(one)
        with pytest.raises(LightCurveError, match=r"\[X\]"):
            call(one.tolist())
        with pytest.raises(LightCurveError, match="this model was fitted on light curves: pass"):
            call(series)
        with pytest.raises(LightCurveError, match="fitted on light curves"):
            call(pd.DataFrame(series))
        assert len(call([one])) == 1  # the remedy
        assert len(call(np.empty((0, 8)))) == 0


def test_a_plain_array_after_a_fit_on_plain_arrays(demo):
    curves, labels, _ = demo
    X = np.random.default_rng(0).normal(10, 1, size=(len(labels), 8))
    model = TransferClassifier("ztf", device="cpu", random_state=0).fit(X, labels)
    assert len(model.predict(X)) == len(X)
    assert model.n_features_in_ == 8
    model.fit(curves, labels)  # forgets the array
    assert not hasattr(model, "n_features_in_")
    with pytest.raises(LightCurveError, match="fitted on light curves"):
        model.predict(X)


def test_weights_that_were_not_fitted_refuse_what_looks_like_one_object():
    model = LightCurveEncoder.pretrained("ztf", device="cpu")
    one = np.column_stack([59000.0 + np.arange(8), np.arange(8.0) + 5])
    with pytest.raises(LightCurveError, match=r"\[X\]"):
        model.transform(one)
    assert model.transform(one.T[1:] + 1).shape == (1, 128)


def test_masked_plain_arrays_are_refused(demo):
    _, labels, _ = demo
    X = np.ma.masked_array(np.full((len(labels), 8), 5.0), mask=False)
    X[3, 2] = np.ma.masked
    with pytest.raises(LightCurveError, match="row 3 of X holds NaN or infinity in column 2"):
        TransferClassifier("ztf", device="cpu").fit(X, labels)
