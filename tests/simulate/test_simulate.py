"""`simulate`: reproducible, what was asked for, honest about itself; and its cache of tables."""

import pickle

import numpy as np
import pandas as pd
import pytest

from sklc import LightCurveEncoder, LightCurves
from sklc.cosmology import distance_modulus
from sklc.simulate import (
    CLASSES,
    COMMON_CLASSES,
    RARE_CLASSES,
    Photometry,
    SourceClass,
    SpectralSource,
    Survey,
    Trigger,
    list_classes,
    simulate,
)
from sklc.simulate.classes import get_class
from sklc.simulate.spectra import grids as grids_module
from sklc.simulate.surveys import get_survey

sncosmo = pytest.importorskip("sncosmo", reason="sncosmo is not installed: pip install 'sklc[sim]'")

BASIC = {
    "survey", "class", "redshift", "mwebv", "host_ebv", "template", "peak_absmag", "peak_mag",
    "explosion_mjd", "peak_mjd",
}  # fmt: skip
CLEAN = Photometry(outliers=0, missing_bands=0)


@pytest.fixture(scope="module")
def common(sncosmo_data):
    """40 objects of each common class in ZTF."""
    return simulate(40, "ztf", photometry=CLEAN)


@pytest.fixture(scope="module")
def lsst(sncosmo_data):
    """60 objects of three classes in LSST."""
    return simulate(60, "lsst", ["SNIa", "SNIIn", "SLSN-I"], photometry=CLEAN)


def signal(curves):
    """Signal-to-noise ratio, with a little slack for the rounding of single precision."""
    return curves.flux / curves.flux_err * (1 + 1e-5)


def owners(curves):
    return np.repeat(np.arange(len(curves)), curves.lengths)


def tophat(low, high):
    return np.array([low, low + 1, high - 1, high], float), np.array([0.0, 0.7, 0.7, 0.0])


def toy(name="toy", start=-10.0, end=40.0):
    """A source of the same brightness at all wavelengths, that rises and declines."""
    phase, wave = np.arange(start, end + 0.1), np.arange(1000.0, 11500.0, 50.0)
    level = np.exp(-0.5 * (phase / 10) ** 2)
    flux = 1e-9 * level[:, None] * (5000 / wave) ** 2
    return sncosmo.TimeSeriesSource(phase, wave, flux, name=name)


@pytest.fixture(scope="module")
def own_survey():
    """Three fields visited every other night in two top-hat bands."""
    days = np.arange(0, 400, 2.0)
    field, day, band = (a.ravel() for a in np.meshgrid(range(3), days, ["blue", "red"],
                                                       indexing="ij"))  # fmt: skip
    table = pd.DataFrame({"mjd": 60000.2 + day.astype(float) + 0.01 * (band == "red"),
                          "band": band, "depth": 22.0, "position": field})  # fmt: skip
    curves = {"blue": tophat(4000, 5500), "red": tophat(5500, 7500)}
    return Survey.from_pointings(table, name="Mytel", passbands=curves)


# ---------------------------------------------------------------- the same, always


@pytest.mark.slow
@pytest.mark.parametrize("survey", ["ztf", "lsst"])
def test_the_number_of_processes_does_not_matter(sncosmo_data, survey):
    n = {"SNIa": 15, "SNIb/c": 7, "AGN": 4, "TDE": 0, "KN": 3}
    first = simulate(n, survey)
    assert first.equals(simulate(n, survey))
    assert first.equals(simulate(n, survey, n_jobs=2))
    assert not first.equals(simulate(n, survey, random_state=1))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SNIa", "SNII", "SLSN-I", "TDE", "AGN", "dwarf-nova"])
def test_the_first_objects_are_the_same_however_many(sncosmo_data, name):
    many = simulate(60, "ztf", name)
    assert many[:7].equals(simulate(7, "ztf", name))
    assert many.ids.tolist() == [f"ztf_{name}_{k:07d}" for k in range(60)]


@pytest.mark.slow
def test_objects_of_later_chunks(sncosmo_data):
    many = simulate(1010, "ztf", "TDE")
    assert many[:1003].equals(simulate(1003, "ztf", "TDE", n_jobs=2))
    assert len(np.unique(many.metadata["redshift"])) == 1010


