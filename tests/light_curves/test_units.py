"""Units and times of astropy: converted to days and to the zero point, or refused."""

import subprocess
import sys
import warnings

import astropy.units as u
import numpy as np
import pandas as pd
import pytest
from astropy.table import Column, MaskedColumn, QTable, Table
from astropy.time import Time, TimeDelta
from astropy.timeseries import TimeSeries
from astropy.utils.masked import Masked
from hypothesis import given, settings
from hypothesis import strategies as st

from sklc import LightCurves, as_light_curves
from sklc.errors import LightCurveError

DAYS = np.array([59000.0, 59001.0, 59003.0])
FLUX = np.array([2.0, 5.0, 3.0])

TIMES = {
    "days": DAYS * u.d,
    "hours": DAYS * 24 * u.h,
    "seconds": DAYS * 86400 * u.s,
    "Time": Time(DAYS, format="mjd"),
    "Time of JD": Time(DAYS + 2400000.5, format="jd", scale="tdb"),
    "TimeDelta": TimeDelta(DAYS * u.d),
    "list of Time": [Time(day, format="mjd") for day in DAYS],
    "Column": Column(DAYS * 24, unit="h"),
    "MaskedColumn": MaskedColumn(DAYS * 24, unit="h"),
    "MJD of a FITS file": Column(DAYS, unit=u.Unit("MJD", parse_strict="silent")),
    "BJD of Kepler": Column(
        DAYS + 2400000.5 - 2454833, unit=u.Unit("BJD - 2454833", parse_strict="silent")
    ),
    "numbers": DAYS,
}
FLUXES = {
    "Jy": (u.Jy, 8.9), "mJy": (u.mJy, 16.4), "uJy": (u.uJy, 23.9), "nJy": (u.nJy, 31.4),
    "cgs": (u.Unit("erg / (s cm2 Hz)"), -48.6), "AB": (u.AB, 0.0),
}  # fmt: skip


def of_arrays(time, flux, flux_err, **options):
    return LightCurves.from_arrays(time, flux, flux_err, "ztfg", offsets=[0, 3], **options)


def of_lists(time, flux, flux_err, **options):
    return LightCurves.from_arrays([time], [flux], [flux_err], ["ztfg"], **options)


def of_mapping(time, flux, flux_err, **options):
    columns = {"object_id": "a", "mjd": time, "flux": flux, "flux_err": flux_err, "band": "ztfg"}
    return LightCurves.from_frame(columns, **options)


def of_table(time, flux, flux_err, **options):
    columns = {"object_id": ["a"] * 3, "mjd": time, "flux": flux, "band": ["ztfg"] * 3}
    table = QTable(columns)
    if flux_err is not None:
        table["flux_err"] = flux_err
    names = {} if flux_err is not None else {"flux_err": None}
    return LightCurves.from_frame(table, **names, **options)


def of_items(time, flux, flux_err):
    item = {"time": time, "flux": flux, "flux_err": flux_err}
    return as_light_curves([{k: v for k, v in item.items() if v is not None}])


CONSTRUCTORS = [of_arrays, of_lists, of_mapping, of_table]


@pytest.mark.parametrize(("kind", "build"), [
    (kind, build) for kind in TIMES for build in (*CONSTRUCTORS, of_items)
    if not (kind == "list of Time" and build is of_table)  # no column of astropy
])  # fmt: skip
def test_times_become_days(kind, build):
    curves = build(TIMES[kind], FLUX, FLUX / 10)
    np.testing.assert_allclose(curves.time, DAYS, rtol=0, atol=1e-9)


