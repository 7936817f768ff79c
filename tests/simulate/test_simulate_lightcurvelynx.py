"""Results of LightCurveLynx as LightCurves.

The frames made here have the layout of `lightcurvelynx.simulate.simulate_lightcurves` as it was
read off version 0.6.6: columns id, ra, dec, nobs, t0, z (t0 and z of dtype object, all None, where
the model has none), the columns of ``param_cols``, the nested column lightcurve (None for an
object without observations) and the struct column params; fluxes in nJy. One test runs the package
itself, where it is installed.
"""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from nested_pandas import NestedFrame, read_parquet

import sklc.passbands
from sklc.errors import LightCurveError, LightCurveWarning, UnknownPassbandError
from sklc.light_curves import LightCurves, concatenate
from sklc.passbands import get_passband, register_passband
from sklc.simulate.lightcurvelynx import from_lightcurvelynx

NJY_OF_24_MAG = 10 ** (-0.4 * (24.0 - 31.4))  # lightcurvelynx.astro_utils.mag_flux.mag2flux(24.0)
DTYPES = {
    "mjd": float, "filter": str, "flux": float, "fluxerr": float, "flux_perfect": float,
    "survey_idx": np.int64, "obs_idx": np.int64, "is_saturated": bool,
}  # fmt: skip


def observations(rows, **more):
    """Rows of (object, mjd, filter, magnitude, survey_idx), with further fields."""
    table = pd.DataFrame(rows, columns=["object", "mjd", "filter", "mag", "survey_idx"])
    flux = 10 ** (-0.4 * (table.pop("mag") - 31.4))
    table = table.assign(
        flux=flux, fluxerr=50.0, flux_perfect=flux, obs_idx=range(len(table)), is_saturated=False
    )
    return table.set_index("object").astype(DTYPES)[list(DTYPES)].assign(**more)


def results_of(nested, n_objects=3, **columns):
    """The frame that simulate_lightcurves returns."""
    numbers = np.arange(n_objects)
    frame = {
        "id": numbers, "ra": numbers / 8, "dec": -numbers / 4,
        "nobs": nested.index.value_counts().reindex(numbers, fill_value=0).to_numpy(),
        "t0": 60000.5 + numbers, "z": 0.1 + numbers / 10,
    }  # fmt: skip
    results = NestedFrame(frame | columns, index=numbers.tolist()).join_nested(nested, "lightcurve")
    params = pa.array([{"sn.redshift": 0.1 + i / 10, "sn.ebv": i / 100} for i in range(n_objects)])
    results["params"] = pd.Series(params, dtype=pd.ArrowDtype(params.type), index=results.index)
    return results


ROWS = [
    (0, 60000.0, "g", 24.0, 0), (0, 60000.5, "g", 23.0, 1), (0, 60001.0, "r", 24.0, 0),
    (1, 60000.0, "g", 24.0, 0),
]  # fmt: skip


@pytest.fixture
def two_surveys():
    """The object 0 seen by both, 1 by the first, 2 by none."""
    return results_of(observations(ROWS))


@pytest.fixture
def one_survey():
    return results_of(observations([row for row in ROWS if row[-1] == 0]))


def magnitudes(curves):
    return curves.zero_point - 2.5 * np.log10(curves.flux)


def test_values(two_surveys):
    curves = from_lightcurvelynx(two_surveys, survey=["lsst", "ztf"])
    assert curves.zero_point == 27.5
    assert magnitudes(curves) == pytest.approx([24.0, 23.0, 24.0, 24.0], abs=1e-9)
    assert curves.flux_err == pytest.approx(50 * 10 ** (-0.4 * 3.9), rel=1e-12)
    assert curves.time.tolist() == [60000.0, 60000.5, 60001.0, 60000.0]
    assert curves.band_names.tolist() == ["lsstg", "ztfg", "lsstr", "lsstg"]
    assert curves.lengths.tolist() == [3, 1, 0]
    assert curves.ids.tolist() == [0, 1, 2]


def test_metadata(two_surveys):
    metadata = from_lightcurvelynx(two_surveys, survey=["lsst", "ztf"]).metadata
    assert metadata.columns.tolist() == ["survey", "ra", "dec", "t0", "redshift"]
    assert metadata["survey"].tolist() == ["lsst+ztf", "lsst", "lsst+ztf"]
    assert metadata["redshift"].tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert metadata["t0"].tolist() == [60000.5, 60001.5, 60002.5]
    assert metadata["dec"].tolist() == [0, -0.25, -0.5]