@pytest.mark.slow
def test_classes_do_not_change_each_other(common):
    alone = simulate(40, "ztf", "TDE", photometry=CLEAN)
    shared = common[(common.metadata["class"] == "TDE").to_numpy()]
    assert shared.flux.tolist() == alone.flux.tolist()
    columns = alone.metadata.columns
    pd.testing.assert_frame_equal(shared.metadata[columns], alone.metadata)


def test_kinds_of_seeds(sncosmo_data):
    def made(seed):
        return simulate(3, "ztf", "SNIa", random_state=seed)

    assert made(5).equals(made(np.int64(5)))
    assert made(np.random.default_rng(5)).equals(made(np.random.default_rng(5)))
    assert made(np.random.RandomState(5)).equals(made(np.random.RandomState(5)))
    rng = np.random.default_rng(5)
    assert not made(rng).equals(made(rng))  # it moves on
    assert not made(None).equals(made(None))
    assert len(made(2**40)) == 3


# ---------------------------------------------------------------- what was asked for


@pytest.mark.slow
def test_the_eight_classes_by_default(common):
    labels = common.metadata["class"].to_numpy()
    assert labels.tolist() == [name for name in COMMON_CLASSES for _ in range(40)]
    assert np.all(common.lengths >= 2)
    assert common.passbands == get_survey("ztf").passbands
    assert common.zero_point == 27.5
    assert common.metadata.index.tolist() == common.ids.tolist()


def test_ways_of_naming_classes(sncosmo_data):
    assert list_classes() == list(CLASSES)
    assert set(RARE_CLASSES) <= set(CLASSES)
    by_name = simulate(4, "ztf", ["TDE", "SNIa"])
    assert by_name.metadata["class"].tolist() == ["TDE"] * 4 + ["SNIa"] * 4
    assert by_name.equals(simulate({"TDE": 4, "SNIa": 4}, "ztf"))
    assert by_name.equals(simulate(np.int64(4), "ztf", (CLASSES["TDE"], "SNIa")))
    assert by_name[:4].flux.tolist() == simulate(4, "ZTF", "TDE").flux.tolist()
    mixed = simulate({"SNIa": 3, "SNII": 0, "mine": 2}, "ztf",
                     SourceClass("mine", CLASSES["TDE"].source))  # fmt: skip
    assert mixed.metadata["class"].tolist() == ["SNIa"] * 3 + ["mine"] * 2
    assert get_class("TDE") is CLASSES["TDE"]


@pytest.mark.slow
@pytest.mark.parametrize("name", list(CLASSES))
def test_every_class_in_other_surveys(sncosmo_data, name):
    for survey in ("ps1", "lsst-ddf"):
        curves = simulate(2, survey, name)
        assert len(curves) == 2
        assert np.isfinite(curves.flux).all()
        assert np.all(curves.flux_err > 0)


@pytest.mark.slow
def test_truth(common, lsst):
    for curves in (common, lsst):
        truth = curves.metadata
        assert set(truth.columns) >= BASIC
        assert np.all(truth["redshift"] > 0)
        assert truth["mwebv"].between(0, 0.6).all()
        assert truth["template"].notna().all()
        # first light, maximum, and the observations around them
        known = truth["explosion_mjd"].notna()
        assert np.all(truth["explosion_mjd"][known] < truth["peak_mjd"][known])
        supernovae = truth["class"].str.startswith("SN")
        assert known[supernovae].all()
        seen = np.array([curve.time[signal(curve) >= 5].min() for curve in curves[
            supernovae.to_numpy()]])  # fmt: skip
        assert np.mean(seen > truth["explosion_mjd"][supernovae]) > 0.99
        # magnitudes: apparent ones follow from absolute ones, distance, dust and K-correction
        assert truth["peak_mag"][supernovae].between(10, 27).all()
        assert truth["peak_absmag"].between(-30, -10).all()
    agn = common.metadata["class"] == "AGN"
    assert common.metadata.loc[agn, ["explosion_mjd", "peak_mjd"]].isna().all(axis=None)
    assert common.metadata.loc[agn, "sf_infinity"].notna().all()
    assert common.metadata.loc[~agn, "sf_infinity"].isna().all()
    assert common.metadata["x1"].notna().tolist() == (common.metadata["class"] == "SNIa").tolist()
    assert set(common.metadata["survey"]) == {"ZTF"}
    assert set(lsst.metadata["survey"]) == {"LSST"}


