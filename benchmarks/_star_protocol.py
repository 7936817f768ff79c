"""Which variable stars weights may learn from, which they are judged on, and how.

The rule depends on the identifier of a star alone, so that whoever has the data can repeat it: the
blake2b digest (8 bytes, big-endian) of the identifier in UTF-8, modulo 3, is 0 for the stars of
``"test"`` and 1 or 2 for those of ``"development"``. It knows nothing of classes, and neither does
who trains weights on the stars of ``"development"``: their labels are not for that.

Stars of ``"test"`` must not be seen by anything that is trained before the benchmark, neither with
nor without labels. Sets that are not in `SPLIT_SETS` are tests as a whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from kepler_stars import load_stars as load_kepler
from sklearn.model_selection import StratifiedKFold, train_test_split

from sklc import LightCurves

SPLIT_SETS = ("crts_sss", "asas_acvs")
DEVELOPMENT, TEST = "development", "test"
N_PARTS = 3  # of which one is the test

# Stars that are listed twice in the Catalina catalogue, less than 6 arcseconds apart and with the
# same period, go where their first entry goes.
SAME_STAR = {
    "sss_3039117029417": "sss_3039116032673",
    "sss_3041085066676": "sss_3041084061686",
    "sss_3043037013073": "sss_3043036011654",
}


def part_of(object_id: str) -> str:
    """Return "development" or "test" for the identifier of a star."""
    name = SAME_STAR.get(object_id, object_id)
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return DEVELOPMENT if int.from_bytes(digest, "big") % N_PARTS else TEST


def is_test(object_ids: Iterable[object]) -> np.ndarray:
    """Return which of these stars are in the test part, as booleans."""
    return np.array([part_of(str(name)) == TEST for name in object_ids], dtype=bool)


def star_split(folder: Path | str) -> pd.Series:
    """Return the part of every star of a data set.

    Parameters
    ----------
    folder : Path or str
        Folder of the set, such as ``DIR/crts_sss`` or ``DIR/asas_acvs``, with an
        ``objects.parquet``.

    Returns
    -------
    Series of str
        "development" or "test", by object_id, in the order of the file. Every star of a set that
        is not in `SPLIT_SETS` is "test".
    """
    folder = Path(folder)
    table = pd.read_parquet(folder / "objects.parquet", columns=["object_id"])
    ids = table["object_id"].astype(str)
    parts = [part_of(name) if folder.name in SPLIT_SETS else TEST for name in ids]
    return pd.Series(parts, index=pd.Index(ids, name="object_id"), name="part")


# -- light curves


@dataclass(frozen=True)
class Stars:
    """Labelled stars of one task.

    Parameters
    ----------
    curves : LightCurves
    y : ndarray of str
    is_test : ndarray of bool
        Whether a star may be scored; see `star_split`.
    """

    curves: LightCurves
    y: np.ndarray
    is_test: np.ndarray

    def take(self, rows: np.ndarray) -> Stars:
        return Stars(self.curves[rows], self.y[rows], self.is_test[rows])


def common_classes(curves: LightCurves, fewest: int, left_out: Iterable[str] = ()) -> np.ndarray:
    """Return which stars are of a class with at least so many of them."""
    y = curves.metadata["class"].to_numpy(dtype=str)
    classes, counts = np.unique(y, return_counts=True)
    return np.isin(y, [c for c in classes[counts >= fewest] if c not in (*left_out, "unknown")])


def last_points(curves: LightCurves, n_points: int) -> LightCurves:
    """Return the last observations of every star."""
    number = np.arange(len(curves.time)) - np.repeat(curves.offsets[1:], curves.lengths)
    kept = number >= -n_points
    return LightCurves.from_arrays(
        curves.time[kept],
        curves.flux[kept],
        curves.flux_err[kept],
        curves.band_names[kept],
        offsets=np.concatenate([[0], np.cumsum(kept)])[curves.offsets],
        ids=curves.ids,
        metadata=curves.metadata,
        zero_point=curves.zero_point,
    )


def load_catalina(folder: Path, fewest: int = 500) -> LightCurves:
    """Load Catalina's southern variable stars of the classes with at least so many stars."""
    curves = LightCurves.from_parquet(folder / "crts_sss")
    return curves[common_classes(curves, fewest, ["Misc"])]


def load_stars(folder: Path, n_points: int = 64) -> tuple[LightCurves, np.ndarray]:
    """Load the first observations of Catalina's stars of the seven large classes."""
    curves = load_catalina(folder).truncate(points=n_points)
    return curves, curves.metadata["class"].to_numpy(dtype=str)


def _catalina_first(folder: Path) -> LightCurves:
    return load_stars(folder)[0]


def _catalina_last(folder: Path) -> LightCurves:
    return last_points(load_catalina(folder), WINDOW)


def _catalina_all(folder: Path) -> LightCurves:
    return last_points(load_catalina(folder, 100), WINDOW)


def _asas(folder: Path, fewest: int = 50) -> LightCurves:
    curves = LightCurves.from_parquet(folder / "asas_acvs")
    return curves[common_classes(curves, fewest)].truncate(points=FIRST)


def _asas_all(folder: Path) -> LightCurves:
    return _asas(folder, 1)


def _debosscher(folder: Path, survey: str) -> LightCurves:
    curves = LightCurves.from_parquet(folder / "debosscher")
    curves = curves[curves.metadata["survey"].to_numpy(dtype=str) == survey]
    return curves[common_classes(curves, 20)].truncate(points=FIRST)


