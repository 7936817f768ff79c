"""The classes that weights were pretrained on: merged, weighted by prior, matched to labels."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from numbers import Real

import numpy as np

from sklc.utils.text import listed, shown

__all__ = [
    "CLASS_PRIORS",
    "fit_joint_shares",
    "match_classes",
    "merge_matrix",
    "named_alike",
    "prior_shares",
]

# Expected shares of classes, by name of the table. A merged class has the sum of its parts.
#
# "magnitude-limited": what a survey of extragalactic transients that peak brighter than a limit
# finds. Ia : II : Ib/c : SLSN-I : TDE as in the ZTF Bright Transient Survey to August 2024 (4,628 :
# 1,212 : 339 : 46 : 22; Rehemtulla et al. 2024, ApJ 972, 7, as counted by Gupta et al. 2025,
# MNRASL, slaf074, table 1). Subtypes divide each group by volumetric rate times
# <10**(-0.6 M)>, the volume they are seen in, with the rates and luminosity functions of
# `sklc.simulate.CLASSES`, whose sources are named there. Everything else is vetted out.
CLASS_PRIORS: dict[str, dict[str, float]] = {
    "magnitude-limited": {
        "SNIa": 0.714,
        "SNIa-91bg": 0.007,
        "SNIax": 0.020,
        "SNII": 0.133,
        "SNIIn": 0.046,
        "SNIIb": 0.015,
        "SNIb": 0.017,
        "SNIc": 0.019,
        "SNIc-BL": 0.018,
        "SLSN-I": 0.007,
        "TDE": 0.004,
        **dict.fromkeys(("AGN", "KN", "artefact", "dwarf-nova", "uLens", "variable-star"), 0.0),
    },
    "equal": {},
}
# Where weights do not tell the subtypes of a class apart, its share is their sum.
_SUBTYPES = {"SNIb/c": ("SNIb", "SNIc", "SNIc-BL"), "SNII": ("SNII", "SNIIn", "SNIIb")}

# When shares are fitted: how many labels the start counts as, and the number of EM steps, after
# which changes are below a thousandth.
_START_LABELS = 1.0
_N_STEPS = 50
# When pretrained classes are matched to labels: how many labels of each class their name counts as,
# which of these are for classes of other names, and how many there are where no name is alike. Few
# steps leave the match as smooth as few labels deserve, and cost nothing where there are many.
_ALIKE, _OTHERS, _UNNAMED = 30.0, 0.1, 10.0
_FEW_STEPS = 3


def merge_matrix(
    classes: np.ndarray, merge: Mapping[str, list[str]] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return class names, sorted, and a matrix that sums probabilities, (n_weights, n_merged).

    Parameters
    ----------
    classes : ndarray of shape (n_weights,)
        Classes of the weights.
    merge : mapping of name to classes of the weights, or None
        Without it, the classes are only sorted, as scikit-learn expects them.
    """
    if merge is None:
        order = np.argsort(classes)
        return classes[order], np.eye(len(classes))[:, order]
    if not merge or not all(_is_list(parts) for parts in merge.values()):
        raise ValueError(
            "merge_classes must map each class to a list of classes of the weights, such as "
            f"{{'Ia': ['SNIa', 'SNIax'], 'II': ['SNII']}}; got {shown(dict(merge))}."
        )
    if len({isinstance(name, str) for name in merge}) > 1:
        raise ValueError(
            f"merge_classes has names of different types, {listed(merge)}: make all of them text, "
            "or all of them numbers."
        )
    named, names = [part for parts in merge.values() for part in parts], sorted(merge)
    unknown = [part for part in named if part not in classes.tolist()]
    if unknown:
        raise ValueError(
            f"merge_classes names {listed(unknown)}, which the weights do not have: their classes "
            f"are {classes.tolist()}."
        )
    twice = sorted({part for part in named if named.count(part) > 1})
    if twice:
        raise ValueError(f"merge_classes names {twice} more than once: each can count only once.")
    matrix = np.array([[float(c in merge[name]) for name in names] for c in classes])
    return np.asarray(names), matrix


