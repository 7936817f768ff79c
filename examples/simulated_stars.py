r"""Draw one simulated light curve of every class of variable stars, as Catalina would have seen it.

    python examples/simulated_stars.py                          docs/images/simulated_stars_crts.png
    python examples/simulated_stars.py --survey ztf gaia        other surveys
    python examples/simulated_stars.py --classes RRab EA CV     some classes

Stars that repeat themselves are drawn against phase, others against days.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from sklc.simulate import VARIABLE_CLASSES, SimulationError, Trigger, list_surveys, simulate

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
COLUMNS = 6
# They have a period, but their light curves change from cycle to cycle.
UNSTEADY = {"RV", "Mira", "SR", "OSARG", "ROT", "RS", "CV", "YSO", "Flare"}


def main(arguments=None):
    """Draw a sheet for each survey, and return the paths."""
    plt.switch_backend("Agg")  # figures go to files: no window is needed
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--survey", nargs="+", choices=list_surveys(), default=["crts"])
    parser.add_argument(
        "--classes", nargs="+", choices=VARIABLE_CLASSES, default=list(VARIABLE_CLASSES)
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=IMAGES, metavar="DIR", help="(docs/images)")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    paths = []
    for survey in options.survey:
        try:
            chosen = [choose(name, survey, options.seed) for name in options.classes]
        except (ImportError, SimulationError) as error:
            parser.error(str(error))  # the message says what to do; a traceback would hide it
        paths.append(options.output / f"simulated_stars_{survey}.png")
        draw_sheet(chosen, paths[-1])
        print(f"wrote {paths[-1]}")
    return paths


def choose(name, survey, seed):
    """Return one star of a class that is found with ease: class, period and light curve."""
    curves = simulate(20, survey, name, trigger=Trigger(n_det=4), random_state=seed)
    best = int(np.argsort(curves.lengths)[3 * len(curves) // 4])
    return name, curves.metadata["period"].iloc[best], curves[best]


def draw_sheet(chosen, path):
    """Draw one panel for each star."""
    n_columns = min(COLUMNS, len(chosen))
    n_rows = -(-len(chosen) // n_columns)
    figure, axes = plt.subplots(
        n_rows, n_columns, figsize=(2.2 * n_columns, 1.7 * n_rows), squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for ax, (name, period, curve) in zip(axes.flat, chosen, strict=False):
        steady = np.isfinite(period) and name not in UNSTEADY
        good = curve.flux > 5 * curve.flux_err
        time, mag = curve.time[good], 27.5 - 2.5 * np.log10(curve.flux[good])
        x = np.mod(time, period) / period if steady else time - time.min()
        for band in np.unique(curve.band_names[good]):
            own = curve.band_names[good] == band
            both = [x[own], x[own] + 1] if steady else [x[own]]
            ax.plot(np.concatenate(both), np.tile(mag[own], len(both)), ".", ms=2)
        ax.invert_yaxis()
        ax.set_title(f"{name}, {period:.3g} d" if np.isfinite(period) else name, fontsize="small")
        ax.tick_params(labelsize="x-small")
    for ax in axes.flat[len(chosen) :]:
        ax.axis("off")
    figure.supxlabel("phase, or days", fontsize="medium")
    figure.supylabel("AB magnitude", fontsize="medium")
    figure.savefig(path, dpi=80)
    plt.close(figure)


if __name__ == "__main__":
    main()
