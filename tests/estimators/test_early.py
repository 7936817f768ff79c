"""Heads that learn from the beginnings of the training light curves, with `early`."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from sklc import LightCurves, RedshiftRegressor, TransferClassifier
from sklc.datasets import load_demo
from sklc.estimators.class_heads import HeadData
from sklc.estimators.prefixes import draw_prefixes, phases_among

QUICK = {"max_epochs": 2, "random_state": 0, "device": "cpu", "verbose": 0}
DAYS = (3, 8, 15)


@pytest.fixture(scope="module")
def parts():
    curves, y = load_demo(return_X_y=True)
    return curves[::2], y[::2], curves[1::2], y[1::2]


@pytest.fixture(scope="module")
def fitted(parts):
    train, y_train, *_ = parts
    return {
        early: TransferClassifier(early=early, C=0.1, **QUICK).fit(train, y_train)
        for early in (True, False)
    }


def auroc(model, curves, y):
    return roc_auc_score(y, model.predict_proba(curves), multi_class="ovr")


@pytest.mark.slow
def test_the_first_days_gain_and_whole_light_curves_lose_nothing(parts, fitted):
    *_, test, y_test = parts
    assert TransferClassifier().early is True
    days = (3, 5, 15, 25)
    early, late = (
        np.array([auroc(fitted[e], test.truncate(days=d), y_test) for d in days])
        for e in (True, False)
    )
    assert early.min() > 0.6
    assert np.mean(early - late) > 0.01
    assert auroc(fitted[True], test, y_test) > auroc(fitted[False], test, y_test) - 0.003


@pytest.mark.slow
def test_probabilities_are_calibrated_at_every_age(parts, fitted):
    *_, test, y_test = parts

    def bias(model, days):
        proba = model.predict_proba(test.truncate(days=days))
        return proba.max(axis=1).mean() - np.mean(model.classes_[proba.argmax(axis=1)] == y_test)

    days = (3, 5, 8, 15, 25, 40)
    assert max(abs(bias(fitted[True], d)) for d in days) < 0.1


@pytest.mark.slow
def test_without_prefixes_it_is_overconfident(parts):
    # Weights that were trained on prefixes, the default, keep heads modest by themselves.
    train, y_train, test, y_test = parts

    def bias(early):
        model = TransferClassifier("ztf+lsst", early=early, C=0.1, features=None, **QUICK)
        model.fit(train, y_train)
        share = []
        for days in (3, 5, 8, 15, 25, 40):
            proba = model.predict_proba(test.truncate(days=days))
            right = model.classes_[proba.argmax(axis=1)] == y_test
            share.append(proba.max(axis=1).mean() - right.mean())
        return np.mean(share)

    assert bias(True) < bias(False) - 0.01


@pytest.mark.parametrize("class_conditional", [False, True])
def test_prediction_sets_cover_the_class_at_every_age(parts, fitted, class_conditional):
    *_, test, y_test = parts
    model = fitted[True]
    column, sizes = model.classes_.searchsorted(y_test), []
    for days in (*DAYS, 1000):
        sets = model.predict_set(
            test.truncate(days=days), coverage=0.8, class_conditional=class_conditional
        )
        assert 0.7 < sets[np.arange(len(test)), column].mean() < 0.95
        sizes.append(sets.sum(axis=1).mean())
    assert sizes == sorted(sizes, reverse=True)  # more of a light curve leaves fewer classes


def test_sets_of_early_light_curves_fall_back_to_all_labels_where_there_are_few(parts):
    train, y_train, test, _ = parts
    model = TransferClassifier(C=0.1, **QUICK).fit(train[:24], y_train[:24])
    sets = model.predict_set(test.truncate(days=3), coverage=0.8)
    assert sets.any(axis=1).mean() > 0.9
    with pytest.raises(ValueError, match="needs at least 49"):
        model.predict_set(test, coverage=0.98)


@pytest.mark.slow
def test_saved_cloned_and_repeated_it_stays_the_same(parts, fitted):
    train, y_train, test, _ = parts
    short, model = test.truncate(days=8), fitted[True]
    expected = model.predict_proba(short)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict_proba(short), expected)
    assert np.array_equal(clone(model).fit(train, y_train).predict_proba(short), expected)


def test_exported_it_predicts_the_same_at_every_age(parts, fitted, tmp_path):
    pytest.importorskip("onnx", reason='export needs pip install "sklc[fast]"')
    pytest.importorskip("onnxruntime", reason='serving needs pip install "sklc[fast]"')
    from sklc.serving import OnnxModel

    *_, test, _ = parts
    model = fitted[True]
    served = OnnxModel(model.to_onnx(tmp_path / "early.onnx"))
    for days in (3, 1000):
        short = test.truncate(days=days)
        np.testing.assert_allclose(
            served.predict_proba(short), model.predict_proba(short), atol=1e-5
        )


@pytest.mark.slow
def test_an_object_counts_once_however_it_is_weighted(parts):
    train, y_train, test, _ = parts
    train, y_train, short = train[:40], y_train[:40], test.truncate(days=8)
    weight = np.ones(40)
    weight[:10], weight[10:12] = 2, 0
    rows = np.repeat(np.arange(40), weight.astype(int))
    copies = LightCurves.concatenate([train[np.unique(rows)], train[:10]], suffixes=["", "_again"])
    y = np.append(y_train[np.unique(rows)], y_train[:10])
    model = TransferClassifier(C=0.1, **QUICK)
    weighted = clone(model).fit(train, y_train, sample_weight=weight).predict_proba(short)
    repeated = clone(model).fit(copies, y).predict_proba(short)
    np.testing.assert_allclose(weighted, repeated, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    "params",
    [{"finetune": "all"}, {"finetune": "backbone+head", "head_sizes": (4,)}, {"head_sizes": (4,)}],
)
def test_networks_are_trained_and_validated_on_prefixes_of_their_objects(
    parts, params, monkeypatch
):
    from sklc.networks.training import loop

    seen = []
    for module in ("transfer", "class_heads"):

        def record(network, train, valid, *args, **options):
            seen.append((train, valid))
            return loop.fit_net(network, train, valid, *args, **options)

        monkeypatch.setattr(f"sklc.estimators.{module}.fit_net", record)
    train, y_train, test, _ = parts
    model = TransferClassifier(metadata_columns=["redshift"], **QUICK, **params)
    proba = model.fit(train[:60], y_train[:60]).predict_proba(test.truncate(days=8))
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    # an object counts once, and no object is on both sides
    for train_set, valid_set in seen:
        for part, n_objects in ((train_set, 48), (valid_set, 12)):
            assert len(part.y) > 2 * n_objects
            assert part.targets["sample_weight"].sum() == pytest.approx(n_objects, rel=1e-5)


def test_rows_of_a_matrix_have_no_prefixes():
    rng = np.random.default_rng(0)
    X, y = rng.normal(100, 10, (30, 12)), np.repeat(["a", "b"], 15)
    models = [TransferClassifier(early=e, C=0.1, **QUICK).fit(X, y) for e in (True, False)]
    assert np.array_equal(*(model.predict_proba(X) for model in models))


@pytest.mark.parametrize(
    "params", [{"finetune": "none"}, {"encoder": None}], ids=["no labels", "from scratch"]
)
def test_it_is_refused_where_no_head_is_trained_on_an_encoder(parts, params):
    train, y_train, *_ = parts
    with pytest.raises(ValueError, match=r"early is for a head .* leave early out"):
        TransferClassifier(early=False, **QUICK, **params).fit(train, y_train)
    with pytest.raises(ValueError, match="early"):
        TransferClassifier(early="yes", **QUICK).fit(train, y_train)


# -- prefixes


def test_prefixes_begin_as_their_objects_and_end_after_a_detection():
    curves = load_demo().curves[:50]
    prefixes = draw_prefixes(curves, 2, 0)
    counts = np.bincount(prefixes.owner, minlength=50)
    assert counts.max() == 4
    assert np.median(counts) == 4
    for k, owner in enumerate(prefixes.owner):
        short, whole = prefixes.curves[k], curves[int(owner)]
        n = len(short.time)
        assert 2 <= n < len(whole.time)
        np.testing.assert_array_equal(short.flux, whole.flux[:n])
        first = whole.time[whole.flux >= 5 * whole.flux_err][0]
        assert short.time[-1] <= first + prefixes.days[k] < whole.time[n]
        assert 1 <= prefixes.days[k] <= whole.time[-1] - first
    again, other = draw_prefixes(curves, 2, 0), draw_prefixes(curves, 2, 1)
    assert np.array_equal(again.days, prefixes.days)
    assert not np.array_equal(other.days, prefixes.days)
    # evenly in the logarithm: as many below as above the geometric mean of the limits
    assert 0.3 < np.mean(prefixes.days < 8) < 0.7


def test_faint_short_and_empty_light_curves_have_no_prefixes():
    def curves(flux, time=None, flux_err=10.0):
        time = np.arange(8.0) * 5 if time is None else time
        return LightCurves.from_arrays(
            time, np.full(8, flux), np.full(8, flux_err), "ztfg", offsets=[0, 8]
        )

    assert draw_prefixes(curves(40.0), 1, 0) is None  # never above 5 sigma
    assert draw_prefixes(curves(100.0), 8, 0) is None
    assert draw_prefixes(curves(100.0, np.linspace(0, 0.5, 8)), 1, 0) is None
    assert draw_prefixes(curves(100.0)[:0], 1, 0) is None
    assert draw_prefixes(curves(100.0), 1, 0) is not None
    unknown = curves(100.0, flux_err=np.nan)
    assert draw_prefixes(unknown, 1, 0) is not None


def test_prefixes_share_the_weight_of_their_object_and_follow_it_into_every_part():
    curves = load_demo().curves[:20]
    drawn = draw_prefixes(curves, 1, 0)
    rows = drawn.rows(drawn.owner[:, None] + 0.5)
    target, weight = np.arange(20) % 2, np.arange(20.0)
    data = HeadData(np.arange(20.0)[:, None], None, target, weight, np.ones(2), prefixes=rows)
    everything = data.stacked()
    owner = np.floor(everything.latent[:, 0]).astype(int)
    np.testing.assert_array_equal(everything.target, target[owner])
    np.testing.assert_allclose(np.bincount(owner, everything.sample_weight), weight)
    part = np.array([7, 3, 11])
    np.testing.assert_array_equal(np.unique(owner[data.with_prefixes(part)]), [3, 7, 11])
    subset = data.subset(part)
    np.testing.assert_array_equal(
        part[subset.prefixes.owner], np.floor(subset.prefixes.latent[:, 0])
    )
    assert len(subset.prefixes.owner) == np.isin(drawn.owner, part).sum()


def test_a_phase_needs_several_prefixes():
    assert phases_among(np.full(20, 100.0)) is None
    for counts, expected, whole in (
        ([10, 10, 10], [0, 1, 2], 2),
        ([3, 10, 1], [0, 0, 1], 1),  # those of the first days are joined to those of the month
        ([10, 0, 0], [0, 0, 0], 1),  # whole light curves are a phase of their own
    ):
        phase, last = phases_among(np.repeat([2.0, 20.0, 90.0], counts))
        np.testing.assert_array_equal(phase, np.repeat(expected, counts))
        assert last == whole


# -- redshifts


@pytest.mark.slow
def test_redshifts_and_intervals_hold_from_the_first_days(parts):
    train, _, test, _ = parts
    known, true = (c.metadata["redshift"].to_numpy() for c in (train, test))
    params = {"random_state": 0, "device": "cpu"}
    early, late = (RedshiftRegressor(early=e, **params).fit(train, known) for e in (True, False))

    def figures(model, days):
        short = test.truncate(days=days)
        low, high = model.predict_interval(short, coverage=0.9).T
        error = np.log1p(model.predict(short)) - np.log1p(true)
        return np.mean(error**2), np.mean((low <= true) & (true <= high))

    for days in (3, 10):
        (error, covered), (alone, missed) = figures(early, days), figures(late, days)
        assert error < 0.95 * alone
        assert abs(covered - 0.9) < 0.1
        assert missed < covered
    (error, covered), (alone, _) = figures(early, 1000), figures(late, 1000)
    assert error < 1.05 * alone
    assert abs(covered - 0.9) < 0.08
    short = test.truncate(days=5)
    expected = early.predict(short)
    assert np.array_equal(pickle.loads(pickle.dumps(early)).predict(short), expected)
    assert np.array_equal(clone(early).fit(train, known).predict(short), expected)
    assert early.predict(short[:0]).shape == (0,)


def test_redshifts_of_whole_light_curves_alone(parts):
    train, *_ = parts
    known = train.metadata["redshift"].to_numpy()
    rng = np.random.default_rng(0)
    X, z = rng.normal(100, 10, (30, 12)), rng.uniform(0.1, 0.3, 30)
    models = [RedshiftRegressor(early=e, random_state=0).fit(X, z) for e in (True, False)]
    assert np.array_equal(*(model.predict(X) for model in models))
    with pytest.raises(ValueError, match="early is for method='kernel'"):
        RedshiftRegressor(method="knn", early=False).fit(train, known)
    with pytest.raises(ValueError, match="early is for a head"):
        RedshiftRegressor.pretrained(early=False)
