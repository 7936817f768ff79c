"""Objectives by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sklc.networks.objectives.adversarial import Adversarial
from sklc.networks.objectives.classifier import Classifier
from sklc.networks.objectives.contrastive import Contrastive
from sklc.networks.objectives.interface import Objective
from sklc.networks.objectives.masked import Masked
from sklc.networks.objectives.redshift import Redshift
from sklc.utils.registry import Registry

__all__ = ["OBJECTIVES", "chosen_objectives", "learns_classes", "register_objective"]

OBJECTIVES: Registry[Objective | Callable[..., Objective]] = Registry("objective")


def register_objective(
    name: str, objective: Objective | Callable[..., Objective], *, overwrite: bool = False
) -> None:
    """Register an objective by name, for ``LightCurveEncoder(objective=name)``.

    Parameters
    ----------
    name : str
        The name by which it is chosen.
    objective : Objective or callable
        An instance, or a class or function that returns one. It is called with those of the
        encoder's parameters `temperature` and `adversarial_weight` that it takes.
    overwrite : bool, default=False
        Whether to replace an objective of this name.

    Raises
    ------
    TypeError
        If it is neither an objective nor callable.
    ValueError
        If the name is taken.

    Examples
    --------
    >>> from sklc import LightCurveEncoder, register_objective
    >>> from sklc.networks.objectives import Contrastive
    >>> register_objective("sharp", Contrastive(temperature=0.1), overwrite=True)
    >>> LightCurveEncoder(objective="sharp").objective
    'sharp'
    """
    if not isinstance(objective, Objective) and not callable(objective):
        raise TypeError(
            "An objective is an instance of a subclass of sklc.networks.objectives.Objective, or "
            f"a callable that returns one; got {objective!r}."
        )
    OBJECTIVES.register(name, objective, overwrite=overwrite)


for _objective in (Classifier, Contrastive, Adversarial, Masked):
    register_objective(_objective.__name__.lower(), _objective)


def learns_classes(objectives: Sequence[Objective]) -> bool:
    """Whether objectives need labels, which a redshift beside others does not."""
    others = [own for own in objectives if not isinstance(own, Redshift)]
    return any(own.needs_labels for own in others or objectives)


def chosen_objectives(
    objective: str | Objective | Sequence[str | Objective],
    redshift_weight: float,
    changed: Mapping[str, Any],
) -> tuple[Objective, ...]:
    """Return the objectives of an encoder with these parameters.

    Parameters
    ----------
    objective : str, Objective, or sequence of these
        The encoder's parameter.
    redshift_weight : float
        If it is above 0, `Redshift` is added with this weight.
    changed : mapping of str
        The parameters of the encoder for named objectives that are not at their defaults.

    Raises
    ------
    ValueError
        If a name is not known, there is no objective, there are two of a kind, or none takes one
        of `changed`.
    TypeError
        If `objective`, or what its factory returns, is not an objective.
    """
    named, takes, made = f"objective={objective!r}", set(), []
    several = list(objective) if isinstance(objective, Sequence) else [objective]
    for own in [objective] if isinstance(objective, str) else several:
        one: Any = OBJECTIVES[own] if isinstance(own, str) else own
        if not isinstance(one, Objective) and isinstance(own, str):
            parameters = set(inspect.signature(one).parameters)
            one = one(**{name: value for name, value in changed.items() if name in parameters})
            takes |= parameters
        made.append(one)
    for name, value in changed.items():
        if name not in takes:
            raise ValueError(
                f"{name}={value!r} has no effect with {named}: leave it out, or give the objective "
                "the parameter itself, as in objective=Contrastive(temperature=0.2)."
            )
    for one in made:
        if not isinstance(one, Objective):
            raise TypeError(
                f"{named} is not an objective: use one of {OBJECTIVES.names()}, or an instance of "
                "a subclass of sklc.networks.objectives.Objective."
            )
    if not made:
        raise ValueError(f"{named} names no objective: use one of {OBJECTIVES.names()}.")
    for kind in (Classifier, Masked, Redshift):
        same = [one for one in made if isinstance(one, kind)]
        if len(same) > 1:
            raise ValueError(
                f"{named} has two objectives of a kind, {same[0]!r} and {same[1]!r}, and would "
                f"count the loss of {kind.__name__} twice: keep one of them."
            )
    return (*made, Redshift(redshift_weight)) if redshift_weight else tuple(made)