@pytest.mark.slow
def test_peak_mag_is_that_of_the_brightest_observation(common):
    difference = []
    for curve, peak, name in zip(
        common, common.metadata["peak_mag"], common.metadata["class"], strict=True
    ):
        good = signal(curve) >= 20
        if name != "AGN" and good.any():
            difference.append(27.5 - 2.5 * np.log10(curve.flux[good].max()) - peak)
    assert len(difference) > 30
    assert np.abs(np.median(difference)) < 0.05
    assert np.min(difference) > -0.25  # none is brighter by more than its noise


def test_stars_have_no_redshift(sncosmo_data):
    stars = simulate(10, "ztf", ["dwarf-nova", "uLens"])
    assert np.all(stars.metadata["redshift"] == 0)


@pytest.mark.slow
def test_the_trigger_holds_on_what_is_delivered(common, lsst):
    for curves in (common, lsst):
        for curve, name in zip(curves, curves.metadata["class"], strict=True):
            ratio = np.abs(signal(curve)) if name == "AGN" else signal(curve)
            found = curve.time[ratio >= 5]
            assert len(found) >= 2
            assert found.max() - found.min() >= 30 / 1440 - 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("nightly", [True, False])
def test_other_triggers(sncosmo_data, nightly):
    trigger = Trigger(n_det=7, snr=8, separation=1440 * 20)
    curves = simulate(20, "ztf", ["SNIa", "AGN"], trigger=trigger, nightly=nightly)
    for curve, name in zip(curves, curves.metadata["class"], strict=True):
        ratio = np.abs(signal(curve)) if name == "AGN" else signal(curve)
        found = curve.time[ratio >= 8]
        assert len(found) >= 7
        assert found.max() - found.min() >= 20
    once = simulate(200, "lsst", "KN", trigger=Trigger(n_det=1, separation=1e9))
    assert min(np.sum(signal(curve) >= 5) for curve in once) == 1


@pytest.mark.slow
def test_window(common):
    transients = common[(common.metadata["class"] != "AGN").to_numpy()]
    before, after = [], []
    for curve in transients:
        found = curve.time[signal(curve) >= 5]
        before.append(found.min() - curve.time.min())
        after.append(curve.time.max() - found.max())
    assert max(before) <= 30.001
    assert max(after) <= 60.001
    assert max(before) > 20
    assert max(after) > 50
    narrow = simulate(10, "ztf", "SNIa", window=(0, 0))
    for curve in narrow:
        assert signal(curve)[0] >= 5
        assert signal(curve)[-1] >= 5
    survey = get_survey("ztf")
    everything = simulate(10, "ztf", "SNIa", window=None)
    assert np.median([np.ptp(curve.time) for curve in everything]) > 0.8 * np.ptp(
        survey.visits.span
    )
    variables = common[(common.metadata["class"] == "AGN").to_numpy()]
    length = np.array([np.ptp(curve.time) for curve in variables])
    assert np.all(length <= 800)
    assert np.median(length) > 600


@pytest.mark.slow
def test_nights(common):
    start = get_survey("ztf").night_start
    night = np.floor(common.time - start)
    keys = np.stack([owners(common), common.band, night])
    assert len(np.unique(keys, axis=1).T) == len(common.time)
    single = simulate(40, "ztf", "SNIa", nightly=False, photometry=CLEAN)
    night = np.floor(single.time - start)
    keys = np.stack([owners(single), single.band, night])
    assert len(np.unique(keys, axis=1).T) < 0.8 * len(single.time)
    averaged = common[(common.metadata["class"] == "SNIa").to_numpy()]
    assert np.median(averaged.flux_err) < np.median(single.flux_err)


def test_bright_limit(sncosmo_data):
    hard = simulate(50, "ztf", "SNIa", trigger=Trigger(bright_limit=18.5))
    assert hard.metadata["peak_mag"].max() <= 18.5
    soft = simulate(100, "ztf", "SNIa", trigger=Trigger(bright_limit=18.5, bright_width=0.3))
    assert 0.05 < np.mean(soft.metadata["peak_mag"] > 18.5) < 0.7
    assert soft.metadata["peak_mag"].max() < 21
    assert hard.metadata["redshift"].median() < 0.12


