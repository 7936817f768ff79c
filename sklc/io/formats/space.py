"""Kepler, K2 and TESS: light-curve files of the archive."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sklc._optional import require
from sklc.errors import LightCurveError
from sklc.io.documents import to_number
from sklc.io.formats.astropy_table import decompressed
from sklc.io.photometry import Photometry, Quality, Rows
from sklc.io.registry import reader
from sklc.io.source import Source
from sklc.io.tabular import join
from sklc.io.values import constant

__all__ = ["read_kepler", "read_tess"]

_MJD_OF_JD = 2_400_000.5
# The fluxes in files of the mission and of other pipelines, the one to prefer first.
_FLUXES = ["PDCSAP_FLUX", "KSPSAP_FLUX", "DET_FLUX", "CORR_FLUX", "FLUX", "SAP_FLUX"]


@dataclass(frozen=True)
class Mission:
    """What differs between the missions.

    Parameters
    ----------
    passband : str
    zero_point : float
        AB magnitude of one electron per second.
    offset : float
        What to add to the mission's magnitude of a star to make it an AB magnitude.
    reference : float
        The Julian date that times count from.
    bad : int
        The bits of the quality flags for which an observation is left out.
    ids, magnitude : str
        Keys of the header.
    """

    passband: str
    zero_point: float
    offset: float
    reference: float
    bad: int
    ids: str
    magnitude: str


# Kepler: a star of Kp = 12 gives 1.74e5 electrons per second (Kepler Instrument Handbook), and Kp
# is close to AB. TESS: zero point 20.44 in Vega magnitudes (TESS Instrument Handbook, 2018); AB
# minus Vega is 0.35 from the flux of 2632 Jy at T = 0 (SVO). The bits are those that lightkurve
# leaves out.
KEPLER = Mission("kepler", 25.10, 0.0, 2_454_833.0, 1_130_799, "KEPLERID", "KEPMAG")
TESS = Mission("tess", 20.79, 0.35, 2_457_000.0, 17_087, "TICID", "TESSMAG")


def _is_from(telescope: bytes) -> Any:
    def recognise(source: Source) -> bool:
        return source.kind == "fits" and b"TELESCOP= '" + telescope in source.head.upper()

    return recognise


def photometry_of_star(
    table: pd.DataFrame,
    header: Mapping[str, Any],
    mission: Mission,
    quality: Quality,
    zero_point: float,
) -> Photometry:
    """Return the photometry of one object: a table with time, flux, flux_err and quality."""
    rows = Rows(table)
    rows.leave_out(~np.isfinite(table["time"]), "without a time")
    rows.leave_out(~np.isfinite(table["flux"]), "without a flux")
    rows.select(
        lambda t: (t["quality"].to_numpy() & mission.bad) == 0, quality, "flagged (quality bits)"
    )
    error = table["flux_err"].to_numpy()
    known = np.isfinite(error) & (error > 0)
    if known.any():
        rows.leave_out(~known, "without a positive error")
    kept = rows.result()
    names = (mission.ids, "TARGETID", "LABEL", "OBJECT")
    id_ = next((header[name] for name in names if header.get(name) not in (None, "")), "0")
    metadata = pd.DataFrame(index=pd.Index([id_]))
    for name, keys in {"ra": ("RA_OBJ", "RA"), "dec": ("DEC_OBJ", "DEC"),
                       "magnitude": (mission.magnitude,)}.items():  # fmt: skip
        value = next((header[k] for k in keys if isinstance(header.get(k), int | float)), np.nan)
        metadata[name] = float(value)
    return Photometry(
        object_id=constant(id_, len(kept)),
        time=kept["time"].to_numpy(),
        flux=kept["flux"].to_numpy(),
        flux_err=kept["flux_err"].to_numpy() if known.any() else None,
        band=constant(mission.passband, len(kept)),
        zero_point=zero_point,
        metadata=metadata,
        notes=rows.notes,
    )


def is_absolute(flux: np.ndarray, unit: str, header: Mapping[str, Any], mission: Mission) -> bool:
    """Whether fluxes are electrons per second, as the unit says and the magnitude confirms."""
    magnitude, median = header.get(mission.magnitude), np.nan
    if np.isfinite(flux).any():
        median = float(np.nanmedian(flux))
    if isinstance(magnitude, int | float) and median > 0:
        own = mission.zero_point - 2.5 * np.log10(median)
        if (
            abs(own - magnitude - mission.offset) > 3
        ):  # some pipelines give relative fluxes this unit
            return False
    return unit.replace(" ", "").casefold().startswith("e")


def relative_zero_point(flux: np.ndarray, header: Mapping[str, Any], mission: Mission) -> float:
    """Return the zero point of relative fluxes, whose median has the magnitude of the star."""
    magnitude = header.get(mission.magnitude)
    median = float(np.nanmedian(flux)) if np.isfinite(flux).any() else np.nan
    if not isinstance(magnitude, int | float) or not median > 0:
        raise LightCurveError(
            "the fluxes are relative, and there is no magnitude of the star "
            f"({mission.magnitude}): pass zero_point=, the AB magnitude of a relative flux of 1"
        )
    return magnitude + mission.offset + 2.5 * float(np.log10(median))


def _files(
    source: Source, mission: Mission, flux: str | None, quality: Quality, zero_point: float | None
) -> Iterator[Photometry]:
    fits = require("astropy.io.fits", extra="io", user="sklc.io.read")
    for name, file in source.files():
        with file, warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*truncated.*")
            try:
                with fits.open(decompressed(file), memmap=False) as hdus:
                    yield _one_file(hdus, name, mission, flux, quality, zero_point)
            except Warning as warning:
                raise LightCurveError(f"{name} is truncated: download it again") from warning


def _flux_column(data: Any, names: list[str], flux: str | None, file: str) -> str:
    """Return the column of the flux that was asked for, or the best there is."""
    known = [name for name in names if name.endswith("FLUX")]
    if any(data[name].ndim > 1 for name in known):
        raise LightCurveError(
            f"{file} is a target pixel file: extract a light curve from it with lightkurve"
        )
    wanted = _FLUXES if flux is None else [{"pdcsap": "PDCSAP_FLUX", "sap": "SAP_FLUX"}.get(
        flux.casefold(), flux)]  # fmt: skip
    found = next((name for name in wanted if name in known), None)
    if found is None:
        raise LightCurveError(
            f"{file} has no column {' or '.join(wanted)} (flux={flux!r}): pass flux= one of {known}"
        )
    return found


def _one_file(
    hdus: Any,
    name: str,
    mission: Mission,
    flux: str | None,
    quality: Quality,
    zero_point: float | None,
) -> Photometry:
    found = [hdu for hdu in hdus if "TIME" in getattr(getattr(hdu, "columns", None), "names", ())]
    if not found:
        raise LightCurveError(f"{name} has no table with a column TIME: it holds no light curve")
    data, columns = found[0].data, found[0].columns
    header = {**hdus[0].header, **found[0].header}
    telescope = str(header.get("TELESCOP", ""))
    if mission.passband not in telescope.casefold():
        raise LightCurveError(
            f"{name} is of {telescope[:80]!r}, not of {mission.passband.title()}: read the files "
            "of each mission by themselves, and join them with sklc.concatenate"
        )
    column = _flux_column(data, columns.names, flux, name)
    flags = next((n for n in ("SAP_QUALITY", "QUALITY") if n in columns.names), None)
    day, rest = header.get("BJDREFI", mission.reference), header.get("BJDREFF", 0.0)
    start = to_number(day, f"{name}, BJDREFI") + to_number(rest, f"{name}, BJDREFF")
    values = np.asarray(data[column], dtype=np.float64)
    n = len(values)
    errors = data[f"{column}_ERR"] if f"{column}_ERR" in columns.names else np.full(n, np.nan)
    bits = np.asarray(data[flags], dtype=np.int64) if flags else np.zeros(n, dtype=np.int64)
    table = pd.DataFrame({
        "time": np.asarray(data["TIME"], dtype=np.float64) + (start - _MJD_OF_JD),
        "flux": values,
        "flux_err": np.asarray(errors, dtype=np.float64),
        "quality": bits,
    })  # fmt: skip
    if zero_point is None:
        zero_point = mission.zero_point
        if not is_absolute(values, str(columns[column].unit or ""), header, mission):
            zero_point = relative_zero_point(values, header, mission)
    photometry = photometry_of_star(table, header, mission, quality, zero_point)
    if flux is None and column != "PDCSAP_FLUX":
        photometry.notes.append(f"the flux is {column}")
    return photometry


@reader(
    "kepler",
    title="Kepler and K2 light-curve files (FITS)",
    flux="total flux",
    recognise=_is_from(b"KEPLER"),
)
def read_kepler(
    source: Source,
    *,
    flux: str | None = None,
    zero_point: float | None = None,
    quality: Quality = "good",
) -> Photometry:
    """Read light-curve files of Kepler and K2, such as ``kplr001026032-..._llc.fits``.

    Several quarters of a star are joined. Their levels differ by some per cent, since a star falls
    on another part of the detector.

    Parameters
    ----------
    source : path, list of paths, bytes or binary file
        FITS files of the archive (MAST).
    flux : str, optional
        "pdcsap" is the flux that the pipeline freed of systematic trends, "sap" is the sum in the
        aperture; or the name of another column. The default is "pdcsap"; in files of other
        pipelines it is what takes its place, which a note names.
    zero_point : float, optional
        AB zero point. The default is 25.10 for electrons per second (Kepler Instrument Handbook: Kp
        = 12 gives 1.74e5 per second), good to about 0.1 mag. Relative fluxes get the Kepler
        magnitude of the star.
    quality : {"good", "all"} or callable, default="good"
        "good" leaves out observations with the flags that lightkurve leaves out by default (bit
        mask 1130799). A callable gets a table with the columns time, flux, flux_err and quality.
        Rows without a flux are always left out.

    Returns
    -------
    LightCurves
        Total flux. Times are MJD, barycentric, TDB, at the middle of the cadence. Ids are KIC or
        EPIC numbers; the metadata are ra, dec (degrees) and magnitude (Kp).

    Raises
    ------
    LightCurveError
        If a file is damaged, or has no light curve.
    ImportError
        If astropy is not installed.

    Examples
    --------
    >>> from sklc.io import read_kepler
    >>> curves = read_kepler("kplr001026032-2011271113734_llc.fits")  # doctest: +SKIP
    """
    return join(list(_files(source, KEPLER, flux, quality, zero_point)))


@reader(
    "tess", title="TESS light-curve files (FITS)", flux="total flux", recognise=_is_from(b"TESS")
)
def read_tess(
    source: Source,
    *,
    flux: str | None = None,
    zero_point: float | None = None,
    quality: Quality = "good",
) -> Photometry:
    """Read light-curve files of TESS, such as ``tess2018206045859-s0001-..._lc.fits``.

    Several sectors of a star are joined; their levels differ by some per cent.

    Parameters
    ----------
    source : path, list of paths, bytes or binary file
        FITS files of the archive (MAST).
    flux : str, optional
        "pdcsap" is the flux that the pipeline freed of systematic trends, "sap" is the sum in the
        aperture; or the name of another column. The default is "pdcsap"; in files of other
        pipelines it is what takes its place, such as "KSPSAP_FLUX" of the Quick-Look Pipeline,
        which a note names.
    zero_point : float, optional
        AB zero point. The default is 20.79 for electrons per second: 20.44 in Vega magnitudes (TESS
        Instrument Handbook), and 0.35 from Vega to AB (SVO). Relative fluxes get the TESS magnitude
        of the star.
    quality : {"good", "all"} or callable, default="good"
        "good" leaves out observations with the flags that lightkurve leaves out by default (bit
        mask 17087). A callable gets a table with the columns time, flux, flux_err and quality. Rows
        without a flux are always left out.

    Returns
    -------
    LightCurves
        Total flux. Times are MJD, barycentric, TDB, at the middle of the cadence. Ids are TIC
        numbers; the metadata are ra, dec (degrees) and magnitude (TESS).

    Raises
    ------
    LightCurveError
        If a file is damaged, or has no light curve.
    ImportError
        If astropy is not installed.

    Examples
    --------
    >>> from sklc.io import read_tess
    >>> curves = read_tess("tess2018206045859-s0001-25155310_lc.fits")  # doctest: +SKIP
    """
    return join(list(_files(source, TESS, flux, quality, zero_point)))
