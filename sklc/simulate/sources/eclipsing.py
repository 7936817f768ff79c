"""Binaries: eclipses of two discs, stars in contact, and stars distorted by their companions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sklc.simulate.sources.base import Normal, Objects, Points
from sklc.simulate.sources.variable import REFERENCE, Mixture, VariableStar, fold
from sklc.simulate.spectra import planck

__all__ = ["ContactBinary", "EclipsingBinary", "EllipsoidalStar", "disc_overlap", "roche_lobe"]

_PHASES = 512


def roche_lobe(q: np.ndarray) -> np.ndarray:
    """Radius of the Roche lobe relative to the separation (Eggleton 1983, ApJ 268, 368).

    Parameters
    ----------
    q : ndarray
        Mass of the star relative to that of its companion.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.sources.eclipsing import roche_lobe
    >>> float(roche_lobe(np.array(1.0)).round(3))
    0.379
    """
    q23 = np.cbrt(q) ** 2
    return 0.49 * q23 / (0.6 * q23 + np.log1p(np.cbrt(q)))


def disc_overlap(distance: np.ndarray, one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Area that two discs share.

    Parameters
    ----------
    distance : ndarray
        Distance of the centres.
    one, two : ndarray
        Radii.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.sources.eclipsing import disc_overlap
    >>> (disc_overlap(np.array([0.0, 3.0]), np.array(2.0), np.array(1.0)) / np.pi).round(3)
    array([1., 0.])
    """
    small = np.minimum(one, two)
    d = np.clip(distance, np.maximum(np.abs(one - two), 1e-9), one + two)
    cos1 = (d**2 + one**2 - two**2) / (2 * d * one)
    cos2 = (d**2 + two**2 - one**2) / (2 * d * two)
    kite = (one + two - d) * (d + one - two) * (d - one + two) * (d + one + two)
    area = one**2 * np.arccos(np.clip(cos1, -1, 1)) + two**2 * np.arccos(np.clip(cos2, -1, 1))
    area = area - 0.5 * np.sqrt(np.maximum(kite, 0.0))
    return np.where(distance <= np.abs(one - two), np.pi * small**2, area)


