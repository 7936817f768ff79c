"""Surveys: cadences have the statistics they state; pointing tables are read or refused."""

import pickle
import re
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklc.errors import SimulationError
from sklc.passbands import get_passband
from sklc.simulate.surveys import Survey, get_survey, list_surveys
from sklc.simulate.surveys.visits import Visits


def season_gaps(visits):
    """Days between the seasons of a position, whatever the band."""
    gaps = np.diff(visits.time)[np.diff(visits.position) == 0]
    return gaps[gaps > 60]


def nights(survey):
    """Nights with a visit in any band, a position."""
    visits = survey.visits
    night = np.floor(visits.time - survey.night_start)
    return len(np.unique(np.stack([visits.position, night]), axis=1).T) / visits.n_positions


# ---------------------------------------------------------------- statistics of the cadences

# Targets were measured on 400 positions of ZTF and of the LSST baseline 3.0 simulation.
WITHIN = 0.08


@pytest.mark.parametrize(
    ("name", "n_visits", "n_nights", "years", "gap", "columns"),
    [
        ("ztf", 1071, 400, 4.2, 99, {"gap_mean": 3.0, "gap_median": 2.0}),
        ("lsst", 853, 397, 10, 150, {"visits": [49, 70, 193, 197, 168, 174],
                                     "gap_mean": [14, 16, 9.6, 9.1, 10.7, 13]}),
    ],
)  # fmt: skip
def test_statistics(name, n_visits, n_nights, years, gap, columns):
    survey = get_survey(name)
    visits, summary = survey.visits, survey.summary()
    assert visits.n_positions == 400
    assert len(visits.time) / 400 == pytest.approx(n_visits, rel=WITHIN)
    assert nights(survey) == pytest.approx(n_nights, rel=WITHIN)
    assert np.ptp(visits.span) / 365.25 == pytest.approx(years, rel=0.02)
    assert season_gaps(visits).mean() == pytest.approx(gap, rel=WITHIN)
    for column, expected in columns.items():
        np.testing.assert_allclose(summary[column], expected, rtol=WITHIN)
    depth = summary[["m5_05", "m5_50", "m5_95"]].to_numpy()
    if name == "ztf":
        np.testing.assert_allclose(depth, [[19.2, 21.0, 21.9], [19.0, 20.7, 21.6]], atol=0.1)
    else:
        median = [23.62, 24.43, 24.01, 23.42, 22.81, 22.01]
        np.testing.assert_allclose(depth[:, 1], median, atol=0.02)
        assert np.all(depth[:, 1] - depth[:, 0] > depth[:, 2] - depth[:, 1])


def moonlight(mjd):
    """Illuminated fraction from a new moon long before the surveys, 2018 January 17.

    Told apart from the cadence's own: another new moon (almanac), the same mean month.
    """
    return 0.5 - 0.5 * np.cos(2 * np.pi * (np.asarray(mjd) - 58135.1) / 29.530589)


def test_lsst_wide_bands_follow_the_moon():
    visits = get_survey("lsst").visits
    light = [moonlight(visits.time[visits.band == code]).mean() for code in range(6)]
    assert light[0] < 0.2  # u in dark time
    assert light[1] < 0.35
    assert light[4] > 0.5
    assert light[5] > 0.5


def test_lsst_wide_visits_come_in_pairs():
    visits = get_survey("lsst").visits
    gap = np.diff(visits.time)[np.diff(visits.position) == 0]
    pairs = gap[gap < 0.3] * 1440
    assert np.median(pairs) == pytest.approx(33, abs=1)
    assert 2 * len(pairs) / len(visits.time) == pytest.approx(1, abs=0.2)
    other = np.diff(visits.band)[(np.diff(visits.position) == 0) & (np.diff(visits.time) < 0.03)]
    assert np.mean(other != 0) > 0.8


def test_ztf_is_deeper_in_dark_time():
    visits = get_survey("ztf").visits
    light, depth = moonlight(visits.time), visits.depth()
    dark, bright = (
        np.median(depth[(visits.band == 0) & sel]) for sel in (light < 0.2, light > 0.8)
    )
    assert dark - bright > 0.5