def test_class_and_further_columns(one_survey):
    one_survey["sn_type"] = ["Ia", "II", "Ia"]
    one_survey["mwebv"] = one_survey["params"].struct.field("sn.ebv")
    by_column = from_lightcurvelynx(one_survey, survey="lsst", class_name="sn_type").metadata
    assert by_column["class"].tolist() == ["Ia", "II", "Ia"]
    assert "sn_type" not in by_column
    assert by_column["mwebv"].tolist() == [0, 0.01, 0.02]
    constant = from_lightcurvelynx(one_survey, survey="lsst", class_name="TDE").metadata
    assert set(constant["class"]) == {"TDE"}
    assert "sn_type" in constant
    assert set(constant["survey"]) == {"lsst"}


def test_a_model_without_t0_and_redshift(one_survey):
    one_survey["t0"] = one_survey["z"] = pd.Series([None] * 3, dtype=object)
    metadata = from_lightcurvelynx(one_survey, survey="lsst").metadata
    assert metadata[["redshift", "t0"]].isna().all(axis=None)
    assert metadata["redshift"].dtype == metadata["t0"].dtype == np.float64


def test_read_back_from_parquet(two_surveys, tmp_path):
    two_surveys.loc[1, "z"] = np.nan
    two_surveys["t0"] = pd.Series([None] * 3, dtype=object)
    two_surveys["note"] = ["a", "b", "c"]
    expected = from_lightcurvelynx(two_surveys, survey=["lsst", "ztf"])
    two_surveys.to_parquet(tmp_path / "results.parquet")
    again = read_parquet(tmp_path / "results.parquet")
    assert from_lightcurvelynx(again, survey=["lsst", "ztf"]).equals(expected)


@pytest.mark.parametrize("objects", [[1, 2], [2, 0], [2]])
def test_a_selection_of_objects(two_surveys, objects):
    expected = from_lightcurvelynx(two_surveys, survey=["lsst", "ztf"])[objects]
    picked = from_lightcurvelynx(two_surveys.iloc[objects], survey=["lsst", "ztf"])
    assert picked.equals(expected)


def test_no_object_was_observed():
    nested = pd.DataFrame({name: [] for name in DTYPES}, dtype=float)  # the filter is a number too
    nested.index = nested.index.astype(int)
    curves = from_lightcurvelynx(results_of(nested), survey=["lsst", "ztf"])
    assert curves.lengths.tolist() == [0, 0, 0]
    assert set(curves.metadata["survey"]) == {"lsst+ztf"}
    assert len(from_lightcurvelynx(results_of(nested))) == 3


def test_a_column_named_zp_is_not_the_zero_point(one_survey):
    zp = observations([row for row in ROWS if row[-1] == 0], zp=1.2)  # obstable_save_cols=["zp"]
    curves = from_lightcurvelynx(results_of(zp), survey="lsst")
    assert curves.equals(from_lightcurvelynx(one_survey, survey="lsst"))


def test_spectra_are_left_out(one_survey):
    spectra = pd.DataFrame({"mjd": [60000.0], "waves": [[4000.0, 5000.0]]}, index=[2])
    expected = from_lightcurvelynx(one_survey, survey="lsst")
    with_spectra = one_survey.join_nested(spectra, "spectra")
    assert from_lightcurvelynx(with_spectra, survey="lsst").equals(expected)


def test_saturated_observations():
    results = results_of(observations(ROWS, is_saturated=[True, False, False, True]))
    with pytest.warns(LightCurveWarning, match="dropped 2 saturated of 4"):
        curves = from_lightcurvelynx(results, survey=["lsst", "ztf"])
    assert curves.lengths.tolist() == [2, 0, 0]
    assert curves.band_names.tolist() == ["ztfg", "lsstr"]
    kept = from_lightcurvelynx(results, survey=["lsst", "ztf"], saturated="keep")
    assert kept.lengths.tolist() == [3, 1, 0]
    with pytest.raises(ValueError, match='"drop" or "keep"'):
        from_lightcurvelynx(results, survey=["lsst", "ztf"], saturated="clip")


