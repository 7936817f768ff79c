"""Bad input to the estimators: one error, before anything is trained, that says what to do.

The lists of docs/bad_input.md, and the messages in tests/golden/bad_input.txt, are rewritten with
python tests/test_bad_input.py
"""

import os
import pickle
import re
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bad_input_cases import (
    NAMES,
    SECTIONS,
    as_magnitudes,
    curves,
    duplicated,
    forbid_running,
    labels,
    one_without_points,
    per_object,
    series,
    spoiled,
    supernovae,
)
from nested_pandas import NestedFrame
from small import few_folds  # noqa: F401

from sklc import (
    LatentIsolationForest,
    LightCurveEncoder,
    LightCurves,
    RedshiftRegressor,
    TransferClassifier,
)
from sklc.errors import LightCurveError, LightCurveWarning, UnknownPassbandError

PAGE = Path(__file__).parents[1] / "docs" / "bad_input.md"
MESSAGES = Path(__file__).parent / "golden" / "bad_input.txt"
BEGIN, END = "<!-- cases: begin -->", "<!-- cases: end -->"

SMALL = {"max_epochs": 2, "device": "cpu", "random_state": 0, "verbose": 0}
ESTIMATORS = {
    "encoder": lambda: LightCurveEncoder(hidden_size=8, latent_size=6, **SMALL),
    "pretrained encoder": lambda: LightCurveEncoder.pretrained("ztf", device="cpu"),
    "classifier": lambda: TransferClassifier("ztf", **SMALL),
    "fine-tuned": lambda: TransferClassifier("ztf", finetune="all", head_sizes=(4,), **SMALL),
    "from scratch": lambda: TransferClassifier(None, **SMALL),
    "without labels": lambda: TransferClassifier.pretrained("ztf", device="cpu"),
    "redshifts": lambda: RedshiftRegressor("ztf", device="cpu", random_state=0),
    "anomalies": lambda: LatentIsolationForest("ztf", device="cpu", random_state=0),
}
TRAINED_ON_LABELS = ["encoder", "classifier", "fine-tuned", "from scratch"]


def y_for(name):
    """Labels that the estimator can take: without training, those of its weights."""
    if name == "redshifts":
        return np.array([0.05, 0.12, 0.07, 0.10, 0.06, 0.09])
    return np.char.add("SN", labels()) if name == "without labels" else labels()


def use(estimator, X):
    """What the estimator makes of X."""
    for method in ("transform", "predict_proba", "predict"):
        if hasattr(estimator, method):
            return getattr(estimator, method)(X)
    raise AssertionError(f"{estimator} makes nothing of X")


@cache
def trained(name, form):
    """The estimator, fitted on the sound table in this form."""
    return ESTIMATORS[name]().fit(FORMS[form](supernovae()), y_for(name))


@pytest.fixture(scope="module")
def fitted(few_folds):  # noqa: F811
    return {name: trained(name, "table") for name in ESTIMATORS}


@pytest.fixture
def nothing_runs(fitted, monkeypatch):
    """Fail as soon as a network is trained or used."""
    forbid_running(monkeypatch)


def refusals(fitted, name, make, message, error=LightCurveError):
    """What fitting an estimator to `make()` and using it say: both raise the error."""
    texts = []
    for call in (ESTIMATORS[name]().fit, lambda X, y: use(fitted[name], X)):
        with pytest.raises(error, match=message) as raised:
            call(make(), y_for(name))
        texts.append(str(raised.value))
    return texts


# -- the same table in every form, built without sklc where it can be


def nested(frame):
    objects = pd.DataFrame(index=pd.unique(frame["object_id"]))
    observations = frame.set_index("object_id")
    return NestedFrame(objects).join_nested(observations, "lightcurve")


def padded(frame):
    """Time, flux and error; NaN behind the last observation."""
    arrays = [one[["mjd", "flux", "flux_err"]].to_numpy(float) for one in per_object(frame)]
    array = np.full((len(arrays), max(map(len, arrays)) + 2, 3), np.nan)
    for row, own in zip(array, arrays, strict=True):
        row[: len(own)] = own
    return array


FORMS = {
    "table": LightCurves.from_frame,
    "nested frame": nested,
    "list of tables": per_object,
    "padded array": padded,
}


