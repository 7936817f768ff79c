"""`simulate`: reproducible, what was asked for, honest about itself; and its cache of tables."""

import os
import pickle
import re
import subprocess
import sys
import time as clock
import urllib.request
from urllib.error import URLError

import numpy as np
import pandas as pd
import pytest

from sklc import LightCurveEncoder, LightCurves
from sklc.cosmology import distance_modulus
from sklc.errors import SimulationError
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
from sklc.simulate.sources import SALTSource
from sklc.simulate.spectra import grids as grids_module
from sklc.simulate.spectra.grids import BandGrid, cache_folder, cached_grid
from sklc.simulate.spectra.templates import find_snoopy_file
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
    return simulate(60, "lsst", ["SNIa", "SNII", "SLSN-I"], photometry=CLEAN)


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


@pytest.mark.parametrize("name", ["SNIa", "SNII", "SLSN-I", "TDE", "AGN", "dwarf-nova"])
def test_the_first_objects_are_the_same_however_many(sncosmo_data, name):
    many = simulate(60, "ztf", name)
    assert many[:7].equals(simulate(7, "ztf", name))
    assert many.ids.tolist() == [f"ztf_{name}_{k:07d}" for k in range(60)]


def test_objects_of_later_chunks(sncosmo_data):
    many = simulate(1010, "ztf", "TDE")
    assert many[:1003].equals(simulate(1003, "ztf", "TDE", n_jobs=2))
    assert len(np.unique(many.metadata["redshift"])) == 1010


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


def test_the_trigger_holds_on_what_is_delivered(common, lsst):
    for curves in (common, lsst):
        for curve, name in zip(curves, curves.metadata["class"], strict=True):
            ratio = np.abs(signal(curve)) if name == "AGN" else signal(curve)
            found = curve.time[ratio >= 5]
            assert len(found) >= 2
            assert found.max() - found.min() >= 30 / 1440 - 1e-6


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


def test_missing_bands(sncosmo_data, common):
    def both(curves):
        return np.mean([len(np.unique(curve.band_names)) == 2 for curve in curves])

    long_ones = common[common.lengths > 20]
    assert both(long_ones) == 1
    half = simulate(100, "ztf", "SNIa", photometry=Photometry(missing_bands=0.5))
    # of the objects that are left with a band, a third have both
    assert 0.2 < both(half) < 0.5


# ---------------------------------------------------------------- your own classes and surveys


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
    curves = simulate(10, own_survey, ["SNIa", "SNII"])
    assert set(curves.band_names) == {"Mytel_blue", "Mytel_red"}
    assert set(curves.metadata["survey"]) == {"Mytel"}
    assert curves.ids[0] == "mytel_SNIa_0000000"
    assert np.all(np.isin(np.round(curves.time % 2, 2), [0.2, 0.21]))
    assert curves.equals(simulate(10, own_survey, ["SNIa", "SNII"], n_jobs=2))
    # magnitudes in a top-hat band: type Ia supernovae outshine their distance as they should
    nearby = simulate(20, own_survey, "SNIa", z_max=0.05)
    truth = nearby.metadata
    bright = truth["peak_mag"] - distance_modulus(truth["redshift"].to_numpy())
    assert -20.2 < bright.median() < -18.2


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(("n", "classes", "message"), [
    (-1, "SNIa", "the number of SNIa is -1: pass an integer of at least 0"),
    (True, "SNIa", "the number of SNIa is True"), (2.0, "SNIa", r"the number of SNIa is 2\.0"),
    ("5", "SNIa", "the number of SNIa is '5'"), (None, None, "the number of SNIa is None"),
    ({"SNIa": -3}, None, "the number of SNIa is -3"),
    ({"SNIa": 3}, "TDE", "classes has 'TDE', but n gives no number for it"),
    ({"SNIz": 3}, None, "There is no class named 'SNIz'"),
    (3, "snia", "no class named 'snia'. Did you mean 'SNIa'.* Known are .*register_class"),
    (3, ["SNIa", "TDE", "SNIa"], "class 'SNIa' is given twice"), (3, [], "classes is empty"),
    (3, 7, "A class is a name or a sklc.simulate.SourceClass, got int"),
    (3, [None], "got NoneType"),
    (3, SALTSource(), "got SALTSource: for a source of your own use SourceClass"),
])  # fmt: skip
def test_bad_numbers_and_classes(n, classes, message):
    with pytest.raises(SimulationError, match=message):
        simulate(n, "ztf", classes)


