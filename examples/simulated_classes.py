r"""Draw one simulated light curve of every class of transients, as ZTF and LSST would have seen it.

    python examples/simulated_classes.py                           docs/images/simulated_*.png
    python examples/simulated_classes.py --survey ps1 des          other surveys
    python examples/simulated_classes.py --classes SNIa TDE AGN    some classes

The light curve is a bright and well-sampled one among a few hundred objects of the class, but not
the best one, which would be an exception.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import EngFormatter, MaxNLocator

from sklc.inspection import LightCurveDisplay
from sklc.simulate import (
    CLASSES,
    VARIABLE_CLASSES,
    SimulationError,
    Trigger,
    list_surveys,
    simulate,
)

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
COLUMNS = 6
DETECTED = 5  # sigma


def main(arguments=None):
    """Draw a sheet for each survey, and return the paths."""
    plt.switch_backend("Agg")  # figures go to files: no window is needed
    parser = build_parser()
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    paths = []
    for survey in options.survey:
        try:
            chosen = {name: choose(name, survey, options) for name in options.classes}
        except (ImportError, SimulationError) as error:
            parser.error(str(error))  # the message says what to do; a traceback would hide it
        paths.append(options.output / f"simulated_{survey}.png")
        draw_sheet(chosen, survey, paths[-1])
        print(f"wrote {paths[-1]}")
    return paths


def build_parser():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    surveys = list_surveys()
    classes = [name for name in CLASSES if name not in VARIABLE_CLASSES]  # see simulated_stars.py
    names = {"nargs": "+", "metavar": "NAME"}
    parser.add_argument(
        "--survey", choices=surveys, default=["ztf", "lsst"], help=", ".join(surveys), **names
    )
    parser.add_argument("--classes", choices=classes, default=classes, help="(all)", **names)
    parser.add_argument(
        "--n", type=int, default=300, help="number of objects per class to choose from (300)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=IMAGES, metavar="DIR", help="(docs/images)")
    return parser


def choose(name, survey, options):
    """Return a bright and well-sampled object of a class, its redshift, and its detections."""
    curves = simulate(options.n, survey, name, trigger=Trigger(n_det=4), random_state=options.seed)
    transient = CLASSES[name].source.transient
    detected = [(c.flux if transient else np.abs(c.flux)) >= DETECTED * c.flux_err for c in curves]
    order = np.argsort([-quality(c, d) for c, d in zip(curves, detected, strict=True)])
    best = int(order[len(order) // 50])  # the best two per cent are exceptions
    return curves[best], curves.metadata["redshift"].iloc[best], detected[best]


def quality(curve, detected):
    """Score a light curve by its detections in many bands, before and after maximum."""
    times, names = curve.time[detected], curve.band_names[detected]
    peak = times[np.argmax(np.abs(curve.flux[detected] / curve.flux_err[detected]))]
    counts = [np.sum(names == name) for name in set(names)]
    counts += [2 * len(np.unique(np.floor(times[times < peak]))), np.sum(times > peak)]
    return np.sum(np.log1p(counts))


def draw_sheet(chosen, survey, path):
    """Draw one panel for each object, and a key of the bands in a panel of its own."""
    n_columns = min(COLUMNS, len(chosen) + 1)
    n_rows = -(-(len(chosen) + 1) // n_columns)
    size = (2.45 * n_columns, 1.85 * n_rows + 0.5)
    figure, axes = plt.subplots(
        n_rows, n_columns, figsize=size, layout="constrained", squeeze=False
    )
    handles = {}
    for ax, (name, facts) in zip(axes.flat, chosen.items(), strict=False):
        handles |= draw_panel(ax, name, *facts)
    for ax in axes.flat[len(chosen) :]:
        ax.axis("off")
    wavelengths = {p.name: p.wavelength for curve, *_ in chosen.values() for p in curve.passbands}
    bands = sorted(handles, key=wavelengths.get)
    axes.flat[len(chosen)].legend(
        [handles[band] for band in bands], bands, loc="center", frameon=False, title="passband"
    )
    figure.supxlabel("days since the first detection", fontsize="medium")
    figure.supylabel("flux (AB zero point 27.5)", fontsize="medium")
    figure.savefig(path, dpi=100)
    plt.close(figure)


def draw_panel(ax, name, curve, redshift, detected):
    """Draw a light curve against days since detection; return one legend handle per band."""
    where = f"z = {redshift:.2g}" if redshift else "Milky Way"
    display = LightCurveDisplay.from_curve(
        curve,
        snr=DETECTED if CLASSES[name].source.transient else -np.inf,  # variables go below zero
        title=f"{name}, {where}",
        ax=ax,
        markersize=2.5,
        elinewidth=0.6,
    )
    zero = curve.time[detected][0] - np.floor(curve.time[0])
    limits = ax.get_xlim()
    ticks = MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(*(np.array(limits) - zero))
    ax.set_xticks(ticks + zero, [f"{tick:g}" for tick in ticks])
    ax.set_xlim(limits)
    shown = curve.flux[display.detected]
    top, bottom = max(shown.max(), 0), min(shown.min(), 0)
    margin = 0.15 * (top - bottom)
    ax.set_ylim(bottom - margin, top + margin)  # outliers do not set the limits
    ax.yaxis.set_major_locator(MaxNLocator(4))
    ax.yaxis.set_major_formatter(EngFormatter(sep=""))
    ax.tick_params(labelsize="small")
    ax.set(xlabel="", ylabel="")
    ax.title.set_fontsize("medium")
    key = ax.get_legend()
    handles = {text.get_text(): h for text, h in zip(key.texts, key.legend_handles, strict=True)}
    key.remove()
    return handles


if __name__ == "__main__":
    main()
