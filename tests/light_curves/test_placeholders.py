"""Numbers that stand for something else: placeholders, padding, copies, dates of two kinds."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklc import LightCurves, as_light_curves
from sklc.errors import LightCurveError, LightCurveWarning

TIME = 59000.0 + np.arange(6)
FLUX = np.array([110.0, 40.5, 60.25, 30.0, 25.0, 31.0])
ERROR = np.array([3.0, 3.5, 4.0, 3.25, 5.0, 4.5])


def build(flux=FLUX, flux_err=ERROR, time=TIME, **options):
    return LightCurves.from_arrays(time, flux, flux_err, "ztfg", offsets=[0, 2, 6], **options)


def changed(values, row, value, dtype=np.float64):
    values = values.astype(dtype)
    values[row] = value
    return values


PLACEHOLDERS = [99.0, 99.9, 99.99, 999.0, 9999.0, 1e20, 1e30]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", PLACEHOLDERS)
def test_placeholders_among_errors_are_told(value, dtype):
    errors = changed(ERROR, [3, 4], value, dtype)
    message = r"object 1 \(position 1\) has the flux_err .* \(2 of 6 observations\)"
    with pytest.warns(LightCurveWarning, match=message):
        build(FLUX.astype(dtype), errors)
    gap = FLUX.copy()
    gap[0] = np.nan
    with pytest.warns(LightCurveWarning) as seen:
        build(gap.astype(dtype), errors, invalid="drop")
    assert [("flux_err" in str(w.message)) for w in seen] == [False, True]


@pytest.mark.parametrize("value", [-9.0, -99.0, -999.0])
def test_negative_placeholders_among_errors_are_invalid(value):
    with pytest.raises(LightCurveError, match="flux_err is not positive"):
        build(flux_err=changed(ERROR, 3, value))


def test_placeholders_among_fluxes_are_told():
    with pytest.warns(LightCurveWarning, match=r"has the flux 1e\+20 \(1 of 6"):
        build(changed(FLUX, 2, 1e20))


@pytest.mark.parametrize("errors", [
    np.full(6, 99.0), np.array([50.0, 60, 70, 80, 90, 99]), ERROR * 99, np.full(6, 1e20),
])  # fmt: skip
def test_errors_of_that_size_are_no_placeholders(errors):
    build(flux_err=errors)


METADATA = {
    "redshift": [0.1, -9.0], "z": [-9.0, 20.0], "hostgal_specz": [0.3, -99], "mwebv": [0.02, -999],
    "host_mass": [10.5, -9999.0], "peak_mag": [19.5, 99.0], "n_sources": [3, 999],
    "distance": [40.0, 1e20], "hostgal_photoz": [-9.0, -9.0],
}  # fmt: skip


@pytest.mark.parametrize("name", METADATA)
def test_placeholders_among_metadata_are_told(name):
    values = METADATA[name]
    message = rf"has '{name}' = .* in the metadata.*replace it with NaN"
    with pytest.warns(LightCurveWarning, match=message):
        build(metadata={name: values})
    with pytest.warns(LightCurveWarning, match=message):
        curves = build().with_metadata(**{name: values})
    with pytest.warns(LightCurveWarning, match=message) as seen:
        LightCurves.from_frame(curves.to_frame(), metadata=curves.metadata)
    remedy = str(seen[0].message).split("with NaN, ")[1]
    made = eval(remedy, {"curves": curves, "numpy": np})
    assert made.metadata[name].isna().any()


@pytest.mark.parametrize(("name", "values"), [
    ("dec", [-9.0, 80.0]), ("gal_b", [-9.0, -60.0]), ("redshift", [0.1, np.nan]), ("n", [9, 99]),
    ("kind", ["-9", "-99"]), ("flag", [True, False]), ("zero", [0.0, -0.001]),
])  # fmt: skip
def test_metadata_without_placeholders_are_silent(name, values):
    build(metadata={name: values})


# -- padding with zeros


def zero_padded():
    X = np.zeros((2, 4, 2))
    X[0] = np.column_stack([TIME[:4], FLUX[:4]])
    X[1, :2] = np.column_stack([TIME[:2], FLUX[:2]])
    return X


@pytest.mark.parametrize("read", [
    as_light_curves, LightCurves.from_padded, lambda X: as_light_curves(list(X)),
    lambda X: LightCurves.from_arrays(X[..., 0], X[..., 1]),
])  # fmt: skip
def test_padding_with_zeros_is_refused(read):
    X = zero_padded()
    with pytest.raises(LightCurveError, match=r"object 1 \(position 1\) ends with .*zeros"):
        read(X)
    X[(X == 0).all(axis=-1)] = np.nan  # the remedy
    if read in (as_light_curves, LightCurves.from_padded):
        assert read(X).lengths.tolist() == [4, 2]


def test_zeros_that_are_no_padding():
    assert LightCurves.from_padded(zero_padded(), [4, 2]).lengths.tolist() == [4, 2]
    LightCurves.from_arrays([0.0, 1.0], [0.0, 5.0], offsets=[0, 2])
    LightCurves.from_arrays([-2.0, -1.0, 0.0], [3.0, 2.0, 0.0], offsets=[0, 3])
    LightCurves.from_arrays([1.0, 0.0], [3.0, 2.0], offsets=[0, 2])


# -- times


def test_julian_dates_in_single_precision_are_refused():
    time = (TIME + 2400000.5).astype(np.float32)
    with pytest.raises(LightCurveError, match=r"Julian dates in single precision.*float64"):
        build(time=time)
    with pytest.raises(LightCurveError, match="single precision"):
        as_light_curves([np.column_stack([time, FLUX.astype(np.float32)])])
    assert build(time=TIME.astype(np.float32)).time.tolist() == TIME.tolist()


@pytest.mark.parametrize("rows", [[5], [2, 3], [0, 2]])
def test_dates_of_two_kinds(rows):
    time = TIME.copy()
    time[rows] += 2400000.5
    with pytest.warns(LightCurveWarning, match=r"two kinds, MJD such as 59\d+.* Julian dates") as w:
        build(time=time)
    assert len(w) == 1


def test_some_objects_in_julian_dates():
    time = TIME.copy()
    time[:2] += 2400000.5
    with pytest.warns(LightCurveWarning, match=r"Julian dates.*1 object\(s\) in all, the other 1"):
        build(time=time)


# -- wavelengths


@pytest.mark.parametrize(("values", "words"), [
    ([480.0, 640.0], "look like nanometre: divide them by 1000"),
    ([4800.0, 6400.0], "look like Angstrom: divide them by 10000"),
    ([1.0, 2.0], "look like filter ids"), ([0.0, 5.0], "look like filter ids"),
    ([3.0, 3.0], "look like filter ids"),
])  # fmt: skip
def test_a_fourth_column_that_is_no_wavelength(values, words):
    item = np.column_stack([[1.0, 2.0], [5.0, 6.0], [1.0, 1.0], values])
    for X in (item[None], [item], item[None].tolist()):
        with pytest.raises(LightCurveError, match=rf"micrometre.*{words}.*from_arrays"):
            as_light_curves(X)


@pytest.mark.parametrize("values", [[0.48, 0.64], [1.0, 2.2], [22.2, 0.5], [np.nan, 0.5]])
def test_wavelengths(values):
    item = np.column_stack([[1.0, 2.0], [5.0, 6.0], [1.0, 1.0], values])
    made = as_light_curves([item]) if not np.isnan(values).any() else None
    if made is not None:
        np.testing.assert_allclose(made.wavelength, values, atol=1e-4)
    else:
        with pytest.raises(LightCurveError, match="band is missing"):
            as_light_curves([item])


# -- copies that differ in rounding

ROUNDINGS = {
    "float32": lambda t, f, e: (t, np.float32(f), np.float32(e)),
    "decimals": lambda t, f, e: (np.round(t, 5), np.round(f, 2), np.round(e, 2)),
    "four digits": lambda t, f, e: (np.round(t, 4), float(f"{f:.4g}"), float(f"{e:.3g}")),
    "last bit": lambda t, f, e: (np.nextafter(t, 0), np.nextafter(f, 0), np.nextafter(e, 9)),
}


@pytest.mark.parametrize("kind", ROUNDINGS)
@given(
    values=st.tuples(st.floats(58000, 60000), st.floats(100, 9000), st.floats(1, 90)),
    sign=st.sampled_from([-1, 1]),
)
@settings(max_examples=15)
def test_copies_that_differ_in_rounding_are_dropped(kind, values, sign):
    time, flux, error = values
    copy = ROUNDINGS[kind](time, flux, error)
    columns = np.array([[time, flux * sign, error], [*copy], [time, 2 * flux, error],
                        [time + 0.01, flux * sign, error]])  # fmt: skip
    columns[1, 1] *= sign
    frame = pd.DataFrame(columns, columns=["mjd", "flux", "flux_err"])
    frame = frame.assign(object_id="a", band="ztfg")
    with pytest.warns(LightCurveWarning, match="dropped 1 repeated observations of 1 object"):
        curves = LightCurves.from_frame(frame, duplicates="drop")
    assert len(curves.flux) == 3
    others = pd.concat([frame.iloc[[0]], frame.iloc[[1]].assign(band="ztfr"),
                        frame.iloc[[1]].assign(object_id="b")])  # fmt: skip
    assert len(LightCurves.from_frame(others, duplicates="drop").flux) == 3
    assert len(LightCurves.from_frame(frame, duplicates="keep").flux) == 4


def test_copies_without_errors_and_of_zero_flux():
    for flux in (0.0, 5.0):
        with pytest.warns(LightCurveWarning, match="dropped 1 repeated"):
            LightCurves.from_arrays(
                [1.0, 1.00001, 2.0], [flux, flux, flux], None, "ztfg", offsets=[0, 3],
                duplicates="drop",
            )  # fmt: skip


def test_the_first_of_several_copies_is_kept():
    time = np.array([1.00002, 1.0, 1.00001, 5.0])
    with pytest.warns(LightCurveWarning, match="dropped 2 repeated"):
        curves = LightCurves.from_arrays(
            time, [5.0, 5.001, 5.0005, 5.0], [1.0] * 4, "ztfg", offsets=[0, 4], duplicates="drop"
        )
    assert curves.time.tolist() == [1.0, 5.0]
    assert curves.flux.tolist() == [5.001, 5.0]