def marks(name, form):
    """The marks of a form of X: all estimators read X in one place, so that one tries them all."""
    return [pytest.mark.slow] * (form != "table" and name != "pretrained encoder")


def in_every_form(*names):
    """Estimators in every form of X."""
    pairs = [(name, form) for name in names for form in FORMS]
    return pytest.mark.parametrize(
        ("name", "form"), [pytest.param(*pair, marks=marks(*pair)) for pair in pairs]
    )


@in_every_form(*ESTIMATORS)
def test_the_sound_table_works_in_every_form(fitted, name, form):
    """Without this, errors below might have other reasons."""
    X = FORMS[form](supernovae())
    assert len(use(fitted[name], X)) == len(use(trained(name, form), X)) == 6


# -- observations


# Kind of problem: table, class of error, words of the message about the problem and the remedy.
BAD_OBSERVATIONS = {
    "NaN time": (spoiled("mjd", np.nan), "time is NaN.*observation 2", 'invalid="drop"'),
    "infinite time": (spoiled("mjd", np.inf), "time is NaN or inf", 'invalid="drop"'),
    "NaN flux": (spoiled("flux", np.nan), "flux is NaN.*observation 2", 'invalid="drop"'),
    "infinite flux": (spoiled("flux", -np.inf), "flux is NaN or inf", 'invalid="drop"'),
    "NaN error": (spoiled("flux_err", np.nan), "flux_err is NaN", 'invalid="drop"'),
    "infinite error": (spoiled("flux_err", np.inf), "flux_err is NaN or inf", 'invalid="drop"'),
    "zero error": (spoiled("flux_err", 0.0), "flux_err is not positive", 'invalid="drop"'),
    "negative error": (spoiled("flux_err", -5.0), "flux_err is not positive", 'invalid="drop"'),
    "duplicate": (duplicated(), r"time 59007\.0 occurs twice", 'duplicates="drop"'),
    "all-zero flux": (spoiled("flux", 0.0, slice(8, 15)), "no flux other than zero", r"curves\["),
    "unknown band": (spoiled("band", "ztfx"), "'ztfx' is unknown", "register_passband"),
    "band of many surveys": (spoiled("band", "g"), "'g' is ambiguous", 'survey="ztf"'),
    "missing band": (spoiled("band", None), "band is missing", 'invalid="drop"'),
}


PROBLEMS = [
    pytest.param(name, problem, form, marks=marks(name, form))
    for name in ESTIMATORS
    for problem in BAD_OBSERVATIONS
    for form in FORMS
    if not (form == "padded array" and "band" in problem)  # it has no bands
]


@pytest.mark.parametrize(("name", "problem", "form"), PROBLEMS)
def test_a_bad_observation_is_one_error_before_training(fitted, nothing_runs, name, problem, form):
    frame, words, remedy = BAD_OBSERVATIONS[problem]
    identity = "'SN2'" if form in ("table", "nested frame") else "1"
    expected = UnknownPassbandError if re.search("unknown|ambiguous", words) else LightCurveError
    where = rf"object {identity} \(position 1\)"
    for text in refusals(fitted, name, lambda: FORMS[form](frame), where, expected):
        assert re.search(words, text)
        assert re.search(remedy, text)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_object_without_observations(fitted, nothing_runs, name):
    X = one_without_points(supernovae())
    message = r"object 'SN2' \(position 1\) has 0 observation.*curves\[curves\.lengths >= 1\]"
    refusals(fitted, name, lambda: X, message)
    tables = per_object(supernovae())
    tables[1] = tables[1].iloc[:0]
    refusals(fitted, name, lambda: tables, r"object 1 \(position 1\) has 0 observation")


@pytest.mark.parametrize("name", ESTIMATORS)
def test_fewer_observations_than_min_points(fitted, nothing_runs, name):
    X = LightCurves.from_frame(supernovae().drop(index=[8, 9]))
    message = r"object 'SN2' \(position 1\) has 6 .*8 needed.*curves\[curves\.lengths >= 8\]"
    with pytest.raises(LightCurveError, match=message):
        ESTIMATORS[name]().set_params(min_points=8).fit(X, y_for(name))
    estimator = pickle.loads(pickle.dumps(fitted[name])).set_params(min_points=8)
    with pytest.raises(LightCurveError, match=message):
        use(estimator, X)


