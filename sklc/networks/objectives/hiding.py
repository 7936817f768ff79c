"""Light curves with hidden observations: nothing in them follows from what is hidden."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sklc.errors import LightCurveError
from sklc.light_curves import LightCurves
from sklc.light_curves.metadata import name_object
from sklc.light_curves.store import Store, stable_order
from sklc.measurements import predicted_channel
from sklc.representation import InputRepresentation, Shown
from sklc.utils.offsets import count_by_object, per_observation

__all__ = ["HiddenCurves", "Hiding", "encode_hidden", "require_two_shown"]

# Targets beyond this, in units of the channel, would outweigh all others.
_FARTHEST = 30.0
# No more than this share of an object is hidden.
_MOST = 0.95


@dataclass(frozen=True)
class Hiding:
    """How observations are chosen at random that a network is trained to predict.

    Parameters
    ----------
    fraction : float
        Mean share of the observations that are hidden. That of an object is drawn uniformly, from
        near 0 to twice this, so that the network also learns from nearly complete light curves.
    whole : float
        Share of objects of which nothing is hidden.
    """

    fraction: float
    whole: float = 0.0

    def draw(self, shown: np.ndarray, offsets: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return which of the observations that are shown to hide: never all of an object.

        Parameters
        ----------
        shown : ndarray of bool, shape (n_observations,)
            Observations that the network would see.
        offsets : ndarray of shape (n_objects + 1,)
            Bounds of the objects.
        rng : numpy.random.Generator
            Draws them.
        """
        n_shown = count_by_object(shown, offsets)
        highest = min(2 * self.fraction, _MOST)
        share = rng.uniform(2 * self.fraction - highest, highest, len(n_shown))
        n_hidden = np.clip(np.rint(share * n_shown), 1, np.maximum(n_shown - 1, 0))
        n_hidden[(n_shown < 2) | (rng.random(len(n_shown)) < self.whole)] = 0
        key = rng.random(len(shown))
        key[~shown] = 2.0
        objects = per_observation(np.arange(len(n_shown)), offsets)
        order = np.lexsort((key, objects))
        rank = np.arange(len(shown)) - per_observation(offsets[:-1], offsets)
        hidden = np.empty(len(shown), dtype=bool)
        hidden[order] = rank < per_observation(n_hidden, offsets)
        return hidden

    def encode(
        self, representation: InputRepresentation, curves: LightCurves, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return encoded light curves, with what a masked objective compares with.

        Behind the channels there are three more columns: whether an observation is hidden, its true
        value in the channel that is predicted, and the standard deviation of that.
        """
        shown = representation.is_shown(curves)
        encoded = encode_hidden(
            representation, curves, self.draw(shown, curves._compact().offsets, rng)
        )
        target = np.clip(encoded.target, -_FARTHEST, _FARTHEST)
        error = np.minimum(encoded.error, _FARTHEST)
        columns = np.stack([encoded.hidden, target, error], axis=1).astype(np.float32)
        return np.concatenate([encoded.values, columns], axis=1), encoded.lengths


@dataclass(frozen=True)
class HiddenCurves:
    """Encoded light curves in which the measurements of some observations are replaced.

    Parameters
    ----------
    values : ndarray of shape (n_shown, n_channels), float32
        Encoded observations; a hidden one has the brightness of a visible neighbour.
    lengths : ndarray of shape (n_objects,), int64
        Numbers of observations that are shown.
    rows : ndarray of shape (n_shown,)
        Which observations of the light curves these are.
    order : ndarray of shape (n_shown,)
        Which of those in `shown` they are: another order where light curves are folded.
    hidden : ndarray of bool, shape (n_shown,)
        Which of them are hidden.
    target, error : ndarray of shape (n_shown,)
        True value and error in the channel that is predicted.
    shown : Shown
        The visible observations, and the scale of the channels.
    flux_scale : float
        What the fluxes of the light curves were multiplied by.
    """

    values: np.ndarray
    lengths: np.ndarray
    rows: np.ndarray
    order: np.ndarray
    hidden: np.ndarray
    target: np.ndarray
    error: np.ndarray
    shown: Shown
    flux_scale: float


def require_two_shown(representation: InputRepresentation, curves: LightCurves) -> None:
    """Refuse objects of which nothing can be hidden.

    Raises
    ------
    LightCurveError
        If fewer than two observations of an object are shown; the message names it.
    """
    predicted_channel(representation)
    n_shown = count_by_object(representation.is_shown(curves), curves._compact().offsets)
    few = np.flatnonzero(n_shown < 2)
    if not len(few):
        return
    first, total = int(few[0]), int(curves.lengths[few[0]])
    remedy = "select the others with X[X.lengths >= 2]"
    seen = f"{total} observation{'' if total == 1 else 's'}"
    if total > 1:
        seen += f", of which the network sees {n_shown[first]} (min_snr={representation.min_snr})"
        remedy = "leave such objects out, or use an InputRepresentation with min_snr=0"
    raise LightCurveError(
        "objective='masked' hides observations and predicts them from the others, and "
        f"{name_object(curves, first)} has {seen} ({len(few)} of {len(curves)} objects have too "
        f"few): {remedy}."
    )


def encode_hidden(
    representation: InputRepresentation, curves: LightCurves, hidden: np.ndarray
) -> HiddenCurves:
    """Encode light curves so that nothing depends on the measurements of hidden observations.

    Before anything else is computed, a hidden observation is given the flux and error of the
    nearest visible one of its object, in the same band if there is one. So neither the statistics
    of the object, such as its peak or its mean, nor the choice of what is shown, tell anything of
    what is hidden. Hidden observations are always shown.

    Parameters
    ----------
    representation : InputRepresentation
        The input convention.
    curves : LightCurves
        Light curves, each with a visible observation.
    hidden : ndarray of bool, shape (n_observations,)
        The observations to hide.

    Returns
    -------
    HiddenCurves
    """
    store = curves._compact()
    source = np.where(hidden, _neighbours(store, hidden), np.arange(len(hidden)))
    flux, flux_err = (np.asarray(a)[source] for a in (store.flux, store.flux_err))
    replaced = replace(store, flux=flux, flux_err=flux_err)
    keep = representation.is_shown(replaced) | hidden
    with np.errstate(over="ignore"):  # what overflows is limited where it is encoded
        everything = replace(representation, min_snr=0.0, corroboration=0.0)
        shown = Shown(everything, replaced.keep(keep))
    scale = 10 ** (-0.4 * (store.zero_point - representation.zero_point))
    flux, flux_err = (
        np.asarray(a, dtype=np.float64)[keep] * scale for a in (store.flux, store.flux_err)
    )
    target, error = predicted_channel(representation).encode(
        shown, flux, np.nan_to_num(flux_err, nan=0.0)
    )
    values, order = representation.encode_shown(shown), np.arange(len(shown.time))
    if representation.fold is not None:
        order = shown.fold.order
    rows = np.flatnonzero(keep)[order]
    return HiddenCurves(
        values, np.diff(shown.offsets), rows, order, hidden[rows], target[order], error[order],
        shown, scale,
    )  # fmt: skip


def _neighbours(store: Store, hidden: np.ndarray) -> np.ndarray:
    """Return the nearest visible observation of each, in its band if there is any; -1 if none."""
    objects = per_observation(np.arange(store.n_objects), store.offsets)
    n_bands = len(store.passbands)
    found = np.full(len(hidden), -1)
    for key, n_keys in (
        (objects * n_bands + store.band, store.n_objects * n_bands),
        (objects, store.n_objects),
    ):
        if not (hidden & (found < 0)).any():
            break
        order = stable_order(key, n_keys)
        group, place = key[order], np.arange(len(key))
        visible, time = ~hidden[order], np.asarray(store.time, dtype=np.float64)[order]
        before = np.maximum.accumulate(np.where(visible, place, -1))
        after = np.minimum.accumulate(np.where(visible, place, len(key))[::-1])[::-1]
        gap = []
        for there, inside in ((before, before >= 0), (after, after < len(key))):
            other = np.clip(there, 0, len(key) - 1)
            inside &= group[other] == group
            gap.append(np.where(inside, np.abs(time[other] - time), np.inf))
        nearest = np.where(gap[0] <= gap[1], before, after)
        known = np.isfinite(np.minimum(*gap))
        own = np.full(len(key), -1)
        own[order[known]] = order[nearest[known]]
        found = np.where(found < 0, own, found)
    return found
