"""Compare simulated variable stars with real ones: period, amplitude, skewness, scatter.

    python benchmarks/star_fidelity.py --data DIR

Real: ``crts_sss``, stars of the Catalina southern survey, and ``asas_acvs``, stars of ASAS.
Simulated: the same classes in the surveys "crts" and "asas", without any change; each real star is
compared with the simulated star of its class that is nearest in median magnitude, so that both have
the same noise. Amplitude: the 5 to 95 % range of the magnitudes. Skewness is positive where faint
points are rare, as in eclipses. Scatter: standard deviation of the magnitudes, in units of the
median stated error. Periods are those of the catalogue (``crts_sss`` alone). Neither data set has
colours. The distance is that of Kolmogorov and Smirnov, from 0 to 1.

Last, trees learn the classes of Catalina from simulated stars alone, and are measured on all real
ones: what is missing to trees that learn from real stars is missing in the simulation.
"""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from _common import build_parser, markdown_table, parse, results_path, write_results
from scipy.stats import ks_2samp, skew
from sklearn.metrics import roc_auc_score

from sklc import LightCurves
from sklc.baselines import feature_classifier
from sklc.simulate import simulate

NAME = "star_fidelity"
FIGURES = ("log period", "amplitude", "skewness", "scatter")
# Data set and survey; real class to simulated classes.
SETS = {
    "crts_sss": "crts",
    "asas_acvs": "asas",
}
ROWS: dict[str, dict[str, tuple[str, ...]]] = {
    "crts_sss": {
        "RRab": ("RRab", "RRab/BL"),
        "RRc": ("RRc",),
        "RRd": ("RRd",),
        "EA": ("EA",),
        "EclipsingBinary_contact_EW_EB": ("EW", "EW", "EW", "EB"),
        "Rotational": ("ROT",),
        "LPV": ("SR", "Mira"),
        "DeltaScuti": ("HADS", "DSCT"),
        "ACEP": ("ACEP",),
        "Cep-II": ("T2CEP", "T2CEP", "RV"),
    },
    "asas_acvs": {
        "RR_Lyrae_Fundamental_Mode": ("RRab", "RRab/BL"),
        "RR_Lyrae_First_Overtone": ("RRc",),
        "Delta_Scuti": ("HADS", "DSCT"),
        "Contact_Systems": ("EW",),
        "Semidetached": ("EB",),
        "Detached": ("EA",),
        "Mira": ("Mira",),
        "Alpha2_Canum_Venaticorum": ("ACV",),
    },
}
LEARNED = ("RRab", "RRc", "RRd", "EA", "EclipsingBinary_contact_EW_EB", "Rotational", "LPV")


def measure(curves: LightCurves) -> pd.DataFrame:
    """Return one row per star: median magnitude and the figures."""
    periods = curves.metadata.get("period")
    rows = []
    for k in range(len(curves)):
        curve = curves[k]
        good = curve.flux > 0
        mag = curves.zero_point - 2.5 * np.log10(curve.flux[good])
        error = 1.0857 * np.median(curve.flux_err[good] / curve.flux[good])
        low, middle, high = np.quantile(mag, [0.05, 0.5, 0.95])
        period = np.nan if periods is None else periods.iloc[k]
        rows.append(
            {
                "magnitude": middle,
                "log period": np.log10(period) if period > 0 else np.nan,
                "amplitude": high - low,
                "skewness": skew(mag),
                "scatter": np.std(mag) / error,
            }
        )
    return pd.DataFrame(rows)