@pytest.mark.parametrize("build", [*CONSTRUCTORS, of_items])
@pytest.mark.parametrize("kind", FLUXES)
def test_flux_densities_set_the_zero_point(build, kind):
    unit, zero_point = FLUXES[kind]
    curves = build(DAYS, FLUX * unit, (FLUX / 10) * unit)
    assert curves.zero_point == pytest.approx(zero_point, abs=1e-5)
    np.testing.assert_array_equal(curves.flux, FLUX)
    np.testing.assert_array_equal(curves.flux_err, FLUX / 10)
    magnitude = curves.zero_point - 2.5 * np.log10(curves.flux)
    np.testing.assert_allclose(magnitude, (FLUX * unit).to_value(u.ABmag), atol=1e-5)


@pytest.mark.parametrize("build", [*CONSTRUCTORS, of_items])
def test_errors_are_converted_to_the_unit_of_the_fluxes(build):
    for errors in ((FLUX * 100) * u.uJy, Masked(FLUX * 100, mask=False) * u.uJy):
        curves = build(DAYS, FLUX * u.mJy, errors)
        np.testing.assert_allclose(curves.flux / curves.flux_err, 10.0)
        assert curves.zero_point == 16.4
    bare = build(DAYS, FLUX * u.mJy, None)
    assert bare.zero_point == 16.4
    assert np.isnan(bare.flux_err).all()


@given(
    kinds=st.lists(st.sampled_from(["Jy", "mJy", "uJy", "nJy"]), min_size=1, max_size=3),
    hours=st.booleans(),
)
@settings(max_examples=20)
def test_objects_in_different_units_are_brought_to_one_zero_point(kinds, hours):
    truth = FLUX * u.mJy
    time = DAYS * 24 * u.h if hours else DAYS
    items = [
        {"time": time, "flux": truth.to(FLUXES[k][0]), "flux_err": (truth / 10).to(u.nJy)}
        for k in kinds
    ]
    fluxes, errors = [i["flux"] for i in items], [i["flux_err"] for i in items]
    for curves in (
        as_light_curves(items),
        LightCurves.from_arrays([time] * len(kinds), fluxes, errors),
    ):
        assert curves.zero_point == (FLUXES[kinds[0]][1] if len(set(kinds)) == 1 else 27.5)
        magnitude = curves.zero_point - 2.5 * np.log10(curves.flux)
        np.testing.assert_allclose(magnitude, np.tile(truth.to_value(u.ABmag), len(kinds)))
        np.testing.assert_allclose(curves.flux / curves.flux_err, 10.0)
        np.testing.assert_allclose(curves.time, np.tile(DAYS, len(kinds)))


REFUSED = {
    "magnitudes": ((FLUX + 15) * u.ABmag, None, r"'mag\(AB\)': these are magnitudes.*from_magn"),
    "plain magnitudes": ((FLUX + 15) * u.mag, None, r"these are magnitudes.*from_magnitudes"),
    "counts": (
        FLUX * u.electron / u.s,
        None,
        r"no flux density per frequency: pass zero_point=.*\)$",
    ),
    "energy": (FLUX * u.erg / u.s / u.cm**2 / u.AA, None, r"per frequency.*spectral_density"),
    "no unit of errors": (FLUX * u.mJy, FLUX / 10, "flux column has the unit 'mJy', and the flux_"),
    "no unit of fluxes": (FLUX, FLUX * u.mJy, "flux_err column has the unit 'mJy', and the flux c"),
    "other errors": (FLUX * u.mJy, FLUX * u.d, "'d', which cannot be converted to 'mJy'"),
}


@pytest.mark.parametrize("build", [*CONSTRUCTORS, of_items])
@pytest.mark.parametrize("kind", REFUSED)
def test_units_of_fluxes_that_are_refused(build, kind):
    flux, flux_err, message = REFUSED[kind]
    with pytest.raises(LightCurveError, match=message):
        build(DAYS, flux, flux_err)


@pytest.mark.parametrize("build", [*CONSTRUCTORS, of_items])
@pytest.mark.parametrize("time", [DAYS * u.m, Column(DAYS, unit="ct"), FLUX * u.mJy])
def test_units_of_times_that_are_refused(build, time):
    with pytest.raises(LightCurveError, match=r"the time column has the unit .* no unit of time"):
        build(time, FLUX, None)


