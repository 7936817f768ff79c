"""Surveys to simulate: passbands, visits and noise; built in or from a table of pointings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import SimulationError
from sklc.passbands import Passband, find_passbands, passband_labels
from sklc.simulate.settings import is_number
from sklc.simulate.surveys.builtin import ALIASES, RECIPES
from sklc.simulate.surveys.conditions import local_noon
from sklc.simulate.surveys.curves import Curve, passbands_of_labels, sncosmo_curve
from sklc.simulate.surveys.pointings import idle_hour, read_pointings
from sklc.simulate.surveys.total_flux import TotalFlux
from sklc.simulate.surveys.visits import Visits
from sklc.utils.registry import Registry

__all__ = ["Survey", "get_survey", "list_surveys", "register_survey"]

# Longer gaps between two visits in a band lie between seasons, not within one.
_SEASON_GAP = 60.0


@dataclass(frozen=True, eq=False, repr=False)
class Survey:
    """A survey: its passbands, when it visits positions of the sky, and how deep.

    Parameters
    ----------
    name : str
        Name of the survey.
    label : str
        Name of the survey in the metadata of the simulated light curves, such as "ZTF".
    passbands : tuple of Passband
        Passbands, in the order of the codes in `visits`.
    visits : Visits
        Visits to positions of the sky.
    systematic : float
        Systematic error as a fraction of the flux.
    zero_point : float, default=27.5
        AB zero point of the light curves that are simulated: the same objects, with fluxes and
        errors in these units. The visits are in units of the zero point 27.5, whatever this is.
    night_start : float, default=0.0
        Time at which a new night begins, as a fraction of the UT day; usually local noon.
    curves : mapping of Passband or str to tuple of ndarray, optional
        Transmission curves by passband, or by its name: wavelength in Angstrom and photon
        transmission. Other passbands take theirs from sncosmo.
    total_flux : TotalFlux
        How stars and quasars are measured, of which the flux is the total one.

    Raises
    ------
    SimulationError
        If the visits have bands that are not among the passbands.

    Examples
    --------
    >>> from sklc.simulate.surveys import Survey
    >>> survey = Survey.builtin("ztf")
    >>> survey.label, [band.name for band in survey.passbands], survey.visits.n_positions
    ('ZTF', ['ztfg', 'ztfr'], 400)
    >>> survey.summary().loc["ztfg", ["visits", "m5_50"]].round().to_dict()
    {'visits': 542.0, 'm5_50': 21.0}
    """

    name: str
    label: str
    passbands: tuple[Passband, ...]
    visits: Visits
    systematic: float
    zero_point: float = 27.5
    night_start: float = 0.0
    curves: Mapping[Any, Curve] = field(default_factory=dict)
    total_flux: TotalFlux = TotalFlux()

    def __post_init__(self) -> None:
        band = self.visits.band
        if len(band) and not 0 <= band.min() <= band.max() < len(self.passbands):
            raise SimulationError(
                f"survey {self.name!r}: visits have the band codes {band.min()} to {band.max()}, "
                f"passbands are {len(self.passbands)}: pass one passband per code, counted from 0."
            )
        if not is_number(self.zero_point) or not 0 <= self.zero_point <= 50:
            raise SimulationError(
                f"survey {self.name!r}: zero_point={self.zero_point!r} is not an AB zero point: "
                "pass a magnitude, such as 27.5, or 31.4 for fluxes in nJy."
            )

    def __repr__(self) -> str:
        bands = " ".join(passband_labels(self.passbands))
        return f"Survey({self.name!r}, {bands}; {self.visits!r})"

    @classmethod
    def builtin(cls, name: str) -> Survey:
        """Return a survey by name: one that comes with the library, or one that you registered.

        The visits of the built-in surveys are drawn once in a session and are always the same.

        Parameters
        ----------
        name : str
            The name, in any case, see `list_surveys`: "ztf", "lsst" (or "lsst-wfd"), "crts", ...,
            or the name of a survey that was registered with `register_survey`.

        Returns
        -------
        Survey

        Raises
        ------
        SimulationError
            If no survey has the name.
        """
        key = _key(name)
        try:
            return SURVEYS[key if key in SURVEYS else name]()
        except SimulationError as error:
            raise SimulationError(
                f"{error} Make your own with Survey.from_pointings(table, name=...)."
            ) from None

    @classmethod
    def from_pointings(
        cls,
        table: Any,
        *,
        name: str = "pointings",
        time: str = "mjd",
        band: str = "band",
        depth: str = "depth",
        position: str | tuple[str, str] = "position",
        passbands: Mapping[Any, Any] | None = None,
        radius: float = 1.75,
        n_positions: int = 400,
        season: tuple[float, float] | None = None,
        systematic: float = 0.005,
        zero_point: float = 27.5,
        gamma: float = 0.039,
        label: str | None = None,
        night_start: float | None = None,
        random_state: int | np.random.Generator = 0,
    ) -> Survey:
        """Make a survey from a table of pointings, such as an OpSim run or ZTF's exposures.

        Parameters
        ----------
        table : pandas.DataFrame, polars.DataFrame or pyarrow.Table
            One row per visit. OpSim's own column names (observationStartMJD, filter,
            fiveSigmaDepth, fieldRA, fieldDec) are found if the default names are missing.
        name : str, default="pointings"
            Name of the survey; band labels such as "g" are those of the survey of this name, so
            that "LSST" makes it "lsstg". Without it labels have to be whole names.
        time : str, default="mjd"
            Column of modified Julian dates.
        band : str, default="band"
            Column of band labels.
        depth : str, default="depth"
            Column of 5-sigma point-source depths in AB magnitudes.
        position : str or tuple of str, default="position"
            Column of field ids, each of which becomes a position; or a pair of columns with right
            ascension and declination in degrees, for positions drawn among the pointings.
        passbands : mapping, optional
            Band labels to passbands: a name known to sklc or sncosmo, a `Passband`, a
            sncosmo.Bandpass, or a transmission curve (wavelength in Angstrom, photon
            transmission). Labels that are not in it are looked up by name.
        radius : float, default=1.75
            Radius of the field of view in degrees, for a pair of coordinates.
        n_positions : int, default=400
            Number of positions to draw, for a pair of coordinates.
        season : tuple of float, optional
            First and last MJD of the visits to use.
        systematic : float, default=0.005
            Systematic error as a fraction of the flux.
        zero_point : float, default=27.5
            AB zero point of the light curves that are simulated.
        gamma : float, default=0.039
            Share of the background in the noise, see `Visits.from_depths`.
        label : str, optional
            Survey of the simulated light curves; by default that of the passbands.
        night_start : float, optional
            Time at which a new night begins, as a fraction of the UT day; by default the middle of
            the longest stretch of the day without visits.
        random_state : int or numpy.random.Generator, default=0
            Seed of the positions.

        Returns
        -------
        Survey

        Raises
        ------
        SimulationError
            If a column is missing or a value is invalid; the message names the first such row.
        TypeError
            If `table` is not a table.

        Examples
        --------
        >>> import pandas as pd
        >>> from sklc.simulate.surveys import Survey
        >>> table = pd.DataFrame({"mjd": [60000.2, 60001.2], "band": ["g", "r"],
        ...                       "depth": [24.4, 24.0], "position": ["COSMOS", "COSMOS"]})
        >>> Survey.from_pointings(table, name="LSST")
        Survey('LSST', lsstg lsstr; Visits(2 visits to 1 position, MJD 60000.2 to 60001.2))
        """
        pointings = read_pointings(table, time=time, band=band, depth=depth, position=position)
        found = passbands_of_labels(pointings.names, name, passbands or {})
        # two labels may mean one passband; bands go from blue to red
        bands = tuple(sorted({p: None for p, _ in found}, key=lambda p: p.wavelength))
        code_of = np.array([bands.index(passband) for passband, _ in found])
        curves = {passband: curve for passband, curve in found if curve is not None}
        for band_label, (passband, curve) in zip(pointings.names, found, strict=True):
            if curve is not None and not all(map(np.array_equal, curve, curves[passband])):
                raise SimulationError(
                    f"The bands of {name!r} include two transmission curves of the name "
                    f"{passband.name!r} and the same mean wavelength, one of them that of "
                    f"{band_label!r}: give them different names."
                )
        if season is not None:
            pointings = pointings.within(season)
        ra = dec = None
        if pointings.coordinates is None:
            rows, offsets = pointings.at_fields()
        else:
            rng = np.random.default_rng(random_state)
            rows, offsets, (ra, dec) = pointings.at_positions(n_positions, radius, rng)
        surveys = {passband.survey for passband in bands}
        return cls(
            name,
            label or (surveys.pop() if len(surveys) == 1 else name),
            bands,
            Visits.from_depths(
                pointings.time[rows],
                code_of[pointings.codes[rows]],
                pointings.depth[rows],
                offsets,
                gamma=gamma,
                ra=ra,
                dec=dec,
            ),
            systematic,
            zero_point,
            night_start=idle_hour(pointings.time) if night_start is None else night_start,
            curves=curves,
        )

    @cached_property
    def nightly_visits(self) -> Visits:
        """The visits of a position, band and night combined into one."""
        return self.visits.nightly(self.night_start)

    @cached_property
    def _loaded(self) -> dict[str, Curve]:
        return {}

    def throughput(self, code: int) -> Curve:
        """Return the transmission curve of a band.

        Parameters
        ----------
        code : int
            Index into `passbands`.

        Returns
        -------
        wavelength, transmission : ndarray
            Angstrom, and the photon transmission of the whole system.

        Raises
        ------
        SimulationError
            If sncosmo does not know the band, or cannot read its curve.
        ImportError
            If sncosmo is needed and not installed.

        Examples
        --------
        >>> import pandas as pd
        >>> from sklc.simulate.surveys import Survey
        >>> table = pd.DataFrame({"mjd": [60000.2], "band": ["L"], "depth": [21.0],
        ...                       "position": [0]})
        >>> curve = [4000.0, 5500.0, 7000.0], [0.0, 0.8, 0.0]
        >>> survey = Survey.from_pointings(table, name="mytel", passbands={"L": curve})
        >>> survey.throughput(0)[0]
        array([4000., 5500., 7000.])
        """
        passband = self.passbands[code]
        for key in (passband, passband.name):
            if key in self.curves:
                return self.curves[key]
        name = passband.sncosmo_name or passband.name
        if name not in self._loaded:
            self._loaded[name] = sncosmo_curve(name)
        return self._loaded[name]

    def summary(self) -> pd.DataFrame:
        """Describe the visits in each band.

        Returns
        -------
        pandas.DataFrame
            One row per band, by name: visits and nights per position; mean and median days between
            the nights of a position within a season (gaps up to 60 d); 5, 50 and 95 % quantiles
            of the depth of a visit (AB magnitudes).
        """
        visits, nights = self.visits, self.nightly_visits
        n = max(visits.n_positions, 1)
        depth = visits.depth()
        rows = []
        for code in range(len(self.passbands)):
            of_band = nights.band == code
            time, position = nights.time[of_band], nights.position[of_band]
            gaps = np.diff(time)[np.diff(position) == 0]
            gaps = gaps[gaps <= _SEASON_GAP]
            deep = depth[visits.band == code]
            rows.append(
                (
                    len(deep) / n,
                    len(time) / n,
                    np.mean(gaps) if len(gaps) else np.nan,
                    np.median(gaps) if len(gaps) else np.nan,
                    *(np.quantile(deep, [0.05, 0.5, 0.95]) if len(deep) else [np.nan] * 3),
                )
            )
        columns = ["visits", "nights", "gap_mean", "gap_median", "m5_05", "m5_50", "m5_95"]
        index = pd.Index(passband_labels(self.passbands), name="band")
        return pd.DataFrame(rows, index=index, columns=columns)


def get_survey(survey: str | Survey) -> Survey:
    """Return a survey by name, or a `Survey` as it is.

    Parameters
    ----------
    survey : str or Survey
        Name of a built-in survey, see `list_surveys`.

    Returns
    -------
    Survey

    Raises
    ------
    SimulationError
        If no built-in survey has the name.

    Examples
    --------
    >>> from sklc.simulate.surveys import get_survey
    >>> get_survey("DES").label
    'DES'
    """
    return survey if isinstance(survey, Survey) else Survey.builtin(survey)


def list_surveys() -> list[str]:
    """Return the names of the surveys that `simulate` knows.

    Returns
    -------
    list of str
        The built-in surveys, then those that you registered.

    Examples
    --------
    >>> from sklc.simulate.surveys import list_surveys
    >>> list_surveys()
    ['ztf', 'lsst', 'lsst-ddf', 'ps1', 'des'...]
    """
    return list(SURVEYS.entries)


def register_survey(survey: Survey, *, overwrite: bool = False) -> None:
    """Make a survey known by its name to `simulate`, `simulate_to_parquet` and `list_surveys`.

    Parameters
    ----------
    survey : Survey
        The survey, which is then chosen by its ``name``, in any case.
    overwrite : bool, default=False
        Whether a survey of this name is replaced.

    Raises
    ------
    SimulationError
        If this is not a Survey, or if another survey has the name.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklc.simulate import Survey, list_surveys, register_survey
    >>> table = pd.DataFrame({"mjd": [60000.2, 60001.2], "band": ["g", "r"],
    ...                       "depth": [24.4, 24.0], "position": ["COSMOS", "COSMOS"]})
    >>> survey = Survey.from_pointings(table, name="deep", passbands={"g": "desg", "r": "desr"})
    >>> register_survey(survey, overwrite=True)
    >>> "deep" in list_surveys()
    True
    >>> from sklc.simulate.surveys.survey import SURVEYS
    >>> SURVEYS.unregister("deep")
    """
    if not isinstance(survey, Survey):
        raise SimulationError(
            f"A survey is made with sklc.simulate.Survey, got {type(survey).__name__}."
        )
    key = _key(survey.name) if isinstance(survey.name, str) else survey.name
    known = key in SURVEYS and SURVEYS[key]() is survey
    SURVEYS.register(key, lambda: survey, overwrite=overwrite or known)


def _key(name: object) -> str:
    key = str(name).strip().casefold().replace("_", "-")
    return ALIASES.get(key, key)


@cache
def _build(key: str) -> Survey:
    recipe = RECIPES[key]
    return Survey(
        key,
        recipe.label,
        tuple(find_passbands(recipe.passbands)),
        recipe.cadence(),
        recipe.systematic,
        night_start=local_noon(recipe.longitude),
        curves={} if recipe.curves is None else recipe.curves(),
        total_flux=recipe.total_flux,
    )


SURVEYS: Registry[Callable[[], Survey]] = Registry(
    "survey", home="sklc.simulate", error=SimulationError
)
for _name in RECIPES:
    SURVEYS.register(_name, partial(_build, _name))
