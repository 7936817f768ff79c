"""The physics of the simulation against textbook formulas, astropy, scipy and sncosmo."""

import itertools

import numpy as np
import pytest
from scipy import integrate, stats

from sklc.cosmology import distance_modulus, draw_redshift
from sklc.simulate import CLASSES, list_surveys
from sklc.simulate.classes.rates import star_formation
from sklc.simulate.engine import ClassSimulator
from sklc.simulate.settings import Settings
from sklc.simulate.sources import (
    ChromaticScatter,
    DampedRandomWalk,
    FallbackTDE,
    Kilonova,
    Magnetar,
    Microlensing,
    Nickel,
    SALTSource,
    SpectralSource,
    draw_damped_random_walk,
)
from sklc.simulate.sources.agn import CONTINUUM
from sklc.simulate.sources.base import Points
from sklc.simulate.sources.powered import (
    _LOG_TIME,
    DAY,
    diffused_luminosity,
    diffusion_time,
    magnetar_power,
    nickel_power,
    r_process_power,
)
from sklc.simulate.sources.spectral import normalised
from sklc.simulate.sources.thermal import LOG_TEMPERATURE, thermal_spectra
from sklc.simulate.spectra import PHASE, WAVE, planck
from sklc.simulate.spectra.grids import HOST, MILKY_WAY, Bands, build_grid
from sklc.simulate.spectra.templates import Template
from sklc.simulate.surveys import get_survey

sncosmo = pytest.importorskip("sncosmo", reason="sncosmo is not installed: pip install 'sklc[sim]'")
FlatLambdaCDM = pytest.importorskip("astropy.cosmology").FlatLambdaCDM

COSMOLOGY = FlatLambdaCDM(H0=70.0, Om0=0.3)
LIGHT = 2.99792458e18  # Angstrom/s
JANSKY = 1e-23
SOLAR_MASS = 1.989e33
DISC = 4 * np.pi * (10 * 3.0857e18) ** 2  # cm2, sphere of 10 pc


def bands_of(survey):
    survey = get_survey(survey)
    names = tuple(passband.name for passband in survey.passbands)
    return Bands(names, tuple(survey.throughput(code) for code in range(len(names))))


def bandpasses(bands):
    pairs = zip(bands.names, bands.curves, strict=True)
    return [sncosmo.Bandpass(*curve, name=name) for name, curve in pairs]


def steady(spectrum, bands, z_max=1.0, laws=(MILKY_WAY, HOST)):
    """Table of a spectrum that does not change."""
    return build_grid([np.stack([spectrum] * 6)], np.arange(6.0), bands, z_max, laws)


def magnitudes(grid, z, mwebv=0.0, host_ebv=0.0):
    """Magnitudes in all bands of a steady source."""
    n = grid.flux.shape[2]
    ebv = {"mwebv": np.array([mwebv]), "host_ebv": np.array([host_ebv])}
    zero = np.zeros(n, dtype=int)
    flux = grid.lookup(zero[:1], np.array([z]), ebv, zero, np.arange(n), np.full(n, 2.5))
    return 27.5 - 2.5 * np.log10(flux)


def one(n=1, **parameters):
    """Parameters of an object, or of n alike."""
    z = parameters.setdefault("redshift", 0.1)
    distmod = distance_modulus(np.array([z]))[0] if z else 0.0
    return {k: np.full(n, v) for k, v in {"mwebv": 0.0, "distmod": distmod, **parameters}.items()}


# ---------------------------------------------------------------- magnitudes


@pytest.mark.parametrize("survey", list_surveys())
def test_a_flat_source_of_3631_jansky_is_0_mag(sncosmo_data, survey):
    bands = bands_of(survey)
    grid = steady(3631 * JANSKY * LIGHT / WAVE**2, bands)
    np.testing.assert_allclose(magnitudes(grid, 0.0), 0.0, atol=1e-3)
    # flux per unit of frequency is (1+z) times as large: photons are stretched over less of it
    for z in (0.1, 0.5, 1.0):
        np.testing.assert_allclose(magnitudes(grid, z), -2.5 * np.log10(1 + z), atol=2e-3)


