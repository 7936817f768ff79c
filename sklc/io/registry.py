"""The formats that can be read, how each is recognised, and how to add one."""

from __future__ import annotations

import importlib
import inspect
import logging
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from sklc.errors import LightCurveError
from sklc.io.photometry import Photometry
from sklc.io.source import Source
from sklc.light_curves.container import LightCurves
from sklc.utils.registry import Registry

__all__ = ["FORMATS", "Format", "reader", "recognise", "register_format"]

P = ParamSpec("P")
_logger = logging.getLogger("sklc.io")
# What the readers leave out or assume, while someone listens; see `sklc.io.read`.
NOTES: ContextVar[list[str] | None] = ContextVar("notes", default=None)


@dataclass(frozen=True)
class Format:
    r"""A format that `sklc.io.read` can read.

    Parameters
    ----------
    name : str
        The name of the format, such as "ztf-alerts".
    title : str
        What it is, in a few words: "ZTF alert packets (Avro)".
    flux : str
        Which flux it gives: "difference flux", "total flux", or one of them on a condition.
    recognise : callable
        A function of a `Source` that returns whether it has this format. It looks at the beginning
        of a file only.
    read : callable
        A function that returns `LightCurves` from a source, with options of its own.
    batches : callable, optional
        A generator of `LightCurves` from a source, a largest number of objects and the same
        options, which reads part by part; see `sklc.io.read_batches`.

    Examples
    --------
    >>> from sklc.io import recognise
    >>> found = recognise(b"object_id,mjd,band,flux\n1,59000.1,ztfg,31\n")
    >>> found.name, found.flux
    ('long-table', 'flux as the table has it')
    """

    name: str
    title: str
    flux: str
    recognise: Callable[[Source], bool]
    read: Callable[..., LightCurves]
    batches: Callable[..., Iterator[LightCurves]] | None = None


# The modules of the formats, in the order in which they are asked: the most specific first.
_ALERTS: tuple[str, ...] = (
    "antares",
    "fink",
    "lasair",
    "ztf_alerts",
    "rubin_alerts",
    "alerce_elasticc",
    "alerce",
)
_SERVICES: tuple[str, ...] = (
    "ztf_forced", "atlas_forced", "snana", "plasticc", "rubin_tables", "ztf_dr", "open_catalog",
    "otter", "sncosmo_text",
)  # fmt: skip
_MISSIONS: tuple[str, ...] = ("space", "lightkurve", "gaia", "asassn", "aavso")
_TABLES: tuple[str, ...] = (
    "sklc_parquet",
    "hats",
    "astropy_table",
    "text_table",
    "long_table",
)  # what no survey's own format has claimed
_MODULES = (*_ALERTS, *_SERVICES, *_MISSIONS, *_TABLES)


# The formats of each module, which are registered in the order of the modules, not of the imports.
_DEFINED: dict[str, list[Format]] = {}


def _load() -> None:
    for module in _MODULES:
        name = f"sklc.io.formats.{module}"
        importlib.import_module(name)
        for format in _DEFINED.get(name, ()):
            FORMATS.register(format.name, format)


#: The formats by name, in the order in which they are asked.
FORMATS: Registry[Format] = Registry("format", load=_load, home="sklc.io", error=LightCurveError)


