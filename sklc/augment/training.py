"""Augmentation in training: what ``augment=`` means, and light curves drawn for every epoch."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import clone

from sklc.augment import transformers
from sklc.augment.base import Augmenter
from sklc.errors import LightCurveError
from sklc.light_curves import LightCurves, as_light_curves
from sklc.utils.registry import Registry

__all__ = ["AUGMENTATIONS", "Augmentation", "chosen_transformers", "register_augmentation"]

AUGMENTATIONS: Registry[Any] = Registry("augmentation")


def _checked(transformer: Any) -> Any:
    """Refuse what is not a transformer, or has parameters out of range."""
    fits = all(callable(getattr(transformer, name, None)) for name in ("fit", "transform"))
    if not fits or isinstance(transformer, type):
        raise TypeError(
            "An augmentation is an instance with fit and transform, such as "
            f"sklc.augment.Prefixes(), or a list of these; got {transformer!r}."
        )
    if isinstance(transformer, Augmenter):
        transformer._validate_params()  # which fit does not do inside another fit
    return transformer


def register_augmentation(name: str, transformer: Any, *, overwrite: bool = False) -> None:
    """Register a transformer of light curves, for ``LightCurveEncoder(augment=name)``.

    Parameters
    ----------
    name : str
        The name by which it is chosen.
    transformer : object
        An instance with ``fit`` and ``transform``, such as a subclass of `sklc.augment.Augmenter`
        or a pipeline of several.
    overwrite : bool, default=False
        Whether to replace an augmentation of this name.

    Raises
    ------
    TypeError
        If it is not such an instance.
    ValueError
        If the name is taken.

    Examples
    --------
    >>> from sklc import LightCurveEncoder, register_augmentation
    >>> from sklc.augment import Prefixes
    >>> register_augmentation("early", Prefixes(share=0.8), overwrite=True)
    >>> LightCurveEncoder(augment="early").augment
    'early'
    """
    AUGMENTATIONS.register(name, _checked(transformer), overwrite=overwrite)


for _name in transformers.__all__:  # DropBands is "drop_bands"
    register_augmentation(
        re.sub(r"(?<!^)(?=[A-Z])", "_", _name).lower(), getattr(transformers, _name)()
    )


def chosen_transformers(augment: Any) -> tuple[Any, ...]:
    """Return the transformers that a parameter `augment` means, in their order.

    Parameters
    ----------
    augment : bool, None, str, transformer, or sequence of str and transformers
        True stands for `ObservingConditions`; False and None for no transformer at all.
    """
    if augment is None or isinstance(augment, bool | np.bool_):
        augment = ["observing_conditions"] if augment else []
    parts = augment if isinstance(augment, list | tuple) else [augment]
    return tuple(_checked(AUGMENTATIONS[part] if isinstance(part, str) else part) for part in parts)


class Augmentation:
    """Light curves that are drawn for every epoch of a training.

    Parameters
    ----------
    curves : LightCurves
        The light curves to alter.
    transformers : sequence
        The transformers to apply, one after the other. One with a parameter ``random_state`` gets
        another one in every epoch.
    seed : int
        Together with the number of the epoch, it decides what is drawn.
    min_points : int
        An object that is left with fewer observations sits the epoch out.
    """

    def __init__(
        self, curves: LightCurves, transformers: Any, seed: int, min_points: int = 1
    ) -> None:
        store = curves._compact()
        # In float64, so that no transformer rounds what the next one reads.
        flux, flux_err = (np.asarray(x, dtype=np.float64) for x in (store.flux, store.flux_err))
        self.curves = LightCurves._from_store(replace(store, flux=flux, flux_err=flux_err))
        self.transformers = tuple(transformers)
        self.seed, self.min_points = seed, max(min_points, 1)

    def draw(self, epoch: int) -> tuple[LightCurves, np.ndarray]:
        """Return the light curves of an epoch, and which objects they are of.

        Raises
        ------
        LightCurveError
            If a transformer returns other objects, or no object has enough observations.
        """
        curves = self.curves
        for position, transformer in enumerate(self.transformers):
            # The first has no number, so that weights trained with one alone can be made again.
            rng = np.random.default_rng([self.seed, epoch, *([position] if position else [])])
            curves = _altered(transformer, curves, rng)
        objects = np.flatnonzero(curves.lengths >= self.min_points)
        if not len(objects):
            raise LightCurveError(
                f"In epoch {epoch}, augment= leaves no light curve with {self.min_points} or more "
                f"observations (of {len(curves)}): use transformers that remove less."
            )
        return (curves if len(objects) == len(curves) else curves[objects]), objects


def _altered(transformer: Any, curves: LightCurves, rng: np.random.Generator) -> LightCurves:
    """Return `curves` altered by a transformer: the same objects in the same order."""
    if isinstance(transformer, Augmenter):
        return transformer._redrawn(curves, rng)
    own = clone(transformer, safe=False)
    if hasattr(own, "get_params"):
        names = [name for name in own.get_params() if f"__{name}".endswith("__random_state")]
        own.set_params(**{name: int(rng.integers(2**31 - 1)) for name in sorted(names)})
    altered = as_light_curves(own.fit(curves).transform(curves), min_points=None)
    if len(altered) != len(curves) or not np.array_equal(altered.ids, curves.ids):
        raise LightCurveError(
            f"augment={transformer!r} returned {len(altered)} light curves for {len(curves)}, or "
            "other ids: return the same objects in the same order. Leave too few observations to "
            "those that should sit the epoch out."
        )
    metadata = curves.metadata  # a transformer that rebuilds the light curves may leave it out
    for column, values in altered.metadata.items():
        metadata[column] = values.to_numpy()
    return LightCurves._from_store(replace(altered._compact(), metadata=metadata))