def test_sources_of_known_magnitude(sncosmo_data):
    bands = bands_of("lsst")
    for spectrum in (WAVE**-3.0, planck(WAVE, 6000.0), planck(WAVE, 15000.0), WAVE**0.5):
        known = sncosmo.Spectrum(WAVE, spectrum)
        scale = 10 ** (0.4 * (known.bandmag("sdssr", "ab") - 19.3))  # 19.3 mag in r
        expected = [sncosmo.Spectrum(WAVE, spectrum * scale).bandmag(b, "ab") for b in
                    bandpasses(bands)]  # fmt: skip
        np.testing.assert_allclose(
            magnitudes(steady(spectrum * scale, bands), 0.0), expected, atol=1e-3
        )


def test_templates_have_0_mag_at_maximum(sncosmo_data):
    for name, version, band in (("hsiao", "3.0", "sdssr"), ("v19-2004fe-corr", None, "bessellv")):
        flux, facts = normalised(Template(name, version).load(), band)
        source = sncosmo.TimeSeriesSource(PHASE, WAVE, flux)
        assert source.peakmag(band, "ab") == pytest.approx(0.0, abs=0.01)
        assert source.bandmag(band, "ab", facts[1]) == pytest.approx(0.0, abs=0.01)
        colour = source.bandmag("bessellb", "vega", facts[1])
        colour -= source.bandmag("bessellv", "vega", facts[1])
        assert facts[3] == pytest.approx(colour, abs=0.02)


def test_distance_modulus():
    z = np.geomspace(1e-3, 6.0, 50)
    np.testing.assert_allclose(distance_modulus(z), COSMOLOGY.distmod(z).value, atol=2e-3)


def test_k_corrections_are_those_of_a_redshifted_spectrum(sncosmo_data):
    bands = bands_of("lsst")
    raw = sncosmo.get_source("hsiao", version="3.0")
    spectrum = raw.flux(2.0, WAVE[raw.minwave() <= WAVE])
    spectrum = np.concatenate([np.zeros(len(WAVE) - len(spectrum)), spectrum])
    grid = steady(spectrum, bands)
    model = sncosmo.Model(sncosmo.TimeSeriesSource([0.0, 1, 2], WAVE, np.stack([spectrum] * 3),
                                                   time_spline_degree=1))  # fmt: skip
    for z in (0.02, 0.1, 0.35, 0.8):
        model.set(z=z, t0=0.0)
        expected = [27.5 - 2.5 * np.log10(model.bandflux(b, 1.0, 27.5, "ab"))
                    for b in bandpasses(bands)]  # fmt: skip
        made = magnitudes(grid, z)
        np.testing.assert_allclose(made[1:], np.array(expected)[1:], atol=0.01)
        assert made[0] == pytest.approx(expected[0], abs=0.06)  # u, where iron lines are


# ---------------------------------------------------------------- dust, and time


@pytest.mark.parametrize("frame", ["mw", "host"])
def test_dust_dims_as_that_of_sncosmo(sncosmo_data, frame):
    bands = bands_of("lsst")
    spectrum = planck(WAVE, 9000.0)
    grid = steady(spectrum, bands)
    dust = sncosmo.F99Dust(3.1)
    raw = sncosmo.TimeSeriesSource([0.0, 1, 2], WAVE, np.stack([spectrum] * 3),
                                   time_spline_degree=1)  # fmt: skip
    model = sncosmo.Model(raw, [dust], [frame], ["obs" if frame == "mw" else "rest"])
    for z in (0.02, 0.4):
        for ebv in (0.05, 0.3):
            model.set(z=z, t0=0.0, **{f"{frame}ebv": 0.0})
            bare = np.array([model.bandflux(b, 1.0) for b in bandpasses(bands)])
            model.set(**{f"{frame}ebv": ebv})
            dimmed = np.array([model.bandflux(b, 1.0) for b in bandpasses(bands)])
            given = {"mwebv" if frame == "mw" else "host_ebv": ebv}
            made = magnitudes(grid, z, **given) - magnitudes(grid, z)
            np.testing.assert_allclose(made, -2.5 * np.log10(dimmed / bare), atol=0.01)
            assert np.all(np.diff(made) < 0)  # the bluer, the more
            if frame == "mw" and z == 0.02:  # Schlafly & Finkbeiner (2011), u to y for R_V = 3.1
                np.testing.assert_allclose(made / ebv, [4.7, 3.6, 2.7, 2.05, 1.6, 1.3], rtol=0.15)


