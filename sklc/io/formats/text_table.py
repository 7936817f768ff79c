"""Text tables whose columns the user names, and those of the Swift supernova archive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sklc.io.choices import Choices
from sklc.io.columns import Names
from sklc.io.formats.long_table import joined, tables
from sklc.io.objects import object_name
from sklc.io.photometry import Photometry, Quality
from sklc.io.registry import reader
from sklc.io.source import Source
from sklc.io.tabular import join, photometry_of
from sklc.io.text import read_text_table

__all__ = ["read_sousa", "read_text"]

_SOUSA = ("Filter", "MJD", "Mag", "MagErr", "3SigMagLim", "0.98SatLim", "Rate", "RateErr", "Ap",
          "Frametime", "Exp", "Telapse")  # fmt: skip


def _is_sousa(source: Source) -> bool:
    comments = " ".join(line for line in source.lines[:80] if line.lstrip().startswith("#"))
    return "magnitudes from Swift UVOT" in comments or "3SigMagLim" in comments


@reader(
    "sousa",
    title="Swift Optical/Ultraviolet Supernova Archive (SOUSA)",
    flux="flux with the host subtracted where the archive has a template",
    recognise=_is_sousa,
)
def read_sousa(source: Source, *, quality: Quality = "good") -> Photometry:
    r"""Read light curves of the Swift Optical/Ultraviolet Supernova Archive (SOUSA).

    Magnitudes are in the Vega system of UVOT and are converted to AB (Breeveld et al. 2011). They
    are free of the host galaxy where the archive has a template image, as its comments say.

    Parameters
    ----------
    source : path, list of paths, bytes or binary file
        Files such as ``SN2011fe_uvotB15.1.dat``, one object each.
    quality : {"good", "all"} or callable, default="good"
        "good" leaves out magnitudes brighter than the limit of saturation (0.98SatLim). Rows
        without a magnitude are upper limits and always left out. A callable gets the table.

    Returns
    -------
    LightCurves
        Total flux or difference flux, see above; zero point 27.5. Times are MJD (UTC) of the middle
        of the exposure. The id is the name of the supernova.

    Raises
    ------
    LightCurveError
        If the file is damaged.

    Examples
    --------
    >>> from sklc.io import read_sousa
    >>> head = b"# SN2011aa magnitudes from Swift UVOT\n"
    >>> read_sousa(head + b"V 55601.1 15.2 0.1 19.0 11.5 9. 0.8 5. 11. 80. 90.\n").band_names
    array(['uvotv'], dtype=object)
    """
    choices = Choices(Names(time="MJD", mag="Mag", mag_err="MagErr", band="Filter"),
                      survey="Swift", system="Vega", quality="all")  # fmt: skip
    parts = []
    for name, file in source.files():
        with file:
            first = file.readline().decode(errors="replace")
            file.seek(0)
            frame = read_text_table(file, name, names=_SOUSA, separator=r"\s+")
        own = first.lstrip("# ").split()
        id_ = (
            own[0] if "magnitudes from Swift" in first and own else object_name(name).split("_")[0]
        )
        chosen = replace(choices, quality=quality)
        if quality == "good":
            chosen = replace(choices, quality=lambda t: ~(t["Mag"] < t["0.98SatLim"]))
        parts.append(photometry_of(frame, chosen, id_))
    return join(parts)


def _is_text(source: Source) -> bool:
    """Text tables are read on demand only: their columns have no meaning without names."""
    return False


@reader(
    "text",
    title="Text tables whose columns are named by names=",
    flux="flux as the table has it",
    recognise=_is_text,
)
def read_text(
    source: Source,
    *,
    names: Sequence[str] | None = None,
    separator: str | None = None,
    **options: Any,
) -> Photometry:
    r"""Read a text table, with or without a header.

    Parameters
    ----------
    source : path, list of paths, bytes or binary file
        Text files. Without a column of ids, each file is one object, which is named after the file.
    names : sequence of str, optional
        The names of all columns, in order, for files without a header. Use the usual names ("mjd",
        "mag", "mag_err", "band", "flux", ...), and any others for columns that are not needed.
    separator : str, optional
        What stands between columns, or a regular expression. By default it is found out.
    **options
        Options of `read_long_table`, such as `survey`, `system`, `zero_point` or `quality`.

    Returns
    -------
    LightCurves
        As from `read_long_table`.

    Raises
    ------
    LightCurveError
        If a column is missing or observations cannot be used.

    Examples
    --------
    >>> from sklc.io import read_text
    >>> rows = b"V 55601.1 15.20 0.10\nB 55601.2 15.80 0.12\n"
    >>> curves = read_text(rows, names=["band", "mjd", "mag", "mag_err"], survey="standard")
    >>> curves.flux.round(-4)
    array([80000., 50000.])
    """
    choices = Choices.of(**options)
    return joined(tables(source, names=names, separator=separator), choices)
