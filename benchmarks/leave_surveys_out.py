"""How well weights for any survey fare in a survey that they have never seen.

    python benchmarks/leave_surveys_out.py --data DIR [--quick] [--cache DIR] [--parts DIR]

Encoders are trained here as `sklc.pretrain` trains those for any survey, with fewer light curves
and epochs. All of them see ZTF and LSST, an eighth of the light curves each; the rest are of drawn
surveys. They are judged without any label, by the macro one-vs-rest AUROC of their own classes:

- **surveys left out**: the same number of light curves with and without PS1, DES, ATLAS, Swift's
  UVOT, and UBVRI of small telescopes, a sixteenth each in place of drawn surveys. Both are judged
  on new simulated objects of these surveys (twelve classes; half of them seen for one season, half
  in all years), on ZTF and LSST, and on real objects (Ia, II, Ib/c): ``osc_mixed`` (UBVRI and
  others), ``atlas_zfp_dev`` (ATLAS and ZTF), and the SNe Ia of ``snia_multi`` (PS1, DES, SNLS,
  Foundation, CSP) and of ``ps1_mds_osc``, each with the core-collapse supernovae of the first two;
- **number of drawn surveys**: the same number of light curves from 0 to 90 drawn surveys; with 0,
  all are of ZTF and LSST. The five surveys are left out;
- **steps**: 90 drawn surveys, the five surveys left out, judged after each epoch of the training.

With more than one seed, the first comparison is repeated with other light curves and other initial
weights. Simulations are kept in ``--parts``, encoders in ``--cache``, and a run that was stopped
goes on from them.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _common import (
    build_parser,
    markdown_table,
    parse,
    results_path,
    summarise,
    use_templates,
    write_results,
)
from _monitored import MONITORED
from _simulated import add_cache_argument, after_epoch
from _survey_trainings import ALWAYS_SEEN, KEPT, LEFT_OUT, Simulations, Training, encoder_of
from any_survey import load, without_labels

from sklc.errors import LightCurveWarning
from sklc.light_curves import LightCurves, concatenate
from sklc.pretrain.training import any_survey_settings
from sklc.simulate import TWELVE_CLASSES, Survey, simulate

NAME = "leave_surveys_out"
REAL = ("osc_mixed", "atlas_zfp_dev", "snia_multi", "ps1_mds_osc")
ONLY_IA = ("snia_multi", "ps1_mds_osc")
TEST_WINDOWS = ((-30.0, 60.0), None)
TEST_SEED = 9090  # of the objects that encoders are judged on


# -- light curves to judge on

Sets = dict[str, tuple[LightCurves, np.ndarray]]


def real_sets(folder: Path) -> Sets:
    """Load the real supernovae; sets of SNe Ia get the core-collapse supernovae of the others."""
    sets = {name: load(folder, name) for name in REAL}
    others = [curves[y != "SNIa"] for curves, y in (sets[n] for n in REAL if n not in ONLY_IA)]
    labels = [y[y != "SNIa"] for _, y in (sets[n] for n in REAL if n not in ONLY_IA)]
    for name in ONLY_IA:
        curves, y = sets[name]
        sets[name] = (
            concatenate([curves, *others], prefix_ids=True),
            np.concatenate([y, *labels]),
        )
    return sets


def simulated_sets(names: Sequence[str], number: int, n_jobs: int) -> Sets:
    """Simulate objects that no encoder was trained on: `number` per class, window and survey."""
    sets = {}
    for name in names:
        survey: str | Survey
        survey = (
            MONITORED[name].survey() if name in MONITORED else {**ALWAYS_SEEN, **LEFT_OUT}[name]
        )
        curves = concatenate(
            [
                simulate(number, survey, TWELVE_CLASSES, window=window, random_state=TEST_SEED + k,
                         n_jobs=n_jobs)
                for k, window in enumerate(TEST_WINDOWS)
            ],
            prefix_ids=True,
        )  # fmt: skip
        sets[name] = KEPT.shown(curves), curves.metadata["class"].to_numpy(dtype=str)
    return sets


def judge(weights: Path, sets: Sets) -> dict[str, float]:
    """Return the AUROC without labels on every set."""
    return {name: round(without_labels(weights, *own), 5) for name, own in sets.items()}


# -- showing


def groups(names: Sequence[str]) -> dict[str, list[str]]:
    """Return the sets over which figures are averaged."""
    return {
        "new surveys, simulated": [n for n in names if n in LEFT_OUT],
        "new surveys, real": [n for n in names if n in REAL],
        "ZTF and LSST, simulated": [n for n in names if n in ALWAYS_SEEN],
    }


def averages(scores: Mapping[str, float]) -> dict[str, float]:
    """Return the mean over each group of sets."""
    return {
        group: round(float(np.mean([scores[name] for name in names])), 5)
        for group, names in groups(list(scores)).items()
    }


def markdown(figures: dict[str, Any]) -> str:
    """Return the three tables."""
    rows = []
    for name, row in figures["surveys"].items():
        loss = row["loss"]
        spread = f" ± {loss['sd']:.3f}" if len(loss["values"]) > 1 else ""
        rows.append([name, f"{row['seen']['mean']:.3f}", f"{row['left out']['mean']:.3f}",
                     f"{loss['mean']:+.3f}{spread}"])  # fmt: skip
    tables = [
        "Surveys in training or left out of it, macro AUROC without labels:\n\n"
        + markdown_table(["judged on", "in training", "left out", "loss"], rows)
    ]
    captions = {
        "drawn": ("drawn surveys", "Number of drawn surveys, equal number of light curves:"),
        "steps": ("steps", "Steps of the training with all drawn surveys:"),
    }
    for key, (column, caption) in captions.items():
        header = [column, *next(iter(figures[key].values()))]
        rows = [
            [f"{int(x):,}", *(f"{v:.3f}" for v in row.values())] for x, row in figures[key].items()
        ]
        tables.append(f"{caption}\n\n{markdown_table(header, rows)}")
    return "\n\n".join(tables)


# Colours of Okabe & Ito, which the colour-blind can tell apart.
STYLES = (("#0072B2", "o", "-"), ("#D55E00", "s", "--"), ("#009E73", "^", ":"))


def plot(figures: dict[str, Any], path: Path) -> None:
    """Plot each survey with and without it in training, and the averages by number and steps."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, middle, right) = plt.subplots(
        1, 3, figsize=(13, 4.6), layout="constrained", width_ratios=[1.25, 1, 1]
    )
    right.sharey(middle)  # before anything is drawn, so that both show all
    surveys = figures["surveys"]
    places = np.arange(len(surveys))[::-1]
    seen, unseen = (
        np.array([row[key]["mean"] for row in surveys.values()]) for key in ("seen", "left out")
    )
    left.hlines(places, seen, unseen, color="0.6", linewidth=2, zorder=1)
    left.scatter(seen, places, color=STYLES[0][0], marker="o", s=45, label="in training")
    left.scatter(unseen, places, color=STYLES[1][0], marker="D", s=40, label="left out")
    left.set_yticks(places, [f"{n} (real)" if n in REAL else n for n in surveys])
    left.set_xlabel("macro AUROC without labels")
    left.set_title("Surveys left out of training", loc="left")
    left.legend(loc="best", fontsize=9)
    left.grid(axis="x", alpha=0.3)
    panels = (
        (middle, "drawn", "surveys drawn at random", "Number of drawn surveys"),
        (right, "steps", "gradient steps", "Length of the training"),
    )
    for ax, key, label, title in panels:
        values = [int(x) for x in figures[key]]
        x = np.arange(len(values)) if key == "drawn" else values
        for (color, marker, line), group in zip(
            STYLES, next(iter(figures[key].values())), strict=True
        ):
            y = [row[group] for row in figures[key].values()]
            ax.plot(x, y, marker=marker, linestyle=line, color=color, linewidth=1.8, label=group)
        if key == "drawn":
            ax.set_xticks(x, [str(v) for v in values])
        else:
            ax.set_xscale("log")
            ax.set_xticks(values, [f"{v:,}" for v in values])
            ax.minorticks_off()
        ax.set_xlabel(label)
        ax.set_title(title, loc="left")
        ax.grid(alpha=0.3)
    middle.set_ylabel("macro AUROC without labels")
    right.legend(loc="best", fontsize=9)
    figure.savefig(path, dpi=110)
    plt.close(figure)