def triangle(days=40.0):
    """Spectra that rise and decline linearly, each within so many days, at all wavelengths."""
    phase, wave = np.linspace(-days, days, 81), np.arange(1000.0, 11500.0, 50.0)
    level = np.maximum(1 - np.abs(phase) / days, 0.0)
    flux = level[:, None] * 1e-9 * (5000 / wave) ** 2
    return sncosmo.TimeSeriesSource(phase, wave, flux, name="triangle")


def full_width(days, flux):
    """Days for which flux is more than half of its maximum."""
    bright = days[flux > flux.max() / 2]
    return bright[-1] - bright[0]


@pytest.mark.parametrize("z", [0.02, 0.3, 1.0])
def test_time_is_dilated(sncosmo_data, z):
    bands = bands_of("ztf")
    days = np.linspace(0, 400, 4001)
    zero = np.zeros(len(days), dtype=int)
    toy = SpectralSource.from_sncosmo(triangle())
    grid = toy.prepare(bands, 1.0)
    for stretch in (0.8, 1.0, 1.3):
        objects = one(redshift=z, series=0, stretch=stretch, host_ebv=0.0, absolute_mag=-18.0)
        flux = toy.flux(grid, objects, Points(zero, days, zero), None)
        assert full_width(days, flux) == pytest.approx(40.0 * stretch * (1 + z), rel=0.01)
        times = toy.truth(grid, objects)
        at = days[np.argmax(flux)] if flux.max() > 0 else np.nan
        assert times["peak"][0] == pytest.approx(at, abs=1.0 * stretch * (1 + z))
    tde = FallbackTDE()
    grid = tde.prepare(bands, 1.0)
    objects = one(redshift=z, log_l_peak=44.0, log_temperature=4.3, rise=10.0, decline=50.0,
                  host_ebv=0.0)  # fmt: skip
    flux = tde.flux(grid, objects, Points(zero, days - 100, zero), None)
    half = 10 * np.sqrt(2 * np.log(2)) + 50 * (2 ** (3 / 5) - 1)
    assert full_width(days, flux) == pytest.approx(half * (1 + z), rel=0.01)


# ---------------------------------------------------------------- SALT


def test_salt_is_normalised_in_b(sncosmo_data):
    from sklc.simulate.sources.salt import components

    mean, _ = components("2.0")
    source = sncosmo.TimeSeriesSource(PHASE, WAVE, mean)
    assert source.peakmag("bessellb", "vega") == pytest.approx(0.0, abs=0.02)
    raw = sncosmo.get_source("salt3", version="2.0")
    raw.set_peakmag(-19.365, "bessellb", "vega")
    ratio = source.bandflux("sdssr", 10.0) / raw.bandflux("sdssr", 10.0)
    assert 2.5 * np.log10(ratio) == pytest.approx(-19.365, abs=0.02)


def test_tripp_relation():
    source = SALTSource(absolute_mag=-19.3, alpha=0.15, beta=3.0, intrinsic=0.1)
    drawn = source.sample(np.random.default_rng(0), np.full(20000, 0.1))
    design = np.stack([np.ones(20000), -drawn["x1"], drawn["c"]], axis=1)
    fit, residual, *_ = np.linalg.lstsq(design, drawn["absolute_mag"], rcond=None)
    np.testing.assert_allclose(fit, [-19.3, 0.15, 3.0], atol=0.02)
    assert np.sqrt(residual[0] / 20000) == pytest.approx(0.1, rel=0.03)
    # split-normal distributions: mode, and the share on either side
    for name in ("x1", "c"):
        mode, low, high = getattr(source, name)
        assert np.mean(drawn[name] < mode) == pytest.approx(low / (low + high), abs=0.01)