def test_deep_fields_of_lsst():
    wide, deep = get_survey("lsst"), get_survey("lsst-ddf")
    assert deep.visits.n_positions == 20
    nightly = deep.nightly_visits
    gain = [
        np.median(nightly.depth()[nightly.band == code]) - wide.summary()["m5_50"].iloc[code]
        for code in range(6)
    ]
    assert min(gain) > 1.0
    assert max(gain) < 1.7
    summary = deep.summary()
    assert (summary["gap_median"].iloc[1:5].between(2, 4)).all()
    assert summary["nights"].iloc[0] < summary["nights"].iloc[2]  # u is out in bright time


@pytest.mark.parametrize(("name", "rows", "depths", "gap"), [
    ("ps1", slice(None), [23.3, 23.3, 23.2, 22.8, 21.5], None),
    ("des", slice(0, 32), [23.7, 23.6, 23.5, 23.3], 7.0),
    ("des", slice(32, 40), [24.6, 24.8, 24.7, 24.6], 7.0),
])  # fmt: skip
def test_surveys_of_fields(name, rows, depths, gap):
    survey = get_survey(name)
    visits = survey.visits
    assert visits.n_positions == 40
    chosen = np.isin(visits.position, np.arange(40)[rows])
    for code, depth in enumerate(depths):
        of_band = visits.depth()[chosen & (visits.band == code)]
        assert np.median(of_band) == pytest.approx(depth, abs=0.05)
    season = 365.25 - season_gaps(visits).mean()
    assert 145 < season < 185
    if gap is not None:
        np.testing.assert_allclose(survey.summary()["gap_mean"], gap, rtol=WITHIN)


def test_ps1_bands_take_turns():
    survey = get_survey("ps1")
    assert (survey.summary()["gap_median"].iloc[:4].between(2.8, 3.3)).all()
    visits = survey.visits
    first = visits.position == 0
    night = np.floor(visits.time - survey.night_start)
    g, r, i, z = (set(night[first & (visits.band == code)]) for code in range(4))
    assert g == r
    assert not g & i
    assert not g & z
    assert not i & z


@pytest.mark.parametrize("name", list_surveys())
def test_built_in_surveys_are_sound(name):
    survey = get_survey(name)
    visits = survey.visits
    assert get_survey(name.upper()) is survey  # drawn once
    assert get_survey(survey) is survey
    assert visits.time.dtype == visits.sky.dtype == visits.source.dtype == np.float64
    assert (visits.band.dtype, visits.offsets.dtype) == (np.int16, np.int64)
    assert np.all(np.diff(visits.time)[np.diff(visits.position) == 0] >= 0)
    assert len(visits.ra) == len(visits.dec) == visits.n_positions
    assert np.all((visits.ra >= 0) & (visits.ra < 360) & (np.abs(visits.dec) <= 90))
    assert set(visits.band) == set(range(len(survey.passbands)))
    if survey.label not in {"Gaia", "Hipparcos", "Kepler", "TESS"}:  # satellites have no nights
        # a third of the day about noon is free: no night is split
        assert np.all(np.abs((visits.time - survey.night_start) % 1 - 0.5) < 1 / 3)
    night = np.floor(survey.nightly_visits.time - survey.night_start)
    key = np.stack([survey.nightly_visits.position, survey.nightly_visits.band, night])
    assert len(np.unique(key, axis=1).T) == len(night)
    assert {band.survey for band in survey.passbands} == {survey.label}
    assert repr(survey).startswith(f"Survey('{name}', {survey.passbands[0].name}")


def test_cadences_are_reproducible():
    from sklc.simulate.surveys import cadences

    one, two = cadences.ztf(), cadences.ztf()
    for column in ("time", "band", "sky", "source", "offsets", "ra", "dec"):
        np.testing.assert_array_equal(getattr(one, column), getattr(two, column))


def test_names_of_surveys_in_any_case():
    assert get_survey(" LSST_WFD ") is get_survey("lsst")


def test_a_survey_survives_pickling():
    survey = fields(["g", "r"])
    again = pickle.loads(pickle.dumps(survey))
    assert repr(again) == repr(survey)
    assert again.passbands == survey.passbands


# ---------------------------------------------------------------- visits


