"""Zero points: units in names of columns, impossible values, Vega systems, depths of surveys."""

import numpy as np
import pandas as pd
import pytest

from sklc import LightCurves, as_light_curves, get_passband
from sklc.errors import LightCurveError, LightCurveWarning


def table(name="flux", **columns):
    base = {"object_id": "K1", "mjd": [60000.1, 60003.1], "band": "lsstg", name: [150.0, 320.0]}
    return pd.DataFrame(base | {"flux_err": 9.0} | columns)


@pytest.mark.parametrize(("name", "zero_point"), [
    ("uJy", 23.9), ("µJy", 23.9), ("nJy", 31.4), ("mJy", 16.4), ("Jy", 8.9), ("flux_nJy", 31.4),
    ("flux_uJy", 23.9), ("fluxmJy", 16.4), ("flux (mJy)", 16.4), ("Flux[uJy]", 23.9),
    ("flux(nJy )", 31.4), ("psfFlux", 31.4), ("psfDiffFlux", 31.4),
    ("scienceFlux", 31.4), ("r:psfFlux", 31.4), ("flux_nanomaggies", 22.5), ("flux", 27.5),
    ("counts", 27.5),
])  # fmt: skip
def test_a_unit_in_the_name_of_the_column(name, zero_point, tmp_path):
    curves = LightCurves.from_frame(table(name), flux=name)
    assert curves.zero_point == zero_point
    assert curves.flux.tolist() == [150.0, 320.0]
    table(name).to_parquet(tmp_path / "photometry.parquet")
    pd.DataFrame({"object_id": ["K1"]}).to_parquet(tmp_path / "objects.parquet")
    assert LightCurves.from_parquet(tmp_path, flux=name).zero_point == zero_point
    assert LightCurves.from_frame(table(name, zp=25.0), flux=name).zero_point == 25.0


@pytest.mark.parametrize(("name", "question"), [
    ("FLUXCAL", "ZP_FLUXCAL"), ("forcediffimflux", 'zero_point="zpdiff"'), ("psFlux", r"31\.4"),
])  # fmt: skip
def test_names_that_leave_it_open_are_asked_about(name, question):
    with pytest.warns(LightCurveWarning, match=question):
        LightCurves.from_frame(table(name), flux=name)
    LightCurves.from_frame(table(name), flux=name, zero_point=27.5)


def test_the_column_that_belongs_to_the_fluxes():
    frame = table("forcediffimflux", zpdiff=[26.0, 26.0])
    assert LightCurves.from_frame(frame, flux="forcediffimflux").zero_point == 26.0
    alert = table("forcediffimflux", magzpsci=[26.0, 27.0])
    curves = LightCurves.from_frame(alert, flux="forcediffimflux")
    np.testing.assert_allclose(
        27.5 - 2.5 * np.log10(curves.flux), [26.0, 27.0] - 2.5 * np.log10([150.0, 320.0])
    )


def test_a_zero_point_that_contradicts_the_name_is_told():
    with pytest.warns(LightCurveWarning, match=r"27\.5 that was given.*pass zero_point=23\.9"):
        LightCurves.from_frame(table("uJy"), flux="uJy", zero_point=27.5)
    LightCurves.from_frame(table("uJy"), flux="uJy", zero_point=23.9)


@pytest.mark.parametrize("missing", [0, -9, 99, -99, 999, 1e20, np.nan, np.inf])
def test_zero_points_that_stand_for_a_missing_value(missing):
    with pytest.raises(LightCurveError, match=r"zero_point=.*not the AB zero point"):
        LightCurves.from_frame(table(), zero_point=missing)
    with pytest.raises(LightCurveError, match=r"'K1'.*zero point.*1 of 2 observations"):
        LightCurves.from_frame(table(zp=[25.0, missing]))
    with pytest.raises(LightCurveError, match="zero_point="):
        LightCurves.from_arrays([1.0], [2.0], offsets=[0, 1], zero_point=missing)
    assert LightCurves.from_frame(table(), zero_point=-48.6).zero_point == -48.6  # erg/s/cm2/Hz


