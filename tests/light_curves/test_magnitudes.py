"""Magnitudes are read as what they are, or asked about; never as fluxes."""

import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklc import LightCurves, get_passband
from sklc.errors import LightCurveError, LightCurveWarning
from sklc.light_curves.magnitudes import signs


def table(**columns):
    base = {"object_id": "K1", "mjd": 58000.0 + np.arange(6), "band": "ztfr"}
    return pd.DataFrame(base | columns)


MAG = [18.1, 17.6, 18.0, 17.9, 18.4, 18.2]


# ---------------------------------------------------------------- told by their values


@pytest.mark.parametrize(
    "spoil",
    [
        {"flux": np.nan, "flux_err": np.nan},
        {"flux": 99.0, "flux_err": 99.0},
        {"flux": -99.0, "flux_err": -9.0},
        {"flux": 20.5, "flux_err": np.nan},
        {"flux": 20.5, "flux_err": 0.0},
        {"flux": 1e20, "flux_err": 0.1},
        {"flux": np.inf, "flux_err": 0.1},
    ],
)
@pytest.mark.parametrize("rows", [[2], [0, 5]])
def test_a_missing_value_a_limit_or_a_sentinel_does_not_hide_magnitudes(spoil, rows):
    frame = table(flux=MAG, flux_err=0.08)
    for column, value in spoil.items():
        frame.loc[rows, column] = value
    with pytest.warns(LightCurveWarning) as caught:
        LightCurves.from_frame(frame, invalid="drop")
    assert sum("magnitudes?" in str(w.message) for w in caught) == 1


@pytest.mark.parametrize("invalid", ["raise", "drop"])
def test_what_is_not_magnitudes_stays_silent(invalid):
    n = np.arange(40)
    flux = table()[["object_id", "band"]].iloc[np.zeros(40, int)].assign(mjd=58000.0 + n)
    millijansky = flux.assign(flux=20.0 + 4 * np.sin(n), flux_err=0.08)
    options = {"band": None, "passband": "asassng", "invalid": invalid}
    LightCurves.from_frame(millijansky, zero_point=16.4, **options)
    LightCurves.from_frame(millijansky.assign(zp=16.4), **options)  # mJy: nobody's magnitudes
    LightCurves.from_frame(millijansky.rename(columns={"flux": "mJy"}), flux="mJy", **options)
    options["passband"] = "kepler"
    LightCurves.from_frame(millijansky.assign(flux=np.where(n % 5, 20.0, 45.0)), **options)


def test_own_files_are_not_asked_about(tmp_path):
    curves = LightCurves.from_frame(table(flux=MAG, flux_err=0.08), zero_point=16.0)
    curves.to_parquet(tmp_path)
    assert LightCurves.from_parquet(tmp_path).equals(curves)


def test_a_column_that_is_named_magnitude_is_asked_about():
    for name in ("mag", "magpsf", "psfMag", "i:magpsf", "mag_auto"):
        frame = table(**{name: MAG}, flux_err=5.0)
        with pytest.warns(LightCurveWarning, match=r"LightCurves\.from_magnitudes"):
            LightCurves.from_frame(frame, flux=name)


# ---------------------------------------------------------------- from_magnitudes


@settings(max_examples=30, deadline=None)
@given(
    mag=st.lists(st.floats(-2.0, 30.0), min_size=1, max_size=8),
    error=st.floats(0.001, 0.3),
    zero_point=st.sampled_from([27.5, 23.9, 31.4]),
    sign=st.sampled_from([1, -1]),
)
def test_magnitudes_come_back(mag, error, zero_point, sign):
    frame = pd.DataFrame({"object_id": 7, "mjd": np.arange(len(mag)), "mag": mag, "band": "ztfg"})
    curves = LightCurves.from_magnitudes(
        frame.assign(mag_err=error), zero_point=zero_point, sign=sign
    )
    assert curves.zero_point == zero_point
    np.testing.assert_allclose(zero_point - 2.5 * np.log10(sign * curves.flux), mag, atol=1e-9)
    np.testing.assert_allclose(curves.flux_err / np.abs(curves.flux), error * np.log(10) / 2.5)


@pytest.mark.parametrize(
    "convert", [lambda f: f, pa.Table.from_pandas, pd.DataFrame.convert_dtypes]
)
def test_limits(convert):
    frame = table(
        mag=[18.0, np.nan, 99.0, 18.2, -999.0, np.nan], mag_err=[0.1, np.nan, 99, 0.1, -9, np.nan]
    )
    frame["object_id"] = ["a", "a", "b", "a", "a", "a"]
    frame = convert(frame.assign(limit=[20.0, 20.5, 20.5, 20.5, 20.5, np.nan]))
    with pytest.warns(LightCurveWarning, match=r"left out 4 of 6 rows.*limits=\"zero\""):
        dropped = LightCurves.from_magnitudes(frame, limiting_mag="limit")
    assert dropped.ids.tolist() == ["a", "b"]  # an object of limits alone stays
    assert dropped.lengths.tolist() == [2, 0]
    with pytest.warns(LightCurveWarning, match="left out 1 of 6 rows.*no limit"):
        zero = LightCurves.from_magnitudes(frame, limiting_mag="limit", limits="zero")
    assert zero.lengths.tolist() == [4, 1]
    assert zero[0].time.tolist() == [58000, 58001, 58003, 58004]
    np.testing.assert_allclose(zero[1].flux, 0.0)
    np.testing.assert_allclose(27.5 - 2.5 * np.log10(5 * zero[1].flux_err), 20.5)
    with pytest.raises(ValueError, match='limits must be "drop" or "zero"'):
        LightCurves.from_magnitudes(frame, limits="none")


