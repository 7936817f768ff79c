"""Light curves of SNANA: text files, and pairs of HEAD and PHOT files (FITS)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError, UnknownPassbandError
from sklc.io.bands import passband_column
from sklc.io.formats.snana_files import (
    Part,
    sncosmo_tables,
    table_parts,
    text_parts,
)
from sklc.io.formats.snana_fits import fits_parts
from sklc.io.objects import label_column
from sklc.io.photometry import Photometry, Quality, Rows
from sklc.io.registry import reader
from sklc.io.source import Source
from sklc.io.values import coded
from sklc.passbands import list_passbands
from sklc.utils.text import counted

__all__ = ["read_snana"]

_MISSING = (-9.0, -99.0, -999.0, -9999.0)
# The standard names of columns of the header; the first that is known for an object counts.
_NAMES = {
    "label": ("SNTYPE", "TYPE"),
    "redshift": ("REDSHIFT_FINAL", "REDSHIFT_CMB", "REDSHIFT_HELIO"),
    "ra": ("RA",),
    "dec": ("DEC", "DECL"),
    "mwebv": ("MWEBV",),
}
# What describes the files and the images and not the object, and what has a standard name.
_LEFT_OUT = {"SNID", "ZP_FLUXCAL", "NOBS", "NVAR", "PTROBS_MIN", "PTROBS_MAX", "PIXSIZE", "NXPIX",
             "NYPIX", "CCDNUM", "IMGNUM", "FILTERS", "SNTYPE", "TYPE", "RA", "DEC", "DECL",
             "MWEBV"}  # fmt: skip


_STARTS = [slice(n) for n in range(12, 2, -1)]  # of the names of surveys, the longest first
_TEXT_NAME = re.compile(r"\.(dat|txt)(\.gz)?$", re.IGNORECASE)


def _recognise(source: Source) -> bool:
    if source.object is not None:
        return bool(sncosmo_tables(source.object))
    if source.is_folder:
        texts = (p for p in sorted(source.paths[0].rglob("*")) if _TEXT_NAME.search(p.name))
        return _has_fits(source.paths[0]) or any(
            path.stat().st_size and _is_text(Source(path).head) for path in islice(texts, 5)
        )
    if source.kind == "fits":
        return b"'PTROBS_MIN" in source.head or b"'FLUXCAL" in source.head
    return source.kind == "text" and _is_text(source.head)


def _is_text(head: bytes) -> bool:
    return bool(re.search(rb"(?m)^SNID:", head) and re.search(rb"(?m)^(VARLIST|NVAR|OBS):", head))


@reader(
    "snana",
    title="SNANA light curves (text or FITS)",
    flux="difference flux",
    recognise=_recognise,
)
def read_snana(
    source: Source,
    *,
    quality: Quality = "good",
    phot: Any = None,
    survey: str | None = None,
    bands: Mapping[str, Any] | None = None,
) -> Photometry:
    r"""Read light curves of SNANA.

    Fluxes are FLUXCAL, the **difference flux** of real transients. Their AB zero point is
    ``ZP_FLUXCAL`` of the header, which SNANA writes since it also uses 31.4; it is 27.5 where the
    header does not have it. Times are MJD, as the survey defines them. Bands are those of
    ``SURVEY`` in the header.

    Parameters
    ----------
    source : path, list of paths, bytes, binary file or tables
        Text files, or HEAD files (FITS, compressed or not), beside which the PHOT files lie; or a
        folder of such files. Several versions in one folder are all read. What
        `sncosmo.read_snana_fits` and `sncosmo.read_snana_ascii` return is read, too.
    quality : "good", "all" or callable, default="good"
        SNANA's files hold what their authors kept: "good" and "all" both keep every row with a
        flux and a positive error. A function chooses others, for example by PHOTFLAG, whose bits
        are defined by each survey.
    phot : path, bytes or binary file, optional
        The PHOT file, where it does not lie beside the HEAD file.
    survey : str, optional
        The survey of the bands, where the header does not name it.
    bands : dict, optional
        The passbands of labels, where they are not those of the survey: ``{"B": "bessellb"}``.

    Returns
    -------
    LightCurves
        With the metadata label (SNTYPE), redshift (REDSHIFT_FINAL, else REDSHIFT_CMB or
        REDSHIFT_HELIO), ra, dec and mwebv, and the other columns of the header, among them the
        truth of simulations (``SIM_...``), under their own names. Missing values (-9) are NaN.

    Raises
    ------
    LightCurveError
        If a file is damaged, HEAD and PHOT files do not belong together, or no row can be used.
    UnknownPassbandError
        If a band is not known.
    ImportError
        If astropy, which reads FITS files, is not installed.

    Notes
    -----
    Formats: SNANA manual, section 4 (Kessler et al. 2009, PASP 121, 1028).

    Examples
    --------
    >>> from sklc.io import read_snana
    >>> text = '''SURVEY: DES
    ... SNID: 1234
    ... REDSHIFT_FINAL: 0.36 +- 0.01
    ... NOBS: 2
    ... VARLIST: MJD BAND FLUXCAL FLUXCALERR
    ... OBS: 56534.2 g 5.9 3.7
    ... OBS: 56534.3 r 6.0 5.2
    ... '''
    >>> curves = read_snana(text.encode())
    >>> curves.metadata["redshift"].tolist(), curves.band_names.tolist()
    ([0.36], ['desg', 'desr'])
    """
    notes: list[str] = []
    if source.object is not None:
        parts = table_parts(source)
    elif source.kind == "fits" or (source.is_folder and _has_fits(source.paths[0])):
        parts = fits_parts(source, phot, notes, every_column=callable(quality))
    else:
        parts = text_parts(source, notes)
    _make_ids_unique(parts, notes)
    tables, band_columns = [], []
    for part in parts:
        band_columns.append(_passbands(part, survey, bands, notes))
        tables.append(part.table)
    table = tables[0] if len(tables) == 1 else pd.concat(tables, ignore_index=True)
    rows = Rows(table)
    flux = table["FLUXCAL"].to_numpy(np.float64)
    error = table["FLUXCALERR"].to_numpy(np.float64)
    mjd = table["MJD"].to_numpy(np.float64)
    rows.leave_out(~np.isfinite(flux + error + mjd) | (error <= 0), "without a flux or an error")
    rows.select(lambda t: np.ones(len(t), dtype=bool), quality, "flagged")
    band = band_columns[0] if len(parts) == 1 else pd.api.types.union_categoricals(band_columns)
    lengths = np.concatenate([part.lengths for part in parts])
    ids = coded(np.repeat(np.arange(len(lengths)), lengths), [i for p in parts for i in p.ids])
    zero_point = np.concatenate([np.repeat(part.zero_point, part.lengths) for part in parts])
    same = len(zero_point) and (zero_point == zero_point[0]).all()
    kept: Any = slice(None) if rows.kept.all() else rows.kept
    return Photometry(
        object_id=ids[kept],
        time=mjd[kept],
        flux=flux[kept],
        flux_err=error[kept],
        band=band[kept],
        zero_point=float(zero_point[0]) if same else zero_point[kept],
        metadata=_metadata(parts),
        notes=notes + rows.notes,
    )


def _has_fits(folder: Path) -> bool:
    return any("HEAD.FITS" in path.name.upper() for path in folder.rglob("*"))


def _make_ids_unique(parts: list[Part], notes: list[str]) -> None:
    """Put the name of the version before ids that occur in more than one of them."""
    count = Counter(i for part in parts for i in part.ids)
    repeated = {i for i, n in count.items() if n > 1}
    if not repeated:
        return
    for part in parts:
        part.ids = np.array(
            [f"{part.version}:{i}" if i in repeated else i for i in part.ids], dtype=object
        )
    again = [i for i, n in Counter(i for part in parts for i in part.ids).items() if n > 1]
    if again:
        raise LightCurveError(
            f"SNID {again[0]!r} occurs more than once ({len(again)} such ids in all): read the "
            "files one by one"
        )
    notes.append(
        counted(len(repeated), "id occurs", "ids occur")
        + " in more than one version, whose name now stands before it, as in "
        f"{next(i for part in parts for i in part.ids if ':' in str(i))!r}"
    )


def _passbands(
    part: Part, survey: str | None, bands: Mapping[str, Any] | None, notes: list[str]
) -> pd.Categorical:
    """The passbands of a part, in the survey that is given or that its header names."""
    labels = part.band
    tried = survey or part.survey
    if tried is None:
        words = re.split(r"[^A-Za-z0-9]+", part.version)
        tried = next((word for word in words if _is_survey(word)), None)
        if tried is not None:
            note = f"the header of {part.version} names no survey: taken from its name, {tried}"
            notes.append(f"{note}; pass survey= if it is another")
    if survey is None and tried is not None and not _is_survey(tried):
        # "PS1MD" and "SDSS(HOLTZ08)" are versions of surveys. Where there is none of this name, the
        # labels may name it ("LSST-g").
        given, tried = tried, next(filter(_is_survey, map(tried.__getitem__, _STARTS)), None)
        if tried is not None:
            notes.append(f"SURVEY {given} is taken for {tried}: pass survey= if it is another")
    try:
        return passband_column(labels, tried, bands)
    except UnknownPassbandError as unknown:
        name, error = part.name, unknown
        if len(part.files) > 1:  # the row counts from the beginning of its own file
            each = np.split(labels, np.cumsum(part.lengths)[:-1])
            name, error = next(
                (file, found)
                for file, own in zip(part.files, each, strict=True)
                if (found := _unknown(own, tried, bands)) is not None
            )
        raise UnknownPassbandError(f"{name}, SURVEY {part.survey!r}: {error}") from error


def _unknown(labels: Any, survey: str | None, bands: Any) -> UnknownPassbandError | None:
    try:
        passband_column(labels, survey, bands)
    except UnknownPassbandError as error:
        return error
    return None


def _is_survey(name: str) -> bool:
    if len(name) < 2:
        return False
    try:
        return bool(list_passbands(name))
    except UnknownPassbandError:
        return False


def _metadata(parts: list[Part]) -> pd.DataFrame:
    headers = [part.header.set_axis(part.ids) for part in parts]
    header = headers[0] if len(headers) == 1 else pd.concat(headers)
    columns: dict[str, Any] = {}
    for name, candidates in _NAMES.items():
        values = [header[c] for c in candidates if c in header.columns]
        if not values:
            continue
        if name == "label":
            columns[name] = label_column(values[0], (*_MISSING, "-9"))
            continue
        known = np.full(len(header), np.nan)
        for value in values:
            own = pd.to_numeric(value, errors="coerce").to_numpy(dtype=np.float64)
            unknown = np.isin(own, _MISSING)
            if name == "dec" and unknown.any():
                unknown &= _no_position(header)
            known = np.where(np.isnan(known), np.where(unknown, np.nan, own), known)
        columns[name] = known
    for name in header.columns:
        if name not in _LEFT_OUT:
            known_values = _without_missing(header[name])
            if known_values is not None:
                columns[name] = known_values
    return pd.DataFrame(columns, index=header.index)


def _no_position(header: pd.DataFrame) -> np.ndarray | bool:
    """Where the right ascension is missing, too: a declination of -9 degrees is a true one."""
    if "RA" not in header.columns:
        return True
    return np.isin(pd.to_numeric(header["RA"], errors="coerce"), _MISSING)


def _without_missing(column: pd.Series) -> pd.Series | None:
    """A column of the header with NaN where it is missing, or None if it always is."""
    if column.dtype.kind not in "iuf":
        text = column.mask(column.isin(["NULL", "UNKNOWN", "", "-9"]))
        return None if text.isna().all() else text
    missing = np.isin(column.to_numpy(), _MISSING)
    if missing.all():
        return None
    if not missing.any():
        return column
    # floating point numbers do not hold the ids of galaxies
    exact = column.dtype.kind != "f" and column.abs().max() >= 2**53
    return column.astype(object).mask(missing, None) if exact else column.mask(missing)