def test_zero_points_of_the_vega_system():
    frame = table(zp=25.0, zpsys=["ab", "Vega"], band=["bessellb", "besselli"])
    curves = LightCurves.from_frame(frame)
    assert curves.zero_point == 25.0
    offset = get_passband("besselli").ab_minus_vega
    np.testing.assert_allclose(curves.flux, [150.0, 320.0 * 10 ** (-0.4 * offset)])
    backwards = LightCurves.from_frame(frame[::-1])
    np.testing.assert_allclose(backwards.flux, curves.flux)
    listed = as_light_curves([frame.drop(columns="object_id"), table().drop(columns="object_id")])
    np.testing.assert_allclose(listed[0].flux, curves.flux * 10**1.0)
    assert listed[1].flux.tolist() == [150.0, 320.0]
    assert LightCurves.from_frame(frame.assign(zpsys="AB")).flux.tolist() == [150.0, 320.0]
    with pytest.raises(LightCurveError, match="'bd17' is neither AB nor Vega"):
        LightCurves.from_frame(frame.assign(zpsys="bd17"))
    with pytest.raises(LightCurveError, match=r"'erosB'.*ab_minus_vega="):
        LightCurves.from_frame(frame.assign(band="erosB", zpsys="vega"))


# ---------------------------------------------------------------- depths


def survey_table(band, limit, zero_point, n_objects=3):
    """Light curves that reach a 5-sigma limit, as fluxes of a zero point."""
    rng = np.random.default_rng(0)
    noise = 10 ** (-0.4 * (limit - zero_point)) / 5
    day = np.arange(30.0)
    shape = 15 * noise * np.exp(-(((day - 12) / 6) ** 2))
    frames = [
        pd.DataFrame(
            {
                "object_id": k,
                "mjd": 59000 + day,
                "band": band,
                "flux": shape + noise * rng.normal(size=30),
                "flux_err": noise,
            }
        )
        for k in range(n_objects)
    ]
    return pd.concat(frames, ignore_index=True)


@pytest.mark.parametrize("n_objects", [1, 3, 200])
@pytest.mark.parametrize(("band", "limit", "zero_point"), [
    ("ztfr", 20.6, 23.9), ("ztfg", 20.0, 31.4), ("lsstr", 24.0, 31.4), ("atlaso", 19.6, 23.9),
    ("ps1i", 22.8, 23.9), ("asassng", 17.5, 16.4), ("desz", 23.5, 31.4),
])  # fmt: skip
def test_a_depth_that_no_exposure_has_names_the_unit(band, limit, zero_point, n_objects):
    frame = survey_table(band, limit, zero_point, n_objects)
    with pytest.warns(LightCurveWarning, match=rf"With zero_point={zero_point}, for fluxes in"):
        LightCurves.from_frame(frame)
    assert LightCurves.from_frame(frame, zero_point=zero_point).zero_point == zero_point
    LightCurves.from_frame(frame, zero_point=27.5)  # the user's word
    LightCurves.from_frame(survey_table(band, limit, 27.5, n_objects))


def test_peaks_where_images_are_saturated():
    frame = survey_table("atlasc", 19.5, 27.5).drop(columns="flux_err")
    bright = frame.assign(flux=frame["flux"] * 10 ** (0.4 * 11.1))  # read as mJy were
    with pytest.warns(LightCurveWarning, match="saturated"):
        LightCurves.from_frame(bright, flux_err=None)


def test_real_light_curves_raise_no_false_alarm(data_dir):
    for name in ("ztf_alerts_fink", "atlas_zfp_dev", "elasticc2_tom", "slsn_gomez24", "osc_mixed"):
        frame = pd.read_parquet(data_dir / name / "photometry.parquet")
        scale = 10 ** (-0.4 * (frame["zp"] - 27.5))
        frame = frame.drop(columns="zp").assign(
            flux=frame["flux"] * scale, flux_err=frame["flux_err"] * scale
        )
        LightCurves.from_frame(frame, duplicates="keep")