def light_shares(objects: Objects, effective: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the shares of the light of both stars, (n_objects, n_bands) each, beside a third's."""
    wave = effective[None, :]
    one = objects["radius1"][:, None] ** 2 * planck(wave, 10 ** objects["log_t1"][:, None])
    two = objects["radius2"][:, None] ** 2 * planck(wave, 10 ** objects["log_t2"][:, None])
    total = (one + two) / (1 - objects["third_light"][:, None])
    return one / total, two / total


@dataclass(frozen=True)
class EclipsingBinary(VariableStar):
    """Detached and semi-detached eclipsing binaries of type EA and EB.

    Two discs with the surface brightness of blackbodies and linear limb darkening pass in front
    of each other; tides distort them (Morris 1985, ApJ 295, 143) and each reflects the other's
    light. Masses, radii and temperatures of main-sequence stars follow Eker et al. (2018, MNRAS
    479, 5491), separations Kepler's third law. Eccentricities are circularised below a period of
    about three days. In semi-detached systems (Algols, beta Lyrae) the cooler star fills its
    Roche lobe (Eggleton 1983).

    Parameters
    ----------
    log_temperature, chroma, mag
        As for `VariableStar`; the temperature is that of the hotter star.
    close : bool
        Whether these are close systems of continuous variation (EB), rather than EA.
    periods : Mixture
        Distribution of log10 of the period in days.
    semidetached : float
        Share of semi-detached systems.
    shallowest : float
        Systems whose deeper eclipse is shallower, in V magnitudes, are replaced by others: surveys
        from the ground do not find them.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.sources import EclipsingBinary
    >>> pairs = EclipsingBinary().sample(np.random.default_rng(0), np.zeros(500))
    >>> bool((pairs["radius1"] + pairs["radius2"] < 0.8).all())
    True
    """

    log_temperature: Normal = Normal(3.79, 0.1, low=3.5)
    close: bool = False
    periods: Mixture = Mixture((0.6, 0.08, 0.22), (0.4, 0.4, 0.25))
    semidetached: float = 0.25
    shallowest: float = 0.1

    def draw(self, rng: np.random.Generator, n: int) -> Objects:
        """Draw the geometry and the stars."""
        pairs = self._draw_any(rng, n)
        for _ in range(3):  # a few of a hundred are left
            shallow = np.flatnonzero(pairs["amplitude"] < self.shallowest)
            for name, values in self._draw_any(rng, len(shallow)).items():
                pairs[name][shallow] = values
        return pairs

    def _draw_any(self, rng: np.random.Generator, n: int) -> Objects:
        period = 10 ** self.periods.draw(rng, n)
        log_t1 = self.log_temperature.draw(rng, n)
        mass = 10 ** ((log_t1 - 3.76) / 0.55)  # of main-sequence stars, in those of the sun
        # companions of any mass, and twins
        q = np.where(rng.random(n) < 0.25, rng.uniform(0.85, 1.0, n), rng.uniform(0.2, 1.0, n))
        separation = 4.208 * np.cbrt(mass * (1 + q) * period**2)  # solar radii
        aged = rng.uniform(1.0, 2.0, n) if not self.close else rng.uniform(1.2, 2.6, n)
        radius1 = mass**0.85 * aged / separation
        radius2 = (mass * q) ** 0.85 * (1 + (aged - 1) * q) / separation
        log_t2 = log_t1 + 0.52 * np.log10(q) + 0.01 * rng.standard_normal(n)
        fills = rng.random(n) < self.semidetached
        q = np.where(fills, rng.uniform(0.15, 0.6, n), q)
        radius2 = np.where(fills, roche_lobe(q), radius2)
        log_t2 = np.where(fills, log_t1 - rng.uniform(0.06, 0.32, n), log_t2)
        if self.close:
            # a star that nearly fills its lobe makes the variation continuous
            radius1 = np.maximum(radius1, roche_lobe(1 / q) * rng.uniform(0.65, 0.97, n))
            radius2 = np.maximum(radius2, roche_lobe(q) * rng.uniform(0.7, 1.0, n))
        radius1 = np.minimum(radius1, (0.97 if self.close else 0.75) * roche_lobe(1 / q))
        radius2 = np.minimum(radius2, np.where(fills | self.close, 1.0, 0.75) * roche_lobe(q))
        eccentricity = np.minimum(rng.rayleigh(0.17, n), 0.6)
        eccentricity *= (period > 3) & ~fills & (not self.close) & (rng.random(n) < 0.7)
        own = {
            "period": period,
            "log_temperature": log_t1,
            "log_t1": log_t1,
            "log_t2": np.maximum(log_t2, 3.45),
            "q": q,
            "radius1": radius1,
            "radius2": radius2,
            # orbits in all directions, of which those with eclipses that are seen
            "cos_i": rng.random(n) * (radius1 + radius2) * 0.85,
            "eccentricity": eccentricity,
            "omega": rng.uniform(0, 2 * np.pi, n),
            "third_light": np.where(rng.random(n) < 0.2, rng.uniform(0.0, 0.5, n), 0.0),
            "spot": 0.01 * np.abs(rng.standard_normal(n)) * (rng.random(n) < 0.4),
            "spot_start": rng.random(n),
        }
        return own | {"amplitude": _deepest(own)}

    def relative_flux(
        self, objects: Objects, points: Points, effective: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the flux relative to that between the eclipses."""
        owner, n_bands = points.owner, len(effective)
        loss1, loss2, tides = _tables(objects)
        cycles = points.days / objects["period"][owner] + objects["phase"][owner]
        own = owner * n_bands + points.band
        share1, share2 = (share.reshape(-1)[own] for share in light_shares(objects, effective))
        flux = 1 - share1 * fold(loss1, owner, cycles) - share2 * fold(loss2, owner, cycles)
        spot = np.sin(2 * np.pi * (cycles + objects["spot_start"][owner]))
        return flux + fold(tides, owner, cycles) + objects["spot"][owner] * spot

    def brightest(self, grid, objects: Objects) -> np.ndarray:
        """Return the flux between the eclipses, (n_objects, n_bands)."""
        return self.mean_flux(grid, objects)

    def kinds(self, objects: Objects) -> np.ndarray:
        """Return whether a star fills its Roche lobe."""
        fills = objects["radius2"] >= 0.999 * roche_lobe(objects["q"])
        return np.where(fills, "semi-detached", "detached").astype(object)


def _limb_darkened(share: np.ndarray) -> np.ndarray:
    """Share of the light that an eclipse of a share of the disc takes away, for u = 0.5."""
    return share * (1 - 0.2 * (1 - share) * (1 - 2 * share))


def _tables(objects: Objects) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the lost share of each star's disc and the change by tides, by phase."""
    mean = 2 * np.pi * np.arange(_PHASES) / _PHASES
    e, omega = objects["eccentricity"][:, None], objects["omega"][:, None]
    anomaly = mean + np.zeros_like(e)
    if e.any():
        for _ in range(6):  # Kepler's equation, by Newton's method
            wrong = anomaly - e * np.sin(anomaly) - mean
            anomaly = anomaly - wrong / (1 - e * np.cos(anomaly))
    true = 2 * np.arctan2(
        np.sqrt(1 + e) * np.sin(anomaly / 2), np.sqrt(1 - e) * np.cos(anomaly / 2)
    )
    angle = true + omega - np.pi / 2  # 0 where the companion is in front
    distance = 1 - e * np.cos(anomaly)
    cos_i = objects["cos_i"][:, None]
    across = distance * np.sqrt(np.sin(angle) ** 2 + (np.cos(angle) * cos_i) ** 2)
    one, two = objects["radius1"][:, None], objects["radius2"][:, None]
    shared = disc_overlap(across, one, two) / np.pi
    front = np.cos(angle) > 0
    loss1 = _limb_darkened(shared / one**2) * front
    loss2 = _limb_darkened(shared / two**2) * ~front
    q, sin2 = objects["q"][:, None], 1 - cos_i**2
    share1, share2 = light_shares(objects, np.array([REFERENCE]))
    # alpha = 1.3 and 1.6: gravity darkening of radiative and of convective envelopes
    tide = sin2 * (1.3 * share1 * q * one**3 + 1.6 * share2 * two**3 / q)
    tide = np.minimum(tide, 0.13)
    mirrored = 0.3 * (share1 * two**2 - share2 * one**2) * np.sqrt(sin2)
    return loss1, loss2, -tide * np.cos(2 * angle) - mirrored * np.cos(angle)


def _deepest(objects: Objects) -> np.ndarray:
    """Return the depth of the deeper eclipse in V, in magnitudes."""
    share1, share2 = light_shares(objects, np.array([REFERENCE]))
    smallest = np.abs(objects["cos_i"])
    shared = disc_overlap(smallest, objects["radius1"], objects["radius2"]) / np.pi
    loss = np.maximum(
        share1[:, 0] * np.minimum(shared / objects["radius1"] ** 2, 1),
        share2[:, 0] * np.minimum(shared / objects["radius2"] ** 2, 1),
    )
    return -2.5 * np.log10(np.maximum(1 - loss, 1e-3))


@dataclass(frozen=True)
class ContactBinary(VariableStar):
    """Contact binaries (EW, W Ursae Majoris): cosine series of Rucinski (1993, PASP 105, 1433).

    The coefficients of cos 2 phi and cos 4 phi follow the degree of contact: a_4 = a_2 (.125 -
    a_2). Minima differ a little in depth, and spots make the maxima unequal (O'Connell effect).
    Longer periods are hotter (Jayasinghe et al. 2020, MNRAS 493, 4045).

    Parameters
    ----------
    log_temperature, chroma, mag
        As for `VariableStar`.
    periods : Mixture
        Distribution of log10 of the period in days.

    Examples
    --------
    >>> import numpy as np
    >>> from sklc.simulate.sources import ContactBinary
    >>> pairs = ContactBinary().sample(np.random.default_rng(0), np.zeros(500))
    >>> bool(0.3 < np.median(pairs["period"]) < 0.4)
    True
    """

    log_temperature: Normal = Normal(3.75, 0.02)
    chroma: Normal = Normal(0.12, 0.05)
    periods: Mixture = Mixture((0.85, -0.46, 0.08), (0.15, -0.3, 0.12))

    def draw(self, rng: np.random.Generator, n: int) -> Objects:
        """Draw period and coefficients."""
        log_period = np.maximum(self.periods.draw(rng, n), -0.66)
        shift = 0.35 * (log_period + 0.44)
        # mass ratio and inclination: all amplitudes to the largest, of a total eclipse
        size = 0.02 + 0.23 * rng.beta(2.2, 1.8, n)
        own = {
            "period": 10**log_period,
            "log_temperature": self.log_temperature.draw(rng, n) + shift,
            "a2": -size,
            "a4": -size * (0.125 + size) * rng.uniform(0.9, 2.2, n),
            "a1": -np.abs(0.12 * size * rng.standard_normal(n)),
            "b1": 0.01 * rng.standard_normal(n),
        }
        deepest = 1 + own["a2"] + own["a4"] + own["a1"]
        return own | {"amplitude": 2.5 * np.log10((1 - own["a2"] + own["a4"]) / deepest)}

    def relative_flux(
        self, objects: Objects, points: Points, effective: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the flux relative to the mean."""
        x = 2 * np.pi * np.arange(_PHASES // 2) / (_PHASES // 2)
        a1, a2, a4, b1 = (objects[name][:, None] for name in ("a1", "a2", "a4", "b1"))
        table = 1 + a1 * np.cos(x) + a2 * np.cos(2 * x) + a4 * np.cos(4 * x) + b1 * np.sin(x)
        cycles = points.days / objects["period"][points.owner] + objects["phase"][points.owner]
        ratio = (effective[None, :] / REFERENCE) ** -objects["chroma"][:, None]
        ratio = ratio.reshape(-1)[points.owner * len(effective) + points.band]
        return fold(table, points.owner, cycles) ** ratio

    def kinds(self, objects: Objects) -> np.ndarray:
        """Return the name of the kind of each star."""
        return np.full(len(objects["mag"]), "contact", dtype=object)


@dataclass(frozen=True)
class EllipsoidalStar(VariableStar):
    """Close binaries without eclipses: two unequal waves in an orbit (Morris 1985, ApJ 295, 143).

    Parameters
    ----------
    log_temperature, chroma, mag
        As for `VariableStar`.
    periods : Mixture
        Distribution of log10 of the period in days: dwarfs, and red giants.

    Examples
    --------
    >>> from sklc.simulate.sources import EllipsoidalStar
    >>> EllipsoidalStar().total
    True
    """

    log_temperature: Normal = Normal(3.76, 0.08)
    chroma: Normal = Normal(0.15, 0.05)
    periods: Mixture = Mixture((0.7, 0.1, 0.35), (0.3, 1.7, 0.4))

    def draw(self, rng: np.random.Generator, n: int) -> Objects:
        """Draw period and amplitude."""
        log_period = self.periods.draw(rng, n)
        # giants are cool and need long periods
        cool = np.where(log_period > 1.0, -0.1, 0.0)
        amplitude = np.clip(10 ** rng.normal(-1.15, 0.25, n), 0.01, 0.35)
        return {
            "period": 10**log_period,
            "log_temperature": self.log_temperature.draw(rng, n) + cool,
            "amplitude": amplitude,
            "unequal": rng.uniform(0.0, 0.35, n),
            "beaming": 0.08 * rng.standard_normal(n),
        }

    def relative_flux(
        self, objects: Objects, points: Points, effective: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the flux relative to the mean."""
        owner = points.owner
        angle = points.days / objects["period"][owner] + objects["phase"][owner]
        angle = 2 * np.pi * angle
        wave = -np.cos(2 * angle) - objects["unequal"][owner] * np.cos(angle)
        wave += objects["beaming"][owner] * np.sin(angle)
        ratio = (effective[None, :] / REFERENCE) ** -objects["chroma"][:, None]
        ratio = ratio.reshape(-1)[owner * len(effective) + points.band]
        return 10 ** (0.2 * objects["amplitude"][owner] * wave * ratio)

    def kinds(self, objects: Objects) -> np.ndarray:
        """Return the name of the kind of each star."""
        return np.full(len(objects["mag"]), "ellipsoidal", dtype=object)
