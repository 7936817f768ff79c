"""Light curves of the forced-photometry service of ATLAS."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.io.bands import passband_column
from sklc.io.objects import object_name
from sklc.io.photometry import Photometry, Quality, Rows
from sklc.io.registry import reader
from sklc.io.service_tables import clean_name, read_text_table, service_columns, service_table
from sklc.io.source import Source
from sklc.io.values import numbers, require_columns

__all__ = ["read_atlas_forced"]

_NEEDED = ("MJD", "uJy", "duJy")
# The columns of ATLAS's own pages, under the names of the service.
_OWN_PAGES = {"mjd": "MJD", "filter": "F", "chin": "chi/N", "ra": "RA", "dec": "Dec"}
# Smallest and largest value of a good row; chips are 10,560 pixels wide.
_RANGES = {
    "err": (0.0, 0.0),
    "duJy": (0.0, 4000.0),
    "chi/N": (-np.inf, 100.0),
    "x": (100.0, 10460.0),
    "y": (100.0, 10460.0),
    "mag5sig": (17.0, np.inf),
    "Sky": (17.0, np.inf),
}
_ATCLEAN_BAD = 0x1 | 0x2 | 0x400000 | 0x800000  # chi square, error, control light curves, bad bin
_ONE_FILTER = re.compile(r"\.([a-z])(?:\.\d+\.\d+days)?(?:\.lc)?(?:\.txt|\.csv|\.dat)?$")


def _recognise(source: Source) -> bool:
    line = next((line for line in source.lines if line.strip()), "")
    words = [clean_name(word) for word in re.split(r"[,\s]+", line.lstrip("#"))]
    return _is_atlas(service_columns(source)) or _is_atlas(words)


def _is_atlas(names: Iterable[str]) -> bool:
    found = set(names)
    return set(_NEEDED) <= found or {"mjd", "filter", "uJy", "duJy", "chin"} <= found


@reader(
    "atlas-forced",
    title="ATLAS forced photometry",
    flux="difference or total flux, as it was requested",
    recognise=_recognise,
)
def read_atlas_forced(
    source: Source,
    *,
    quality: Quality = "good",
    flux: Literal["difference", "total"] = "difference",
    object_id: str | None = None,
) -> Photometry:
    r"""Read light curves of the forced-photometry service of ATLAS.

    The service gives one text file for each position, with the flux in microjansky (AB zero point
    23.9). **A file does not say whether its fluxes are difference or total fluxes**: that was
    chosen when they were requested. Times are UTC at the start of the exposure (30 s). Four
    exposures were taken each night: `LightCurves.nightly` averages them.

    Parameters
    ----------
    source : path, list of paths, bytes, binary file or table
        A file of the service (its first line begins with ``###MJD``), the same as CSV, a table that
        ATClean wrote, or several of them. Files of one object and one filter each, named as
        ATClean does (``2019vxm.o.lc.txt``), are joined.
    quality : "good", "all" or callable, default="good"
        "good" keeps rows with ``err`` = 0, ``duJy`` <= 4000, ``chi/N`` <= 100, ``x`` and ``y``
        between 100 and 10460, ``mag5sig`` >= 17 and ``Sky`` >= 17, and without ATClean's marks of
        bad rows in ``Mask``, as far as these columns are there.
    flux : {"difference", "total"}, default="difference"
        What was requested. The values are not changed. Fluxes that look like total fluxes although
        difference fluxes are expected are reported.
    object_id : str, optional
        The id of the object, or the name of a column with the ids of several objects. The default
        is the name of each file.

    Returns
    -------
    LightCurves
        With the metadata ra and dec where the rows hold the position.

    Raises
    ------
    LightCurveError
        If the source is damaged or has no row that can be used.

    Notes
    -----
    Columns: https://fallingstar-data.com/forcedphot/resultdesc/. The reference images changed near
    MJD 58417 and 58882, which may shift the difference flux.

    Examples
    --------
    >>> from sklc.io import read_atlas_forced
    >>> text = '''###MJD m dm uJy duJy F err chi/N RA Dec x y maj min phi apfit mag5sig Sky Obs
    ... 59000.5 18.1 0.1 210 19 o 0 1.1 150.1 2.2 5000 5000 2.5 2.4 -40 -.4 19.6 20.1 02a59000o0300o
    ... 59002.5 -19. 0.4 -80 31 c 0 1.0 150.1 2.2 5000 5000 2.5 2.4 -40 -.4 19.4 20.2 02a59002o0300c
    ... '''
    >>> curves = read_atlas_forced(text.encode(), object_id="AT2020x")
    >>> curves.flux.tolist(), curves.zero_point, curves.metadata["ra"].tolist()
    ([210.0, -80.0], 23.9, [150.1])
    """
    if flux not in ("difference", "total"):
        raise LightCurveError(f'flux must be "difference" or "total", got {flux!r}')
    table, first_line = _table(source, object_id)
    require_columns(table, *_NEEDED)
    rows = Rows(table)
    values = numbers(table, "uJy", first_line=first_line)
    errors = numbers(table, "duJy", first_line=first_line)
    rows.leave_out(~np.isfinite(values + errors) | (errors <= 0), "without a flux")
    rows.select(_good, quality, 'poor fits, see quality="all"')
    kept = rows.kept
    notes = rows.notes
    if flux == "difference" and kept.any():
        if np.median((values / np.where(errors > 0, errors, np.nan))[kept]) > 5:
            notes.append(
                "most fluxes exceed 5 sigma, as total fluxes (reduced images) do: if that is what "
                'was requested, pass flux="total"'
            )
        else:
            notes.append('taken as difference flux: pass flux="total" if total flux was requested')
    return Photometry(
        object_id=table["object_id"][kept],
        time=numbers(table, "MJD", first_line=first_line)[kept],
        flux=values[kept],
        flux_err=errors[kept],
        band=passband_column(table["F"], "ATLAS")[kept],
        zero_point=23.9,
        metadata=_positions(table),
        notes=notes,
    )


def _table(source: Source, object_id: str | None) -> tuple[pd.DataFrame, int | None]:
    """Return the table with the columns object_id and F, and the line of its first row."""
    if source.kind != "text":
        table = _service_names(service_table(source))
        return _with_ids(table, object_id, "0"), None
    parts, first_line = [], None
    for name, file in source.files():
        with file:
            read = read_text_table(file, _is_atlas, "###MJD m dm uJy ...")
        own = _service_names(read.table)
        one_filter = _ONE_FILTER.search(name)
        if "F" not in own.columns and one_filter:
            own["F"] = one_filter[1]
        default = object_name(_ONE_FILTER.sub("", name) if one_filter else name)
        parts.append(_with_ids(own, object_id, default))
        first_line = read.first_line
    if len(parts) == 1:
        return parts[0], first_line
    return pd.concat(parts, ignore_index=True), None


def _service_names(table: pd.DataFrame) -> pd.DataFrame:
    return table if "MJD" in table.columns else table.rename(columns=_OWN_PAGES)


def _with_ids(table: pd.DataFrame, object_id: str | None, default: str) -> pd.DataFrame:
    if "F" not in table.columns:
        raise LightCurveError(
            "column 'F' (the filter) is missing: add it to the table, as with table['F'] = 'o'"
        )
    if object_id in table.columns:
        return table.assign(object_id=table[object_id])
    if object_id is None and "object_id" in table.columns:
        return table
    return table.assign(object_id=default if object_id is None else object_id)


def _good(table: pd.DataFrame) -> np.ndarray:
    good = np.ones(len(table), dtype=bool)
    for name, (smallest, largest) in _RANGES.items():
        if name in table.columns:
            values = numbers(table, name)
            good &= ~((values < smallest) | (values > largest))
    if "Mask" in table.columns:
        good &= (np.nan_to_num(numbers(table, "Mask")).astype(np.int64) & _ATCLEAN_BAD) == 0
    return good


def _positions(table: pd.DataFrame) -> pd.DataFrame | None:
    if not {"RA", "Dec"} <= set(table.columns):
        return None
    positions = table.groupby("object_id", sort=False)[["RA", "Dec"]].median()
    return positions.rename(columns={"RA": "ra", "Dec": "dec"})