def test_colour_law(sncosmo_data):
    from sklc.simulate.sources.salt import colour_law

    raw = sncosmo.get_source("salt3", version="2.0")
    wave = np.array([3000.0, 3600.0, 4300.0, 5400.0, 6500.0, 8000.0])
    spectra = []
    for c in (-0.1, 0.2):
        raw.set(x0=1.0, x1=0.0, c=c)
        spectra.append(raw.flux(0.0, wave))
    expected = -2.5 * np.log10(spectra[1] / spectra[0]) / 0.3
    law = colour_law("2.0", wave)
    np.testing.assert_allclose(law, expected, atol=0.01)
    assert np.all(np.diff(law) < 0)
    assert law[2] == pytest.approx(0.0, abs=0.02)  # zero in B
    assert colour_law("2.0", np.array([5430.0]))[0] == pytest.approx(-1.0, abs=0.02)  # c is B-V


# ---------------------------------------------------------------- blackbodies


def test_blackbodies_radiate_their_luminosity():
    wave = np.geomspace(10, 1e8, 200001)
    for temperature in (3000.0, 10000.0, 40000.0):
        total = np.trapezoid(planck(wave, temperature), wave)
        assert total == pytest.approx(5.670374e-5 * temperature**4, rel=1e-4)
    for log_t in (3.8, 4.1, 4.5):
        row = int(np.argmin(np.abs(LOG_TEMPERATURE - log_t)))
        temperature = 10 ** LOG_TEMPERATURE[row]
        inside = (wave >= WAVE[0]) & (wave <= WAVE[-1])
        share = np.trapezoid(planck(wave[inside], temperature), wave[inside])
        share /= 5.670374e-5 * temperature**4
        luminosity = DISC * np.trapezoid(thermal_spectra(0.0)[row], WAVE)
        assert luminosity == pytest.approx(1e43 * share, rel=2e-3)
    # line blanketing only takes light away, below the cutoff
    blanketed, bare = thermal_spectra(3000.0), thermal_spectra(0.0)
    np.testing.assert_allclose(blanketed[:, WAVE >= 3000], bare[:, WAVE >= 3000])
    half = int(np.flatnonzero(WAVE == 1500.0)[0])
    np.testing.assert_allclose(blanketed[:, half], 0.5 * bare[:, half])


@pytest.mark.parametrize("log_t", [3.7, 4.0, 4.4])
def test_magnitudes_of_blackbodies(sncosmo_data, log_t):
    from astropy import units as u
    from astropy.modeling.models import BlackBody

    bands = bands_of("lsst")
    source = FallbackTDE()
    objects = one(redshift=0.2, log_l_peak=44.0, log_temperature=log_t, rise=10.0, decline=50.0,
                  host_ebv=0.0)  # fmt: skip
    grid = source.prepare(bands, 1.0)
    n, zero = len(bands.names), np.zeros(len(bands.names), dtype=int)
    flux = source.flux(grid, objects, Points(zero, np.zeros(n), np.arange(n)), None)
    # a sphere of that luminosity and temperature, at its luminosity distance
    temperature = 10**log_t
    radius = np.sqrt(1e44 / (4 * np.pi * 5.670374e-5 * temperature**4))
    distance = COSMOLOGY.luminosity_distance(0.2).to("cm").value
    unit = u.erg / (u.cm**2 * u.s * u.AA * u.sr)
    body = BlackBody(temperature * u.K, scale=1.0 * unit)
    wave = np.arange(2500.0, 11500.0, 5.0)
    spectrum = np.pi * body(wave / 1.2 * u.AA).value * (radius / distance) ** 2 / 1.2
    expected = [sncosmo.Spectrum(wave, spectrum).bandmag(b, "ab") for b in bandpasses(bands)]
    np.testing.assert_allclose(27.5 - 2.5 * np.log10(flux), expected, atol=5e-3)


def test_tidal_disruption_events_follow_their_formula():
    source = FallbackTDE()
    objects = one(log_l_peak=44.0, log_temperature=4.3, rise=8.0, decline=60.0)
    days = np.array([-10.0, 0.0, 50.0, 1e4, 1e5])
    log_l, log_t = source.evolution(objects, np.zeros(5, dtype=int), days)
    assert log_l[0] == pytest.approx(44 + np.log10(np.exp(-(10**2) / (2 * 8**2))))
    assert log_l[1] == 44.0
    assert log_l[2] == pytest.approx(44 - 5 / 3 * np.log10(110 / 60))
    assert log_l[4] - log_l[3] == pytest.approx(-5 / 3, abs=0.01)  # late: t**(-5/3)
    assert np.all(log_t == 4.3)