NAN_ROWS = [3, 10, 11]
DROPPED = {  # table, options, words of the warning, and the clean table
    "NaN": (spoiled("flux", np.nan, NAN_ROWS), {"invalid": "drop"},
            "dropped 3 of 48 observations, of 2 object", supernovae().drop(index=NAN_ROWS)),
    "repeated": (duplicated(), {"duplicates": "drop"}, "dropped 1 repeated", supernovae()),
}  # fmt: skip


@pytest.mark.parametrize("kind", DROPPED)
@pytest.mark.parametrize("name", ["encoder", "pretrained encoder", "classifier"])
def test_dropping_is_as_if_they_had_never_been(fitted, name, kind):
    table, options, words, clean = DROPPED[kind]
    with pytest.warns(LightCurveWarning, match=words):
        dropped = LightCurves.from_frame(table, **options)
    X = LightCurves.from_frame(clean)
    np.testing.assert_array_equal(use(fitted[name], dropped), use(fitted[name], X))


@in_every_form(*ESTIMATORS)
def test_unsorted_times_change_nothing(fitted, name, form):
    order = np.random.default_rng(0).permutation(len(supernovae()))
    shuffled = supernovae().iloc[order]
    # the objects in their own order: only observations are shuffled, and objects interleaved
    shuffled = pd.concat([supernovae().iloc[::8], shuffled.drop(index=range(0, 48, 8))])
    X, in_order = FORMS[form](shuffled), FORMS[form](supernovae())
    np.testing.assert_array_equal(use(fitted[name], X), use(fitted[name], in_order))
    again = ESTIMATORS[name]().fit(X, y_for(name))
    np.testing.assert_array_equal(use(again, in_order), use(trained(name, form), in_order))


# -- tables


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_long_table_is_refused_with_the_line_that_converts_it(fitted, nothing_runs, name):
    for text in refusals(fitted, name, supernovae, r"long table.*LightCurves\.from_frame\(X"):
        line = re.search(r"LightCurves\.from_frame\(X.*\)", text)[0]
        assert eval(line, {"LightCurves": LightCurves, "X": supernovae()}).equals(curves())


COLUMNS = {"object_id": "object_id", "time": "mjd", "flux": "flux", "flux_err": "flux_err",
           "band": "band"}  # fmt: skip


@pytest.mark.parametrize("argument", COLUMNS)
def test_a_missing_column_of_a_table(argument):
    frame = supernovae().rename(columns={COLUMNS[argument]: "other"})
    message = rf"no column '{COLUMNS[argument]}'.*'other'.*pass {argument}="
    with pytest.raises(LightCurveError, match=message):
        LightCurves.from_frame(frame)
    assert LightCurves.from_frame(frame, **{argument: "other"}).equals(curves())  # the remedy


@pytest.mark.parametrize("column", ["mjd", "flux"])
@pytest.mark.parametrize("form", ["nested frame", "list of tables"])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_missing_column_of_an_object(fitted, nothing_runs, name, form, column):
    frame = supernovae().rename(columns={column: "other"})
    message = rf"none of the .*'{column}'.*'other'"
    refusals(fitted, name, lambda: FORMS[form](frame), message)


# -- units that look wrong


UNITS = {
    "Julian dates": (supernovae().assign(mjd=supernovae()["mjd"] + 2400000.5), "Julian.*2400000.5"),
    "seconds": (supernovae().assign(mjd=supernovae()["mjd"] * 86400), "seconds.*86400"),
    "magnitudes": (as_magnitudes(), r"magnitudes\?.*flux = 10 \*\*"),
}


@in_every_form("encoder", "pretrained encoder", "classifier")
@pytest.mark.parametrize("unit", UNITS)
def test_units_that_look_wrong_are_one_warning(fitted, name, unit, form):
    frame, words = UNITS[unit]
    for call in (lambda X: ESTIMATORS[name]().fit(X, y_for(name)), lambda X: use(fitted[name], X)):
        with pytest.warns(LightCurveWarning, match=words) as caught:
            call(FORMS[form](frame))
        assert len([w for w in caught if w.category is LightCurveWarning]) == 1
        assert caught[0].filename == __file__