@pytest.mark.slow
def test_redshifts(sncosmo_data, common):
    near = simulate(60, "ztf", ["SNIa", "AGN"], z_max=0.06)
    assert near.metadata["redshift"].max() <= 0.06
    far = simulate(60, "lsst", "SNIa", redshift="flat", z_max=0.2)
    volumetric = simulate(60, "lsst", "SNIa", z_max=0.2)
    assert far.metadata["redshift"].median() < 0.13 < volumetric.metadata["redshift"].median()
    supernovae = (common.metadata["class"] == "SNIa").to_numpy()
    assert common.metadata["redshift"][supernovae].max() > 0.06


# ---------------------------------------------------------------- noise


def before_explosion(photometry):
    curves = simulate(60, "ztf", "SNIa", window=None, photometry=photometry)
    explosion = curves.metadata["explosion_mjd"].to_numpy()[owners(curves)]
    return (curves.flux / curves.flux_err)[curves.time < explosion - 1]


def test_noise_is_as_stated(sncosmo_data):
    pulls = before_explosion(CLEAN)
    assert len(pulls) > 10_000
    assert np.mean(pulls) == pytest.approx(0, abs=0.03)
    assert np.std(pulls) == pytest.approx(1, abs=0.02)
    assert np.abs(pulls).max() < 5.5
    often = before_explosion(Photometry(outliers=0.02, outlier_scale=8, missing_bands=0))
    assert np.std(often) == pytest.approx(np.sqrt(1 + 0.02 * 64), rel=0.1)
    assert np.mean(np.abs(often) > 5) == pytest.approx(0.02 * 0.53, rel=0.3)


@pytest.fixture(scope="module")
def steady(sncosmo_data):
    """Objects of constant flux for 150 days, each at its own brightness."""
    phase, wave = np.array([0.0, 1.0, 150.0]), np.arange(1000.0, 11500.0, 50.0)
    flux = np.ones(3)[:, None] * 1e-9 * (5000 / wave) ** 2
    source = SpectralSource.from_sncosmo(
        sncosmo.TimeSeriesSource(phase, wave, flux, name="steady", time_spline_degree=1),
        absolute_mag=(-18.0, 1.0), stretch=(1.0, 0.0), host_ebv=0.0,
    )  # fmt: skip
    kind = SourceClass("steady", source, bright=-20.5)
    return simulate(60, "ztf", kind, z_max=0.1, photometry=CLEAN, nightly=False)


def test_noise_of_bright_objects(steady):
    survey = get_survey("ztf")
    explosion = steady.metadata["explosion_mjd"].to_numpy()[owners(steady)]
    z = steady.metadata["redshift"].to_numpy()[owners(steady)]
    days = (steady.time - explosion) / (1 + z)
    during = (days > 8) & (days < 140)
    group = (owners(steady) * 2 + steady.band)[during]
    flux, error = steady.flux[during].astype(float), steady.flux_err[during].astype(float)
    weight = np.bincount(group, 1 / error**2)
    mean = (np.bincount(group, flux / error**2) / np.maximum(weight, 1e-30))[group]
    counts = np.bincount(group)
    chi2 = np.sum(((flux - mean) / error) ** 2)
    assert chi2 / np.sum(np.maximum(counts - 1, 0)) == pytest.approx(1, abs=0.06)
    # the stated error: background, photon noise and a systematic fraction of the flux
    assert np.all(error >= survey.systematic * mean)
    bright = mean > np.quantile(mean, 0.95)
    faint = mean < np.quantile(mean, 0.2)
    assert np.median(error[bright]) > 1.2 * np.median(error[faint])
    # flux does not change meanwhile
    slope = np.polyfit(days[during][bright], (flux / mean)[bright], 1)[0]
    assert abs(slope) * 130 < 0.02


@pytest.mark.slow
def test_missing_bands(sncosmo_data, common):
    def both(curves):
        return np.mean([len(np.unique(curve.band_names)) == 2 for curve in curves])

    long_ones = common[common.lengths > 20]
    assert both(long_ones) == 1
    half = simulate(100, "ztf", "SNIa", photometry=Photometry(missing_bands=0.5))
    # of the objects that are left with a band, a third have both
    assert 0.2 < both(half) < 0.5


# ---------------------------------------------------------------- your own classes and surveys


