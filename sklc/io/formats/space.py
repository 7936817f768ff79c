"""Kepler, K2 and TESS: light-curve files of the archive, and lightkurve objects."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sklc._optional import require
from sklc.errors import LightCurveError
from sklc.io.bands import constant
from sklc.io.columns import ZERO_POINTS
from sklc.io.formats.astropy_table import decompressed
from sklc.io.photometry import Photometry, Quality, Rows
from sklc.io.registry import reader
from sklc.io.source import Source
from sklc.io.tabular import join

__all__ = ["read_kepler", "read_lightkurve", "read_tess"]

_MJD_OF_JD = 2_400_000.5


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
_KEPLER = Mission("kepler", 25.10, 0.0, 2_454_833.0, 1_130_799, "KEPLERID", "KEPMAG")
_TESS = Mission("tess", 20.79, 0.35, 2_457_000.0, 17_087, "TICID", "TESSMAG")


def _is_from(telescope: bytes) -> Any:
    def recognise(source: Source) -> bool:
        return source.kind == "fits" and b"TELESCOP= '" + telescope in source.head

    return recognise


def _mission_of(header: Mapping[str, Any]) -> Mission:
    text = f"{header.get('MISSION', '')} {header.get('TELESCOP', '')}"
    if "tess" in text.casefold():
        return _TESS
    if "kepler" in text.casefold() or "k2" in text.casefold():
        return _KEPLER
    raise LightCurveError(
        f"the mission is {text.strip()[:80]!r}, which is neither Kepler, K2 nor TESS: convert the "
        "light curve with .to_table() and pass it with passband= and zero_point=, "
        'format="astropy-table"'
    )


def _photometry(
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


def _relative_zero_point(flux: np.ndarray, header: Mapping[str, Any], mission: Mission) -> float:
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
    source: Source, mission: Mission, flux: str, quality: Quality, zero_point: float | None
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


def _one_file(
    hdus: Any, name: str, mission: Mission, flux: str, quality: Quality, zero_point: float | None
) -> Photometry:
    found = [hdu for hdu in hdus if "TIME" in getattr(getattr(hdu, "columns", None), "names", ())]
    if not found:
        raise LightCurveError(f"{name} has no table with a column TIME: it holds no light curve")
    data, columns = found[0].data, found[0].columns
    header = {**hdus[0].header, **found[0].header}
    column = {"pdcsap": "PDCSAP_FLUX", "sap": "SAP_FLUX"}.get(flux.casefold(), flux)
    if column not in columns.names:
        known = [n for n in columns.names if n.endswith("FLUX")]
        remedy = f"pass flux= one of {known}"
        if data[columns.names[columns.names.index(known[0])]].ndim > 1 if known else False:
            remedy = "it is a target pixel file; extract a light curve with lightkurve"
        raise LightCurveError(f"{name} has no column {column} (flux={flux!r}): {remedy}")
    flags = next((n for n in ("SAP_QUALITY", "QUALITY") if n in columns.names), None)
    start = header.get("BJDREFI", mission.reference) + header.get("BJDREFF", 0.0)
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
        absolute = str(columns[column].unit or "").replace(" ", "").startswith("e")
        zero_point = (
            mission.zero_point if absolute else _relative_zero_point(values, header, mission)
        )
    return _photometry(table, header, mission, quality, zero_point)


@reader(
    "kepler",
    title="Kepler and K2 light-curve files (FITS)",
    flux="total flux",
    recognise=_is_from(b"Kepler"),
)
def read_kepler(
    source: Source,
    *,
    flux: str = "pdcsap",
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
    flux : str, default="pdcsap"
        "pdcsap" is the flux that the pipeline freed of systematic trends, "sap" is the sum in the
        aperture; or the name of another column.
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
    return join(list(_files(source, _KEPLER, flux, quality, zero_point)))


@reader(
    "tess", title="TESS light-curve files (FITS)", flux="total flux", recognise=_is_from(b"TESS")
)
def read_tess(
    source: Source,
    *,
    flux: str = "pdcsap",
    zero_point: float | None = None,
    quality: Quality = "good",
) -> Photometry:
    """Read light-curve files of TESS, such as ``tess2018206045859-s0001-..._lc.fits``.

    Several sectors of a star are joined; their levels differ by some per cent.

    Parameters
    ----------
    source : path, list of paths, bytes or binary file
        FITS files of the archive (MAST).
    flux : str, default="pdcsap"
        "pdcsap" is the flux that the pipeline freed of systematic trends, "sap" is the sum in the
        aperture; or the name of another column, such as "KSPSAP_FLUX" of the Quick-Look Pipeline.
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
    return join(list(_files(source, _TESS, flux, quality, zero_point)))