def test_julian_dates_give_the_same_latents(fitted):
    with pytest.warns(LightCurveWarning):
        X = LightCurves.from_frame(UNITS["Julian dates"][0])
    encoder = fitted["pretrained encoder"]
    np.testing.assert_allclose(encoder.transform(X), encoder.transform(curves()), atol=1e-4)


# -- labels


@pytest.mark.parametrize("name", TRAINED_ON_LABELS)
def test_bad_labels_are_one_error_before_training(fitted, nothing_runs, name):
    y = labels().astype(object)
    bad = {
        r"requires y.*None.*one label per object": None,
        r"6 light curves and y 5 labels.*one label per object": y[:5],
        r"object 'SN3' \(position 2\) is missing \(1 of 6.*notna": np.array([*y[:2], None, *y[3:]]),
        r"the label of object 'SN4' \(position 3\) is missing": [*y[:3], np.nan, *y[4:]],
        r"the label of object 'SN5' \(position 4\)": np.array([0, 0, 1, 1, np.nan, 1]),
        r"mixes.*2 for object 'SN2' \(position 1\).*astype\(str\)": [y[0], 2, *y[2:]],
        r"two classes.*one class: 'Ia'\..*another class": np.array(["Ia"] * 6),
        r"Unknown label type: continuous": np.linspace(0, 0.1, 6),
    }
    for message, wrong in bad.items():
        with pytest.raises(ValueError, match=message):
            ESTIMATORS[name]().fit(curves(), wrong)


@pytest.mark.parametrize("kind", [np.str_, object, np.int64])
@pytest.mark.parametrize("name", ["encoder", "fine-tuned", "from scratch"])
def test_a_class_of_one_member(nothing_runs, name, kind):
    # ids and labels are named as Python prints them
    ids = NAMES if kind is not np.int64 else range(6)
    X = LightCurves.from_frame(supernovae().assign(object_id=np.repeat(ids, 8)))
    y = np.array([1, 1, 3, 2, 2, 2]) if kind is np.int64 else np.array(list("aacbbb"), dtype=kind)
    lonely, identity = ("3", "2") if kind is np.int64 else ("'c'", "'SN3'")
    message = rf"Class {lonely} has one member, object {identity} \(position 2\), .*early_stopping="
    with pytest.raises(LightCurveError, match=message):
        ESTIMATORS[name]().fit(X, y)


@pytest.mark.parametrize("name", ["encoder", "classifier", "fine-tuned"])
def test_a_class_of_one_member_without_early_stopping(name):
    estimator = ESTIMATORS[name]().set_params(early_stopping=False)
    assert len(estimator.fit(curves(), ["Ia", "Ia", "TDE", "II", "II", "II"]).classes_) == 3


@pytest.mark.parametrize("name", ["classifier", "fine-tuned", "from scratch", "without labels"])
def test_labels_that_can_never_be_predicted(fitted, nothing_runs, name):
    y = y_for(name).astype(object)
    y[[1, 4]] = "kilonova"
    with pytest.raises(ValueError, match="6 light curves and y 5 labels"):
        fitted[name].score(curves(), y_for(name)[:5])
    if name == "without labels":
        message = r"\['kilonova'\].*object 'SN2' \(position 1\).*merge the labels"
        with pytest.raises(LightCurveError, match=message):
            ESTIMATORS[name]().fit(curves(), y)


# -- arrays


@pytest.mark.parametrize("name", ESTIMATORS)
def test_another_number_of_columns(name):
    estimator = ESTIMATORS[name]().fit(series(), y_for(name))
    message = "X has 8 features, but .* is expecting 12 features"
    with pytest.raises(ValueError, match=message):
        use(estimator, series()[:, :8])
    with pytest.raises(ValueError, match=message):
        use(estimator, pd.DataFrame(series()[:, :8]))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_gaps_in_series(fitted, nothing_runs, name, value):
    X = series()
    X[1, 2] = value
    message = r"row 1 of X holds NaN or infinity in column 2.*list of arrays"
    with pytest.raises(LightCurveError, match=message):
        ESTIMATORS[name]().fit(X, y_for(name))
    with pytest.raises(LightCurveError, match=r"fitted on light curves.* list with one table"):
        use(fitted[name], X)