@pytest.mark.slow
def test_a_class_of_your_own(sncosmo_data):
    source = SpectralSource.from_sncosmo(
        [toy("one"), toy("two", end=60.0)], absolute_mag=(-19.0, 0.2), host_ebv=0.0
    )
    mine = SourceClass("Toy", source, bright=-20.0)
    curves = simulate(30, "ztf", mine)
    assert curves.metadata["class"].unique().tolist() == ["Toy"]
    assert set(curves.metadata["template"]) == {"one", "two"}
    assert np.all(curves.metadata["host_ebv"] == 0)
    assert curves.equals(simulate(30, "ztf", mine, n_jobs=2))
    assert curves.metadata["peak_absmag"].mean() == pytest.approx(-19, abs=0.2)
    # another source of the same name is another one
    other = SpectralSource.from_sncosmo([toy("one", end=20.0), toy("two")], absolute_mag=(-19, 0.2))
    assert not curves.equals(simulate(30, "ztf", SourceClass("Toy", other, bright=-20.0)))


@pytest.mark.slow
def test_a_survey_of_your_own(sncosmo_data, own_survey):
    curves = simulate(10, own_survey, ["SNIa", "SNIIn"])
    assert set(curves.band_names) == {"Mytel_blue", "Mytel_red"}
    assert set(curves.metadata["survey"]) == {"Mytel"}
    assert curves.ids[0] == "mytel_SNIa_0000000"
    assert np.all(np.isin(np.round(curves.time % 2, 2), [0.2, 0.21]))
    assert curves.equals(simulate(10, own_survey, ["SNIa", "SNIIn"], n_jobs=2))
    # magnitudes in a top-hat band: type Ia supernovae outshine their distance as they should
    nearby = simulate(20, own_survey, "SNIa", z_max=0.05)
    truth = nearby.metadata
    bright = truth["peak_mag"] - distance_modulus(truth["redshift"].to_numpy())
    assert -20.2 < bright.median() < -18.2


# ---------------------------------------------------------------- bad input


@pytest.mark.slow
def test_no_objects(sncosmo_data):
    some = simulate(1, "ztf", "SNII")
    none = simulate(0, "ztf", "SNII")
    assert isinstance(none, LightCurves)
    assert len(none) == 0
    assert none.passbands == some.passbands
    assert none.flux.dtype == some.flux.dtype
    assert none.time.dtype == some.time.dtype
    assert set(none.metadata.columns) == BASIC
    assert none.metadata.dtypes.to_dict() == some.metadata.dtypes[none.metadata.columns].to_dict()
    assert simulate({}, "ztf").equals(none)


# ---------------------------------------------------------------- with the rest of the library


@pytest.mark.slow
def test_the_encoder_takes_them(common, lsst):
    encoder = LightCurveEncoder.pretrained("ztf+lsst")
    for curves in (common[::20], lsst[::20]):
        assert encoder.transform(curves).shape[0] == len(curves)
        assert np.isfinite(encoder.transform(curves)).all()


@pytest.mark.slow
def test_results_are_pickled(common):
    assert pickle.loads(pickle.dumps(common[:5])).equals(common[:5])
    trigger = Trigger(n_det=3)
    assert pickle.loads(pickle.dumps(trigger)) == trigger
    again = pickle.loads(pickle.dumps(CLASSES["SNIa"]))
    assert again.key() == CLASSES["SNIa"].key()


# ---------------------------------------------------------------- the cache of tables


def test_simulations_use_the_cache(cache, monkeypatch, sncosmo_data):
    first = simulate(3, "ztf", "TDE")
    (file,) = cache.iterdir()
    before = file.stat().st_mtime_ns
    monkeypatch.setattr(grids_module, "_memory", {})
    assert simulate(3, "ztf", "TDE").equals(first)
    assert file.stat().st_mtime_ns == before
    # other bands, redshifts, or templates are other tables
    simulate(1, "ztf", "TDE", z_max=0.2)
    simulate(1, "des", "TDE")
    simulate(1, "ztf", SourceClass("toy", SpectralSource.from_sncosmo(toy())))
    simulate(1, "ztf", SourceClass("toy", SpectralSource.from_sncosmo(toy(end=50.0))))
    assert len(list(cache.iterdir())) == 5
    # luminosities, rates and triggers are none of their business
    simulate(1, "ztf", SourceClass("toy", SpectralSource.from_sncosmo(toy(), host_ebv=0.3)),
             trigger=Trigger(n_det=3))  # fmt: skip
    assert len(list(cache.iterdir())) == 5
