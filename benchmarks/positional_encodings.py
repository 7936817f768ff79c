"""Compare the ways in which a transformer can be told the times of observations.

    python benchmarks/positional_encodings.py --data DIR [--epochs 15] [--codes CODE ...] [--quick]

The same small transformer is trained without labels, to predict hidden observations, once with each
positional code and with none of them ("no times": the code of times that are all alike). Light
curves are those of the Catalina Surveys' southern sky (DIR/crts_sss), classes with at least 500
stars, their first 100 observations; and simulated ones, in which every star has its own times and
errors, and the brightness of a sawtooth or a sine of a random period from .1 to 300 days or of a
damped random walk. 800 stars of each are held out.

Figures are the error of predictions at a fifth of the observations of the held-out stars, beside
those of each star's mean and of the nearest visible observation; and, for Catalina, the macro F1
score and AUROC of a logistic regression on latents with 20 and 100 labels of each class, three
draws of labels. What is measured is written after each code, and a run that is repeated goes on
from there.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from _common import (
    build_parser,
    cell,
    markdown_table,
    parse,
    results_path,
    summarise,
    write_results,
)
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sklc import LightCurveEncoder, LightCurves
from sklc.networks.architectures import Transformer
from sklc.networks.architectures.transformer import POSITIONS

NAME = "positional_encodings"
CODES = (*POSITIONS, "no times")
MIN_STARS, N_POINTS, N_TEST = 500, 100, 800
LABELS, DRAWS = (20, 100), 3
HIDDEN = 0.2
SETS = ("Catalina", "simulated")


# -- light curves


def load_stars(folder: Path, quick: bool) -> tuple[LightCurves, np.ndarray]:
    """Load the stars of the common classes, and put them in random order."""
    curves = LightCurves.from_parquet(folder / "crts_sss")
    y = curves.metadata["class"].to_numpy(dtype=str)
    classes, counts = np.unique(y, return_counts=True)
    kept = np.isin(y, classes[(counts >= MIN_STARS) & (classes != "Misc")])
    order = np.random.default_rng(0).permutation(np.flatnonzero(kept))[: 1100 if quick else None]
    return curves[order].truncate(points=N_POINTS), y[order]


def simulate_like(curves: LightCurves, seed: int = 1) -> LightCurves:
    """Return light curves at the same times, with the same relative errors, of known kinds."""
    rng = np.random.default_rng(seed)
    flux = np.empty(len(curves.time))
    for start, stop in pairwise(curves.offsets):
        days = curves.time[start:stop] - curves.time[start]
        amplitude = 10 ** rng.uniform(-1, 0)
        phase = days / 10 ** rng.uniform(-1, 2.5) + rng.random()
        kind = rng.integers(3)
        if kind == 0:
            shape = np.sin(2 * np.pi * phase)
        elif kind == 1:
            shape = 2 * (phase % 1.0) - 1
        else:
            shape = damped_walk(days, 10 ** rng.uniform(1, 3), rng)
        flux[start:stop] = 1000 * 10 ** (-0.4 * amplitude * shape)
    error = flux * curves.flux_err / curves.flux
    band = np.array([p.name for p in curves.passbands])[curves.band]
    noisy = flux + error * rng.normal(size=len(flux))
    return LightCurves.from_arrays(curves.time, noisy, error, band, offsets=curves.offsets)


def damped_walk(days: np.ndarray, scale: float, rng: np.random.Generator) -> np.ndarray:
    """Return a damped random walk of variance 1 with a time scale in days."""
    kept = np.exp(-np.diff(days, prepend=days[:1]) / scale)
    kept[0] = 0.0
    walk, state = np.empty(len(days)), 0.0
    for k, (keep, draw) in enumerate(zip(kept, rng.normal(size=len(days)), strict=True)):
        state = keep * state + np.sqrt(1 - keep**2) * draw
        walk[k] = state
    return walk


def hide(curves: LightCurves) -> np.ndarray:
    """Return which observations to hide, never the first of a star."""
    hidden = np.random.default_rng(2).random(len(curves.time)) < HIDDEN
    hidden[curves.offsets[:-1]] = False
    return hidden


# -- figures


def errors(curves: LightCurves, hidden: np.ndarray, flux: np.ndarray) -> dict[str, float]:
    """Return root mean square errors, in magnitudes, at the hidden observations."""
    magnitude = -2.5 * np.log10(np.maximum(curves.flux, 1e-3))
    mean, nearest = np.empty(len(hidden)), np.empty(len(hidden))
    for start, stop in pairwise(curves.offsets):
        own = slice(start, stop)
        seen = np.flatnonzero(~hidden[own])
        time_apart = np.abs(curves.time[own][:, None] - curves.time[own][seen])
        mean[own] = magnitude[own][seen].mean()
        nearest[own] = magnitude[own][seen][time_apart.argmin(axis=1)]
    said = -2.5 * np.log10(np.maximum(flux, 1e-3))
    guesses = {"rmse": said, "mean": mean[hidden], "nearest": nearest[hidden]}
    # One outlier of several magnitudes would decide the rest.
    return {
        name: float(np.sqrt(np.mean(np.clip(guess - magnitude[hidden], -1, 1) ** 2)))
        for name, guess in guesses.items()
    }


def probe(latent: np.ndarray, y: np.ndarray, n_labels: int, draw: int) -> dict[str, float]:
    """Score a logistic regression on so many labels of each class; the first stars are the test."""
    rng, rest = np.random.default_rng(draw), np.arange(N_TEST, len(y))
    train = np.concatenate(
        [rng.choice(rest[y[rest] == c], n_labels, replace=False) for c in np.unique(y)]
    )
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
    probabilities = model.fit(latent[train], y[train]).predict_proba(latent[:N_TEST])
    predicted = model.classes_[probabilities.argmax(axis=1)]
    return {
        "f1": float(f1_score(y[:N_TEST], predicted, average="macro")),
        "auroc": float(roc_auc_score(y[:N_TEST], probabilities, multi_class="ovr")),
    }


def encoder_of(code: str, epochs: int, quick: bool) -> LightCurveEncoder:
    """Return an encoder to be trained without labels."""
    size = 16 if quick else 64
    settings = Transformer(
        hidden_size=size,
        feedforward_size=2 * size,
        latent_size=size,
        positional=POSITIONS[0] if code == "no times" else code,
        standardize_latent=True,
    )
    return LightCurveEncoder(
        architecture=settings,
        representation="magnitude",
        objective="masked",
        max_epochs=epochs,
        batch_size=32,
        learning_rate=1e-3,
        learning_rate_decay=True,
        early_stopping=False,
        random_state=0,
        device="cpu",
        verbose=0,
    )


def without_times(curves: LightCurves) -> LightCurves:
    """Return light curves whose observations are a microsecond apart: their order alone is left."""
    start = np.repeat(curves.time[curves.offsets[:-1]], curves.lengths)
    number = np.arange(len(start)) - np.repeat(curves.offsets[:-1], curves.lengths)
    band = np.array([p.name for p in curves.passbands])[curves.band]
    time = np.floor(start) + number * 2.0**-33
    return LightCurves.from_arrays(
        time, curves.flux, curves.flux_err, band, offsets=curves.offsets,
        zero_point=curves.zero_point,
    )  # fmt: skip


def measure(
    code: str, sets: dict[str, LightCurves], y: np.ndarray, epochs: int, quick: bool
) -> dict[str, Any]:
    """Train with one code on each set, and return all figures."""
    found: dict[str, Any] = {}
    for name, whole in sets.items():
        start = time.process_time()
        curves = without_times(whole) if code == "no times" else whole
        test, train = curves[:N_TEST], curves[N_TEST:]
        encoder = encoder_of(code, epochs, quick).fit(train)
        found[name] = {"seconds": round(time.process_time() - start)}
        hidden = hide(test)
        # The errors of the others are those with times.
        found[name] |= errors(whole[:N_TEST], hidden, encoder.reconstruct(test, hidden))
        if name == "Catalina":
            latent = encoder.transform(curves)
            for n_labels in LABELS[:1] if quick else LABELS:
                draws = [probe(latent, y, n_labels, draw) for draw in range(DRAWS)]
                found[name][str(n_labels)] = summarise(draws)
    return found


def markdown(figures: dict[str, Any]) -> str:
    """Return the figures as a table."""
    sizes = [str(n) for n in LABELS if str(n) in next(iter(figures.values()))["Catalina"]]
    header = ["code", *(f"RMSE, {name}" for name in SETS)]
    header += [f"F1, {n} per class" for n in sizes] + [f"AUROC, {n} per class" for n in sizes]
    rows = [
        [code, *(f"{row[name]['rmse']:.3f}" for name in SETS)]
        + [cell(row["Catalina"][n][score]) for score in ("f1", "auroc") for n in sizes]
        for code, row in figures.items()
    ]
    first = next(iter(figures.values()))
    for name, label in (("mean", "mean of the star"), ("nearest", "nearest observation")):
        errors_of = [f"{first[kind][name]:.3f}" for kind in SETS]
        rows.append([label, *errors_of, *["–"] * (2 * len(sizes))])
    return markdown_table(header, rows)


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the benchmark and return its figures."""
    parser = build_parser(__doc__, seeds=1)
    parser.add_argument("--epochs", type=int, help="epochs of each training (15; 1 with --quick)")
    parser.add_argument("--codes", nargs="+", choices=CODES, default=CODES, metavar="CODE")
    options = parse(parser, arguments, "crts_sss")
    epochs = options.epochs or (1 if options.quick else 15)
    curves, y = load_stars(options.data, options.quick)
    sets = {"Catalina": curves, "simulated": simulate_like(curves)}
    partial = results_path(options, NAME, ".partial.json")
    figures: dict[str, Any] = {}
    if partial.exists() and not options.quick:
        kept = json.loads(partial.read_text(encoding="utf-8"))
        figures = kept["figures"] if kept["epochs"] == epochs else {}
    for code in options.codes:
        if code not in figures:
            with threadpool_limits(1):
                figures[code] = measure(code, sets, y, epochs, options.quick)
            print(code, figures[code], flush=True)
            if not options.quick:
                partial.write_text(
                    json.dumps({"epochs": epochs, "figures": figures}), encoding="utf-8"
                )
    figures = {code: figures[code] for code in CODES if code in figures}
    table = markdown(figures)
    best = min(figures, key=lambda code: figures[code]["Catalina"]["rmse"])
    line = (
        f"{NAME}: error of masked predictions of Catalina stars, best {best} "
        f"{figures[best]['Catalina']['rmse']:.3f} mag; nearest observation "
        f"{figures[best]['Catalina']['nearest']:.3f}"
    )
    content = {
        "summary": line,
        "markdown": table,
        "protocol": " ".join((__doc__ or "").split("\n\n", 2)[2].split()),
        "n_objects": len(y),
        "epochs": epochs,
        "settings": str(encoder_of("sine", epochs, options.quick)),
        "figures": figures,
    }
    print(table)
    print(f"wrote {write_results(options, NAME, content, []).name}")
    partial.unlink(missing_ok=True)
    print(line)
    return figures


if __name__ == "__main__":
    main()
