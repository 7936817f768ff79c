"""Trainings that see a given number of surveys, and the simulations that they draw from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from _monitored import MONITORED
from _simulated import trained_once

from sklc.errors import NotDetectedError
from sklc.light_curves import LightCurves, concatenate
from sklc.pretrain import simulate_any_survey
from sklc.pretrain.training import any_survey_settings
from sklc.representation import PRESETS
from sklc.simulate import simulate

# Names of the surveys in the metadata, and what `simulate` takes.
ALWAYS_SEEN = {"ZTF": "ztf", "LSST": "lsst"}
LEFT_OUT = {"PS1": "ps1", "DES": "des", **{name: name for name in MONITORED}}
BUILT_IN = ("ztf", "lsst", "lsst-ddf", "ps1", "des")
WINDOWS = ((-30.0, 60.0), (-200.0, 400.0), None, (-5.0, 100.0))
# Drawn surveys that `simulate_any_survey` needs for eight rounds of known ones.
FOR_KNOWN = 45
# What is dropped here is never shown, also with the noise that augmentation adds.
KEPT = replace(PRESETS["corroborated"], min_snr=2.5)


@dataclass(frozen=True)
class Training:
    """What an encoder is trained on, and how long.

    Parameters
    ----------
    n_drawn : int
        Number of drawn surveys.
    seen : tuple of str
        Surveys of `LEFT_OUT` that are seen nevertheless.
    n_curves, epochs, hidden_size, seed : int
    share : float
        Share of the light curves of `simulate_any_survey` among which they are drawn.
    """

    n_drawn: int = 90
    seen: tuple[str, ...] = ()
    n_curves: int = 64_000
    epochs: int = 4
    hidden_size: int = 128
    seed: int = 0
    share: float = 1.0

    def steps(self, epochs: int) -> int:
        """Return the number of gradient steps: 6 % of the light curves are held out."""
        n_held_out = -(-6 * self.n_curves // 100)
        return epochs * -(-(self.n_curves - n_held_out) // any_survey_settings(1)["batch_size"])

    def composition(self) -> dict[str, int]:
        """Return the number of light curves of each survey, by its name in the metadata."""
        numbers = dict.fromkeys(ALWAYS_SEEN, self.n_curves // 8)
        numbers |= dict.fromkeys(self.seen, self.n_curves // 16)
        rest = self.n_curves - sum(numbers.values())
        others = [f"random-{k}" for k in range(self.n_drawn)] or list(ALWAYS_SEEN)
        for k, name in enumerate(others):
            share, left = divmod(rest, len(others))
            numbers[name] = numbers.get(name, 0) + share + (k < left)
        return numbers


@dataclass(frozen=True)
class Simulations:
    """Simulated light curves to draw training sets from, which are kept in folders.

    Parameters
    ----------
    parts : Path
        Folder of `simulate_any_survey`.
    cache : Path
        Folder of what else is simulated.
    share : float
        As for `simulate_any_survey`.
    n_drawn : int
        Number of drawn surveys in `parts`.
    leave_out : tuple of str
        Built-in surveys that are not needed.
    n_jobs : int
        Processes that simulate.
    """

    parts: Path
    cache: Path
    share: float
    n_drawn: int
    leave_out: tuple[str, ...] = ()
    n_jobs: int = 1

    def training_set(self, training: Training) -> LightCurves:
        """Draw the light curves of a training, every survey without replacement."""
        rng, chosen = np.random.default_rng([16, training.seed]), []
        drawn = self._drawn_for(training)
        for name, number in training.composition().items():
            if name in MONITORED:
                pool = self._monitored(name, number)
            else:
                pool = _select(drawn if name.startswith("random") else self._built_in, name)
            if len(pool) < number:
                raise ValueError(
                    f"{self.parts} has only {len(pool)} light curves of {name}, {number} are "
                    "needed: pass a larger --share, and another --parts."
                )
            chosen.append(pool[np.sort(rng.choice(len(pool), number, replace=False))])
        curves = concatenate(chosen, prefix_ids=True)
        # Held-out objects are drawn by survey and class: here by class, as some are few.
        return curves.with_metadata(survey=np.full(len(curves), "simulated"))

    def _drawn_for(self, training: Training) -> LightCurves:
        """Return light curves of drawn surveys, enough of each."""
        needed = training.composition()
        names = [name for name in needed if name.startswith("random")]
        found = self._drawn.metadata["survey"].value_counts()
        missing = float(max((needed[name] / found[name] for name in names), default=0.0))
        if missing <= 1:
            return self._drawn
        # Few surveys, with many light curves of each.
        share = round(1.05 * self.share * missing, 3)
        return simulate_any_survey(self.cache / f"drawn-{share:g}", share=share,
                                   n_surveys=training.n_drawn, leave_out=BUILT_IN,
                                   n_jobs=self.n_jobs)  # fmt: skip

    @cached_property
    def _built_in(self) -> LightCurves:
        curves = simulate_any_survey(
            self.parts, share=self.share, n_surveys=min(FOR_KNOWN, self.n_drawn),
            leave_out=self.leave_out, n_jobs=self.n_jobs,
        )  # fmt: skip
        return curves[~curves.metadata["survey"].str.startswith("random").to_numpy()]

    @cached_property
    def _drawn(self) -> LightCurves:
        return simulate_any_survey(self.parts, share=self.share, n_surveys=self.n_drawn,
                                   leave_out=BUILT_IN, n_jobs=self.n_jobs)  # fmt: skip

    def _monitored(self, name: str, number: int) -> LightCurves:
        """Simulate the classes in the numbers of the other surveys, a quarter in each window."""
        own = self.cache / f"{name}-{number}"
        if not own.exists():
            shares = self._built_in.metadata["class"].value_counts(normalize=True)
            # More than are needed: a class may not be detected.
            numbers = {str(k): max(1, round(0.3 * number * v)) for k, v in shares.items()}
            made = []
            for seed, window in enumerate(WINDOWS):
                for kind, count in numbers.items():
                    try:
                        curves = simulate({kind: count}, MONITORED[name].survey(), window=window,
                                          random_state=seed, n_jobs=self.n_jobs)  # fmt: skip
                    except NotDetectedError:
                        continue
                    made.append(KEPT.shown(curves))
            curves = concatenate(made, prefix_ids=True)
            z = curves.metadata["redshift"].clip(lower=1e-4)
            curves = curves.with_metadata(redshift=z.to_numpy())
            curves.to_parquet(own)
        return LightCurves.from_parquet(own)


def _select(curves: LightCurves, survey: str) -> LightCurves:
    return curves[(curves.metadata["survey"] == survey).to_numpy()]


def encoder_of(training: Training, simulations: Simulations) -> tuple[Path, float]:
    """Return the weights file of a training, and the CPU seconds that it took."""
    path, metrics = trained_once(
        f"any-{training.n_drawn}{'-seen' if training.seen else ''}",
        training,
        lambda: simulations.training_set(training),
        simulations.cache,
        keep_epochs=True,
        epochs=training.epochs,
        seed=training.seed,
        **any_survey_settings(training.hidden_size),
    )
    return path, metrics["cpu_seconds"]