def test_luminosity_function_of_tidal_disruption_events(sncosmo_data):
    drawn = FallbackTDE().sample(np.random.default_rng(0), np.full(40000, 0.1))
    # nu L_nu at 6.3e14 Hz, from luminosity and temperature
    nu, h, k = 6.3e14, 6.62607e-27, 1.380649e-16
    temperature = 10 ** drawn["log_temperature"]
    b_nu = 2 * h * nu**3 / 2.99792458e10**2 / np.expm1(h * nu / k / temperature)
    log_l_g = drawn["log_l_peak"] + np.log10(
        np.pi * nu * b_nu / (5.670374e-5 * temperature**4)
    )  # fmt: skip
    edges = np.array([42.4, 42.8, 43.1, 43.4, 43.8, 44.2])

    def density(x):
        return 1 / (10 ** (0.3 * (x - 43.1)) + 10 ** (2.6 * (x - 43.1)))

    expected = [integrate.quad(density, *pair)[0] for pair in itertools.pairwise(edges)]
    counts = np.histogram(log_l_g, edges)[0]
    expected = np.array(expected) / np.sum(expected) * counts.sum()
    assert np.all(np.abs(counts - expected) < 5 * np.sqrt(expected) + 0.01 * expected)


# ---------------------------------------------------------------- powered from within


def arnett(power, days, diffusion):
    """Luminosity by direct integration; power of seconds."""

    def integrand(t):
        return power(t * DAY) * 2 * t / diffusion**2 * np.exp((t**2 - days**2) / diffusion**2)

    knots = [p for p in (0.01, 0.1, 1.0, days - diffusion, days - 0.1 * diffusion) if 0 < p < days]
    return integrate.quad(integrand, 0, days, points=knots, limit=400)[0]


@pytest.mark.parametrize("diffusion", [8.0, 30.0, 90.0])
def test_diffusion_is_the_integral_of_arnett(diffusion):
    days = 10**_LOG_TIME
    powers = {
        "magnetar": lambda t: magnetar_power(t, 2.4, 0.8),
        "nickel": lambda t: nickel_power(t, 0.5),
        "constant": lambda t: 1e43 + 0 * t,
    }
    for name, power in powers.items():
        made = diffused_luminosity(power, days, np.array([diffusion]))[0]
        for k in np.flatnonzero((days > 1) & (days < 400))[::12]:
            expected = arnett(power, days[k], diffusion)
            assert made[k] == pytest.approx(expected, rel=0.01), (name, days[k])


def test_leakage_of_gamma_rays():
    days = np.array([1.0, 50.0, 500.0])
    kept, leaky = (
        diffused_luminosity(lambda t: 1e43 + 0 * t, days, np.array([10.0]), leak)[0]
        for leak in (np.inf, 50.0)
    )
    np.testing.assert_allclose(leaky / kept, [1.0, 1 - np.exp(-1), 1 - np.exp(-0.01)], rtol=1e-3)


def test_a_magnetar_gives_its_rotational_energy():
    seconds = np.geomspace(1e-2, 1e14, 200001)
    for period, field in ((1.2, 0.3), (2.4, 0.8), (4.0, 3.0)):
        total = np.trapezoid(magnetar_power(seconds, period, field), seconds)
        assert total == pytest.approx(2.6e52 / period**2, rel=1e-3)
    # half of it within the spin-down time
    tau = 1.3e5 * 2.4**2 / 0.8**2
    early = integrate.quad(lambda t: magnetar_power(t, 2.4, 0.8), 0, tau)[0]
    assert early == pytest.approx(0.5 * 2.6e52 / 2.4**2, rel=1e-6)


def test_energy_is_conserved():
    # d(L td**2 / 2) / dt = t (P - L): what has not been radiated is still inside, and has expanded
    days = np.linspace(0.05, 300, 6000)
    td = 35.0
    luminosity = diffused_luminosity(lambda t: magnetar_power(t, 3.0, 1.0), days, np.array([td]))[0]
    power = magnetar_power(days * DAY, 3.0, 1.0)
    put_in = np.trapezoid(days * power, days)
    radiated = np.trapezoid(days * luminosity, days)
    assert radiated + luminosity[-1] * td**2 / 2 == pytest.approx(put_in, rel=0.01)
    assert radiated < put_in


