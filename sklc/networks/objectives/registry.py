"""Objectives by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from sklc.networks.objectives.adversarial import Adversarial
from sklc.networks.objectives.classifier import Classifier
from sklc.networks.objectives.contrastive import Contrastive
from sklc.networks.objectives.interface import Objective
from sklc.networks.objectives.redshift import Redshift
from sklc.utils.registry import Registry

__all__ = ["OBJECTIVES", "chosen_objectives", "register_objective"]

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


for _objective in (Classifier, Contrastive, Adversarial):
    register_objective(_objective.__name__.lower(), _objective)


def chosen_objectives(
    objective: str | Objective, redshift_weight: float, changed: Mapping[str, Any]
) -> tuple[Objective, ...]:
    """Return the objectives of an encoder with these parameters.

    Parameters
    ----------
    objective : str or Objective
        The encoder's parameter.
    redshift_weight : float
        If it is above 0, `Redshift` is added with this weight.
    changed : mapping of str
        The parameters of the encoder for named objectives that are not at their defaults.

    Raises
    ------
    ValueError
        If the name is not known, or the objective does not take one of `changed`.
    TypeError
        If `objective`, or what its factory returns, is not an objective.
    """
    named = f"objective={objective!r}"
    made: Any = OBJECTIVES[objective] if isinstance(objective, str) else objective
    takes: set[str] = set()
    if not isinstance(made, Objective) and isinstance(objective, str):
        takes = set(inspect.signature(made).parameters)
        made = made(**{name: value for name, value in changed.items() if name in takes})
    for name, value in changed.items():
        if name not in takes:
            raise ValueError(
                f"{name}={value!r} has no effect with {named}: leave it out, or give the objective "
                "the parameter itself, as in objective=Contrastive(temperature=0.2)."
            )
    if not isinstance(made, Objective):
        raise TypeError(
            f"{named} is not an objective: use one of {OBJECTIVES.names()}, or an instance of a "
            "subclass of sklc.networks.objectives.Objective."
        )
    return (made, Redshift(redshift_weight)) if redshift_weight else (made,)
