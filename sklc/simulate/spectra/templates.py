"""Spectral time series of supernovae: loaded through sncosmo, mended, and put on one grid.

sncosmo downloads what it does not have, or reads the folder that ``SNCOSMO_DATA_DIR`` names. The
SN 1991bg-like spectra are those of SNooPy (Burns et al. 2011, AJ 141, 19; ``pip install snpy``, or
the two files in ``SNCOSMO_DATA_DIR``). A missing template is an error; none is ever
replaced by another.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from sklc._optional import require
from sklc.errors import SimulationError
from sklc.simulate.spectra.mending import on_grid
from sklc.simulate.spectra.series import WAVE, SpectralSeries

__all__ = ["Template", "TemplateFile"]


# Files of SNooPy: first wavelength (Angstrom), first phase (days) of their 10 A x 1 d grids.
_SNOOPY = {
    "91bg": ("Nugent_91bg_SED.fits", 1000.0, -13.0),
    "91bg-sequence": ("91bg_sequence_0.2.fits.gz", 990.0, -5.0),
}


@dataclass(frozen=True)
class Template:
    """A spectral time series of sncosmo and how to continue it beyond its data.

    Parameters
    ----------
    name : str
        Name of the sncosmo source; a name of your choice if `source` is given.
    version : str, optional
        Version of the source; by default the newest one that sncosmo knows.
    source : sncosmo.Source, optional
        A source of your own, instead of a registered one.
    rise : float, default=5.0
        Rest-frame days within which flux rises from nothing, as t squared, to the first phase;
        fewer where the first spectra rise more steeply.
    plateau_end : float, optional
        Rest-frame days after the first phase at which a hydrogen plateau drops by about two
        magnitudes, for templates that end before it.
    warp : callable, optional
        Function of `SpectralSeries` that returns another one; named by its ``__qualname__`` in
        the cache, so it has to be a plain function.

    Examples
    --------
    >>> from sklc.simulate.spectra.templates import Template
    >>> Template("v19-2009n-corr").name
    'v19-2009n-corr'
    """

    name: str
    version: str | None = None
    source: Any = field(default=None, compare=False, repr=False)
    rise: float = 5.0
    plateau_end: float | None = None
    warp: Callable[[SpectralSeries], SpectralSeries] | None = None

    def key(self) -> str:
        """Return a text that identifies the spectra in a cache.

        Returns
        -------
        str
        """
        warp = "" if self.warp is None else f"{self.warp.__module__}.{self.warp.__qualname__}"
        return f"{self.name}|{self.version}|{self._origin()}|{self.rise}|{self.plateau_end}|{warp}"

    def _origin(self) -> str:
        """Return the origin of the spectra, which distinguishes spectra of the same name."""
        if self.source is not None:
            return self.source_key()
        return f"sncosmo {version('sncosmo')} {os.environ.get('SNCOSMO_DATA_DIR', '')}"

    def source_key(self) -> str:
        """Return a digest of the user's own source; see `Template`.

        Returns
        -------
        str

        Examples
        --------
        See `key`.
        """
        return str(joblib.hash(own_grid(self.source)))

    def load(self) -> SpectralSeries:
        """Load the spectra, mended and extended.

        Returns
        -------
        SpectralSeries

        Raises
        ------
        SimulationError
            If the source is not known, or cannot be read or downloaded.

        Examples
        --------
        See `Template`; ``Template("v19-2009n-corr").load()`` needs the data of sncosmo.
        """
        phase, wave, flux = own_grid(self.source or sncosmo_source(self.name, self.version))
        series = on_grid(phase, wave, flux, rise=self.rise, plateau_end=self.plateau_end)
        return series if self.warp is None else self.warp(series)


@dataclass(frozen=True)
class TemplateFile(Template):
    """One of SNooPy's SN 1991bg-like spectral series.

    Parameters
    ----------
    name : str
        "91bg" (Nugent, Kim & Perlmutter 2002, PASP 114, 803), or "91bg-sequence-0" to
        "91bg-sequence-6", in order of the decline rate.
    version, source, rise, plateau_end, warp
        As for `Template`; the first two are not used.

    Examples
    --------
    >>> from sklc.simulate.spectra.templates import TemplateFile
    >>> TemplateFile("91bg-sequence-3").name
    '91bg-sequence-3'
    """

    def _origin(self) -> str:
        file = find_snoopy_file(self._file()[0])
        return f"{file.name} {file.stat().st_size}"

    def _file(self) -> tuple[str, float, float, int]:
        """Return name, first wavelength and first phase of the file, and the step in it."""
        kind, step = self.name, 0
        if self.name.startswith("91bg-sequence-"):
            kind, step = "91bg-sequence", int(self.name.rsplit("-", 1)[1])
        return (*_SNOOPY[kind], step)

    def load(self) -> SpectralSeries:
        """Load the spectra from SNooPy's file; see `Template.load`.

        Returns
        -------
        SpectralSeries

        Raises
        ------
        SimulationError
            If the file cannot be found.

        Examples
        --------
        See `TemplateFile`; the files are those of SNooPy.
        """
        file, first_wave, first_phase, step = self._file()
        data = require("astropy.io.fits").getdata(find_snoopy_file(file))
        cube = np.maximum(np.atleast_3d(data.T).T[step].astype(float), 0.0)
        phase = first_phase + np.arange(cube.shape[0])
        wave = first_wave + 10.0 * np.arange(cube.shape[1])
        series = on_grid(phase, wave, cube, rise=self.rise, plateau_end=None)
        return series if self.warp is None else self.warp(series)


def find_snoopy_file(name: str) -> Path:
    """Return the path of a file of SNooPy.

    It is searched for in ``SNCOSMO_DATA_DIR``, in its ``models/snoopy`` and in its parent folder,
    and in the package snpy, if that is installed.
    """
    folders = []
    if os.environ.get("SNCOSMO_DATA_DIR"):
        base = Path(os.environ["SNCOSMO_DATA_DIR"])
        folders += [base, base / "models" / "snoopy", base.parent]
    package = importlib.util.find_spec("snpy")
    if package is not None and package.origin is not None:
        folders.append(Path(package.origin).parent / "typeIa")
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise SimulationError(
        f"the template file {name} (SN 1991bg-like spectra) was not found: it comes with SNooPy "
        "(pip install snpy, or its folder snpy/typeIa on GitHub); put it into the folder that "
        f"SNCOSMO_DATA_DIR names ({os.environ.get('SNCOSMO_DATA_DIR') or 'not set'}). "
        f"Looked in {', '.join(map(str, folders)) or 'no folder'}."
    )


def sncosmo_source(name: str, version: str | None) -> Any:
    """Return a source of sncosmo, or raise an error that says how to obtain it."""
    sncosmo = require("sncosmo")
    try:
        return sncosmo.get_source(name, version=version)
    except Exception as error:  # sncosmo raises bare exceptions, urllib and OS errors alike
        folder = os.environ.get("SNCOSMO_DATA_DIR")
        where = f"SNCOSMO_DATA_DIR={folder}" if folder else "SNCOSMO_DATA_DIR is not set"
        label = name if version is None else f"{name} (version {version})"
        raise SimulationError(
            f"sncosmo could not provide the source {label}: {type(error).__name__}: "
            f"{str(error)[:120]}. {where}. Connect to a network, where sncosmo downloads it, or "
            "point SNCOSMO_DATA_DIR to a folder of its data that holds this source."
        ) from error


def own_grid(source: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sample an sncosmo source in steps of a quarter of a day, and of 10 Angstrom.

    Sources that last less than 25 days are sampled at a hundred phases.
    """
    start, end = source.minphase(), source.maxphase()
    step = min(0.25, (end - start) / 100)
    phase = np.append(np.arange(start, end, step), end)
    wave = WAVE[(source.minwave() <= WAVE) & (source.maxwave() >= WAVE)]
    if not len(wave):
        raise SimulationError(
            f"source {source.name!r} covers {source.minwave():.0f} to {source.maxwave():.0f} "
            "Angstrom, nothing of 910 to 11500: its wavelengths have to be in Angstrom."
        )
    return phase, wave, np.maximum(source.flux(phase, wave), 0.0)
