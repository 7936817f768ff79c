"""A reader that is added from outside the package, through everything that takes light curves."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

import sklc
from sklc import LightCurveEncoder, LightCurves, TransferClassifier, as_light_curves
from sklc.light_curves import READERS, ReadOptions, is_series_matrix

N_OBJECTS = 12


class Night:
    """Light curves as an observatory might keep them: one dictionary per object."""

    def __init__(self, records):
        self.records = list(records)

    def __len__(self):
        return len(self.records)

    def __getitem__(self, position):
        return self.records[position]


class SplittableNight(Night):
    """The same, with what scikit-learn's splitters ask for."""

    @property
    def shape(self):
        return (len(self),)

    def __getitem__(self, key):
        positions = key[0] if isinstance(key, tuple) else key  # X[positions, ...]
        return SplittableNight([self.records[k] for k in np.atleast_1d(positions)])


class NightReader:
    def accepts(self, X):
        return isinstance(X, Night)

    def read(self, X, options):
        return LightCurves.from_arrays(
            [r["t"] for r in X.records],
            [r["f"] for r in X.records],
            [r["e"] for r in X.records],
            "ztfg",
            ids=[r["name"] for r in X.records],
            invalid=options.invalid,
        )


@pytest.fixture
def reader():
    sklc.register_reader("night", NightReader())
    yield
    READERS.unregister("night")


def records():
    rng = np.random.default_rng(0)
    for number in range(N_OBJECTS):
        time = 59000 + np.sort(rng.uniform(0, 60, 15))
        width = 4 if number % 2 else 25
        flux = 300 * np.exp(-np.abs(time - 59010) / width) + rng.normal(0, 3, 15)
        yield {"name": f"n{number}", "t": time, "f": flux, "e": np.full(15, 3.0)}


LABELS = np.array(["slow", "fast"] * (N_OBJECTS // 2))


@pytest.fixture
def night(reader):
    return SplittableNight(records())


@pytest.fixture
def curves():
    return NightReader().read(Night(records()), ReadOptions())


def test_as_light_curves(night, curves):
    assert as_light_curves(night).equals(curves)
    assert not is_series_matrix(night)
    with pytest.raises(sklc.LightCurveError, match=r"'n0' .* has 15 observation.*20 need"):
        as_light_curves(night, min_points=20)


def test_fit_and_predict(night, curves):
    options = {"device": "cpu", "random_state": 0}
    taught = TransferClassifier("ztf+lsst", **options).fit(night, LABELS)
    usual = TransferClassifier("ztf+lsst", **options).fit(curves, LABELS)
    np.testing.assert_array_equal(taught.predict_proba(night), usual.predict_proba(curves))
    assert taught.predict(night[[0, 3]]).shape == (2,)


def test_cross_validation_of_a_pipeline(night, curves):
    pipe = make_pipeline(LightCurveEncoder("ztf+lsst", device="cpu"), LogisticRegression())
    scores = cross_val_score(pipe, night, LABELS, cv=3, error_score="raise")
    np.testing.assert_array_equal(scores, cross_val_score(pipe, curves, LABELS, cv=3))


def test_what_cannot_be_split_says_what_a_splitter_needs(reader):
    unsplittable = Night(
        [type("Record", (), {"__getitem__": r.__getitem__})() for r in map(dict, records())]
    )
    encoder = LightCurveEncoder("ztf+lsst", device="cpu")
    pipe = make_pipeline(encoder, LogisticRegression())
    message = r"position 0 is a Record.*as_light_curves\(X\).*shape and X\[positions, \.\.\.\]"
    with pytest.raises(sklc.LightCurveError, match=message):
        cross_val_score(pipe, unsplittable, LABELS, cv=3, error_score="raise")


@pytest.mark.parametrize("as_parts", [False, True])
def test_stream(night, curves, as_parts):
    encoder = LightCurveEncoder("ztf+lsst", device="cpu")
    source = [night[[0, 1, 2, 3, 4]], night[np.arange(5, N_OBJECTS)]] if as_parts else night
    parts = list(sklc.stream(encoder.transform, source, n_objects=5))
    assert [len(ids) for ids, _ in parts] == ([5, 7] if as_parts else [5, 5, 2])
    assert np.concatenate([ids for ids, _ in parts]).tolist() == curves.ids.tolist()
    np.testing.assert_array_equal(np.concatenate([z for _, z in parts]), encoder.transform(curves))


def test_unregistered_again(night):
    READERS.unregister("night")
    try:
        with pytest.raises(TypeError, match=r"SplittableNight, not light curves.*register_reader"):
            as_light_curves(night)
    finally:
        sklc.register_reader("night", NightReader())


def test_names_and_methods_are_checked(reader):
    with pytest.raises(ValueError, match=r"no reader named 'serie'.*Did you mean 'series'"):
        sklc.register_reader("other", NightReader(), before="serie")
    with pytest.raises(TypeError, match=r"accepts\(X\) and read\(X, options\)"):
        sklc.register_reader("other", object())
    assert "other" not in READERS


class WithNumbers(Night):
    """A form that numpy can convert too."""

    def __array__(self, dtype=None, copy=None):
        return np.array([r["f"] for r in self.records])


def test_order_of_readers():
    X = WithNumbers(records())
    assert as_light_curves(X).passbands[0].name == "series"
    assert is_series_matrix(X)
    sklc.register_reader("night", NightReader(), before="series")
    try:
        assert as_light_curves(X).passbands[0].name == "ztfg"
        assert not is_series_matrix(X)
    finally:
        READERS.unregister("night")


def test_a_reader_that_returns_something_else(curves):
    class Wrong(NightReader):
        def read(self, X, options):
            return curves.to_frame()

    sklc.register_reader("wrong", Wrong())
    try:
        with pytest.raises(TypeError, match="reader 'wrong' returned a DataFrame for a Night"):
            as_light_curves(Night(records()))
    finally:
        READERS.unregister("wrong")