def _is_list(parts: object) -> bool:
    """Whether this is a list, or the like, of at least one class."""
    is_one = isinstance(parts, str | bytes | Mapping)
    return isinstance(parts, Collection) and not is_one and len(parts) > 0


def prior_shares(
    classes: np.ndarray,
    merge: Mapping[str, list[str]] | None,
    class_prior: str | Mapping[str, float] | None,
    carried: Mapping[str, float] | None = None,
) -> np.ndarray:
    """Return the expected share of each class of the weights, (n_weights,), summing to 1.

    Parameters
    ----------
    classes : ndarray of shape (n_weights,)
        Classes of the weights.
    merge : mapping of name to classes of the weights, or None
        As `merge_matrix` takes it, and has checked it.
    class_prior : str, mapping of name to share, or None
        Name of one of `CLASS_PRIORS`; or shares of all classes of the weights (under `merge`, of
        those that it names), or of all merged classes, whose parts then share alike. "equal": all
        alike. None: as `carried` says.
    carried : mapping of name to share, or None, default=None
        Shares that the weights bring along, relative to classes that it does not name, which have
        1; None for all alike.

    Raises
    ------
    ValueError
        If a class is missing or unknown, a share is no number from 0, or all are 0.
    """
    names = classes.tolist()
    if class_prior is None or class_prior == "equal":
        relative = (carried or {}) if class_prior is None else {}
        shares = np.array([float(relative.get(name, 1.0)) for name in names])
        return shares / shares.sum()
    used = names if merge is None else [part for parts in merge.values() for part in parts]
    if isinstance(class_prior, str):
        given = _from_table(class_prior, names, used)
    else:
        given = dict(class_prior)
        for name, share in given.items():
            if not (isinstance(share, Real) and 0 <= share < np.inf):
                raise ValueError(
                    f"class_prior[{shown(name)}]={shown(share)} is no share: give numbers of at "
                    "least 0."
                )
        if merge is not None and set(given) == set(merge):
            given = {p: share / len(merge[c]) for c, share in given.items() for p in merge[c]}
    unknown = [name for name in given if name not in names]
    if unknown:
        raise ValueError(
            f"class_prior names {listed(unknown)}, which are neither the merged classes nor "
            f"classes of the weights, {names}: name all of the one or all of the other."
        )
    missing = sorted(set(used) - set(given))
    if missing:
        raise ValueError(
            f"class_prior has no share of {missing}: add one for each, 0 where none is expected."
        )
    shares = np.array([float(given[name]) if name in used else 0.0 for name in names])
    if not shares.sum():
        raise ValueError("class_prior leaves no class: at least one share must be above 0.")
    return shares / shares.sum()


def _from_table(table: str, names: list[str], used: list[str]) -> dict[str, float]:
    shares = CLASS_PRIORS[table]
    given = {}
    for name in used:
        # Subtypes that are classes of the weights themselves are not counted twice.
        parts = [part for part in _SUBTYPES.get(name, ()) if part == name or part not in names]
        if not parts and name not in shares:
            raise ValueError(
                f"class_prior={table!r} has no share of class {name!r} of the weights: pass a "
                f"mapping with a share of each of {used} instead."
            )
        given[name] = sum(shares[part] for part in parts) if parts else shares[name]
    return given