def _hipparcos(folder: Path) -> LightCurves:
    return _debosscher(folder, "Hipparcos")


def _ogle(folder: Path) -> LightCurves:
    return _debosscher(folder, "OGLE")


def _kepler(folder: Path) -> LightCurves:
    """Load stars with the flux relative to its median: brightness gives the class away there."""
    sample = load_kepler(folder)
    level = 10_000.0
    return LightCurves.from_arrays(
        sample.time,
        [level * (1 + flux) for flux in sample.flux],
        [np.full(len(f), level * e) for f, e in zip(sample.flux, sample.flux_err, strict=True)],
        passband="kepler",
        ids=[f"kepler{number}" for number in range(len(sample.y))],
        metadata=pd.DataFrame({"class": sample.y}),
        zero_point=27.5,
    )


# -- draws

WINDOW = 200  # observations of a star that transformers of one band read
FIRST = 256
FOLDS = "folds"
Draw = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class StarTask:
    """What is asked of the methods on one set of stars.

    Parameters
    ----------
    name, title : str
    needs : str
        Folder of the data.
    load : callable
        Takes the folder of all data sets.
    draws : {"per class", "in all", "folds"}
        What the sizes count: labels of each class, or labels in all; or five-fold cross-validation.
    sizes : tuple of int
        Nothing for folds.
    """

    name: str
    title: str
    needs: str
    load: Callable[[Path], LightCurves] = field(repr=False)
    draws: str = "per class"
    sizes: tuple[int, ...] = ()

    @property
    def columns(self) -> list[str]:
        return [str(n) for n in self.sizes] or [FOLDS]

    def stars(self, folder: Path, quick: bool = False) -> Stars:
        """Load the stars; some of each class with `quick`."""
        curves = self.load(folder)
        y = curves.metadata["class"].to_numpy(dtype=str)
        split = self.needs in SPLIT_SETS
        stars = Stars(curves, y, is_test(curves.ids) if split else np.ones(len(y), dtype=bool))
        if not quick:
            return stars
        rows = [np.flatnonzero(y == name)[:QUICK_STARS] for name in np.unique(y)]
        return stars.take(np.sort(np.concatenate(rows)))

    def split(self, stars: Stars, column: str, seed: int) -> Iterator[Draw]:
        """Yield positions of training stars, and of those to predict, for one seed.

        Labels are drawn from "development" stars, and "test" stars are predicted; where all stars
        are "test", each seed has its own half of either. With folds, all stars take part as in any
        cross-validation, and "test" stars alone are predicted.
        """
        y, everything = stars.y, np.arange(len(stars.y))
        if column == FOLDS:
            folds = StratifiedKFold(5, shuffle=True, random_state=seed)
            for train, test in folds.split(y, y):
                yield train, test[stars.is_test[test]]
            return
        pool, test = everything[~stars.is_test], everything[stars.is_test]
        if not len(pool):
            pool, test = train_test_split(everything, test_size=0.5, stratify=y, random_state=seed)
        if self.draws == "in all":
            pool, _ = train_test_split(
                pool, train_size=int(column), stratify=y[pool], random_state=seed
            )
            yield np.sort(pool), test
            return
        pool = np.random.default_rng(seed).permutation(pool)
        drawn = [pool[y[pool] == name][: int(column)] for name in np.unique(y)]
        yield np.sort(np.concatenate(drawn)), test


QUICK_STARS = 40
_IN_ALL = (64, 256, 1024)
TASKS = {
    task.name: task
    for task in (
        StarTask(
            "catalina", "Catalina, 7 classes, labels per class (last 200 observations)",
            "crts_sss", _catalina_last, "per class", (20, 100, 500),
        ),
        StarTask(
            "catalina-64", "Catalina, the same classes, labels in all (first 64 observations)",
            "crts_sss", _catalina_first, "in all", _IN_ALL,
        ),
        StarTask(
            "catalina-200", "Catalina, the same classes, labels in all (last 200 observations)",
            "crts_sss", _catalina_last, "in all", _IN_ALL,
        ),
        StarTask(
            "catalina-12", "Catalina, 12 classes, labels in all (last 200 observations)",
            "crts_sss", _catalina_all, "in all", _IN_ALL,
        ),
        StarTask(
            "asas", "ASAS, 9 classes, five folds (first 256 observations)",
            "asas_acvs", _asas, FOLDS,
        ),
        StarTask(
            "asas-10", "ASAS, 10 classes, one of 7 stars, five folds (first 256 observations)",
            "asas_acvs", _asas_all, FOLDS,
        ),
        StarTask(
            "hipparcos", "Hipparcos, 12 classes with 20 or more stars, five folds",
            "debosscher", _hipparcos, FOLDS,
        ),
        StarTask(
            "hipparcos-few", "Hipparcos, the same classes, labels per class",
            "debosscher", _hipparcos, "per class", (10,),
        ),
        StarTask(
            "ogle", "OGLE, 5 classes, five folds", "debosscher", _ogle, FOLDS,
        ),
        StarTask(
            "ogle-few", "OGLE, the same classes, labels per class",
            "debosscher", _ogle, "per class", (10, 20),
        ),
        StarTask(
            "kepler", "Kepler, 4 classes, five folds: a demonstration on 115 stars",
            "kepler_tda_small", _kepler, FOLDS,
        ),
    )
}  # fmt: skip