# -- parameters


def test_classes_that_cannot_be_merged():
    for merge, words in {
        r"'Ia-pec'.*their classes are": {"Ia": ["SNIa", "Ia-pec"]},
        "more than once": {"Ia": ["SNIa"], "thermonuclear": ["SNIa", "SNIax"]},
        "list of classes": {"Ia": "SNIa"},
        "must map": {},
    }.items():
        with pytest.raises(ValueError, match=merge):
            TransferClassifier.pretrained("ztf", merge_classes=words)
    with pytest.raises(ValueError, match="merge the labels in y"):
        TransferClassifier("ztf", merge_classes={"Ia": ["SNIa"]}).fit(curves(), labels())


@pytest.mark.parametrize("encoder", [None, LightCurveEncoder()])
def test_no_training_needs_weights(nothing_runs, encoder):
    for estimator, y in ((TransferClassifier, labels()), (RedshiftRegressor, np.arange(1.0, 7))):
        with pytest.raises(ValueError, match=r"needs pretrained weights.*encoder='any'"):
            estimator(encoder, finetune="none").fit(curves(), y)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"metadata_columns": ["mwebv"]}, r"'mwebv' is missing.*with_metadata\(mwebv=\.\.\.\)"),
        ({"class_weight": {"Ib": 1.0}}, "not in class_weight"),
        ({"device": "gpu"}, "'gpu' is not a torch device"),
        ({"head_sizes": (0,)}, r"head_sizes.*positive integers.*\(64,\)"),
        ({"head_sizes": ("a",)}, "head_sizes.*positive integers"),
    ],
)
@pytest.mark.parametrize("encoder", [None, LightCurveEncoder(hidden_size=4), "ztf"])
def test_parameters_are_checked_before_the_encoder_is_trained(
    nothing_runs, encoder, params, message
):
    unread = {"head_sizes"} if encoder is None else {"head_sizes", "metadata_columns"}
    if encoder != "ztf" and unread & {*params}:  # from scratch, the head is the encoder's own
        message = "has no effect with .*encoder.*, which is trained with a head of its own"
    with pytest.raises(ValueError, match=message):
        TransferClassifier(**{"encoder": encoder, **params}).fit(curves(), labels())


# -- the page


KINDS = {"LightCurveError", "UnknownPassbandError", "LightCurveWarning", "WeightsError",
         "UnknownWeightsError", "SimulationError", "CheckpointError", "ValueError", "TypeError",
         "NotFittedError"}  # fmt: skip


def test_page_and_messages_are_those_of_this_version(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page, messages = describe()
    text = PAGE.read_text(encoding="utf-8")
    assert text[text.index(BEGIN) : text.index(END)] == page
    assert MESSAGES.read_text(encoding="utf-8") == messages
    said = [line.strip().partition(": ") for line in messages.splitlines() if line[:2] == "  "]
    assert len(said) == sum(map(len, SECTIONS.values()))
    assert {kind for kind, _, _ in said} <= KINDS
    assert "'<' not supported" not in messages
    assert "np." not in messages


def describe() -> tuple[str, str]:
    """Return the lists of the page, and all messages; works in the current directory."""
    page, messages = [BEGIN], []
    for section, cases in SECTIONS.items():
        page += ["", f"### {section}", ""]
        for case in cases:
            kind, message = case.outcome()
            message = message.replace(f"{Path.cwd().resolve()}{os.sep}", "")
            # what safetensors adds differs from release to release
            message = re.sub(r"(?<=deserializing header: )[^)]*", "...", message)
            raised = "" if kind == "LightCurveError" else f" (`{kind}`)"
            page.append(f"- **{case.what}**{raised}: {case.remedy}")
            messages += [f"{section}: {case.what}", f"  {kind}: {' '.join(message.split())}", ""]
    return "\n".join([*page, "", ""]), "\n".join(messages)


def rewrite() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        page, messages = describe()
        os.chdir(PAGE.parent)
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(text[: text.index(BEGIN)] + page + text[text.index(END) :], encoding="utf-8")
    MESSAGES.write_text(messages, encoding="utf-8")


if __name__ == "__main__":
    rewrite()