def test_without_noise_the_errors_are_not_known():
    curves = from_lightcurvelynx(
        results_of(observations(ROWS, fluxerr=0.0)), survey=["lsst", "ztf"]
    )
    assert np.isnan(curves.flux_err).all()
    some = observations(ROWS, fluxerr=[50.0, 0.0, 50.0, 50.0])
    with pytest.raises(LightCurveError, match=r"object 0 .*flux_err is not positive"):
        from_lightcurvelynx(results_of(some), survey=["lsst", "ztf"])


# -- passbands


def test_filters_that_name_their_survey(two_surveys):
    expected = from_lightcurvelynx(two_surveys, survey=["LSST", "ZTF"])
    names = ["LSST_g", "ZTF_g", "LSST_r", "LSST_g"]
    for field in ("full_filter_name", "filter"):  # save_full_filter_names, results_use_full_...
        curves = from_lightcurvelynx(results_of(observations(ROWS, **{field: names})))
        assert curves.lengths.tolist() == [3, 1, 0]
        assert curves.band_names.tolist() == expected.band_names.tolist()
        assert curves.metadata["survey"].tolist() == ["LSST+ZTF", "LSST", "LSST+ZTF"]


def test_survey_names_in_any_spelling(one_survey):
    curves = from_lightcurvelynx(one_survey, survey="ZTF-BTS")
    assert set(curves.band_names) == {"ztfg", "ztfr"}
    assert set(curves.metadata["survey"]) == {"ZTF-BTS"}


def test_given_passbands(two_surveys):
    given = {"ztf_g": "ps1g", "r": get_passband("desr")}
    curves = from_lightcurvelynx(two_surveys, survey=["lsst", "ztf"], passbands=given)
    assert curves.band_names.tolist() == ["lsstg", "ps1g", "desr", "lsstg"]
    curves = from_lightcurvelynx(two_surveys, passbands={"g": "sdssg", "r": "sdssr"})
    assert curves.band_names.tolist() == ["sdssg", "sdssg", "sdssr", "sdssg"]


def test_registering_an_unknown_filter(two_surveys, monkeypatch):
    monkeypatch.setattr(sklc.passbands.lookup, "_registry", sklc.passbands.lookup._registry)
    with pytest.raises(UnknownPassbandError, match=r'object 0 .*register_passband\("mytel_g"'):
        from_lightcurvelynx(two_surveys, survey=["lsst", "mytel"])
    register_passband("mytel_g", wavelength=0.48)  # as the message says
    curves = from_lightcurvelynx(two_surveys, survey=["lsst", "mytel"])
    assert curves.band_names.tolist() == ["lsstg", "mytel_g", "lsstr", "lsstg"]


def test_ambiguous_filters(one_survey):
    with pytest.raises(UnknownPassbandError, match=r"object 0 .*'g' is ambiguous.* Pass the surve"):
        from_lightcurvelynx(one_survey)


def test_one_name_for_two_surveys(two_surveys):
    with pytest.raises(LightCurveError, match=r"object 0 .*survey_idx 1.*pass a list"):
        from_lightcurvelynx(two_surveys, survey="lsst")
    curves = from_lightcurvelynx(two_surveys, survey=["lsst", "lsst"])
    assert set(curves.metadata["survey"]) == {"lsst"}


# -- bad input


@pytest.mark.parametrize("wrong", ["results.parquet", [], None, pd.DataFrame({"id": [0]})])
def test_not_the_results(wrong):
    with pytest.raises(LightCurveError, match=r"expected the NestedFrame.*\.read_parquet\(path\)"):
        from_lightcurvelynx(wrong)


@pytest.mark.parametrize("field", ["mjd", "filter", "flux", "fluxerr"])
def test_a_missing_field(field):
    results = results_of(observations(ROWS).drop(columns=field))
    with pytest.raises(LightCurveError, match=f"no field '{field}'.*from_nested"):
        from_lightcurvelynx(results, survey=["lsst", "ztf"])