@pytest.mark.parametrize("build", CONSTRUCTORS)
def test_a_zero_point_that_contradicts_the_unit(build):
    with pytest.raises(LightCurveError, match=r"'mJy', whose AB zero point is 16.4, and the .* 23"):
        build(DAYS, FLUX * u.mJy, None, zero_point=23.9)
    for same in (16.4, 16.400065, 16.4 * u.mag, 16.4 * u.ABmag, np.float32(16.4)):
        np.testing.assert_array_equal(build(DAYS, FLUX * u.mJy, None, zero_point=same).flux, FLUX)
    counts = build(DAYS, FLUX * u.electron / u.s, FLUX * u.electron / u.s, zero_point=25.1)
    assert counts.zero_point == 25.1


def test_a_column_of_zero_points_that_contradicts_the_unit():
    table = QTable({"object_id": ["a"] * 3, "mjd": DAYS, "flux": FLUX * u.uJy, "band": ["ztfg"] * 3,
                    "zp": [23.9, 23.9, 25.0] * u.ABmag})  # fmt: skip
    with pytest.raises(LightCurveError, match=r"'uJy'.*23.9, and the zero point 25"):
        LightCurves.from_frame(table, flux_err=None)
    table["zp"] = [23.9, 23.9, 23.9] * u.ABmag
    assert LightCurves.from_frame(table, flux_err=None).zero_point == 23.9


def test_some_objects_with_a_unit_and_some_without():
    plain, other = {"time": DAYS, "flux": FLUX}, {"time": DAYS, "flux": FLUX * u.mJy}
    for call in (
        lambda: as_light_curves([other, plain]),
        lambda: LightCurves.from_arrays([DAYS, DAYS], [FLUX, FLUX * u.mJy]),
    ):
        with pytest.raises(LightCurveError, match="some objects have a unit"):
            call()


def test_times_in_different_scales_are_refused():
    utc, tdb = Time(DAYS, format="mjd"), Time(DAYS, format="mjd", scale="tdb")
    for call in (
        lambda: as_light_curves([{"time": t, "flux": FLUX} for t in (utc, tdb)]),
        lambda: LightCurves.from_arrays([utc, tdb], [FLUX, FLUX]),
    ):
        with pytest.raises(LightCurveError, match=r"different scales, tdb, utc.*time\.utc"):
            call()
    as_light_curves([{"time": t, "flux": FLUX} for t in (utc, tdb.utc)])  # the remedy


def test_masked_times_and_quantities():
    time = Time(DAYS, format="mjd")
    time[1] = np.ma.masked
    with pytest.raises(LightCurveError, match="time is NaN"):
        of_arrays(time, FLUX, None)
    flux = Masked(FLUX * u.mJy, mask=[False, True, False])
    with pytest.raises(LightCurveError, match="flux is NaN"):
        of_table(DAYS, flux, None)


def test_arrays_of_all_columns_have_no_unit():
    cube = np.column_stack([DAYS, FLUX])
    for X in (cube[None] * u.mJy, [cube * u.mJy]):
        with pytest.raises(LightCurveError, match="has the unit 'mJy'"):
            as_light_curves(X)
    with pytest.raises(LightCurveError, match="has the unit 'mJy'"):
        as_light_curves(cube * u.mJy)


def test_ids_and_bands_have_no_unit():
    for call in ({"object_id": DAYS * u.d}, {"offsets": [0, 3], "band": DAYS * u.um}):
        with pytest.raises(LightCurveError, match="has the unit"):
            LightCurves.from_arrays(DAYS, FLUX, None, **call)