def test_depths_are_five_sigma():
    visits = Visits.from_depths([1.0, 2.0], [0, 1], [20.0, 23.5], [0, 2], gamma=0.039)
    f5 = 10 ** (-0.4 * (np.array([20.0, 23.5]) - 27.5))
    np.testing.assert_allclose(f5 / np.sqrt(visits.sky + visits.source * f5), 5.0)
    np.testing.assert_allclose(visits.depth(), [20.0, 23.5])


def test_visits_are_sorted_within_their_positions():
    visits = Visits.from_depths([3, 1, 2, 0], [0, 1, 2, 3], [20, 21, 22, 23], [0, 2, 4], gamma=0.04)
    assert visits.time.tolist() == [1, 3, 0, 2]
    assert visits.band.tolist() == [1, 0, 3, 2]
    np.testing.assert_allclose(visits.depth(), [21, 20, 23, 22])


@pytest.mark.parametrize(("change", "message"), [
    ({"gamma": 0.05}, "gamma=0.05"), ({"band": [0]}, "have 2, 1 and 2 rows"),
    ({"offsets": [0, 3]}, "ascend from 0 to the number of visits, 2"),
    ({"offsets": [0, 2, 1, 2]}, "ascend from 0"), ({"offsets": []}, "ascend from 0"),
    ({"time": [1.0, np.nan]}, "finite"),
])  # fmt: skip
def test_visits_refuse(change, message):
    arguments = {"time": [1.0, 2.0], "band": [0, 0], "depth": [20, 20], "offsets": [0, 2]}
    with pytest.raises(SimulationError, match=message):
        Visits.from_depths(**(arguments | {"gamma": 0.039} | change))


def test_no_visits():
    empty = Visits.from_depths([], [], [], [0, 0], gamma=0.039)
    assert repr(empty) == "Visits(0 visits to 1 position, none)"
    assert len(empty.nightly().time) == 0
    assert [bound.tolist() for bound in empty.between([0], [1.0], [2.0])] == [[0], [0]]
    with pytest.raises(SimulationError, match="no visits"):
        empty.span  # noqa: B018


@st.composite
def any_visits(draw):
    sizes = draw(st.lists(st.integers(0, 12), min_size=1, max_size=4))
    n = sum(sizes)
    times = st.floats(60000, 60004, allow_nan=False, width=32)
    time = draw(st.lists(times, min_size=n, max_size=n))
    band = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    depth = draw(st.lists(st.floats(18, 25), min_size=n, max_size=n))
    return Visits.from_depths(time, band, depth, np.r_[0, np.cumsum(sizes)], gamma=0.039)


def nightly_in_plain_python(visits, night_start):
    groups = {}
    for row in range(len(visits.time)):
        night = int(np.floor(visits.time[row] - night_start))
        key = (int(visits.position[row]), int(visits.band[row]), night)
        groups.setdefault(key, []).append(row)
    out = []
    for (position, band, _), rows in groups.items():
        weights = [1 / visits.sky[row] for row in rows]
        total = sum(weights)
        time = sum(w * visits.time[row] for w, row in zip(weights, rows, strict=True)) / total
        source = sum(w**2 * visits.source[row] for w, row in zip(weights, rows, strict=True))
        out.append((position, time, band, 1 / total, source / total**2))
    return sorted(out)


@settings(deadline=None, max_examples=60)
@given(any_visits(), st.sampled_from([0.0, 0.3, 0.697]))
def test_nightly(visits, night_start):
    nightly = visits.nightly(night_start)
    columns = (nightly.position, nightly.time, nightly.band, nightly.sky, nightly.source)
    result = sorted(zip(*columns, strict=True))
    expected = nightly_in_plain_python(visits, night_start)
    assert len(result) == len(expected)
    if expected:
        by_key = [np.array(sorted(rows, key=lambda r: (r[0], r[2], r[1]))) for rows in
                  (result, expected)]  # fmt: skip
        np.testing.assert_allclose(*by_key, rtol=1e-9)

    # what holds whatever the reference says
    assert nightly.n_positions == visits.n_positions
    assert np.sum(1 / nightly.sky) == pytest.approx(np.sum(1 / visits.sky))
    assert np.all(np.diff(nightly.time)[np.diff(nightly.position) == 0] >= 0)
    assert np.all(nightly.depth() >= 18 - 1e-9)
    # combining again changes nothing, except where rounding moves a mean across the boundary
    again = nightly.nightly(night_start)
    assert len(again.time) <= len(nightly.time)