# -- running


@dataclass(frozen=True)
class Plan:
    """All trainings: pairs with and without the surveys, and those by number of drawn surveys."""

    pairs: tuple[tuple[Training, Training], ...]
    drawn: tuple[Training, ...]
    n_test: int

    @classmethod
    def of(cls, base: Training, quick: bool, n_seeds: int, n_drawn: Sequence[int]) -> Plan:
        """Return the plan for a training that leaves the surveys out.

        Parameters
        ----------
        base : Training
        quick : bool
            Whether to leave out two surveys only.
        n_seeds : int
            Number of pairs.
        n_drawn : sequence of int
            Numbers of drawn surveys to compare with that of `base`.
        """
        seen = ("PS1", "UVOT") if quick else tuple(LEFT_OUT)
        return cls(
            tuple(
                (replace(base, seed=seed, seen=seen), replace(base, seed=seed))
                for seed in range(n_seeds)
            ),
            tuple(replace(base, n_drawn=n) for n in (*n_drawn, base.n_drawn)),
            4 if quick else 50,
        )


def measure(options, plan: Plan, simulations: Simulations) -> tuple[dict[str, Any], dict]:
    """Train and judge all encoders; return figures, and the number of objects of each class."""
    trainings = dict.fromkeys([*(own for pair in plan.pairs for own in pair), *plan.drawn])
    sets = simulated_sets([*plan.pairs[0][0].seen, *ALWAYS_SEEN], plan.n_test, options.n_jobs)
    sets |= real_sets(options.data)
    scores, each = {}, []
    for own in trainings:
        path, seconds = encoder_of(own, simulations)
        scores[own] = judge(path, sets)
        print(f"{own}: {averages(scores[own])}", flush=True)
        each.append({**asdict(own), "seen": list(own.seen), "cpu_seconds": seconds,
                     "auroc": scores[own]})  # fmt: skip
    surveys = {}
    for name in sets:
        both = [tuple(scores[own][name] for own in pair) for pair in plan.pairs]
        surveys[name] = summarise(
            [{"seen": a, "left out": b, "loss": round(a - b, 5)} for a, b in both]
        )
    base = plan.drawn[-1]
    path, _ = encoder_of(base, simulations)
    figures = {
        "surveys": surveys,
        "drawn": {str(own.n_drawn): averages(scores[own]) for own in plan.drawn},
        "steps": {
            str(base.steps(epoch)): averages(judge(after_epoch(path, epoch), sets))
            for epoch in range(1, base.epochs + 1)
        },
        "each": each,
    }
    sizes = {name: {str(k): int(v) for k, v in zip(*np.unique(y, return_counts=True), strict=True)}
             for name, (_, y) in sets.items()}  # fmt: skip
    return figures, sizes


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the benchmark and return its figures."""
    parser = build_parser(__doc__, seeds=2)
    add_cache_argument(parser)
    parser.add_argument(
        "--parts", type=Path, metavar="DIR",
        help="folder of the light curves of `sklc.pretrain --simulate --surveys any`, which is "
        "CHECKPOINTS/any-survey there; what is missing is simulated (CACHE/any-survey)",
    )  # fmt: skip
    parser.add_argument("--share", type=float, help="share of these light curves (1)")
    parser.add_argument("--light-curves", type=int, metavar="N", help="of each training (64,000)")
    parser.add_argument("--epochs", type=int, help="of each training (4)")
    parser.add_argument("--drawn", type=int, nargs="+", metavar="N",
                        help="numbers of drawn surveys to compare with 90 (0 4 15 45)")  # fmt: skip
    options = parse(parser, arguments, *REAL)
    use_templates(options)
    warnings.simplefilter("ignore", LightCurveWarning)
    torch.set_num_threads(1)
    start = time.perf_counter()
    base = Training()
    if options.quick:
        base = Training(2, n_curves=400, epochs=2, hidden_size=8, share=0.02)
    given = {"share": options.share, "n_curves": options.light_curves, "epochs": options.epochs}
    base = replace(base, **{name: value for name, value in given.items() if value is not None})
    simulations = Simulations(
        parts=options.parts or options.cache / f"any-survey{'-quick' if options.quick else ''}",
        cache=options.cache,
        share=base.share,
        n_drawn=base.n_drawn,
        leave_out=("des", "lsst-ddf") if options.quick else (),
        n_jobs=options.n_jobs,
    )
    plan = Plan.of(
        base,
        options.quick,
        options.seeds,
        options.drawn or ((0, 1) if options.quick else (0, 4, 15, 45)),
    )
    figures, sizes = measure(options, plan, simulations)
    text = markdown(figures)
    print(f"\n{text}\n")
    loss = {
        group: np.mean([figures["surveys"][name]["loss"]["mean"] for name in names])
        for group, names in groups(list(figures["surveys"])).items()
    }
    line = f"{NAME}: loss of macro AUROC without labels where surveys are left out: " + ", ".join(
        f"{group} {value:+.3f}" for group, value in loss.items()
    )
    content = {
        "summary": line,
        "protocol": " ".join((__doc__ or "").split("\n\n", 2)[2].split()),
        "figures": figures,
        "n_objects": sizes,
        "settings": {key: repr(v) for key, v in any_survey_settings(base.hidden_size).items()},
        "markdown": text,
        "seconds": round(time.perf_counter() - start),
    }
    print(f"wrote {write_results(options, NAME, content).name}")
    picture = results_path(options, NAME, ".png")
    plot(figures, picture)
    print(f"wrote {picture.name}\n{line}")
    return figures


if __name__ == "__main__":
    main()