def fit_joint_shares(
    probabilities: np.ndarray,
    target: np.ndarray,
    class_weight: np.ndarray,
    sample_weight: np.ndarray | float = 1.0,
) -> np.ndarray:
    """Shares of pairs of a pretrained class and a label, by expectation maximisation.

    The pretrained probabilities p(k) are for classes k of equal prior, so they are likelihoods up
    to a factor, and ``sum_k p(k) joint[k, c]`` is the joint likelihood of an object and a label c.
    Its maximum gives at once what the pretrained classes stand for among the labels and how
    frequent they are; for one label it is the prior shift of Saerens, Latinne & Decaestecker
    (2002, Neural Computation 14, 21, equation 2.9).

    Parameters
    ----------
    probabilities : ndarray of shape (n_objects, n_own)
        Probabilities of the pretrained classes.
    target : ndarray of shape (n_objects,)
        Class indices.
    class_weight : ndarray of shape (n_classes,)
        Weight of the objects of each class.
    sample_weight : ndarray of shape (n_objects,), default=1
        Weight of each object.

    Returns
    -------
    ndarray of shape (n_own, n_classes), float64
        Positive; sums to 1.
    """
    labels = _labels(target, class_weight, sample_weight)
    n_own = probabilities.shape[1]
    start = np.tile(labels.sum(axis=0) / labels.sum() / n_own, (n_own, 1))
    return _maximise(probabilities, target, labels, _START_LABELS * start, _N_STEPS)


def named_alike(own: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return which classes of the weights a label stands for by its name, (n_own, n_labels) bool.

    That is the class of the same name, "Ia" being that of "SNIa", and those subtypes of "SNIb/c"
    and "SNII" which are no labels themselves.

    Parameters
    ----------
    own : ndarray of shape (n_own,)
        Classes of the weights.
    labels : ndarray of shape (n_labels,)
        Distinct labels, of any type.
    """
    names = [_plain(label) for label in labels]
    parts = {_plain(name): [_plain(part) for part in kinds] for name, kinds in _SUBTYPES.items()}

    def meant(name: str) -> list[str]:
        return [part for part in parts.get(name, ()) if part not in names] + [name]

    return np.array([[_plain(k) in meant(n) for n in names] for k in own.tolist()], dtype=bool)


def _plain(name: object) -> str:
    """Return a name of a class without what people write in different ways."""
    return re.sub(r"^sn|[^a-z0-9]", "", str(name).lower())


def match_classes(
    probabilities: np.ndarray,
    target: np.ndarray,
    class_weight: np.ndarray,
    sample_weight: np.ndarray | float,
    alike: np.ndarray,
) -> np.ndarray:
    """Shares of pairs of a pretrained class and a label, as good as few labels allow.

    As `fit_joint_shares`, but smooth, and with a start that reads the names of the classes.

    Parameters
    ----------
    probabilities, target, class_weight, sample_weight
        As there.
    alike : ndarray of bool, shape (n_own, n_classes)
        As `named_alike` returns it.

    Returns
    -------
    ndarray of shape (n_own, n_classes), float64
        Positive; sums to 1.
    """
    labels, (n_own, n_classes) = _labels(target, class_weight, sample_weight), alike.shape
    n_alike = alike.sum(axis=0)
    named = _ALIKE * ((1 - _OTHERS) * alike / np.maximum(n_alike, 1) + _OTHERS / n_own)
    start = np.where(n_alike > 0, named, _UNNAMED / n_own)
    start = start * n_classes * labels.sum(axis=0) / labels.sum()
    return _maximise(probabilities, target, labels, start, _FEW_STEPS)


def _labels(
    target: np.ndarray, class_weight: np.ndarray, sample_weight: np.ndarray | float
) -> np.ndarray:
    """Weights of the objects in the column of their label, (n_objects, n_classes)."""
    weights = class_weight[target] * sample_weight
    return np.eye(len(class_weight))[target] * weights[:, None]


def _maximise(
    probabilities: np.ndarray,
    target: np.ndarray,
    labels: np.ndarray,
    start: np.ndarray,
    n_steps: int,
) -> np.ndarray:
    """Run EM from `start`, which counts as so many labels as it sums to."""
    joint = start / start.sum()
    for _ in range(n_steps):
        pairs = probabilities * joint[:, target].T
        pairs /= pairs.sum(axis=1, keepdims=True)
        joint = pairs.T @ labels + start
        joint /= joint.sum()
    return joint
