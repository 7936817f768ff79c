"""Pretrain an encoder on simulated light curves: ``python -m sklc.pretrain --help``.

The data are made by `sklc.simulate` from the seed, or are a folder with ``objects.parquet``
(object_id, survey, class, redshift) and ``photometry.parquet``, as `LightCurves.from_parquet`
reads. With ``--checkpoints``, an interrupted run continues when the same command is given again. An
interrupted run writes no weights.
"""

from sklc.estimators.novelty_training import add_novelty
from sklc.pretrain.command_line import main
from sklc.pretrain.context import DrawnContext, fit_context
from sklc.pretrain.training import pretrain
from sklc.pretrain.training_sets import (
    SIMULATED,
    simulate_any_survey,
    simulate_training_set,
    simulate_unknown,
)
from sklc.pretrain.variable_stars import simulate_variable_stars

__all__ = [
    "DrawnContext",
    "SIMULATED",
    "add_novelty",
    "fit_context",
    "main",
    "pretrain",
    "simulate_any_survey",
    "simulate_training_set",
    "simulate_unknown",
    "simulate_variable_stars",
]