def test_a_night_is_not_split_at_midnight_utc():
    visits = Visits.from_depths([60000.98, 60001.02], [0, 0], [22.0, 22.0], [0, 2], gamma=0.04)
    assert len(visits.nightly().time) == 2
    chile = visits.nightly(0.697)
    np.testing.assert_allclose(chile.time, 60001.0)
    np.testing.assert_allclose(chile.depth(), 22.0 + 1.25 * np.log10(2))


def test_nightly_takes_the_noise_of_a_stack():
    visits = get_survey("ps1").visits
    twice = Visits.from_depths(
        np.repeat(visits.time, 2), np.repeat(visits.band, 2), np.repeat(visits.depth(), 2),
        visits.offsets * 2, gamma=0.039,
    )  # fmt: skip
    nightly = twice.nightly(get_survey("ps1").night_start)
    np.testing.assert_allclose(nightly.sky, visits.sky / 2)
    np.testing.assert_allclose(nightly.source, visits.source / 2)


@settings(deadline=None, max_examples=60)
@given(any_visits(), st.data())
def test_between(visits, data):
    n = data.draw(st.integers(1, 8))
    number = st.one_of(
        st.floats(59990, 60010, width=32), st.sampled_from([*visits.time, -1e9, 1e9])
    )
    position = data.draw(st.lists(st.integers(0, visits.n_positions - 1), min_size=n, max_size=n))
    start, stop = (np.array(data.draw(st.lists(number, min_size=n, max_size=n))) for _ in "ab")
    lo, hi = visits.between(position, start, stop)
    for i in range(n):
        inside = (visits.position == position[i]) & (visits.time >= start[i])
        expected = np.flatnonzero(inside & (visits.time < stop[i]))
        assert np.arange(lo[i], hi[i]).tolist() == expected.tolist()


# ---------------------------------------------------------------- tables of pointings


def table(bands=("g", "r"), **columns):
    n = 6
    frame = pd.DataFrame(
        {
            "mjd": 60000.1 + np.arange(n),
            "band": np.resize(bands, n),
            "depth": np.linspace(23, 24, n),
            "position": ["A", "B"] * 3,
        }
    )
    return frame.assign(**columns)


def fields(bands=("g", "r"), **arguments):
    return Survey.from_pointings(table(bands), **({"name": "LSST"} | arguments))


@pytest.mark.parametrize("library", [pd.DataFrame, pl.from_pandas, pa.Table.from_pandas])
def test_fields(library):
    frame = table(bands=("r", "g")).sample(frac=1, random_state=3, ignore_index=True)
    survey = Survey.from_pointings(library(frame), name="LSST")
    assert [band.name for band in survey.passbands] == ["lsstg", "lsstr"]  # blue to red
    assert survey.label == "LSST"
    visits = survey.visits
    assert visits.offsets.tolist() == [0, 3, 6]
    assert visits.ra is None
    for i, name in enumerate(frame["position"].unique()):
        rows = frame[frame["position"] == name].sort_values("mjd")
        chosen = slice(visits.offsets[i], visits.offsets[i + 1])
        np.testing.assert_allclose(visits.time[chosen], rows["mjd"])
        np.testing.assert_allclose(visits.depth()[chosen], rows["depth"])
        assert [survey.passbands[code].aliases[0] for code in visits.band[chosen]] == [
            *rows["band"]
        ]


def test_columns_by_name_and_options():
    renamed = table(bands=(1, 2)).rename(columns={"mjd": "t", "band": "fid", "depth": "lim"})
    survey = Survey.from_pointings(
        renamed.rename(columns={"position": "ccd"}), name="ztf", time="t", band="fid", depth="lim",
        position="ccd", season=(60001, 60004.5), systematic=0.02, gamma=0.04, night_start=0.8,
        label="mine",
    )  # fmt: skip
    assert [band.name for band in survey.passbands] == ["ztfg", "ztfr"]
    assert (survey.label, survey.systematic, survey.night_start) == ("mine", 0.02, 0.8)
    assert survey.visits.span == (60001.1, 60004.1)
    assert np.all(survey.visits.source == 0)