def test_known_powers():
    # a solar mass of nickel: 7.9e43 erg/s at first; cobalt alone after 150 d, e-folding in 111.3 d
    assert nickel_power(0.0, 1.0) == pytest.approx(7.9e43, rel=0.01)
    late = nickel_power(np.array([150.0, 261.3]) * DAY, 0.1)
    assert late[0] / late[1] == pytest.approx(np.e, rel=0.01)
    assert late[0] == pytest.approx(0.1 * 1.45e43 * np.exp(-150 / 111.3), rel=0.01)
    # a decay of nickel sets 1.75 MeV free, one of cobalt 3.73 MeV, neutrinos aside
    total = integrate.quad(lambda t: nickel_power(t, 1.0), 0, 3000 * DAY, limit=500)[0]
    decays = SOLAR_MASS / 55.942 / 1.66054e-24
    assert total == pytest.approx(decays * (1.75 + 3.73) * 1.60218e-6, rel=0.03)
    # r-process: 2e10 erg/s/g after a day, as t**-1.3, of which half is thermalised
    day = r_process_power(np.array([1.0, 10.0]) * DAY, 0.01)
    assert day[0] == pytest.approx(0.5 * 0.01 * SOLAR_MASS * 2e10, rel=0.05)
    assert day[1] / day[0] == pytest.approx(10**-1.3, rel=0.01)


def test_diffusion_time():
    # opacity .1 cm2/g, 5 solar masses, 1e9 cm/s: (2 kappa M / 13.7 c v)**.5
    expected = np.sqrt(2 * 0.1 * 5 * SOLAR_MASS / (13.7 * 2.99792458e10 * 1e9)) / 86400
    assert diffusion_time(0.1, 5.0, 1e9) == pytest.approx(expected, rel=1e-3)
    assert 20 < expected < 30


@pytest.mark.parametrize("source", [Magnetar(), Nickel(), Kilonova()])
def test_libraries(sncosmo_data, source):
    library = source.models()
    assert np.isfinite(library.log_luminosity).all()
    assert np.isfinite(library.absolute_mag).all()
    objects = source.sample(np.random.default_rng(0), np.full(3000, 0.1))
    if source.luminosity is not None:
        target = source.luminosity
        drawn = objects["absolute_mag"]
        low, high = max(target.low, target.mean - target.cut * target.sd), target.high
        assert drawn.min() >= low
        assert drawn.max() <= high
        assert np.median(drawn) == pytest.approx(np.clip(target.mean, low, high), abs=0.35)
    # the photosphere radiates as a blackbody of radius v t where it is hotter than the floor
    days = 10**_LOG_TIME
    first = library.parameters
    velocity = first.get("velocity", first.get("blue_velocity"))
    radius = velocity[:, None] * days * DAY
    hot = 10 ** library.log_temperature[0] > 1.01 * first["temperature_floor"][:, None]
    hot &= library.log_temperature[0] < LOG_TEMPERATURE[-1] - 1e-6
    hot &= library.log_temperature[0] > LOG_TEMPERATURE[0] + 1e-6
    emitted = 4 * np.pi * radius**2 * 5.670374e-5 * 10 ** (4 * library.log_temperature[0])
    assert hot.any()
    np.testing.assert_allclose(np.log10(emitted[hot]), library.log_luminosity[0][hot], atol=1e-3)


# ---------------------------------------------------------------- variables


def test_microlensing_is_a_difference_of_fluxes(sncosmo_data):
    bands = bands_of("ztf")
    source = Microlensing()
    grid = source.prepare(bands, 0.02)
    objects = one(redshift=0.0, log_luminosity=30.0, log_temperature=3.75, einstein_time=20.0,
                  impact=0.3, host_ebv=0.0)  # fmt: skip
    days = np.array([-80.0, -20.0, 0.0, 20.0, 500.0])
    zero = np.zeros(5, dtype=int)
    flux = source.flux(grid, objects, Points(zero, days, zero), None)
    star = source.steady(grid, objects)[0, 0]
    u = np.hypot(0.3, days / 20.0)
    expected = (u**2 + 2) / (u * np.sqrt(u**2 + 4)) - 1
    np.testing.assert_allclose(flux / star, expected, rtol=2e-3)
    assert flux[1] == pytest.approx(flux[3])