def reader(
    name: str,
    *,
    title: str,
    flux: str,
    recognise: Callable[[Source], bool],
    batches: Callable[..., Iterator[LightCurves]] | None = None,
) -> Callable[
    [Callable[Concatenate[Source, P], Photometry | LightCurves]],
    Callable[Concatenate[Any, P], LightCurves],
]:
    """Make a function that reads photometry from a `Source` the reader of a format.

    The function that users call takes a path or an object instead of a `Source`, and returns
    `LightCurves`. What goes wrong in it becomes a `LightCurveError` that names the source.

    Parameters
    ----------
    name, title, flux, recognise, batches
        As for `Format`.
    """

    def decorate(
        load: Callable[Concatenate[Source, P], Photometry | LightCurves],
    ) -> Callable[Concatenate[Any, P], LightCurves]:
        known = inspect.signature(load)

        @wraps(load)
        def read(source: Any, *args: P.args, **options: P.kwargs) -> LightCurves:
            opened = source if isinstance(source, Source) else Source(source)
            try:
                known.bind(opened, *args, **options)
            except TypeError as error:
                own = [name for name, p in known.parameters.items() if p.kind == p.KEYWORD_ONLY]
                raise TypeError(f"{load.__name__}: {error}; its options are {own}") from None
            try:
                result = load(opened, *args, **options)
                curves = (
                    result if isinstance(result, LightCurves) else result.light_curves(opened.name)
                )
            except LightCurveError as error:
                if opened.name in str(error):
                    raise
                raise type(error)(f"{opened.name}: {error}") from error
            except (FileNotFoundError, ImportError, MemoryError):
                raise
            except Exception as error:  # each package that parses files has errors of its own
                if isinstance(error, Warning) and not isinstance(error, ValueError):
                    raise  # the user made errors of warnings; astropy's own errors are both
                raise LightCurveError(
                    f"{opened.name} cannot be read as {title}: {type(error).__name__}: "
                    f"{str(error)[:200]}. Check that it is complete, or pass another format= "
                    "(sklc.io.list_formats() names them)"
                ) from error
            notes = NOTES.get()
            own = [] if isinstance(result, LightCurves) else result.notes
            for note in own:
                _logger.info("%s: %s", opened.name, note)
            if notes is not None:
                notes.extend(own)
            return curves

        # The parameters of the loader, but what users pass and get.
        read.__signature__ = inspect.signature(load).replace(  # type: ignore[attr-defined]
            return_annotation=LightCurves
        )
        read.__annotations__ = {**load.__annotations__, "source": Any, "return": LightCurves}
        format = Format(name, title, flux, recognise, read, batches)
        _DEFINED.setdefault(load.__module__, []).append(format)
        return read

    return decorate


def register_format(format: Format, *, before: str | None = None) -> None:
    r"""Teach `sklc.io.read` and the command line another format.

    Parameters
    ----------
    format : Format
        The format: its name, how it is recognised and how it is read.
    before : str, optional
        The name of the format that is to be asked after this one. By default, the new format is
        asked first, before all others.

    Raises
    ------
    LightCurveError
        If there is a format of this name, or none of the name `before`.

    Examples
    --------
    >>> import sklc
    >>> from sklc.io import Format, read, register_format
    >>> def read_night(source):
    ...     time, flux = zip(*(map(float, line.split()) for line in source.lines[1:]))
    ...     return sklc.LightCurves.from_arrays([time], [flux], band="ztfg")
    >>> register_format(
    ...     Format(
    ...         name="night",
    ...         title="Tables of my telescope",
    ...         flux="difference flux",
    ...         recognise=lambda source: source.lines[:1] == ["# my telescope"],
    ...         read=read_night,
    ...     )
    ... )
    >>> read(b"# my telescope\n59000.1 5.0\n59001.1 6.0\n", verbose=False).lengths
    array([2])
    >>> from sklc.io.registry import FORMATS
    >>> FORMATS.unregister("night")
    """
    FORMATS.register(format.name, format, before=before or next(iter(FORMATS.entries), None))


def recognise(source: Any) -> Format | None:
    """Return the format of a file or an object, or None if it is not known.

    Parameters
    ----------
    source : path, list of paths, bytes, binary file or object
        As for `sklc.io.read`.

    Returns
    -------
    Format or None

    Raises
    ------
    LightCurveError
        If the source is damaged.

    Examples
    --------
    >>> from sklc.io import recognise
    >>> recognise(b"what is this?") is None
    True
    """
    opened = source if isinstance(source, Source) else Source(source)
    damage: Exception | None = None
    for known in FORMATS.entries.values():
        try:
            if known.recognise(opened):
                return known
        except (LightCurveError, FileNotFoundError, ImportError):
            raise
        except Exception as error:  # what is damaged for one format may be sound for another
            damage = damage or error
    if damage is not None:
        raise LightCurveError(
            f"{opened.name} cannot be read: {type(damage).__name__}: {str(damage)[:200]}. Check "
            "that it is complete"
        ) from damage
    return None
