"""Supernovae as spectral time series, with stretch, host dust, colour and smooth scatter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sklc.errors import SimulationError
from sklc.simulate.sources.base import (
    ChromaticScatter,
    Kind,
    Normal,
    Objects,
    Points,
    Source,
    amplitude,
    draw_dust,
)
from sklc.simulate.spectra import PHASE, SpectralSeries, synthetic_magnitude
from sklc.simulate.spectra.grids import BandGrid, Bands, build_grid, cached_grid
from sklc.simulate.spectra.templates import Template

__all__ = ["SpectralSource"]


@dataclass(frozen=True)
class SpectralSource(Source):
    """Spectral time series of one or several kinds of supernovae.

    Parameters
    ----------
    kinds : tuple of Kind
        Templates with their luminosity functions, mixed by their fractions.
    stretch : Normal
        Factor on rest-frame time from first light.
    stretch_slope : float, default=0.0
        Change of the stretch per magnitude that an object is fainter than its kind's mean.
    host_ebv : float, default=0.1
        Scale of the exponential distribution of the host's E(B-V), Fitzpatrick (1999) with
        R_V = 3.1.
    colour : Normal, optional
        B-V (Vega) at maximum, to which the spectra are reddened or made bluer, instead of host
        dust.
    colour_stretch : float, default=0.0
        Correlation coefficient of colour and stretch.
    scatter : ChromaticScatter, optional
        Scatter about the templates; by default there is none.
    reference : str, default="sdssr"
        Band of sncosmo in which absolute magnitudes are defined.

    Examples
    --------
    >>> from sklc.simulate.sources import Kind, Normal, SpectralSource
    >>> from sklc.simulate.spectra.templates import Template
    >>> ib = Kind(0.6, Normal(-17.1, 0.6), (Template("v19-2004gv-corr"),))
    >>> ic = Kind(0.4, Normal(-17.3, 0.7), (Template("v19-2004fe-corr"),))
    >>> [template.name for template in SpectralSource((ib, ic)).templates]
    ['v19-2004gv-corr', 'v19-2004fe-corr']
    """

    kinds: tuple[Kind, ...]
    stretch: Normal = Normal(1.0, 0.1, low=0.6)
    stretch_slope: float = 0.0
    host_ebv: float = 0.1
    colour: Normal | None = None
    colour_stretch: float = 0.0
    scatter: ChromaticScatter | None = None
    reference: str = "sdssr"

    margin = 0.5

    @classmethod
    def from_sncosmo(
        cls,
        source: object,
        *,
        absolute_mag: tuple[float, float] = (-17.5, 0.8),
        stretch: tuple[float, float] = (1.0, 0.1),
        host_ebv: float = 0.1,
        reference: str = "sdssr",
    ) -> SpectralSource:
        """Make a source of any ``sncosmo.Source``, or of several.

        Parameters
        ----------
        source : sncosmo.Source, str, or sequence of them
            Sources, or names that sncosmo knows; objects are drawn from all of them alike.
        absolute_mag, stretch : (float, float)
            Mean and standard deviation of absolute magnitude and stretch.
        host_ebv : float
            Scale of the exponential distribution of the host's E(B-V).
        reference : str
            Band of sncosmo in which absolute magnitudes are defined.

        Returns
        -------
        SpectralSource

        Examples
        --------
        >>> from sklc.simulate.sources import SpectralSource
        >>> source = SpectralSource.from_sncosmo("v19-2009ip", absolute_mag=(-14.0, 1.0))
        >>> source.templates[0].name
        'v19-2009ip'
        """
        several = source if isinstance(source, list | tuple) else [source]
        templates = []
        for one in several:
            if isinstance(one, str):
                templates.append(Template(one))
            elif all(hasattr(one, name) for name in ("flux", "minphase", "minwave")):
                name = getattr(one, "name", None) or type(one).__name__
                templates.append(Template(str(name), source=one))
            else:
                raise SimulationError(
                    f"a source is an sncosmo.Source or the name of one, got {type(one).__name__}: "
                    "sncosmo.TimeSeriesSource(phase, wavelength, flux) makes one of arrays."
                )
        if not templates:
            raise SimulationError("no sncosmo source was given: pass at least one.")
        kind = Kind(1.0, Normal(*absolute_mag), tuple(templates))
        return cls((kind,), Normal(*stretch, low=0.2), host_ebv=host_ebv, reference=reference)

    @cached_property
    def templates(self) -> tuple[Template, ...]:
        """The templates of all kinds, in order."""
        return tuple(template for kind in self.kinds for template in kind.templates)

    def key(self) -> str:
        """Return a text that identifies this source."""
        own = [template.source_key() for template in self.templates if template.source is not None]
        return "|".join([repr(self), *own])

    def prepare(self, bands: Bands, z_max: float) -> BandGrid:
        """Build, or read from the cache, the table of band fluxes."""

        def build() -> BandGrid:
            spectra = [normalised(template.load(), self.reference) for template in self.templates]
            cubes, info = zip(*spectra, strict=True)
            return build_grid(cubes, PHASE, bands, z_max, info=np.array(info))

        keys = [template.key() for template in self.templates]
        return cached_grid(["spectral", *keys, self.reference, bands.key(), z_max], build)

    def sample(self, rng: np.random.Generator, redshift: np.ndarray) -> Objects:
        """Draw template, absolute magnitude, stretch and dust."""
        n = len(redshift)
        fractions = np.array([kind.fraction for kind in self.kinds], dtype=float)
        which = rng.choice(len(self.kinds), size=n, p=fractions / fractions.sum())
        sizes = np.array([len(kind.templates) for kind in self.kinds])
        first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        series = first[which] + np.floor(rng.random(n) * sizes[which]).astype(np.int64)
        draws = np.stack([kind.absolute_mag.draw(rng, n) for kind in self.kinds])
        absolute_mag = draws[which, np.arange(n)]
        mean = np.array([kind.absolute_mag.mean for kind in self.kinds])[which]
        objects = {"series": series, "absolute_mag": absolute_mag}
        slow = self.stretch_slope * (absolute_mag - mean)
        objects["stretch"] = np.maximum(self.stretch.draw(rng, n) + slow, 0.3)
        if self.colour is None:
            objects["host_ebv"] = draw_dust(rng, n, self.host_ebv)
        else:
            deviate = (self.stretch.mean - objects["stretch"]) / max(self.stretch.sd, 1e-9)
            rho = -self.colour_stretch
            own = self.colour.draw(rng, n) - self.colour.mean
            # E(B-V) is known once the template's own colour is: see `_reddening`
            objects["colour"] = (
                self.colour.mean + rho * self.colour.sd * deviate + np.sqrt(1 - rho**2) * own
            )
            objects["host_ebv"] = np.zeros(n)
        return objects

    def _reddening(self, grid: BandGrid, objects: Objects) -> dict[str, np.ndarray]:
        """Parameters of the laws; a given colour becomes an E(B-V), which may be negative."""
        host = objects["host_ebv"]
        if self.colour is not None:
            host = np.clip(objects["colour"] - grid.info[objects["series"], 3], -0.35, 1.0)
        return {"mwebv": objects["mwebv"], "host_ebv": host}

    def _amplitude(self, grid: BandGrid, objects: Objects) -> np.ndarray:
        scale = amplitude(objects)
        if self.colour is not None:
            # the absolute magnitude includes the colour: undo the warp in the reference band
            host = self._reddening(grid, objects)["host_ebv"]
            scale = scale * 10 ** (0.4 * 2.4 * host)
        return scale

    def brightest(self, grid: BandGrid, objects: Objects) -> np.ndarray:
        """Return the largest flux in each band, shape (n_objects, n_bands)."""
        ebv = self._reddening(grid, objects)
        peak = grid.at_peak(objects["series"], objects["redshift"], ebv)
        return peak * self._amplitude(grid, objects)[:, None]

    def _pace(self, objects: Objects) -> np.ndarray:
        return objects["stretch"] * (1 + objects["redshift"])

    def flux(
        self, grid: BandGrid, objects: Objects, points: Points, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the flux of observations; time zero is first light."""
        owner, days, band = points.owner, points.days, points.band
        series, redshift, ebv = (
            objects["series"],
            objects["redshift"],
            self._reddening(grid, objects),
        )
        phase = grid.info[series, 0][owner] + days / self._pace(objects)[owner]
        flux = grid.lookup(series, redshift, ebv, owner, band, phase)
        flux *= self._amplitude(grid, objects).astype(np.float32)[owner]
        flux[(phase <= PHASE[0]) | (phase >= PHASE[-1])] = 0.0
        if self.scatter is not None:
            since_peak = phase - grid.info[series, 1][owner]
            deviation = self.scatter.magnitudes(
                rng, redshift, grid.effective, owner, since_peak, band
            )
            flux *= np.exp(-0.921034 * deviation)
        return flux

    def span(self, grid: BandGrid, objects: Objects) -> tuple[np.ndarray, np.ndarray]:
        """Return observer-frame days since first light of first and last light."""
        start, last = grid.info[objects["series"], 0], grid.info[objects["series"], 2]
        zero = np.zeros(len(start))
        return zero, (last - start) * self._pace(objects)

    def truth(self, grid: BandGrid, objects: Objects) -> dict[str, np.ndarray]:
        """Return template, dust, stretch, and times of first light and maximum."""
        names = np.array([template.name for template in self.templates], dtype=object)
        start, peak = grid.info[objects["series"], 0], grid.info[objects["series"], 1]
        return {
            "template": names[objects["series"]],
            "host_ebv": self._reddening(grid, objects)["host_ebv"],
            "stretch": objects["stretch"],
            "peak_absmag": objects["absolute_mag"],
            "explosion": np.zeros(len(start)),
            "peak": (peak - start) * self._pace(objects),
        }