@pytest.mark.parametrize(("options", "message"), [
    ({"redshift": "uniform"}, "redshift='uniform' is not a distribution.*'flat'"),
    ({"z_max": 0}, "z_max=0 is not a redshift that can be simulated.*up to 6"),
    ({"z_max": 6.5}, "z_max=6.5"), ({"z_max": True}, "z_max=True"),
    ({"z_max": np.nan}, "z_max=nan"),
    ({"z_max": 0.002}, "z_max=0.002 is not above the smallest redshift of SNIa, 0.003: raise"),
    ({"trigger": 5}, r"trigger=5 is not a Trigger: pass Trigger\("),
    ({"photometry": None}, r"photometry=None is not a Photometry: pass Photometry\("),
    ({"nightly": "no"}, "nightly='no' is neither True nor False"),
    ({"window": (30, 60)}, r"window=\(30, 60\) is not a pair of days.*pass \(-30, 60\)"),
    ({"window": (-30, -1)}, "window="), ({"window": (-30,)}, "window="),
    ({"window": "all"}, "window='all'"), ({"window": (-np.inf, 60)}, "window="),
    ({"random_state": -1}, "random_state=-1 is not an integer of at least 0"),
    ({"random_state": True}, "random_state=True is not an integer"),
    ({"random_state": "0"}, "random_state='0'"), ({"random_state": 1.0}, r"random_state=1\.0"),
])  # fmt: skip
def test_bad_options(options, message):
    with pytest.raises(SimulationError, match=message):
        simulate(3, "ztf", "SNIa", **options)


@pytest.mark.parametrize("survey", ["lst", None, 3, []])
def test_unknown_surveys(survey):
    hint = "Did you mean 'lsst'" if survey == "lst" else "Make your own"
    with pytest.raises(
        SimulationError, match=rf"There is no survey named {re.escape(repr(survey))}.*{hint}"
    ):
        simulate(3, survey, "SNIa")


@pytest.mark.parametrize(("make", "options", "message"), [
    (Trigger, {"n_det": 0}, "n_det=0 is not an integer of at least 1"),
    (Trigger, {"n_det": True}, "n_det=True"), (Trigger, {"n_det": 2.0}, "n_det=2.0"),
    (Trigger, {"snr": -1}, "snr=-1 is not a number of at least 0"),
    (Trigger, {"snr": np.nan}, "snr=nan"), (Trigger, {"separation": None}, "separation=None"),
    (Trigger, {"bright_width": "x"}, "bright_width='x'"),
    (Trigger, {"bright_limit": "18"}, "bright_limit='18' is not an apparent magnitude"),
    (Trigger, {"bright_limit": -19}, "bright_limit=-19"),
    (Photometry, {"outliers": 1}, "outliers=1 is not a share"),
    (Photometry, {"missing_bands": -0.1}, "missing_bands=-0.1"),
    (Photometry, {"outlier_scale": 0.5}, "outlier_scale=0.5 is not a number of at least 1"),
])  # fmt: skip
def test_bad_triggers_and_photometry(make, options, message):
    with pytest.raises(SimulationError, match=f"{make.__name__}: {message}"):
        make(**options)


@pytest.mark.parametrize(("survey", "name", "trigger"), [
    ("ztf", "SNIa", Trigger(n_det=5000)), ("lsst", "SNIa", Trigger(separation=1e9)),
    ("ztf", "SNIa", Trigger(bright_limit=5)), ("ztf", "KN", Trigger(bright_limit=13)),
    ("ztf", "SNIa", Trigger(snr=1e6)),
])  # fmt: skip
def test_what_never_triggers_is_given_up(sncosmo_data, survey, name, trigger):
    begin = clock.perf_counter()
    with pytest.raises(SimulationError) as raised:
        simulate(1, survey, name, trigger=trigger)
    assert clock.perf_counter() - begin < 30
    message = str(raised.value)
    assert f"{name} in {survey}: 0 of " in message
    assert "(efficiency 0)" in message
    assert repr(trigger) in message
    assert "z_max=" in message


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


@pytest.mark.parametrize("source", [3, None, ["v19-2009n", 3]])
def test_bad_sources(source):
    with pytest.raises(SimulationError, match=r"a source is an sncosmo\.Source or the name of one"):
        SpectralSource.from_sncosmo(source)


def test_sources_out_of_range(sncosmo_data):
    with pytest.raises(SimulationError, match="pass at least one"):
        SpectralSource.from_sncosmo([])
    wave = np.arange(300.0, 800.0)  # nanometre
    source = sncosmo.TimeSeriesSource(np.arange(5.0), wave, np.ones((5, 500)), name="nm")
    mine = SourceClass("mine", SpectralSource.from_sncosmo(source))
    with pytest.raises(SimulationError, match=r"'nm' covers 300 to 799 .* have to be in Angstrom"):
        simulate(1, "ztf", mine)


@pytest.fixture
def offline(monkeypatch):
    def refuse(*args, **kwargs):
        raise URLError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)


def test_a_missing_template_is_named(sncosmo_data, offline):
    # not in the folder of templates, or not known at all
    for name in ("v19-1993j-corr", "no-such-supernova"):
        mine = SourceClass("mine", SpectralSource.from_sncosmo(name))
        with pytest.raises(SimulationError) as raised:
            simulate(1, "ztf", mine)
        message = str(raised.value)
        assert name in message
        assert f"SNCOSMO_DATA_DIR={os.environ['SNCOSMO_DATA_DIR']}" in message
        assert "Connect to a network" in message