def test_damped_random_walk_has_its_structure_function():
    rng = np.random.default_rng(1)
    n, tau = 40_000, 150.0
    lags = np.array([5.0, 40.0, 200.0, 900.0])
    time = np.tile(np.concatenate([[0.0], lags]), n)
    owner = np.repeat(np.arange(n), 5)
    x = draw_damped_random_walk(rng, time, owner, np.full(n, tau)).reshape(n, 5)
    np.testing.assert_allclose(x.std(axis=0), 1.0, rtol=0.02)
    made = np.sqrt(np.mean((x[:, 1:] - x[:, :1]) ** 2, axis=0))
    np.testing.assert_allclose(made, np.sqrt(2 * (1 - np.exp(-lags / tau))), rtol=0.03)
    assert stats.kstest(x[:, 2], "norm").pvalue > 1e-3


def test_damped_random_walk_of_unequal_light_curves():
    rng = np.random.default_rng(2)
    lengths = np.array([3, 0, 1, 5, 2] * 4000)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    time = rng.uniform(0, 100, len(owner))
    time = time[np.lexsort((time, owner))]  # ascending within each object
    tau = np.full(len(lengths), 30.0)
    x = draw_damped_random_walk(rng, time, owner, tau)
    assert x.std() == pytest.approx(1.0, rel=0.03)
    neighbours = np.flatnonzero(np.diff(owner) == 0)
    expected = np.exp(-(time[neighbours + 1] - time[neighbours]) / 30.0)
    slope = np.sum(x[neighbours] * x[neighbours + 1]) / np.sum(x[neighbours] ** 2)
    assert slope == pytest.approx(expected.mean(), abs=0.03)
    strangers = np.flatnonzero(np.diff(owner) > 0)
    assert abs(np.corrcoef(x[strangers], x[strangers + 1])[0, 1]) < 0.04


def agn(n, z=0.6, sf=0.03):
    parameters = {"absolute_mag": -24.0, "sf_infinity": sf, "tau": 120.0, "host_mag": -20.0}
    return one(n, redshift=z, log_mass=8.5, **parameters)


def test_difference_flux_of_agn_has_its_structure_function(sncosmo_data):
    bands = bands_of("lsst")
    source = DampedRandomWalk()
    grid = source.prepare(bands, 1.0)
    n, z = 12_000, 0.6
    objects = agn(n, z)
    continuum = source._steady(grid, objects, CONTINUUM)[0]
    continuum = continuum * 10 ** (-0.4 * (-24.0 + objects["distmod"][0]))
    lags = np.array([10.0, 60.0, 300.0, 700.0])
    days = np.tile(np.concatenate([[0.0], lags]), n)
    owner = np.repeat(np.arange(n), 5)
    rest = grid.effective / (1 + z)
    middle = np.exp(np.mean(np.log(rest / 4000)))
    tau = 120.0 * (1 + z) * middle**0.17
    for band in range(len(rest)):
        rng = np.random.default_rng(band)
        flux = source.flux(
            grid, objects, Points(owner, days, np.full(len(days), band)), rng
        ).reshape(n, 5)
        # of a few hundredths of a magnitude, which are proportional to flux
        mags = flux / continuum[band] / (0.4 * np.log(10))
        made = np.sqrt(np.mean((mags[:, 1:] - mags[:, :1]) ** 2, axis=0))
        long_term = 0.03 * (rest[band] / 4000) ** -0.479  # MacLeod et al. 2010
        np.testing.assert_allclose(made, long_term * np.sqrt(1 - np.exp(-lags / tau)), rtol=0.03)


