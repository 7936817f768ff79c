"""``sklc classify``, ``encode`` and ``redshift``: a row per object, without training anything."""

from __future__ import annotations

from argparse import Namespace

import numpy as np

from sklc.cli.arguments import UsageError
from sklc.cli.console import Console
from sklc.cli.options import merged_classes
from sklc.cli.run import Columns, write_rows
from sklc.estimators import LightCurveEncoder, RedshiftRegressor, TransferClassifier
from sklc.estimators.novelty import novelty_of
from sklc.light_curves import LightCurves

__all__ = ["classifier_of", "classify", "encode", "redshift"]

_OWN = ("object_id", "class", "probability", "novelty")  # columns beside those of the classes


def classifier_of(options: Namespace, console: Console) -> TransferClassifier:
    """Return the classifier that the arguments of a command describe, ready to predict.

    Parameters
    ----------
    options : Namespace
        The arguments.
    console : Console
        Where classes that are left out are told.
    """
    settings = {"device": options.device, "min_points": options.min_points}
    plain = TransferClassifier.pretrained(options.weights, **settings)
    known = plain.classes_.tolist()
    merged = merged_classes(options.merge, known)
    if clash := [name for name in merged if name in _OWN]:
        raise UsageError(f"a class cannot be named {clash[0]!r}, as a column of the table is")
    classifier = TransferClassifier.pretrained(
        options.weights,
        merge_classes=merged if options.merge else None,
        class_prior=options.prior,
        **settings,
    )
    left_out = sorted(set(known) - {part for parts in merged.values() for part in parts})
    if left_out:
        console.say(f"classes that --merge does not name are left out: {', '.join(left_out)}")
    return classifier


def classify(options: Namespace, console: Console) -> int:
    """Write the class, the class probabilities and, if the weights know it, the novelty of objects.

    Parameters
    ----------
    options : Namespace
        The arguments of the command.
    console : Console
        Standard error.

    Returns
    -------
    int
        The exit status.
    """
    classifier = classifier_of(options, console)
    names, knows_novelty = classifier.classes_, novelty_of(classifier) is not None

    def columns(curves: LightCurves) -> Columns:
        novelty = {}
        if knows_novelty:
            probabilities, novelty["novelty"] = classifier._with_novelty(curves, on_error="nan")
        else:
            probabilities = classifier.predict_proba(curves, on_error="nan")
        return {
            "class": names[probabilities.argmax(axis=1)].astype(object),
            "probability": probabilities.max(axis=1),
            **novelty,
            **dict(zip(names.tolist(), probabilities.T, strict=True)),
        }

    return write_rows(options, console, "classified", columns)


def encode(options: Namespace, console: Console) -> int:
    """Write the latent vector of each object.

    Parameters
    ----------
    options : Namespace
        The arguments of the command.
    console : Console
        Standard error.

    Returns
    -------
    int
        The exit status.
    """
    encoder = LightCurveEncoder.pretrained(
        options.weights, device=options.device, min_points=options.min_points
    )

    def columns(curves: LightCurves) -> Columns:
        latents = encoder.transform(curves, on_error="nan")
        return {f"latent_{k}": own for k, own in enumerate(latents.T)}

    return write_rows(options, console, "encoded", columns)


def redshift(options: Namespace, console: Console) -> int:
    """Write the redshift of each object, its standard deviation, and an interval if asked for.

    Parameters
    ----------
    options : Namespace
        The arguments of the command.
    console : Console
        Standard error.

    Returns
    -------
    int
        The exit status.
    """
    model = RedshiftRegressor.pretrained(
        options.weights, device=options.device, min_points=options.min_points
    )

    def columns(curves: LightCurves) -> Columns:
        predicted, error = model.predict(curves, return_std=True, on_error="nan")
        made = {"redshift": predicted, "redshift_err": error}
        if options.coverage is not None:
            limits = model.predict_interval(curves, coverage=options.coverage, on_error="nan")
            made |= {"redshift_low": limits[:, 0], "redshift_high": limits[:, 1]}
        return {name: np.asarray(values) for name, values in made.items()}

    return write_rows(options, console, "estimated the redshifts of", columns)
