"""Figures by method and number of labels: measured over draws, then printed, written, plotted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _common import cell, markdown_table, summarise
from joblib import Parallel, delayed, parallel_config
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

# By method and number of labels: name of a score -> mean, sd, values.
Figures = dict[str, dict[str, dict[str, Any]]]
# Results of others, mean and sd or None, by name and number of labels.
Quoted = Mapping[str, Mapping[str, tuple[float, float | None]]]


def column_name(n_labels: int | None) -> str:
    return "all" if n_labels is None else str(n_labels)


def measure_draws(
    measure: Callable[[int | None, int], Mapping[str, Mapping[str, float]]],
    sizes: Sequence[int | None],
    seeds: Sequence[int],
    n_jobs: int,
) -> Figures:
    """Measure every draw of labels, each in one thread, and summarise over seeds.

    Parameters
    ----------
    measure : callable
        Takes a number of labels (None for all) and a seed, and returns the scores of each method
        that there is at this number. Whether there is one must not depend on the seed.
    sizes : sequence of int or None
    seeds : sequence of int
    n_jobs : int
        Processes.

    Returns
    -------
    dict
        The figures, methods in the order of their first appearance. Progress is printed.
    """
    # The longest first, so that no process is left alone with one at the end.
    draws = [(n, seed) for n in sorted(sizes, key=_order, reverse=True) for seed in seeds]

    def job(n_labels, seed):
        torch.set_num_threads(1)
        start = time.perf_counter()
        with threadpool_limits(1):
            scores = measure(n_labels, seed)
        return n_labels, seed, scores, time.perf_counter() - start

    results: dict[tuple[int | None, int], Mapping[str, Mapping[str, float]]] = {}
    with parallel_config(backend="loky", inner_max_num_threads=1):
        parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
        for n_labels, seed, scores, seconds in parallel(delayed(job)(*draw) for draw in draws):
            results[n_labels, seed] = scores
            print(
                f"[{len(results)}/{len(draws)}] {column_name(n_labels)} labels, seed {seed}: "
                f"{seconds:.0f} s",
                flush=True,
            )
    names = dict.fromkeys(name for n in sizes for name in results[n, seeds[0]])
    return {
        name: {
            column_name(n): summarise([results[n, seed][name] for seed in seeds])
            for n in sizes
            if name in results[n, seeds[0]]
        }
        for name in names
    }


def _order(n_labels: int | None) -> float:
    return np.inf if n_labels is None else n_labels


def print_table(
    title: str, figures: Figures, columns: Sequence[str], score: str, quoted: Quoted | None = None
) -> None:
    """Print one score of every method, a column for each number of labels."""
    print(f"\n{title}\n{'labels':48}" + "".join(f"{column:>15}" for column in columns))
    for name, texts in _rows(figures, columns, score, quoted):
        print(f"{name:48}" + "".join(f"{text:>15}" for text in texts))


def markdown_figures(
    figures: Figures, columns: Sequence[str], score: str, quoted: Quoted | None = None
) -> str:
    """Return the same table as Markdown."""
    rows = [[name, *texts] for name, texts in _rows(figures, columns, score, quoted)]
    return markdown_table(["labels", *columns], rows)


def _rows(
    figures: Figures, columns: Sequence[str], score: str, quoted: Quoted | None
) -> list[tuple[str, list[str]]]:
    measured = [
        (name, [cell(row[c][score]) if c in row else "–" for c in columns])
        for name, row in figures.items()
        if any(score in row[c] for c in row)
    ]
    return measured + [
        (name, [_quoted_cell(*row[c]) if c in row else "–" for c in columns])
        for name, row in (quoted or {}).items()
    ]


def _quoted_cell(mean: float, sd: float | None) -> str:
    return f"{mean:.3f}" + ("" if sd is None else f" ± {sd:.3f}")


def means(figures: Figures, columns: Sequence[str], score: str, *names: str) -> str:
    """Write the mean at each number of labels, of the best where several methods are named."""
    there = [figures[name] for name in names if name in figures]
    best = [[row[c][score]["mean"] for row in there if c in row] for c in columns]
    return " / ".join(f"{max(cells):.3f}" if cells else "–" for cells in best)


def plot_figures(
    path: Path,
    panels: Sequence[tuple[str, str, Figures, str]],
    columns: Sequence[str],
    quoted: Quoted | None = None,
) -> None:
    """Plot scores against the number of labels, evenly spaced.

    Parameters
    ----------
    path : Path
        Picture to write.
    panels : sequence of (title, axis label, figures, score)
        All panels show the same methods.
    columns : sequence of str
    quoted : mapping, optional
        Shown in the first panel.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        1, len(panels), figsize=(4 + 5.5 * len(panels), 5.5), layout="constrained", squeeze=False
    )
    colors = {n: f"C{k}" for k, n in enumerate(dict.fromkeys(n for p in panels for n in p[2]))}
    labelled = set()
    for ax, (title, label, figures, score) in zip(axes[0], panels, strict=True):
        for name, row in figures.items():
            number = list(colors).index(name)
            # Side by side, so that no error bar hides another.
            shift = (number - (len(colors) - 1) / 2) * 0.05
            there = [c for c in columns if c in row and score in row[c]]
            ax.errorbar(
                [columns.index(c) + shift for c in there],
                [row[c][score]["mean"] for c in there],
                [row[c][score]["sd"] for c in there],
                fmt="o" + ("-", "--", "-.", ":")[number % 4],
                color=colors[name],
                markersize=4,
                capsize=2,
                linewidth=1.2,
                label=None if name in labelled else name,
            )
            labelled.add(name)
        ax.set_xticks(range(len(columns)), columns)
        ax.set_xlabel("labels")
        ax.set_ylabel(label)
        ax.grid(axis="y", alpha=0.3)
        ax.set_title(title, loc="left")
    for name, row in (quoted or {}).items():
        there = [c for c in columns if c in row]
        axes[0, 0].errorbar(
            [columns.index(c) for c in there],
            [row[c][0] for c in there],
            [row[c][1] or 0.0 for c in there],
            fmt="kx",
            capsize=2,
            label=name,
        )
    figure.legend(loc="outside right upper", fontsize=8)
    figure.savefig(path, dpi=130)
    plt.close(figure)