def test_red_light_of_agn_lags(sncosmo_data):
    bands = bands_of("lsst")
    source = DampedRandomWalk()
    grid = source.prepare(bands, 1.0)
    n, z = 400, 0.6
    objects = agn(n, z, sf=0.02)
    rest = grid.effective / (1 + z)
    lag = source.lag * 10 ** (-0.16 * (-24.0 + 23.0)) * (rest / 4000) ** (4 / 3) * (1 + z)
    continuum = source._steady(grid, objects, CONTINUUM)[0]
    n_bands, start = len(rest), 100.0
    # each band looked at later by its lag: all see the same of the one walk
    owner, band = np.repeat(np.arange(n), n_bands), np.tile(np.arange(n_bands), n)
    flux = source.flux(
        grid, objects, Points(owner, start + lag[band], band), np.random.default_rng(0)
    )
    mags = flux.reshape(n, n_bands) / continuum * (rest / 4000) ** 0.479
    for code in range(1, n_bands):
        assert np.corrcoef(mags[:, 0], mags[:, code])[0, 1] > 0.999


def test_nuclei_vary_and_their_light_adds_noise(sncosmo_data):
    simulator = ClassSimulator(get_survey("ztf"), CLASSES["AGN"], Settings())
    source, grid = simulator.source, simulator.grid
    rng = np.random.default_rng(0)
    objects = {name: values[:500] for name, values in simulator._draw(rng).items()}
    steady_flux = source.steady(grid, objects)
    assert np.all(steady_flux > source._steady(grid, objects, CONTINUUM) * 10 ** (
        -0.4 * (objects["absolute_mag"] + objects["distmod"])[:, None]
    ))  # fmt: skip
    zero = np.arange(500)
    flux = source.flux(grid, objects, Points(zero, np.zeros(500), np.zeros(500, dtype=int)), rng)
    assert 0.3 < np.mean(flux < 0) < 0.7  # difference images go both ways
    assert np.all(flux + steady_flux[:, 0] > 0)


def test_chromatic_scatter():
    scatter = ChromaticScatter(colour=0.05, shape=0.1, common=0.6, days=15.0)
    n = 20_000
    rng = np.random.default_rng(0)
    effective = np.array([4900.0, 4900.0 * 1.0, 9800.0])  # at knots
    phase = np.tile([0.0, 0.0, 0.0, 60.0], n)
    band = np.tile([0, 1, 2, 0], n)
    drawn = scatter.magnitudes(rng, np.zeros(n), effective, np.repeat(np.arange(n), 4), phase, band)
    drawn = drawn.reshape(n, 4)
    np.testing.assert_allclose(drawn.std(axis=0), np.hypot(0.05, 0.1), rtol=0.03)
    np.testing.assert_allclose(drawn[:, 0], drawn[:, 1])
    variance = 0.05**2 + 0.1**2
    correlation = np.corrcoef(drawn.T)
    assert correlation[0, 2] == pytest.approx(0.6 * 0.1**2 / variance, abs=0.03)
    assert correlation[0, 3] == pytest.approx(0.05**2 / variance, abs=0.03)


# ---------------------------------------------------------------- rates


@pytest.mark.parametrize(
    "rate", [star_formation, lambda z: 2.5e-5 * (1 + z) ** 1.5, lambda z: 10 ** (-5 * z / 6)]
)
@pytest.mark.parametrize(("low", "high"), [(0.003, 0.2), (0.02, 2.5)])
def test_redshifts_follow_rate_and_volume(rate, low, high):
    drawn = draw_redshift(np.random.default_rng(0), 20_000, low, high, rate)
    assert low <= drawn.min()
    assert drawn.max() <= high
    z = np.linspace(low, high, 3000)
    density = rate(z) * COSMOLOGY.differential_comoving_volume(z).value / (1 + z)
    cumulative = integrate.cumulative_trapezoid(density, z, initial=0.0)
    distribution = stats.kstest(drawn, lambda x: np.interp(x, z, cumulative / cumulative[-1]))
    assert distribution.pvalue > 1e-3


def test_flat_redshifts_are_uniform_before_the_trigger(sncosmo_data):
    settings = Settings(redshift="flat", z_max=0.3)
    simulator = ClassSimulator(get_survey("ztf"), CLASSES["SNIa"], settings)
    z = simulator._draw(np.random.default_rng(0))["redshift"]
    low = CLASSES["SNIa"].z_min
    assert stats.kstest(z, "uniform", (low, 0.3 - low)).pvalue > 1e-3
    volumetric = ClassSimulator(get_survey("ztf"), CLASSES["SNIa"], Settings(z_max=0.3))
    assert np.median(volumetric._draw(np.random.default_rng(0))["redshift"]) > 0.2
