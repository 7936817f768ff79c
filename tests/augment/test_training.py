"""Augmentation in training: what `augment=` takes, and what ObservingConditions does."""

import numpy as np
import pytest
from plugins.toy_augmentation import Clouds
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from small import SMALL as OF_FOUR

from sklc import LightCurveEncoder, LightCurves, register_augmentation
from sklc.augment import DropEpochs, ExtraNoise, ObservingConditions, Prefixes, Redshifting
from sklc.augment.training import AUGMENTATIONS, Augmentation
from sklc.errors import LightCurveError
from sklc.networks.objectives import Redshift
from sklc.networks.training.augmented import ObjectiveDataset
from sklc.representation import InputRepresentation

SMALL = {**OF_FOUR, "max_epochs": 2, "early_stopping": False}
PARTS = ("noisier", "alerts", "thinned", "prefixes", "dropped")


@pytest.fixture(scope="module")
def demo(demo):
    return demo[0][:60], demo[1][:60]


class Bare:
    """No estimator at all."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X.truncate(days=20)


def losses(demo, augment):
    return LightCurveEncoder(augment=augment, **SMALL).fit(*demo).net_.history[:, "train_loss"]


@pytest.mark.slow
@pytest.mark.parametrize("augment", [Clouds(), Bare(), make_pipeline(Prefixes(), Clouds())])
def test_a_transformer_of_the_user_is_drawn_in_every_epoch(demo, augment):
    assert losses(demo, augment) == losses(demo, augment) != losses(demo, False)
    if not isinstance(augment, Bare):
        epochs = Augmentation(demo[0], [augment], 0)
        first, second, again = (epochs.draw(epoch)[0] for epoch in (1, 2, 1))
        assert first.equals(again)
        assert not first.equals(second)
        assert not hasattr(augment, "n_objects_")  # it is cloned, never changed


def test_true_is_the_documented_set_and_nothing_is_nothing(demo):
    assert losses(demo, True) == losses(demo, ObservingConditions())
    assert losses(demo, False) == losses(demo, None) == losses(demo, [])
    assert losses(demo, [ExtraNoise(), Prefixes()]) != losses(demo, [Prefixes(), ExtraNoise()])


def test_names_are_registered(demo):
    register_augmentation("short", Prefixes(share=1.0))
    try:
        assert losses(demo, "short") == losses(demo, Prefixes(share=1.0))
        with pytest.raises(ValueError, match="'short' already"):
            register_augmentation("short", Prefixes())
    finally:
        AUGMENTATIONS.unregister("short")
    with pytest.raises(ValueError, match=r"no augmentation named 'short'.*register_augmentation"):
        losses(demo, "short")


@pytest.mark.parametrize("wrong", [3, Prefixes, [3]])
def test_what_is_no_transformer_is_one_error(demo, wrong):
    with pytest.raises((TypeError, ValueError), match="augment"):
        losses(demo, wrong)
    with pytest.raises(TypeError, match=r"instance with fit and transform, such as .*Prefixes\(\)"):
        register_augmentation("wrong", wrong)


def test_parameters_out_of_range_are_found_before_training(demo):
    with pytest.raises(ValueError, match="'share' parameter of Prefixes"):
        losses(demo, Prefixes(share=2))


def test_parameters_of_a_transformer_can_be_searched():
    encoder = LightCurveEncoder(augment=Prefixes(share=0.1))
    encoder.set_params(augment__share=0.9)
    assert clone(encoder).get_params()["augment__share"] == 0.9


class Other(Bare):
    def __init__(self, rows):
        self.rows = rows

    def transform(self, X):
        return X[self.rows]


@pytest.mark.parametrize("rows", [slice(5), slice(None, None, -1)])
def test_other_objects_are_refused(demo, rows):
    with pytest.raises(LightCurveError, match="return the same objects in the same order"):
        losses(demo, Other(rows))


def test_objects_with_too_few_points_sit_the_epoch_out(demo):
    curves, _ = demo
    epochs = Augmentation(curves, [DropEpochs(share=1, largest=1, min_points=0)], 0, min_points=9)
    drawn, objects = epochs.draw(1)
    assert 0 < len(objects) < len(curves)
    assert drawn.lengths.min() >= 9
    assert drawn.ids.tolist() == curves.ids[objects].tolist()
    with pytest.raises(LightCurveError, match=r"epoch 1, augment= leaves no light curve with 10"):
        Augmentation(curves, [Bare()], 0, min_points=10_000).draw(1)


def test_redshifts_and_metadata_are_those_of_the_altered_objects(demo):
    curves, _ = demo
    representation, objective = InputRepresentation.preset("relative"), Redshift()
    targets = {"class": np.zeros(60, int), **objective.targets(curves, {})}
    epochs = Augmentation(curves, [Redshifting(share=1)], 0)
    data = ObjectiveDataset(curves, targets, representation, ("redshift",), epochs, [objective])
    assert np.mean(data.targets["log1p_z"] > targets["log1p_z"] + 0.005) > 0.1
    np.testing.assert_allclose(
        np.log1p(data.inputs["metadata"][:, 0]), data.targets["log1p_z"], rtol=1e-5
    )


# -- ObservingConditions


def flat(n_objects=400, n_points=40, seed=0, bands=("ztfg", "ztfg")):
    rng = np.random.default_rng(seed)
    shape = (n_objects, n_points)
    return LightCurves.from_arrays(
        time=np.sort(rng.uniform(0, 200, shape)),
        flux=rng.uniform(50, 500, shape),
        flux_err=np.full(shape, 20.0),
        band=np.tile(bands, n_points // 2 * n_objects).reshape(shape),
    )


def altered_by(curves, seed=0, **options):
    """Light curves of the objects that are left, and which those are."""
    epochs = Augmentation(
        curves,
        [ObservingConditions(**{"min_points": 1, **dict.fromkeys(PARTS, 0.0), **options})],
        seed,
    )
    return epochs.draw(0)


def test_without_any_augmentation_only_noise_is_dropped():
    curves = flat()
    altered, objects = altered_by(curves)
    assert len(objects) == 400
    shown = curves.flux >= 3 * curves.flux_err
    np.testing.assert_array_equal(altered.flux, curves.flux[shown])
    np.testing.assert_array_equal(altered.lengths, np.add.reduceat(shown, curves.offsets[:-1]))


@pytest.mark.parametrize("part", PARTS[:4])
def test_each_augmentation_alters_its_share_of_objects(part):
    curves = flat()
    base, _ = altered_by(curves)
    for share in (0.5, 1.0):
        altered, objects = altered_by(curves, 1, **{part: share})
        pairs = zip(altered, base[objects], strict=True)
        same = [np.array_equal(a.flux, b.flux) for a, b in pairs]
        assert abs(np.mean(same) - (1 - share)) < 0.12


def test_a_dropped_band_leaves_the_other_whole():
    curves = flat(bands=("ztfg", "ztfr"))
    base, _ = altered_by(curves)
    altered, objects = altered_by(curves, dropped=0.5)
    assert len(objects) == 400
    whole, lost = 0, 0
    parts = [np.split(c.wavelength, c.offsets[1:-1]) for c in (base, altered)]
    for before, after in zip(*parts, strict=True):
        if len(np.unique(after)) == 2:
            whole += 1
            np.testing.assert_array_equal(before, after)
        else:
            lost += 1
            assert len(after) == np.sum(before == after[0])
    assert 150 < lost < 250
    assert whole + lost == 400


def test_inflated_errors_come_with_noise_to_match():
    curves = flat(2000)
    altered, objects = altered_by(curves, noisier=1.0)
    assert len(objects) == len(curves.lengths)
    assert altered.flux_err.min() >= 20
    assert altered.flux_err.max() <= 20 * 2.5 * (1 + 1e-9)


def test_unknown_errors_and_empty_objects():
    curves = flat(3)
    unknown = LightCurves.from_arrays([[1.0, 2.0]], [[3.0, 4.0]], None, ["ztfg"], ids=["SN7"])
    with pytest.raises(LightCurveError, match=r"needs flux errors.*'SN7'"):
        ObservingConditions().transform(unknown)
    empty = curves.truncate(points=0)
    assert ObservingConditions().transform(empty).lengths.tolist() == [0, 0, 0]
    assert ObservingConditions(random_state=0).transform(curves).ids.tolist() == [0, 1, 2]


def test_alerts_and_prefixes_and_short_objects():
    curves = flat()
    alerts, _ = altered_by(curves, alerts=1.0)
    assert (alerts.flux / alerts.flux_err).min() >= 5
    prefixes, _ = altered_by(curves, prefixes=1.0)
    ends = prefixes.time[prefixes.offsets[1:] - 1] - prefixes.time[prefixes.offsets[:-1]]
    assert ends.max() <= 150
    short, objects = altered_by(curves, thinned=1.0, min_points=20)
    assert short.lengths.min() >= 20
    assert 0 < len(objects) < 400
