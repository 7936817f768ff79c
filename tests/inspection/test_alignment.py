"""How well surveys are aligned: known answers, what must not matter, and bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from sklc.errors import LightCurveWarning
from sklc.inspection import survey_alignment


@pytest.fixture
def objects():
    """Latents of 600 objects of two classes in three surveys, all alike within a class."""
    rng = np.random.default_rng(1)
    survey, y = np.repeat(["a", "b", "c"], 200), np.tile(["I", "II"], 300)
    return rng.normal(size=(600, 4)) + 3.0 * (y == "I")[:, None], survey, y


def test_surveys_that_are_alike(objects):
    found = survey_alignment(*objects)
    assert found.chance == pytest.approx(1 / 3)
    assert found.survey_accuracy == pytest.approx(1 / 3, abs=0.06)
    assert found.center_distance < 0.12
    # each class has a spread of 2 (four units of variance 1), and their centres are 6 apart
    assert found.class_distance == pytest.approx(3, rel=0.05)
    assert found.pairs["n_objects"].tolist() == [100] * 6
    assert repr(found).startswith("SurveyAlignment(accuracy 0.3")


def test_a_shift_between_surveys_is_measured(objects):
    latents, survey, y = objects
    latents[survey == "c", 0] += 4.0
    found = survey_alignment(latents, survey, y)
    distance = found.pairs.set_index(["class", "survey", "other_survey"])["distance"]
    assert distance["I", "a", "c"] == pytest.approx(2, rel=0.1)
    assert distance["II", "a", "b"] < 0.15
    assert found.center_distance == pytest.approx(np.mean(distance))
    assert found.survey_accuracy == pytest.approx(2 / 3, abs=0.06)  # c is told, a and b are not


def test_class_shares_do_not_matter_with_classes(objects):
    latents, survey, y = objects
    rng = np.random.default_rng(0)
    kept = rng.random(600) < np.where((survey == "a") == (y == "I"), 1.0, 0.15)
    shares = latents[kept], survey[kept], y[kept]
    found = survey_alignment(*shares)
    assert found.survey_accuracy == pytest.approx(1 / 3, abs=0.1)
    assert found.center_distance < 0.2
    assert survey_alignment(*shares[:2]).center_distance > 1  # without classes they do


@pytest.mark.slow
def test_the_same_objects_need_groups():
    rng = np.random.default_rng(0)
    views = np.repeat(rng.normal(size=(300, 6)), 2, axis=0) + 0.01 * rng.normal(size=(600, 6))
    survey, name = np.tile(["a", "b"], 300), np.repeat(np.arange(300), 2)
    boosting = HistGradientBoostingClassifier(max_iter=30, random_state=0)
    grouped = survey_alignment(views, survey, groups=name, classifier=boosting)
    assert grouped.survey_accuracy == pytest.approx(0.5, abs=0.07)
    assert grouped.center_distance == 0
    assert np.isnan(grouped.class_distance)
    # a classifier that sees one view of an object takes the other for the same survey
    alone = survey_alignment(views, survey, classifier=boosting)
    assert alone.survey_accuracy < grouped.survey_accuracy - 0.05


def test_curved_differences_need_a_classifier_that_finds_them():
    rng = np.random.default_rng(0)
    survey = np.repeat(["a", "b"], 300)
    latents = rng.normal(size=(600, 3)) * np.where(survey == "a", 0.3, 1.0)[:, None]
    boosting = HistGradientBoostingClassifier(max_iter=30, random_state=0)
    assert survey_alignment(latents, survey).survey_accuracy < 0.6
    assert survey_alignment(latents, survey, classifier=boosting).survey_accuracy > 0.8
    plain = survey_alignment(latents, survey, classifier=LogisticRegression())
    assert plain.survey_accuracy < 0.6


def test_a_class_of_one_survey_is_left_out_with_a_warning(objects):
    latents, survey, y = objects
    kept = (survey != "b") & ~((survey == "a") & (y == "II"))
    with pytest.warns(LightCurveWarning, match=r"1 of 2 classes.*'II' \(c\)"):
        found = survey_alignment(latents[kept], survey[kept], y[kept])
    assert set(found.pairs["class"]) == {"I"}
    assert found.chance == 0.5
    assert found.class_distance > 2  # of survey c


def test_chance_counts_the_surveys_of_each_class(objects):
    latents, survey, y = objects
    kept = (survey != "b") | (y == "I")  # I in three surveys, II in two
    found = survey_alignment(latents[kept], survey[kept], y[kept])
    assert found.chance == pytest.approx(2 / 5)
    assert found.survey_accuracy == pytest.approx(2 / 5, abs=0.08)


@settings(max_examples=10, deadline=None)
@given(scale=st.floats(1e-3, 1e3), shift=st.floats(-1e3, 1e3), seed=st.integers(0, 99))
def test_units_and_order_do_not_matter(scale, shift, seed):
    rng = np.random.default_rng(seed)
    survey = rng.permutation(np.repeat(["a", "b"], 40))
    latents = rng.normal(size=(80, 3)) + (survey == "a")[:, None]
    found = survey_alignment(latents, survey)
    order = rng.permutation(80)
    other = survey_alignment(scale * latents[order] + shift, survey[order])
    assert other.center_distance == pytest.approx(found.center_distance, rel=1e-6)
    assert 0 <= found.survey_accuracy <= 1
    assert survey_alignment(latents, survey).survey_accuracy == found.survey_accuracy


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"survey": ["a"] * 40}, "a single survey, 'a'"),
        ({"survey": ["a", "b"]}, r"survey has the shape \(2,\), and there are 40 latents"),
        ({"survey": [None, "b"] * 20}, r"survey is missing in row 0 \(20 of 40 rows\)"),
        ({"y": ["I"] * 20 + [np.nan] * 20}, "y is missing in row 20"),
        ({"y": np.zeros((40, 2))}, r"y has the shape \(40, 2\)"),
        ({"y": ["I"] * 37 + ["II"] * 3}, "class 'II' in survey 'b' has 3 objects, and at least 5"),
        ({"y": ["I"] * 20 + ["II"] * 20}, r"No class occurs in two surveys: there are 'I' \(a\)"),
        ({"groups": [1] * 40}, "groups has 1 different values"),
        ({"latents": np.full((40, 3), np.nan)}, "NaN"),
        ({"latents": np.ones((40, 3))}, "survey 'a' has the same latent 20 times"),
    ],
)
def test_bad_input(change, message):
    latents = np.random.default_rng(0).normal(size=(40, 3))
    given = {"latents": latents, "survey": ["a"] * 20 + ["b"] * 20, **change}
    with pytest.raises(ValueError, match=message):
        survey_alignment(given.pop("latents"), given.pop("survey"), **given)