def test_night_start_is_the_middle_of_the_idle_hours():
    time = np.concatenate([60000 + day + np.linspace(0.95, 1.45, 3) for day in range(2)])
    survey = Survey.from_pointings(table(mjd=time), name="LSST")
    assert survey.night_start == pytest.approx(0.70)


@pytest.fixture
def opsim():
    rng = np.random.default_rng(0)
    n = 4000
    ra = np.where(np.arange(n) % 4, rng.uniform(0, 20, n), rng.normal(5, 0.1, n))
    return pd.DataFrame(
        {
            "observationStartMJD": 60218.0 + np.sort(rng.uniform(0, 300, n)),
            "filter": rng.choice(list("ugrizy"), n),
            "fiveSigmaDepth": rng.uniform(22, 24, n),
            "fieldRA": ra % 360,
            "fieldDec": rng.uniform(-30, -20, n),
        }
    )


def test_opsim_with_positions_on_the_sky(opsim):
    survey = Survey.from_pointings(opsim, name="LSST", n_positions=30, radius=1.75)
    assert [band.name[-1] for band in survey.passbands] == list("ugrizy")
    visits = survey.visits
    assert visits.n_positions == 30
    for i in range(30):
        ra, dec = np.radians([visits.ra[i], visits.dec[i]])
        a, d = np.radians(opsim[["fieldRA", "fieldDec"]].to_numpy().T)
        cosine = np.sin(dec) * np.sin(d) + np.cos(dec) * np.cos(d) * np.cos(a - ra)
        near = np.degrees(np.arccos(np.clip(cosine, -1, 1))) <= 1.75
        expected = opsim["observationStartMJD"][near]
        np.testing.assert_allclose(visits.time[visits.offsets[i] : visits.offsets[i + 1]], expected)
        assert near.any()
    # the deep field has a quarter of the visits, not a quarter of the positions
    assert np.mean(np.abs(visits.ra - 5) < 0.3) < 0.15
    again = Survey.from_pointings(opsim, name="LSST", n_positions=30, random_state=1)
    assert not np.array_equal(again.visits.ra, visits.ra)


def test_coordinates_by_name_across_ra_zero():
    frame = table(a=[359.9, 0.1] * 3, d=[89.5, -89.5] * 3)
    survey = Survey.from_pointings(frame, name="LSST", position=("a", "d"), n_positions=4)
    assert survey.visits.n_positions == 4
    assert set(np.diff(survey.visits.offsets)) <= {3}
    assert np.all(np.abs(survey.visits.dec) > 87)


CURVE = ([4000.0, 5000.0, 6000.0], [0.0, 1.0, 0.0])


def test_a_curve_of_ones_own():
    survey = fields(passbands={"g": CURVE}, name="LSST")
    own, known = sorted(survey.passbands, key=lambda band: band.name == "lsstr")
    assert (own.name, own.survey, own.wavelength) == ("LSST_g", "LSST", pytest.approx(0.5))
    assert known.name == "lsstr"
    np.testing.assert_array_equal(survey.throughput(survey.passbands.index(own)), CURVE)


def test_passbands_of_a_survey_nobody_knows():
    survey = fields(name="mytel", passbands={"g": "ztfg", "r": get_passband("ps1r")})
    assert [band.name for band in survey.passbands] == ["ztfg", "ps1r"]
    assert survey.label == "mytel"  # of two surveys
    both = fields(bands=("g", "G'"), passbands={"G'": "lsstg"})
    assert [band.name for band in both.passbands] == ["lsstg"]  # one passband, two labels


def test_curves_of_sncosmo(sncosmo_data):
    import sncosmo

    survey = fields(name="mytel", passbands={"g": "sdss::g", "r": sncosmo.get_bandpass("desr")})
    assert [band.name for band in survey.passbands] == ["sdssg", "desr"]
    for name in ("ztf", "ps1"):
        survey = get_survey(name)
        for code, band in enumerate(survey.passbands):
            wavelength, transmission = survey.throughput(code)
            mean = np.trapezoid(wavelength * transmission, wavelength) / np.trapezoid(
                transmission, wavelength
            )
            assert mean / 1e4 == pytest.approx(band.wavelength, abs=1e-3)
            assert survey.throughput(code)[0] is wavelength  # loaded once


