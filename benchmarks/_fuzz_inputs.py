"""Random light curves, sound and spoilt, in every form and type that sklc takes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from nested_pandas import NestedFrame

from sklc.light_curves import LightCurves
from sklc.passbands import get_passband

BANDS = ["ztfg", "ztfr", "lssti", "kepler"]
STRANGE_BANDS = ["g", "R", "", "??", "u", "ZTF_g", "lsst", "Å", "a" * 300, None, 3, np.nan, b"ztfg"]
LARGEST, TINIEST = np.finfo(float).max, np.finfo(float).smallest_subnormal
STRANGE = [0.0, -0.0, 1.0, -1.0, TINIEST, -TINIEST, 1e-300, 1e-160, 1e160, 1e300, -1e300,
           LARGEST, -LARGEST, 99.0, -999.0, 1e20, 3.4e38, 3.5e38]  # fmt: skip
NOT_NUMBERS = [np.nan, np.inf, -np.inf]


@dataclass
class Objects:
    """Columns of several objects, one array each, before anything has checked them."""

    ids: list[Any]
    time: list[np.ndarray]
    flux: list[np.ndarray]
    flux_err: list[np.ndarray]
    band: list[list[Any]]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> list[int]:
        return [len(time) for time in self.time]

    def flat(self, name: str) -> Any:
        """One column of all objects together."""
        parts = getattr(self, name)
        if name == "band":
            return [label for part in parts for label in part]
        return np.concatenate(parts) if parts else np.zeros(0)

    @property
    def object_id(self) -> list[Any]:
        """The id of each row."""
        return [i for i, n in zip(self.ids, self.lengths, strict=True) for _ in range(n)]


def chance(rng: np.random.Generator, probability: float) -> bool:
    return bool(rng.random() < probability)


def one_of(rng: np.random.Generator, things: Any) -> Any:
    return things[int(rng.integers(len(things)))]


def draw_objects(rng: np.random.Generator, *, most: int = 4, spoilt: float = 0.3) -> Objects:
    """Draw objects, of which a share has values that are extreme, and a share invalid ones."""
    n = int(rng.integers(0, most + 1))
    ids: list[Any] = [int(i) for i in rng.permutation(50)[:n]]
    if chance(rng, 0.5):
        ids = [f"ZTF{i}" for i in ids]
    elif chance(rng, 0.1):
        ids = [2**60 + i for i in ids]
    objects = Objects(ids, [], [], [], [])
    for _ in range(n):
        m = int(rng.integers(1, 9)) if chance(rng, 0.95) else 0
        time = 59000 + np.sort(rng.uniform(0, 200, m)).round(4)
        flux, error = rng.normal(100, 60, m).round(3), rng.uniform(1, 20, m).round(3)
        band = list(rng.choice(BANDS, m))
        if m and chance(rng, spoilt):
            _make_extreme(rng, time, flux, error)
        if m and chance(rng, spoilt / 2):
            column = one_of(rng, [time, flux, error])
            column[int(rng.integers(m))] = one_of(rng, NOT_NUMBERS)
        if m and chance(rng, spoilt / 6):
            band[int(rng.integers(m))] = one_of(rng, STRANGE_BANDS)
        objects.time.append(time)
        objects.flux.append(flux)
        objects.flux_err.append(error)
        objects.band.append([str(b) if isinstance(b, np.str_) else b for b in band])
    return objects


def _make_extreme(rng: np.random.Generator, time: Any, flux: Any, error: Any) -> None:
    where = rng.random(len(time)) < rng.choice([0.3, 1.0])
    kind = int(rng.integers(7))
    if kind == 0:
        time[where] = rng.choice(STRANGE, int(where.sum()))
    elif kind == 1:
        time[:] = one_of(rng, [time[::-1].copy(), np.round(time, -2), time + 2400000.5,
                               time * 86400, np.full(len(time), time[0])])  # fmt: skip
    elif kind == 2:
        flux[where] = rng.choice(STRANGE, int(where.sum()))
    elif kind == 3:
        error[where] = np.abs(rng.choice(STRANGE, int(where.sum())))
    elif kind == 4:
        scale = 10.0 ** rng.uniform(-320, 300)
        flux *= scale
        error *= scale
    elif kind == 5:
        flux[:] = rng.uniform(15, 22, len(flux))
        error[:] = 0.1
    else:
        for column in (time, flux, error):  # the last observation again
            column[-1] = column[0]


# -- types of columns


def dress(rng: np.random.Generator, values: Any) -> Any:
    """Return a column in one of the types that tables come with; most hold the same values."""
    values = np.asarray(values) if not isinstance(values, list) else values
    if isinstance(values, list):  # labels and ids
        makers = [
            list, np.array, pd.Series, pd.Categorical, lambda v: pa.array(v),
            lambda v: np.array(v, dtype=object), lambda v: pd.Series(v, dtype="string"), tuple,
            lambda v: np.ma.masked_array(v, mask=rng.random(len(v)) < 0.1),
            lambda v: pa.chunked_array([pa.array(v)]).dictionary_encode(),
        ]  # fmt: skip
        try:
            return one_of(rng, makers)(values)
        except (TypeError, ValueError, pa.ArrowException):  # no such type of these labels
            return values
    makers = [
        list, tuple, pd.Series, pa.array, lambda v: v.astype(">f8"), lambda v: v.astype(">f4"),
        lambda v: v.astype(np.float32), lambda v: v.astype(np.longdouble), lambda v: v[:, None],
        lambda v: v.astype(np.float16), lambda v: np.repeat(v, 2)[::2], lambda v: v.astype(object),
        lambda v: v.astype(str), lambda v: v.astype(complex), lambda v: v.astype("M8[ns]"),
        lambda v: np.ma.masked_array(v, mask=rng.random(len(v)) < 0.1),
        lambda v: pd.Series(v, dtype="Float64").mask(rng.random(len(v)) < 0.1),
        lambda v: [Decimal(str(x)) for x in v], lambda v: [None, *v[1:]], lambda v: pa.array(v[:0]),
        lambda v: np.round(v).astype(np.int64), lambda v: pa.chunked_array([v[:1], v[1:]]),
        lambda v: v[: max(len(v) - 1, 0)], lambda v: pd.Series(v, index=np.arange(len(v))[::-1]),
    ]  # fmt: skip
    with np.errstate(all="ignore"):
        try:
            return one_of(rng, makers)(values)
        except (TypeError, ValueError, OverflowError):
            return values


# -- forms of X


def frame_of(objects: Objects) -> pd.DataFrame:
    """A long table."""
    table = {name: objects.flat(name) for name in ("time", "flux", "flux_err", "band")}
    table["mjd"] = table.pop("time")
    return pd.DataFrame({"object_id": objects.object_id, **table})


def padded_of(objects: Objects, n_columns: int) -> np.ndarray:
    """A 3-D array that is padded with NaN."""
    padded = np.full((len(objects), max(objects.lengths, default=0), n_columns), np.nan)
    for k, n in enumerate(objects.lengths):
        columns = [objects.time[k], objects.flux[k], objects.flux_err[k], np.full(n, 0.48)]
        padded[k, :n] = np.column_stack(columns[:n_columns])
    return padded


def nested_of(objects: Objects) -> NestedFrame:
    """A nested frame, one row per object."""
    long = frame_of(objects).rename(columns={"mjd": "time"}).set_index("object_id")
    long["band"] = [label if label is None else str(label) for label in long["band"]]
    index = pd.Index(objects.ids, name="object_id")
    base = NestedFrame({"mwebv": np.linspace(0, 1, len(objects))}, index=index)
    return base.join_nested(long, "lightcurve", how="left")


def forms(objects: Objects, rng: np.random.Generator) -> dict[str, Any]:
    """Makers of the forms that `sklc.as_light_curves` takes, by name."""

    def item(k: int) -> Any:
        table = {"time": objects.time[k], "flux": objects.flux[k], "flux_err": objects.flux_err[k],
                 "band": objects.band[k]}  # fmt: skip
        kind = int(rng.integers(6))
        if kind == 0:
            return table
        if kind == 1:
            return pd.DataFrame(table)
        array = padded_of(objects, 4)[k]
        return array[:, : int(rng.integers(2, 5))] if kind < 5 else one_of(rng, [None, array.T, 7])

    def as_object_array() -> np.ndarray:
        array = np.empty(len(objects), dtype=object)
        array[:] = [item(k) for k in range(len(objects))]
        return array

    return {
        "list": lambda: [item(k) for k in range(len(objects))],
        "object array": as_object_array,
        "padded": lambda: padded_of(objects, int(rng.integers(2, 5))),
        "nested": lambda: nested_of(objects),
        "nested column": lambda: nested_of(objects)["lightcurve"],
        "light curves": lambda: LightCurves.from_arrays(
            objects.time, objects.flux, objects.flux_err, objects.band, ids=objects.ids,
            duplicates="keep",
        ),
        "list of light curves": lambda: list(forms(objects, rng)["light curves"]()),
        "series": lambda: rng.choice([*rng.normal(size=30), *STRANGE, np.nan], (len(objects), 6)),
        "series frame": lambda: pd.DataFrame(rng.normal(size=(len(objects), 3)).round(2)),
        "long": lambda: frame_of(objects),
        "no light curves": lambda: one_of(rng, [None, 3, "a.csv", {}, {"time": [1]}, [], [[]],
                                                np.zeros(3), np.zeros((2, 0)), iter([])]),
    }  # fmt: skip


def sound(objects: Objects, k: int) -> bool:
    """Whether an object holds nothing that could be refused."""
    known = all(isinstance(b, str) and b in BANDS for b in objects.band[k])
    columns = (objects.time[k], objects.flux[k], objects.flux_err[k])
    finite = all(np.isfinite(column).all() for column in columns)
    return bool(finite and known and (objects.flux_err[k] > 0).all())


def wavelengths() -> dict[str, float]:
    """Wavelengths of the bands in use, in micrometre."""
    return {name: get_passband(name).wavelength for name in BANDS}