def _is_lightkurve(given: Any) -> bool:
    return any(c.__module__.startswith("lightkurve") for c in type(given).__mro__)


def _members(given: Any) -> list[Any]:
    """Return the light curves in a collection or a list, or a light curve itself."""
    if isinstance(given, list | tuple):
        return list(given) if given and all(map(_is_lightkurve, given)) else []
    if not _is_lightkurve(given):
        return []
    return [given] if hasattr(given, "colnames") else list(given)


@reader(
    "lightkurve",
    title="lightkurve LightCurve and LightCurveCollection",
    flux="total flux",
    recognise=lambda source: bool(_members(source.object)),
)
def read_lightkurve(
    source: Source, *, zero_point: float | None = None, quality: Quality = "good"
) -> Photometry:
    """Read light curves of the package lightkurve.

    Parameters
    ----------
    source : lightkurve.LightCurve, LightCurveCollection or list of LightCurve
        Light curves of Kepler, K2 or TESS; those of one star are joined.
    zero_point : float, optional
        AB zero point. The default is 25.10 (Kepler) or 20.79 (TESS) for electrons per second, see
        `read_kepler` and `read_tess`; normalised light curves get the magnitude of the star.
    quality : {"good", "all"} or callable, default="good"
        As for `read_kepler`; lightkurve has left out most flagged observations already.

    Returns
    -------
    LightCurves
        Total flux. Times are MJD in the scale of the light curve (TDB, barycentric).

    Raises
    ------
    LightCurveError
        If a light curve is folded, is in magnitudes, or its mission is another one.

    Examples
    --------
    >>> import lightkurve  # doctest: +SKIP
    >>> from sklc.io import read_lightkurve
    >>> found = lightkurve.search_lightcurve("KIC 1026032", quarter=10)  # doctest: +SKIP
    >>> curves = read_lightkurve(found.download())  # doctest: +SKIP
    """
    return join([_from_lightkurve(one, quality, zero_point) for one in _members(source.object)])


def _from_lightkurve(curve: Any, quality: Quality, zero_point: float | None) -> Photometry:
    header = {str(key).upper(): value for key, value in curve.meta.items()}
    mission = _mission_of(header)
    if not hasattr(curve["time"], "mjd"):
        raise LightCurveError("the light curve is folded: pass it as it was before .fold()")
    unit = str(curve["flux"].unit or "").replace(" ", "").casefold()
    if "mag" in unit:
        raise LightCurveError(
            f"the flux is in magnitudes ({unit}): select a flux with .select_flux()"
        )
    flux, error = (_filled(curve[name]) for name in ("flux", "flux_err"))
    if zero_point is None and unit.startswith(("electron", "e/", "e-")):
        zero_point = mission.zero_point
    elif zero_point is None:
        zero_point = ZERO_POINTS.get(unit) or _relative_zero_point(flux, header, mission)
    flags = _filled(curve["quality"]) if "quality" in curve.colnames else np.zeros(len(flux))
    flags = np.nan_to_num(flags).astype(np.int64)
    table = pd.DataFrame(
        {"time": _filled(curve["time"].mjd), "flux": flux, "flux_err": error, "quality": flags}
    )
    return _photometry(table, header, mission, quality, zero_point)


def _filled(column: Any) -> np.ndarray:
    """Return a column as float64, masked values as NaN."""
    values = getattr(column, "value", column)
    mask = np.asarray(getattr(values, "mask", False))
    array = np.asarray(getattr(values, "unmasked", getattr(values, "data", values)))
    return np.where(mask, np.nan, array.astype(np.float64))
