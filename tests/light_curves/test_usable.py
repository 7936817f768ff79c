"""Objects that cannot be used are told one by one, in every form of X."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nested_pandas import NestedFrame

from sklc import LightCurves, register_reader
from sklc.errors import LightCurveError
from sklc.light_curves import READERS, unusable

GOOD = np.array([[59000.0, 30.0, 2.0], [59003.0, 52.0, 3.0], [59007.0, 41.0, 3.0]])
NOT_FINITE = GOOD + np.array([0.0, np.inf, 0.0])
DARK = GOOD * np.array([1.0, 0.0, 1.0])
TABLE = {"mjd": [1.0, 2.0], "flux": [5.0, 6.0], "flux_err": [1.0, 1.0], "band": ["ztfg", "ztfr"]}


def padded(items):
    array = np.full((len(items), 3, 3), np.nan)
    for k, item in enumerate(items):
        array[k, : len(item)] = item
    return array


def nested(items, ids):
    long = pd.DataFrame(np.concatenate(items), columns=["time", "flux", "flux_err"])
    long["band"] = "ztfg"
    long.index = pd.Index(np.repeat(ids, [len(item) for item in items]), name="object_id")
    base = NestedFrame({"mwebv": np.zeros(len(ids))}, index=pd.Index(ids, name="object_id"))
    return base.join_nested(long, "lightcurve", how="left")


def curves(items, **options):
    return LightCurves.from_arrays(*[[item[:, k] for item in items] for k in range(3)], **options)


def positions(table):
    assert list(table.columns) == ["object_id", "reason", "remedy"]
    assert table.index.name == "position"
    assert all(isinstance(text, str) and text for text in [*table["reason"], *table["remedy"]])
    return table.index.tolist()


def test_good_objects_give_an_empty_table():
    for X in (curves([GOOD]), [GOOD, GOOD], padded([GOOD]), np.ones((2, 4)), []):
        assert positions(unusable(X)) == []


REASONS = [
    (NOT_FINITE, "flux is NaN or infinite in its observation 0", 'invalid="drop"'),
    (GOOD[:0], "0 observations, and 1 needed", "Leave it out"),
    (DARK, "no flux other than zero", "Leave it out"),
    (np.ones((3, 5)), "not (n_obs, 2 to 4)", "Transpose it"),
    (None, "it is missing (None)", "Leave it out"),
    (7, "not (n_obs, 2 to 4)", "sklc"),
    (GOOD[:, 1], "a series without times needs them", "numpy.column_stack"),
    (pd.DataFrame({**TABLE, "band": ["ztfg", "?"]}), "uses the band '?'", "register"),
    ({**TABLE, "flux": ["a", 1.0]}, "does not hold numbers", "Correct it"),
    ({**TABLE, "flux_err": [1.0, -1.0]}, "flux_err is not positive in its observation 1", "drop"),
    (pd.DataFrame({"jd": [1.0], "flux": [2.0]}), "has none of the columns", "ename"),
    ({"mjd": [1.0, 1.0], "flux": [2.0, 2.0]}, "occurs twice", 'duplicates="drop"'),
]


@pytest.mark.filterwarnings("ignore:the observations")
@pytest.mark.parametrize(("item", "reason", "remedy"), REASONS)
def test_reasons_and_remedies(item, reason, remedy):
    table = unusable([GOOD, item, GOOD])
    assert positions(table) == [1]
    row = table.loc[1]
    assert row["object_id"] == 1
    assert reason in row["reason"]
    assert remedy in row["remedy"]
    assert "position 0" not in row["reason"] + row["remedy"]


def test_the_least_number_of_points():
    table = unusable([GOOD, GOOD[:1], GOOD[:2]], min_points=3)
    assert table["reason"].tolist() == [
        "1 observation, and 3 needed",
        "2 observations, and 3 needed",
    ]
    assert positions(table) == [1, 2]


def test_each_form_names_its_own_objects():
    items = [NOT_FINITE, GOOD, GOOD[:0], GOOD]
    assert unusable(padded(items))["object_id"].tolist() == [0, 2]
    assert unusable(nested(items, ["a", "b", "c", "d"]))["object_id"].tolist() == ["a", "c"]
    assert unusable(nested(items, [5, 0, 1, 2]))["object_id"].tolist() == [5, 1]
    assert unusable(nested(items, [5, 0, 1, 2])["lightcurve"])["object_id"].tolist() == [5, 1]
    array = np.empty(4, dtype=object)
    array[:] = [None, *items[1:]]
    assert unusable(array)["object_id"].tolist() == [0, 2]
    assert unusable(array[:, None])["object_id"].tolist() == [0, 2]
    own = curves([GOOD, DARK, GOOD[:0]], ids=["a", "b", "c"])
    assert unusable(own)["object_id"].tolist() == ["b", "c"]
    assert unusable([*own, None])["object_id"].tolist() == ["b", "c", 3]
    assert positions(unusable(own[1])) == [0]
    series = np.arange(12.0).reshape(4, 3)
    series[2, 1] = np.nan
    assert unusable(series)["object_id"].tolist() == [2]
    assert unusable(pd.DataFrame(series))["object_id"].tolist() == [2]


def test_objects_of_a_registered_reader():
    class Night:
        def __init__(self, flux):
            self.flux = flux

        def __len__(self):
            return len(self.flux)

        def __getitem__(self, rows):
            return Night([self.flux[k] for k in np.atleast_1d(rows)])

    class Reader:
        def accepts(self, X):
            return isinstance(X, Night)

        def read(self, X, options):
            if [0.0] in X.flux:
                raise RuntimeError("the camera failed")
            ids = [f"star{flux[0]:g}" for flux in X.flux]
            return LightCurves.from_arrays([[1.0]] * len(ids), X.flux, band="ztfg", ids=ids)

    register_reader("night", Reader())
    try:
        table = unusable(Night([[5.0], [0.0], [7.0]]))
    finally:
        READERS.unregister("night")
    assert positions(table) == [1]
    assert table.loc[1, "reason"] == "the camera failed"


def test_what_is_wrong_with_x_as_a_whole_is_an_error():
    with pytest.raises(TypeError, match="not light curves"):
        unusable(3)
    with pytest.raises(LightCurveError, match="long table"):
        unusable(pd.DataFrame(TABLE))
    with pytest.raises(LightCurveError, match="has the shape"):
        unusable(np.ones((2, 3, 9)))
    with pytest.raises(LightCurveError, match="none of the columns"):
        unusable(nested([GOOD, GOOD], [0, 1]).rename_nested_columns("x")
                 if hasattr(NestedFrame, "rename_nested_columns") else
                 NestedFrame({"a": [1]}).join_nested(pd.DataFrame({"q": [1.0]}), "n"))  # fmt: skip


KINDS = {"good": GOOD, "nan": NOT_FINITE, "short": GOOD[:0], "dark": DARK, "none": None}


@settings(max_examples=25)
@given(st.lists(st.sampled_from(sorted(KINDS)), max_size=9))
def test_any_mixture(kinds):
    table = unusable([KINDS[kind] for kind in kinds])
    assert positions(table) == [k for k, kind in enumerate(kinds) if kind != "good"]