def test_a_curve_that_sncosmo_does_not_know():
    pytest.importorskip("sncosmo")
    with pytest.raises(SimulationError, match=r"'no::such' is unknown to sncosmo.*register"):
        fields(name="mytel", passbands={"g": "no::such", "r": "ztfr"})
    survey = fields(name="LSST", passbands={"g": CURVE, "r": get_passband("crtsV")})
    with pytest.raises(SimulationError, match=r"'crtsV' is unknown.*wavelength in Angstrom"):
        survey.throughput([band.name for band in survey.passbands].index("crtsV"))


def test_a_curve_that_cannot_be_downloaded(monkeypatch):
    sncosmo = pytest.importorskip("sncosmo")

    def offline(name):
        raise OSError("no network")

    monkeypatch.setattr(sncosmo, "get_bandpass", offline)
    with pytest.raises(SimulationError, match=r"'lsstg' cannot be read.*SNCOSMO_DATA_DIR.*network"):
        fields().throughput(0)


def test_without_sncosmo(monkeypatch):
    monkeypatch.setitem(sys.modules, "sncosmo", None)
    survey = fields()
    assert len(survey.summary()) == 2  # only curves need it
    with pytest.raises(ImportError, match=re.escape('pip install "sklc[sim]"')):
        survey.throughput(0)


def with_value(column, row, value):
    frame = table()
    frame[column] = frame[column].astype(object)
    frame.loc[row, column] = value
    return frame


def coordinates(**changes):
    frame = table().drop(columns="position")
    return frame.assign(**({"ra": 10.0 + np.arange(6), "dec": -20.0} | changes))


BAD_TABLES = [
    (table().iloc[:0], r"empty: it needs one row per visit"),
    (table().drop(columns=["depth", "mjd"]),
     r"no column 'mjd' \(time=\), 'depth' \(depth=\).*\['band', 'position'\]"),
    (table().drop(columns="position"), r"'position' \(position=\).*pair of columns"),
    (with_value("mjd", 2, np.nan), r"'mjd': nan in row 2 is not a finite number: drop"),
    (with_value("depth", 4, np.inf), r"'depth': inf in row 4 is not a finite"),
    (with_value("depth", 4, "deep"), r"'depth': 'deep' in row 4 is not a finite"),
    (with_value("band", 1, None), r"'band': None in row 1 is missing"),
    (with_value("position", 3, None), r"'position': None in row 3 is missing"),
    (table(mjd=2460000.5 + np.arange(6)),
     r"'mjd': 2460000.5 in row 0 is a Julian date.*\(6 rows in all\): subtract 2400000.5"),
    (table(mjd=1.7e9 + np.arange(6)), r"'mjd': 1700000000 in row 0 is not a date in MJD"),
    (table(mjd=pd.date_range("2025-01-01", periods=6)), r"'mjd' holds dates: convert.*2400000.5"),
    (table(depth=[24, 24, 900, 24, 800, 24]),
     r"'depth': 900 in row 2 is not a 5-sigma depth.*\(2 rows in all\).*nJy"),
    (table(bands=("g", "gg", "zz")),
     r"bands \['gg', 'zz'\] are unknown: 'LSST' has lsstu, .*passbands="),
    (coordinates(ra=np.array([1, 2, 3, 361, 1, 1])), r"'ra': 361 in row 3 is outside.*degrees"),
    (coordinates(dec=-95.0), r"'dec': -95 in row 0 is outside -90 to 90.*\(6 rows in all\)"),
    (coordinates(ra=np.linspace(0.1, 6.2, 6), dec=np.linspace(-1.2, 0.1, 6)), r"look like radians"),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "message"), BAD_TABLES)
def test_bad_tables(frame, message):
    with pytest.raises(SimulationError, match=message):
        Survey.from_pointings(frame, name="LSST")