@pytest.mark.parametrize(("change", "message"), [
    ({"flux": [1.0, 2.0, 3.0, np.nan]}, "object 1 .*flux is NaN"),
    ({"mjd": [np.inf, 2.0, 3.0, 4.0]}, "object 0 .*time is NaN or infinite"),
    ({"filter": ["g", "g", "g", None]}, "object 1 .*band is missing"),
])  # fmt: skip
def test_invalid_observations(change, message):
    results = results_of(observations(ROWS, **change))
    with pytest.raises(LightCurveError, match=f'{message}.*invalid="drop"'):
        from_lightcurvelynx(results, survey=["lsst", "ztf"])
    with pytest.warns(LightCurveWarning, match="dropped 1 of 4"):
        curves = from_lightcurvelynx(results, survey=["lsst", "ztf"], invalid="drop")
    assert curves.lengths.sum() == 3


def test_parts_of_a_parallel_run_repeat_their_ids(one_survey):
    parts = pd.concat([one_survey, one_survey])
    with pytest.raises(LightCurveError, match=r"object 0 \(position 3\).*range\(len\(results\)\)"):
        from_lightcurvelynx(parts, survey="lsst")
    parts["id"] = range(len(parts))
    assert from_lightcurvelynx(parts, survey="lsst").ids.tolist() == list(range(6))
    each = [from_lightcurvelynx(one_survey, survey="lsst", class_name=c) for c in ("Ia", "II")]
    assert concatenate(each, prefix_ids=True).metadata["class"].tolist() == ["Ia"] * 3 + ["II"] * 3


# -- the package itself


def test_a_real_simulation(tmp_path):
    pytest.importorskip("lightcurvelynx")
    from lightcurvelynx.astro_utils.mag_flux import mag2flux
    from lightcurvelynx.astro_utils.passbands import Passband, PassbandGroup
    from lightcurvelynx.math_nodes.given_sampler import GivenValueList
    from lightcurvelynx.models.basic_models import ConstantSEDModel
    from lightcurvelynx.noise_models.base_noise_models import ConstantFluxNoiseModel
    from lightcurvelynx.obstable.fake_obs_table import FakeObsTable
    from lightcurvelynx.simulate import simulate_lightcurves
    from lightcurvelynx.survey_info import SurveyInfo

    def survey(name, start, error):
        waves = np.arange(4000.0, 7000.0, 5.0)
        passbands = [
            Passband(np.c_[waves, (waves > low) & (waves < low + 1400)], name, band)
            for band, low in (("g", 4050), ("r", 5500))
        ]
        times = {"time": start + np.arange(6), "ra": np.zeros(6), "dec": np.zeros(6)}
        return SurveyInfo(
            FakeObsTable(times | {"filter": ["g", "r"] * 3}, bandflux_error=error, radius=1.0),
            passbands=PassbandGroup(passbands),
            noise_model=ConstantFluxNoiseModel(error),
            survey_name=name,
        )

    assert mag2flux(24.0) == pytest.approx(NJY_OF_24_MAG, rel=1e-12)
    results = simulate_lightcurves(
        ConstantSEDModel(
            mag2flux(24.0) / 1.3,  # f_nu in the rest frame, which redshift multiplies by 1 + z
            ra=GivenValueList([0.0, 50.0], stateful=True),
            dec=0.0,
            redshift=0.3,
            t0=60000.0,
            node_label="star",
        ),
        2,
        [survey("lsst", 60000.0, 1e-3), survey("ztf", 60000.5, 1e-3)],
        param_cols=["star.brightness"],
        rng=np.random.default_rng(0),
        progress_bar=False,
    )
    made_here = observations(ROWS)
    assert set(made_here.columns) == set(results["lightcurve"].dtype.column_dtypes)
    curves = from_lightcurvelynx(results, survey=["lsst", "ztf"], class_name="star")
    assert isinstance(curves, LightCurves)
    assert curves.lengths.tolist() == [12, 0]
    assert magnitudes(curves) == pytest.approx(24.0, abs=1e-4)
    assert set(curves.band_names) == {"lsstg", "lsstr", "ztfg", "ztfr"}
    assert curves.metadata["redshift"].tolist() == [0.3, 0.3]
    assert curves.metadata["star_brightness"].tolist() == pytest.approx([NJY_OF_24_MAG / 1.3] * 2)
    results.to_parquet(tmp_path / "results.parquet")
    again = read_parquet(tmp_path / "results.parquet")
    assert from_lightcurvelynx(again, survey=["lsst", "ztf"], class_name="star").equals(curves)
