"""Tables of pointings: columns are found, values checked, and positions on the sky drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.neighbors import BallTree

from sklc.errors import LightCurveError, SimulationError
from sklc.light_curves.columns import Table, labels

__all__ = ["Pointings", "idle_hour", "read_pointings"]

#: Other names of the columns, in OpSim's and ZTF's tables, tried if the default name is missing.
_ALSO: dict[str, tuple[Any, ...]] = {
    "mjd": ("observationStartMJD", "expMJD", "obsmjd"),
    "band": ("filter",),
    "depth": ("fiveSigmaDepth", "five_sigma_depth", "m5", "diffmaglim", "maglim"),
    "position": (("fieldRA", "fieldDec"), ("ra", "dec"), "fieldId", "fieldID", "field"),
}


@dataclass(frozen=True, eq=False)
class Pointings:
    """Checked columns of a table of pointings, one row per visit."""

    time: np.ndarray
    codes: np.ndarray
    depth: np.ndarray
    names: list[Any]
    field: np.ndarray | None
    coordinates: np.ndarray | None

    def within(self, season: Sequence[float]) -> Pointings:
        """Keep the visits between two dates."""
        try:
            start, stop = map(float, season)
        except (TypeError, ValueError):
            start = stop = np.nan
        if not start < stop:
            raise SimulationError(f"season={season!r}: pass two dates in MJD, (start, stop).")
        inside = (self.time >= start) & (self.time <= stop)
        if not inside.any():
            raise SimulationError(
                f"no visit is in season=({start:g}, {stop:g}): the table covers MJD "
                f"{self.time.min():.1f} to {self.time.max():.1f}."
            )
        columns: dict[str, Any] = {
            name: column[inside]
            for name, column in vars(self).items()
            if isinstance(column, np.ndarray)
        }
        return replace(self, **columns)

    def at_fields(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the visits to each field, and the offsets of the fields."""
        assert self.field is not None
        _, first, code = np.unique(self.field, return_index=True, return_inverse=True)
        code = np.argsort(np.argsort(first))[code]  # fields in the order of the table
        order = np.lexsort((self.time, code))
        return order, np.searchsorted(code[order], np.arange(len(first) + 1))

    def at_positions(
        self, n_positions: int, radius: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows of the visits to positions drawn on the sky, their offsets and coordinates."""
        if not radius > 0 or n_positions < 1:
            raise SimulationError(
                f"radius={radius!r}, n_positions={n_positions!r}: both have to be positive."
            )
        assert self.coordinates is not None
        tree = BallTree(np.radians(self.coordinates[:, ::-1]), metric="haversine")
        reach = np.radians(radius)
        centre = self.coordinates[rng.integers(0, len(self.time), 4 * n_positions)]
        points = _near(centre, 0.999 * radius, rng)
        seen = tree.query_radius(np.radians(points[:, ::-1]), reach, count_only=True)
        # pointings gather in deep fields: drawn in proportion to 1 / visits, positions do not
        weight = np.where(seen > 0, 1.0 / np.maximum(seen, 1), 0.0)
        if np.count_nonzero(weight) < n_positions:
            raise SimulationError(
                f"no {n_positions} positions with visits were found: pass a larger radius "
                f"(radius={radius:g} degrees) or fewer positions."
            )
        chosen = rng.choice(len(points), n_positions, replace=False, p=weight / weight.sum())
        points = points[chosen]
        found = tree.query_radius(np.radians(points[:, ::-1]), reach)
        rows = np.concatenate(found)
        position = np.repeat(np.arange(n_positions), [len(f) for f in found])
        order = np.lexsort((self.time[rows], position))
        return rows[order], np.r_[0, np.cumsum([len(f) for f in found])], points.T


def read_pointings(
    frame: Any, *, time: str, band: str, depth: str, position: str | tuple[str, str]
) -> Pointings:
    """Read and check the columns of a table of pointings."""
    table = Table(frame)
    if not len(table):
        raise SimulationError("the table of pointings is empty: it needs one row per visit.")
    found = _find_columns(table, {"time": time, "band": band, "depth": depth, "position": position})
    mjd = _numbers(table, found["time"])
    _check_time(mjd, found["time"])
    magnitude = _numbers(table, found["depth"])
    what = "is not a 5-sigma depth in AB magnitudes (5 to 35)"
    remedy = "convert a flux f in nJy with 31.4 - 2.5 * log10(f)"
    _refuse(found["depth"], magnitude, (magnitude < 5) | (magnitude > 35), what, remedy)
    codes, names = _labels(table, found["band"])
    present = np.unique(codes)
    pair = found["position"]
    field = coordinates = None
    if isinstance(pair, str):
        field = _labels(table, pair)[0]
    else:
        ra, dec = (_numbers(table, name) for name in pair)
        _check_coordinates(ra, dec, pair)
        coordinates = np.stack([ra, dec], axis=1)
    codes, used = np.searchsorted(present, codes), [names[code] for code in present]
    return Pointings(mjd, codes, magnitude, used, field, coordinates)


def idle_hour(time: np.ndarray) -> float:
    """Middle of the longest stretch of the UT day without visits, as a fraction of the day."""
    hours = np.sort(time % 1.0)
    gaps = np.diff(np.r_[hours, hours[0] + 1.0])
    longest = np.argmax(gaps)
    return float((hours[longest] + gaps[longest] / 2) % 1.0)


def _find_columns(table: Table, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the column of each argument; other known names are tried if the default is missing."""
    defaults = {"time": "mjd", "band": "band", "depth": "depth", "position": "position"}
    columns = set(table.columns)

    def there(name: Any) -> bool:
        return columns.issuperset((name,) if isinstance(name, str) else name)

    found, missing = {}, []
    for argument, name in wanted.items():
        names = (name, *_ALSO[name]) if name == defaults[argument] else (name,)
        found[argument] = next(filter(there, names), None)
        if found[argument] is None:
            missing.append(f"{name!r} ({argument}=)")
    if missing:
        raise SimulationError(
            f"the table has no column {', '.join(missing)}; its columns are {table.columns}: pass "
            "the names of yours, where position= is a column of field ids or a pair of columns "
            "with coordinates in degrees."
        )
    return found


def _column(table: Table, name: str) -> Any:
    try:
        return table.column(name, "")
    except LightCurveError as error:  # two columns of one name
        raise SimulationError(str(error)) from None


def _numbers(table: Table, name: str) -> np.ndarray:
    raw = _column(table, name)
    series = raw.to_pandas() if isinstance(raw, pa.Array) else pd.Series(raw)
    if series.dtype.kind == "M":
        raise SimulationError(
            f"column {name!r} holds dates: convert them to MJD, for example "
            "pandas.DatetimeIndex(dates).to_julian_date() - 2400000.5"
        )
    numbers = pd.to_numeric(series, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    bad = ~np.isfinite(numbers)
    _refuse(name, series.to_numpy(), bad, "is not a finite number", "drop such rows")
    return numbers


def _labels(table: Table, name: str) -> tuple[np.ndarray, np.ndarray]:
    codes, names = labels(_column(table, name))
    codes = np.asarray(codes, np.int64)
    _refuse(name, np.full(len(codes), None), codes < 0, "is missing", "drop such rows")
    return codes, names


def _check_time(mjd: np.ndarray, name: str) -> None:
    what = "is a Julian date, not a modified one (MJD)"
    remedy = f"subtract 2400000.5: table[{name!r}] -= 2400000.5"
    _refuse(name, mjd, (mjd > 2.4e6) & (mjd < 2.6e6), what, remedy)
    _refuse(name, mjd, np.abs(mjd) > 2e5, "is not a date in MJD", "convert the times to days, MJD")


def _check_coordinates(ra: np.ndarray, dec: np.ndarray, names: Sequence[str]) -> None:
    degrees = "coordinates are in degrees: convert hours with * 15, radians with numpy.degrees"
    outside = (ra < -180) | (ra > 360)
    _refuse(names[0], ra, outside, "is outside -180 to 360 degrees", degrees)
    _refuse(names[1], dec, np.abs(dec) > 90, "is outside -90 to 90 degrees", degrees)
    # no survey in degrees fills just this range
    if np.ptp(ra) > 5 and ra.max() < 2 * np.pi and np.ptp(dec) > 1 and np.abs(dec).max() < 1.571:
        raise SimulationError(
            f"columns {names[0]!r} and {names[1]!r} reach {ra.max():.2f} and "
            f"{np.abs(dec).max():.2f}, and look like radians: convert them with numpy.degrees."
        )


def _refuse(name: str, values: np.ndarray, bad: np.ndarray, problem: str, remedy: str) -> None:
    """Raise an error that names the first bad row of a column, if there is one."""
    rows = np.flatnonzero(bad)
    if not len(rows):
        return
    value = values[rows[0]]
    shown = f"{value:.10g}" if isinstance(value, float) else repr(value)
    rest = f" ({len(rows):,} rows in all)" if len(rows) > 1 else ""
    raise SimulationError(f"column {name!r}: {shown} in row {rows[0]} {problem}{rest}: {remedy}.")


def _near(centre: np.ndarray, radius: float, rng: np.random.Generator) -> np.ndarray:
    """Points uniform in a disc around each centre, all in degrees."""
    angle = rng.uniform(0.0, 2 * np.pi, len(centre))
    distance = np.radians(radius) * np.sqrt(rng.uniform(0.0, 1.0, len(centre)))
    ra, dec = np.radians(centre).T
    # the point at a distance and bearing on the sphere; true at the poles too
    sin_dec = np.sin(dec) * np.cos(distance) + np.cos(dec) * np.sin(distance) * np.cos(angle)
    new_dec = np.arcsin(np.clip(sin_dec, -1.0, 1.0))
    east = np.sin(angle) * np.sin(distance) * np.cos(dec)
    new_ra = ra + np.arctan2(east, np.cos(distance) - np.sin(dec) * sin_dec)
    return np.degrees(np.stack([new_ra % (2 * np.pi), new_dec], axis=1))