def normalised(series: SpectralSeries, reference: str) -> tuple[np.ndarray, list[float]]:
    """Scale spectra to 0 mag at maximum, as seen from 10 pc.

    Parameters
    ----------
    series : SpectralSeries
        Spectra to change.
    reference : str
        Band of sncosmo.

    Returns
    -------
    flux : ndarray of shape (len(PHASE), len(WAVE))
    facts : list of float
        Phases of first light, of maximum, and of the end (5 mag below maximum, or the last of
        the grid); B-V at maximum.
    """
    mags = synthetic_magnitude(series.flux, reference)
    if not np.isfinite(mags).all() or mags.min() > 600:
        raise SimulationError(
            f"a template has no flux in the reference band {reference}, in which its absolute "
            "magnitude is defined: pass reference= a band of sncosmo that its wavelengths cover."
        )
    risen = int(np.argmax(mags < mags.min() + 4.0))
    # a plateau can end brighter than it began: only the first 45 days count
    early = (PHASE[risen] <= PHASE) & (PHASE[risen] + 45.0 >= PHASE)
    peak = int(np.flatnonzero(early)[np.argmin(mags[early])])
    lit = np.flatnonzero(mags < mags[peak] + 5.0)
    first = int(np.argmax(mags < mags[peak] + 6.0))
    b_minus_v = 0.112 + float(  # Vega is -.102 in B and +.010 in V (AB)
        synthetic_magnitude(series.flux[peak], "bessellb")
        - synthetic_magnitude(series.flux[peak], "bessellv")
    )
    facts = [PHASE[max(first - 1, 0)], PHASE[peak], PHASE[lit[-1]], b_minus_v]
    return series.flux * 10 ** (0.4 * mags[peak]), [float(f) for f in facts]