def test_a_missing_file_of_snoopy_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("SNCOSMO_DATA_DIR", str(tmp_path / "deep"))
    with pytest.raises(SimulationError, match=r"file none\.fits .* SNooPy.*SNCOSMO_DATA_DIR"):
        find_snoopy_file("none.fits")
    (tmp_path / "none.fits").write_bytes(b"")
    assert find_snoopy_file("none.fits") == tmp_path / "none.fits"
    monkeypatch.delenv("SNCOSMO_DATA_DIR")
    with pytest.raises(SimulationError, match="not set"):
        find_snoopy_file("none.fits")


# ---------------------------------------------------------------- with the rest of the library


def test_the_encoder_takes_them(common, lsst):
    encoder = LightCurveEncoder.pretrained("ztf+lsst")
    for curves in (common[::20], lsst[::20]):
        assert encoder.transform(curves).shape[0] == len(curves)
        assert np.isfinite(encoder.transform(curves)).all()


def test_results_are_pickled(common):
    assert pickle.loads(pickle.dumps(common[:5])).equals(common[:5])
    trigger = Trigger(n_det=3)
    assert pickle.loads(pickle.dumps(trigger)) == trigger
    again = pickle.loads(pickle.dumps(CLASSES["SNIa"]))
    assert again.key() == CLASSES["SNIa"].key()


def run_python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, timeout=120, env={**os.environ, **environment},
    )  # fmt: skip


def test_importing_does_not_import_torch():
    heavy = {"torch", "sncosmo", "skorch", "astropy"}
    done = run_python(f"import sys, sklc.simulate; print(sorted({heavy} & set(sys.modules)))")
    assert done.stdout.strip() == "[]", done


def test_without_sncosmo(tmp_path):
    code = """
import sys
sys.modules["sncosmo"] = None
from sklc.simulate import list_classes, simulate
assert "SNIa" in list_classes()
try:
    simulate(1, "ztf", "SNIa")
except ImportError as error:
    print(error)
"""
    done = run_python(code, SKLC_CACHE_DIR=str(tmp_path))
    assert 'needs sncosmo, which is not installed: pip install "sklc[sim]"' in done.stdout, done


# ---------------------------------------------------------------- the cache of tables


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """An empty cache, in memory and on disk."""
    folder = tmp_path / "tables"
    monkeypatch.setenv("SKLC_CACHE_DIR", str(folder))
    monkeypatch.setattr(grids_module, "_memory", {})
    return folder


def table(value=1.0):
    return BandGrid(
        flux=np.full((1, 3, 2, 11), value, dtype=np.float32),
        slopes=np.zeros((1, 3, 2, 3, 1, 2), dtype=np.float32),
        axis=np.arange(11.0), laws=("mwebv",), info=np.zeros((1, 0)),
        effective=np.array([4800.0, 6200.0]),
    )  # fmt: skip


class Builder:
    """Builds tables, and counts how often."""

    count = 0

    def __call__(self):
        self.count += 1
        return table(self.count)


def test_where_the_cache_lies(monkeypatch, tmp_path):
    monkeypatch.setenv("SKLC_CACHE_DIR", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("SKLC_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "sklc" / "grids"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "sklc" / "grids"


def test_tables_are_written_once_and_reused(cache, monkeypatch):
    build = Builder()
    first = cached_grid(["a", 1], build)
    assert cached_grid(["a", 1], build) is first
    assert [file.suffix for file in cache.iterdir()] == [".npz"]
    monkeypatch.setattr(grids_module, "_memory", {})  # as in another session
    again = cached_grid(["a", 1], build)
    assert build.count == 1
    for name in ("flux", "slopes", "axis", "info", "effective"):
        np.testing.assert_array_equal(getattr(again, name), getattr(first, name))
    assert again.laws == first.laws
    cached_grid(["a", 2], build)
    assert build.count == 2
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize("damage", ["empty", "half", "other", "lacking"])
def test_damaged_tables_are_rebuilt(cache, monkeypatch, damage):
    build = Builder()
    cached_grid(["a"], build)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    if damage == "lacking":
        np.savez(file, flux=np.zeros(3))
    else:
        file.write_bytes({"empty": b"", "half": whole[: len(whole) // 2], "other": b"text" * 99}[
            damage])  # fmt: skip
    monkeypatch.setattr(grids_module, "_memory", {})
    assert cached_grid(["a"], build).flux.max() == 2
    monkeypatch.setattr(grids_module, "_memory", {})
    assert cached_grid(["a"], build).flux.max() == 2  # the file is whole again
    assert [f.suffix for f in cache.iterdir()] == [".npz"]


def test_a_folder_that_cannot_be_written(cache, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SKLC_CACHE_DIR", str(tmp_path / "file" / "below"))
    build = Builder()
    assert cached_grid(["a"], build).flux.max() == 1
    assert cached_grid(["a"], build).flux.max() == 1  # from memory
    monkeypatch.setattr(grids_module, "_memory", {})
    assert cached_grid(["a"], build).flux.max() == 2


def test_memory_stays_bounded(cache):
    for number in range(70):
        cached_grid(["many", number], Builder())
    assert len(grids_module._memory) == 64


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