def simulate_class(survey: str, names: tuple[str, ...], n: int, seed: int) -> LightCurves:
    """Simulate n stars of a mixture of classes; a name that is given twice counts twice."""
    shares = {name: max(n * names.count(name) // len(names), 2) for name in names}
    return simulate(shares, survey, random_state=seed)


def compare(real: pd.DataFrame, made: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return quartiles of both, simulated stars matched in magnitude, and their distance."""
    order = np.argsort(made["magnitude"].to_numpy(), kind="stable")
    nearest = np.searchsorted(made["magnitude"].to_numpy()[order], real["magnitude"])
    matched = made.iloc[order[np.minimum(nearest, len(made) - 1)]]
    out = {}
    for name in FIGURES:
        pair = real[name].dropna().to_numpy(), matched[name].dropna().to_numpy()
        if not min(map(len, pair)):
            continue
        quartiles = [np.quantile(values, [0.25, 0.5, 0.75]).round(3).tolist() for values in pair]
        distance = round(float(ks_2samp(*pair).statistic), 3)
        out[name] = {"real": quartiles[0], "simulated": quartiles[1], "distance": distance}
    return out


def learned_from_simulations(real: LightCurves, n: int, seed: int) -> float:
    """Return the macro AUROC on real stars of trees that learned from simulated ones."""
    labels = real.metadata["class"].to_numpy(dtype=str)
    chosen = np.isin(labels, LEARNED)
    parts = [simulate_class("crts", ROWS["crts_sss"][name], n, seed) for name in LEARNED]
    y = np.repeat(LEARNED, [len(part) for part in parts])
    model = feature_classifier(random_state=seed)
    model.fit(_plain(LightCurves.concatenate(parts, prefix_ids=True)), y)
    score = model.predict_proba(_plain(real[chosen]))
    return float(roc_auc_score(labels[chosen], score, multi_class="ovr", labels=model.classes_))


def _plain(curves: LightCurves) -> LightCurves:
    """Return light curves without metadata, which only one of the two has."""
    return curves.with_metadata(pd.DataFrame(index=pd.RangeIndex(len(curves))))


def markdown(figures: dict[str, dict]) -> str:
    """Return the medians as a table, real and simulated, with their distance."""
    rows = []
    for label, row in figures.items():
        cells = []
        for name in FIGURES:
            facts = row.get(name)
            cells.append(
                f"{facts['real'][1]:.2f} / {facts['simulated'][1]:.2f} ({facts['distance']:.2f})"
                if facts
                else "–"
            )
        rows.append([label, f"{row['n real']:,}", *cells])
    return markdown_table(["real / simulated (distance)", "real stars", *FIGURES], rows)


def draw(measured: dict[str, tuple[pd.DataFrame, pd.DataFrame]], path) -> None:
    """Draw the distributions of the classes of Catalina, real and simulated."""
    shown = list(measured)[:7]
    figure, axes = plt.subplots(len(shown), len(FIGURES), figsize=(12, 13), layout="constrained")
    for line, label in zip(axes, shown, strict=True):
        real, made = measured[label]
        for ax, name in zip(line, FIGURES, strict=True):
            low, high = np.nanpercentile(np.concatenate([real[name], made[name]]), [1, 99])
            bins = np.linspace(low, high, 30)
            ax.hist(made[name], bins, density=True, color="tab:blue", alpha=0.5, label="simulated")
            ax.hist(real[name], bins, density=True, histtype="step", color="black", label="real")
            ax.set_yticks([])
            if label == shown[-1]:
                ax.set_xlabel(name)
        line[0].set_ylabel(label.split()[-1].split("_")[0])
    axes[0, 0].legend(frameon=False)
    figure.suptitle("Variable stars of the Catalina southern survey, real and simulated")
    figure.savefig(path, dpi=80)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> dict:
    options = parse(build_parser(__doc__, seeds=1), arguments, *SETS)
    n = 60 if options.quick else 1000
    figures, measured = {}, {}
    for data, survey in SETS.items():
        real = LightCurves.from_parquet(options.data / data)
        labels = real.metadata["class"].to_numpy(dtype=str)
        for label, names in ROWS[data].items():
            rows = np.flatnonzero(labels == label)[: 60 if options.quick else None]
            made = simulate_class(survey, names, n, 0)
            key = f"{data} {label}"
            measured[key] = measure(real[rows]), measure(made)
            figures[key] = {"n real": len(rows), **compare(*measured[key])}
            print(
                key, *(f"{k} {v['distance']:.2f}" for k, v in figures[key].items() if k in FIGURES)
            )
    auroc = learned_from_simulations(LightCurves.from_parquet(options.data / "crts_sss"), n, seed=1)
    draw(measured, results_path(options, NAME, ".png"))
    middle = {
        name: round(
            float(np.median([f[name]["distance"] for f in figures.values() if name in f])), 3
        )
        for name in FIGURES
    }
    summary = (
        f"{NAME}: median distance {', '.join(f'{k} {v:.2f}' for k, v in middle.items())}; trees on "
        f"simulated stars, AUROC on real ones {auroc:.3f}"
    )
    write_results(
        options,
        NAME,
        {
            "summary": summary,
            "markdown": markdown(figures),
            "figures": figures,
            "median distance": middle,
            "auroc": round(auroc, 4),
        },
    )
    print(summary)
    return figures


if __name__ == "__main__":
    main()