def test_limits_as_text_and_as_flags():
    text = table(mag=["12.3", "<14.5", "> 15", None, " 12.1 ", "nan"], mag_err=0.1, band="V")
    with pytest.warns(LightCurveWarning, match="left out 2 of 6"):
        curves = LightCurves.from_magnitudes(text, survey="AAVSO", limits="zero", system="Vega")
    assert (curves.flux == 0).tolist() == [False, True, True, False]
    flags = table(mag=MAG, mag_err=0.1, nondet=[False, True, False, False, False, True])
    for column in (flags["nondet"], flags["nondet"].astype(str), flags["nondet"].astype("boolean")):
        with pytest.warns(LightCurveWarning, match="left out 2 of 6"):
            curves = LightCurves.from_magnitudes(flags.assign(n=column), limiting_mag="n")
        assert curves.lengths.tolist() == [4]
    with pytest.raises(LightCurveError, match="'bright'"):
        LightCurves.from_magnitudes(text.assign(mag=["bright"] * 6))


@pytest.mark.parametrize("spelling", [
    ["t", "f"], [1, 0], ["1", "0"], [True, False], [1, -1], ["+", "-"], [1.0, -1.0],
    ["True", "FALSE"],
    [b"t", b"f"], ["positive", "negative"], ["1.0", "-1.0"],
])  # fmt: skip
def test_every_spelling_of_signs(spelling):
    assert signs(spelling).tolist() == [1.0, -1.0]
    frame = table(mag=MAG, mag_err=0.1, isdiffpos=spelling * 3)
    curves = LightCurves.from_magnitudes(frame, sign="isdiffpos")
    assert np.sign(curves.flux).tolist() == [1, -1] * 3
    with pytest.warns(LightCurveWarning, match='pass sign="isdiffpos".*or sign=1'):
        LightCurves.from_magnitudes(frame)
    LightCurves.from_magnitudes(frame, sign=1)


def test_signs_that_are_missing_or_not_understood():
    frame = table(mag=MAG, mag_err=0.1, sign=["t", None, "t", "t", "f", "t"])
    with pytest.raises(
        LightCurveError, match=r"'K1' \(position 0\), observation 1 \(1 of 6 rows\)"
    ):
        LightCurves.from_magnitudes(frame, sign="sign")
    with pytest.raises(LightCurveError, match="'maybe' is not understood"):
        LightCurves.from_magnitudes(frame.assign(sign="maybe"), sign="sign")
    frame.loc[1, "mag"] = np.nan  # a limit needs none
    with pytest.warns(LightCurveWarning, match="left out 1"):
        LightCurves.from_magnitudes(frame, sign="sign")


def test_vega_magnitudes():
    bands = ["bessellb", "besselli", "uvotuvw2", "2massks", "gaia_g", "ztfr"]
    frame = table(mag=18.0, mag_err=0.1, band=bands)
    ab = LightCurves.from_magnitudes(frame)
    vega = LightCurves.from_magnitudes(frame, system="Vega")
    difference = -2.5 * np.log10(vega.flux / ab.flux)
    np.testing.assert_allclose(difference, [get_passband(b).ab_minus_vega for b in bands])
    np.testing.assert_allclose(vega.flux_err / vega.flux, ab.flux_err / ab.flux)
    mixed = frame.assign(system=["AB", "Vega"] * 3)[::-1]
    np.testing.assert_allclose(
        LightCurves.from_magnitudes(mixed, system="system").flux,
        np.where(np.arange(6) % 2, vega.flux, ab.flux),
    )
    with pytest.raises(LightCurveError, match=r"'grondg'.*register_passband\(.*ab_minus_vega="):
        LightCurves.from_magnitudes(frame.assign(band="grondg"), system="vega")
    with pytest.raises(ValueError, match=r"system must be.*'ST'"):
        LightCurves.from_magnitudes(frame, system="ST")


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, 99.0, 9.99, np.inf])
def test_errors_of_magnitudes_that_are_none(bad):
    frame = table(mag=MAG, mag_err=[0.1, 0.1, bad, 0.1, 0.1, 0.1])
    with pytest.raises(LightCurveError, match=r"observation 2 \(1 of 6 rows\).*mag_err=None"):
        LightCurves.from_magnitudes(frame)
    with pytest.warns(LightCurveWarning, match="dropped 1 of 6"):
        assert len(LightCurves.from_magnitudes(frame, invalid="drop").flux) == 5
    assert np.isnan(LightCurves.from_magnitudes(frame, mag_err=None).flux_err).all()


def test_large_errors_are_kept_and_told():
    frame = table(mag=MAG, mag_err=[0.1, 0.1, 0.5, 0.1, 0.4, 0.1])
    with pytest.warns(LightCurveWarning, match=r"2 of 6 magnitudes have errors above 0\.3"):
        assert len(LightCurves.from_magnitudes(frame).flux) == 6


def test_rows_in_any_order_keep_their_objects():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"object_id": rng.integers(0, 5, 60), "mjd": np.arange(60.0)})
    frame = frame.assign(mag=rng.uniform(15, 20, 60), mag_err=0.05, band="ztfg")
    frame.loc[rng.random(60) < 0.3, "mag"] = np.nan
    metadata = pd.DataFrame({"z": np.arange(5.0)}, index=range(5))
    with pytest.warns(LightCurveWarning, match="left out"):
        curves = LightCurves.from_magnitudes(frame, metadata=metadata)
    for k, (name, one) in enumerate(zip(curves.ids, curves, strict=True)):
        own = frame[(frame.object_id == name) & frame.mag.notna()]
        assert one.time.tolist() == own.mjd.tolist()
        np.testing.assert_allclose(27.5 - 2.5 * np.log10(one.flux), own.mag)
        assert curves.metadata["z"].iloc[k] == name
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LightCurves.from_magnitudes(frame.dropna(), metadata=metadata)