BAD_ARGUMENTS = [
    ({"season": (50000, 51000)},
     r"season=\(50000, 51000\): the table covers MJD 60000.1 to 60005.1"),
    ({"season": (60002, 60001)}, r"pass two dates in MJD"),
    ({"season": 2}, r"pass two dates in MJD"),
    ({"time": "t"}, r"no column 't' \(time=\)"),
    ({"name": "mytel"}, r"bands \['g', 'r'\] are unknown: 'mytel' is not a survey"),
    ({"gamma": 0.5}, r"gamma=0.5"),
    ({"passbands": {"g": ([400, 500, 600], [0, 1, 0])}},
     r"\['g'\].*500.*nanometre: multiply by 10\."),
    ({"passbands": {"g": ([0.4, 0.5, 0.6], [0, 1, 0])}}, r"0.5,.*micrometre: multiply by 10000\."),
    ({"passbands": {"g": ([4e5, 5e5, 6e5], [0, 1, 0])}}, r"500000,.*another unit"),
    ({"passbands": {"g": ([4000, 6000, 5000], [0, 1, 0])}}, r"does not increase at index 2"),
    ({"passbands": {"g": ([4000, 4000, 5000], [0, 1, 0])}}, r"does not increase at index 1"),
    ({"passbands": {"g": ([4000, 5000, 6000], [0, 1, -0.1])}}, r"negative at index 2.*-0.1"),
    ({"passbands": {"g": ([4000, 5000, 6000], [0, np.nan, 0])}}, r"not finite at index 1"),
    ({"passbands": {"g": ([4000, 5000, 6000], [0, 0, 0])}}, r"0 everywhere"),
    ({"passbands": {"g": ([4000, 5000], [0, 1, 0])}}, r"two arrays of one length"),
    ({"passbands": {"g": ("ztf", "g")}}, r"two arrays of one length"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), BAD_ARGUMENTS)
def test_bad_arguments(arguments, message):
    with pytest.raises(SimulationError, match=message):
        fields(**arguments)


@pytest.mark.parametrize("change", [{"radius": 0}, {"n_positions": 0}])
def test_bad_positions(change):
    with pytest.raises(SimulationError, match="both have to be positive"):
        Survey.from_pointings(coordinates(), name="LSST", **change)


def test_two_columns_of_one_name():
    frame = pd.concat([table(), table()[["depth"]]], axis=1)
    with pytest.raises(SimulationError, match="more than one column 'depth'"):
        Survey.from_pointings(frame, name="LSST")


def test_not_a_table():
    with pytest.raises(TypeError, match="pyarrow"):
        Survey.from_pointings([1, 2], name="LSST")


def test_passbands_have_to_match_the_visits():
    visits = Visits.from_depths([1.0], [2], [20.0], [0, 1], gamma=0.039)
    with pytest.raises(SimulationError, match="one passband per code"):
        Survey("mine", "mine", (get_passband("ztfg"),), visits, 0.01)


@pytest.mark.parametrize("zero_point", [np.nan, None, "27.5", True, -1, 1e3])
def test_zero_points_are_magnitudes(zero_point):
    with pytest.raises(SimulationError, match="not an AB zero point: pass a magnitude"):
        Survey.from_pointings(table(), name="LSST", zero_point=zero_point)


def test_two_curves_of_one_name_are_two_passbands():
    blue, red = (SimpleNamespace(name="L", wave=[low, low + 900.0], trans=[1.0, 1.0])
                 for low in (4000.0, 6000.0))  # fmt: skip
    frame = table(bands=("a", "b"))
    two = Survey.from_pointings(frame, name="LSST", passbands={"a": blue, "b": red})
    assert [(band.name, band.wavelength) for band in two.passbands] == [("L", 0.445), ("L", 0.645)]
    assert [two.throughput(code)[0][0] for code in range(2)] == [4000.0, 6000.0]
    one = Survey.from_pointings(frame, name="LSST", passbands={"a": blue, "b": blue})
    assert [band.name for band in one.passbands] == ["L"]
    narrow = SimpleNamespace(name="L", wave=[4200.0, 4700.0], trans=[1.0, 1.0])  # as blue's mean
    with pytest.raises(SimulationError, match=r"two transmission curves of the name 'L'"):
        Survey.from_pointings(frame, name="LSST", passbands={"a": blue, "b": narrow})


def test_the_zero_point_changes_no_depth():
    usual, other = (Survey.from_pointings(table(), name="LSST", zero_point=z) for z in (27.5, 31.4))
    pd.testing.assert_frame_equal(usual.summary(), other.summary())