@pytest.mark.parametrize("unit", [u.nm, u.AA, u.um])
def test_wavelengths_are_converted_to_micrometre(unit):
    table = QTable({"object_id": ["a"] * 3, "mjd": DAYS, "flux": FLUX, "band": ["mine"] * 3,
                    "band_survey": ["lab"] * 3})  # fmt: skip
    table["band_wavelength"] = ([0.5] * 3 * u.um).to(unit)
    curves = LightCurves.from_frame(table, flux_err=None)
    np.testing.assert_allclose(curves.wavelength, 0.5)


# -- tables


def test_time_series():
    series = TimeSeries(time=Time(DAYS, format="mjd"), data={"flux": FLUX * u.uJy})
    series["flux_err"] = (FLUX / 10) * u.uJy
    with pytest.raises(LightCurveError, match="long table") as error:
        as_light_curves(series)
    line = str(error.value).split("Convert it first: ")[1]
    curves = eval(line, {"LightCurves": LightCurves, "X": series})
    for made in (curves, as_light_curves([series])):
        np.testing.assert_array_equal(made.time, DAYS)
        np.testing.assert_array_equal(made.flux, FLUX)
        assert made.zero_point == 23.9


class KeplerLightCurve(TimeSeries):
    """As lightkurve has it: a TimeSeries of flux and flux_err in electrons per second."""

    _required_columns = ["time"]


def test_light_curves_of_lightkurve():
    counts = u.electron / u.s
    curve = KeplerLightCurve(
        time=Time(DAYS - 54833, format="mjd", scale="tdb"),
        data={"flux": Masked(FLUX * counts, mask=[False, True, False]),
              "flux_err": (FLUX / 10) * counts, "quality": np.zeros(3, dtype=np.int32)},
    )  # fmt: skip
    with pytest.raises(LightCurveError, match="zero_point="):
        as_light_curves([curve])
    with pytest.warns(UserWarning, match="dropped 1 of 3"):
        curves = LightCurves.from_frame(
            curve, object_id=None, time="time", band=None, passband="tess", zero_point=20.44,
            invalid="drop",
        )  # fmt: skip
    assert curves.flux.tolist() == [2.0, 3.0]
    assert curves.zero_point == 20.44


def test_tables_with_units(tmp_path):
    table = Table({"oid": ["a", "a", "b"], "mjd": DAYS * 24, "flux": FLUX, "flux_err": FLUX * 100,
                   "band": ["ztfg"] * 3})  # fmt: skip
    for name, unit in (("mjd", "h"), ("flux", "mJy"), ("flux_err", "uJy")):
        table[name].unit = unit
    table.write(tmp_path / "a.ecsv")
    for form in (table, QTable(table), Table.read(tmp_path / "a.ecsv"), Table(table, masked=True)):
        curves = LightCurves.from_frame(form, object_id="oid")
        assert curves.ids.tolist() == ["a", "b"]
        np.testing.assert_array_equal(curves.time, DAYS)
        np.testing.assert_allclose(curves.flux / curves.flux_err, 10.0)
        assert curves.zero_point == 16.4
        parts = as_light_curves([form[:2], form[2:]])
        np.testing.assert_array_equal(parts.flux, curves.flux)


def test_other_libraries_with_units_are_refused():
    pint = type("Quantity", (), {"__module__": "pint.registry", "__len__": lambda _: 3, "ndim": 1})
    with pytest.raises(LightCurveError, match=r"units of pint cannot be read.*Quantity"):
        of_arrays(DAYS, pint(), None)


def test_astropy_is_not_imported():
    code = (
        "import sys, numpy, sklc; sklc.LightCurves.from_arrays([1.0], [2.0], offsets=[0, 1]);"
        "assert not any(name.startswith('astropy') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_warning_of_numpy_or_astropy():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        of_items(DAYS * 24 * u.h, FLUX * u.mJy, Masked(FLUX * 100 * u.uJy, mask=False))
        as_light_curves([{"time": DAYS, "flux": pd.Series(FLUX)}])
