"""What is fuzzed, and what has to hold of the results."""

from __future__ import annotations

import pickle
import tempfile
import warnings
from collections.abc import Callable
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _fuzz_files import damaged, draw_file
from _fuzz_inputs import (
    STRANGE,
    Objects,
    chance,
    draw_objects,
    dress,
    forms,
    frame_of,
    nested_of,
    one_of,
    padded_of,
)
from _fuzz_samples import lightkurve_object, sample, varied, write

from sklc import (
    LatentIsolationForest,
    LightCurveEncoder,
    LightCurves,
    RedshiftRegressor,
    TransferClassifier,
    as_light_curves,
    augment,
    stream,
)
from sklc.augment import transformers
from sklc.datasets import load_demo
from sklc.features import LightCurveFeatures
from sklc.io import list_formats, read
from sklc.light_curves import concatenate, unusable
from sklc.light_curves.usable import select


class Fault(Exception):
    """A property that does not hold of a result."""


def require(holds: Any, what: str) -> None:
    if not holds:
        raise Fault(what)


def require_sound(curves: LightCurves) -> None:
    """Nothing in a container is NaN or infinite, except for errors that are not known."""
    require(isinstance(curves, LightCurves), f"a {type(curves).__name__} instead of light curves")
    require(np.isfinite(curves.time).all(), "times that are not finite")
    require(np.isfinite(curves.flux).all(), "fluxes that are not finite")
    errors = curves.flux_err[~np.isnan(curves.flux_err)]
    require((errors > 0).all() and np.isfinite(errors).all(), "errors that are not positive")
    require(len(curves.ids) == len(curves.lengths) == len(curves), "ids and objects differ")
    require(curves.offsets[-1] == len(curves.time) == len(curves.flux), "offsets and rows differ")
    inner = np.delete(np.arange(len(curves.time)), curves.offsets[:-1][curves.lengths > 0])
    require((curves.time[inner] >= curves.time[inner - 1]).all(), "times do not ascend")
    require(len(curves.metadata) == len(curves), "metadata and objects differ")


# -- containers


def containers(rng: np.random.Generator) -> None:
    """Build a container in any way, compare it with what it was built from, and use it."""
    objects = draw_objects(rng)
    maker = one_of(
        rng, [_from_frame, _from_arrays, _from_flat, _from_nested, _from_padded, _coerced]
    )
    curves, comparable = maker(objects, rng)
    require_sound(curves)
    if comparable:
        _require_same(curves, objects)
    _use(curves, rng)


def _options(rng: np.random.Generator) -> dict[str, Any]:
    drawn: dict[str, Any] = {}
    if chance(rng, 0.3):
        drawn["duplicates"] = one_of(rng, ["raise", "drop", "keep", "?"])
    if chance(rng, 0.2):
        drawn["invalid"] = one_of(rng, ["raise", "drop", None])
    if chance(rng, 0.2):
        drawn["zero_point"] = one_of(rng, [25.0, 8.9, 31.4, "zp", "no", *STRANGE, np.nan, None])
    if chance(rng, 0.1):
        drawn["survey"] = one_of(rng, ["ztf", "lsst", "nonsense", "", None, 3])
    if chance(rng, 0.05):
        drawn["passband"] = one_of(rng, ["ztfg", "?", None])
    return drawn


def _is_plain(options: dict[str, Any]) -> bool:
    return not {"duplicates", "invalid"} & set(options)


def _from_frame(objects: Objects, rng: np.random.Generator) -> tuple[LightCurves, bool]:
    table, options = frame_of(objects), _options(rng)
    if chance(rng, 0.3):
        table = table.sample(frac=1, random_state=int(rng.integers(1000)))
    if chance(rng, 0.2):
        table["zp"] = rng.choice([27.5, 25.0, *STRANGE], len(table))
    plain = _is_plain(options)
    if chance(rng, 0.4):
        name = one_of(rng, list(table))
        column = dress(rng, table[name].tolist() if name in ("object_id", "band") else table[name])
        plain = False
        try:
            table = pd.DataFrame({**table, name: column})
        except ValueError:  # of another length, or of two axes
            return LightCurves.from_frame({**table, name: column}, **options), False
    if chance(rng, 0.1):
        table = table.drop(columns=one_of(rng, list(table)))
    if chance(rng, 0.2):
        options["metadata"] = pd.DataFrame({"z": rng.random(len(objects))}, index=objects.ids)
    curves = LightCurves.from_frame(table, **options)
    kept = [k for k, n in enumerate(objects.lengths) if n]
    if plain and list(curves.ids) != [objects.ids[k] for k in kept]:
        require(set(curves.ids) == {objects.ids[k] for k in kept}, "ids are lost or made up")
    return curves, False if not plain else len(curves) == len(objects)


def _columns(objects: Objects, names: list[str]) -> dict[str, Any]:
    return {name: getattr(objects, name) for name in names}


def _from_arrays(objects: Objects, rng: np.random.Generator) -> tuple[LightCurves, bool]:
    options = _options(rng)
    columns = {name: getattr(objects, name) for name in ("time", "flux", "flux_err", "band")}
    plain = _is_plain(options)
    if chance(rng, 0.3) and len(objects):
        name = one_of(rng, list(columns))
        columns[name] = [dress(rng, part) for part in columns[name]]
        plain = False
    return LightCurves.from_arrays(**columns, ids=objects.ids, **options), plain


def _from_flat(objects: Objects, rng: np.random.Generator) -> tuple[LightCurves, bool]:
    options = _options(rng)
    columns = {name: objects.flat(name) for name in ("time", "flux", "flux_err", "band")}
    plain = _is_plain(options)
    if chance(rng, 0.4):
        name = one_of(rng, list(columns))
        columns[name], plain = dress(rng, columns[name]), False
    if chance(rng, 0.5):
        ids = dress(rng, objects.object_id) if chance(rng, 0.3) else objects.object_id
        curves = LightCurves.from_arrays(**columns, object_id=ids, **options)
        return curves, plain and ids is objects.object_id and 0 not in objects.lengths
    offsets: Any = np.concatenate([[0], np.cumsum(objects.lengths)]).astype(int)
    if chance(rng, 0.1):
        offsets, plain = one_of(rng, [offsets[::-1], offsets + 1, offsets.astype(float), []]), False
    return LightCurves.from_arrays(**columns, offsets=offsets, ids=objects.ids, **options), plain


def _from_nested(objects: Objects, rng: np.random.Generator) -> tuple[LightCurves, bool]:
    options = _options(rng)
    return LightCurves.from_nested(nested_of(objects), **options), _is_plain(options)


def _from_padded(objects: Objects, rng: np.random.Generator) -> tuple[LightCurves, bool]:
    drawn, known = _options(rng), ("zero_point", "passband", "duplicates", "invalid")
    options = {name: value for name, value in drawn.items() if name in known}
    array: Any = padded_of(objects, int(rng.integers(2, 5)))
    if chance(rng, 0.3):
        changes = [np.asfortranarray, np.float32, np.ma.masked_invalid, np.flip, np.ndarray.tolist]
        array = one_of(rng, changes)(array)
    given = objects.lengths if chance(rng, 0.3) else None
    return LightCurves.from_padded(array, lengths=given, ids=objects.ids, **options), False


def _coerced(objects: Objects, rng: np.random.Generator) -> tuple[LightCurves, bool]:
    made = forms(objects, rng)
    X = made[one_of(rng, list(made))]()
    return as_light_curves(X, min_points=one_of(rng, [None, 1, 3])), False


def _require_same(curves: LightCurves, objects: Objects) -> None:
    """No row is lost, made up or moved to another object."""
    require(sorted(map(str, curves.ids)) == sorted(map(str, objects.ids)), "ids are not the same")
    where = {str(i): k for k, i in enumerate(objects.ids)}
    for curve in curves:
        k = where[str(curve.id)]
        require(np.array_equal(np.sort(objects.time[k]), curve.time), "times are not the same")


def _use(curves: LightCurves, rng: np.random.Generator) -> None:
    """Call one method of a container, and check what it returns."""
    name = one_of(rng, list(_USES))
    result = _USES[name](curves, rng)
    if isinstance(result, LightCurves):
        require_sound(result)
        require(len(result) == len(curves), f"{name}: another number of objects")
        if name not in ("concatenated", "other zero point"):
            require(list(result.ids) == list(curves.ids), f"{name}: other ids")
    if name in ("frame", "nested", "pickle", "parquet", "sliced"):
        require(result.equals(curves) or not len(curves.time), f"{name}: not the same light curves")


def _by_parquet(curves: LightCurves) -> LightCurves:
    with tempfile.TemporaryDirectory() as folder:
        curves.to_parquet(folder)
        return LightCurves.from_parquet(folder, duplicates="keep")


def _by_frame(curves: LightCurves) -> LightCurves:
    with_rows = curves[curves.lengths > 0]
    table = with_rows.to_frame()
    errors = None if np.isnan(with_rows.flux_err).any() else "flux_err"
    back = LightCurves.from_frame(table, flux_err=errors, duplicates="keep", zero_point="zp")
    require(list(back.ids) == list(with_rows.ids), "frame: other ids")
    require(np.array_equal(back.flux, with_rows.flux), "frame: other fluxes")
    return curves


_USES: dict[str, Callable[[LightCurves, np.random.Generator], Any]] = {
    "nightly": lambda c, rng: c.nightly(),
    "detections": lambda c, rng: c.detections(float(one_of(rng, [5, 0, -3, 1e300]))),
    "days": lambda c, rng: c.truncate(days=float(one_of(rng, [0, 10, 1e300]))),
    "points": lambda c, rng: c.truncate(points=int(rng.integers(4))),
    "bands": lambda c, rng: c.with_bands("ztfg"),
    "metadata": lambda c, rng: c.with_metadata(z=rng.random(len(c))),
    "frame": lambda c, rng: _by_frame(c),
    "nested": lambda c, rng: LightCurves.from_nested(c.to_nested(), duplicates="keep"),
    "padded": lambda c, rng: LightCurves.from_padded(
        c.to_padded(), lengths=c.lengths, ids=c.ids, duplicates="keep", zero_point=c.zero_point
    ),
    "parquet": lambda c, rng: _by_parquet(c),
    "pickle": lambda c, rng: pickle.loads(pickle.dumps(c)),
    "printed": lambda c, rng: repr(c) + c._repr_html_() + "".join(map(repr, c[:3])),
    "concatenated": lambda c, rng: concatenate([c, c[:0]], prefix_ids=chance(rng, 0.5)),
    "other zero point": lambda c, rng: concatenate(
        [LightCurves.from_arrays([[1.0]], [[1.0]], [[1.0]], "ztfg", ids=["first"],
                                 zero_point=float(one_of(rng, [31.4, 8.9, 27.5]))), c],
        prefix_ids=True)[1:],
    "sliced": lambda c, rng: c[np.arange(len(c))][::1],
    "streamed": lambda c, rng: concatenate(
        [part for _, part in stream(LightCurves.nightly, c, n_objects=2)] or [c]
    ),
    "told": lambda c, rng: unusable(c, min_points=3).shape,
}  # fmt: skip


# -- readers


def readers(rng: np.random.Generator) -> None:
    """Read a damaged file, of a format that is recognised or named."""
    content, suffix = draw_file(rng)
    content = damaged(content, rng)
    name = one_of(rng, list(list_formats())) if chance(rng, 0.2) else None
    source: Any = content
    if chance(rng, 0.1):
        with tempfile.NamedTemporaryFile(suffix=suffix) as file:
            file.write(content)
            file.flush()
            require_sound(read(file.name, name, verbose=False))
        return
    require_sound(read(source, name, verbose=False))


def true_file(name: str, rng: np.random.Generator) -> None:
    """Read a file in the true layout of a format, of which values are changed or bytes damaged."""
    options: dict[str, Any] = {} if chance(rng, 0.3) else {"format": name}
    if chance(rng, 0.2):
        options["quality"] = one_of(rng, ["all", "good", lambda rows: np.ones(len(rows), bool)])
    if name == "lightkurve":
        require_sound(read(lightkurve_object(rng), verbose=False, **options))
        return
    files = dict(sample(name))
    for _ in range(int(rng.integers(0, 3))):
        file = one_of(rng, list(files))
        files[file] = varied(files[file], rng)
    if chance(rng, 0.2):
        file = one_of(rng, list(files))
        files[file] = damaged(files[file], rng)
    with tempfile.TemporaryDirectory() as folder:
        path, needed = write(name, files, Path(folder))
        require_sound(read(path, verbose=False, **(needed | options)))


# -- estimators, features, augmentations


@cache
def models() -> dict[str, tuple[Any, str]]:
    """Pretrained estimators, each with its methods."""
    curves, _ = load_demo(return_X_y=True)
    forest = LatentIsolationForest("ztf", n_estimators=5, random_state=0).fit(curves[:60])
    return {
        "encoder": (LightCurveEncoder.pretrained("ztf"), "transform"),
        "papers": (LightCurveEncoder.pretrained("ztf", min_points=2), "transform"),
        "classifier": (TransferClassifier.pretrained("ztf"), "predict_proba"),
        "labels": (TransferClassifier.pretrained("ztf"), "predict"),
        "scores": (TransferClassifier.pretrained("ztf"), "decision_function"),
        "redshift": (RedshiftRegressor.pretrained(), "predict"),
        "interval": (RedshiftRegressor.pretrained(), "predict_interval"),
        "forest": (forest, "score_samples"),
        "outliers": (forest, "predict"),
    }


@cache
def features_model() -> LightCurveFeatures:
    """Features of the demo light curves' bands."""
    return LightCurveFeatures(bands=["ztfg", "ztfr"]).fit(load_demo().curves[:20])


def estimators(rng: np.random.Generator) -> None:
    """Predict with on_error="nan": the right rows are NaN, the others as if alone."""
    model, method = models()[one_of(rng, list(models()))]
    _require_rows(model, method, model.min_points, rng)


def features(rng: np.random.Generator) -> None:
    """Compute features: never infinite, and one row for each object."""
    rows = _require_rows(features_model(), "transform", None, rng)
    require(not np.isinf(rows).any(), "features that are infinite")


def _require_rows(model: Any, method: str, min_points: Any, rng: np.random.Generator) -> Any:
    objects = draw_objects(rng, spoilt=0.5)
    made = forms(objects, rng)
    X = made[one_of(rng, list(made))]()
    call = getattr(model, method)
    if chance(rng, 0.3):
        rows = call(X)
    else:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            rows = call(X, on_error="nan")
        tables = [getattr(w.message, "failures", None) for w in caught]
        failures = next((t for t in tables if t is not None), pd.DataFrame())
        require(len(rows) == len(X), "another number of rows than of objects")
        missing = pd.isna(rows) if rows.ndim == 1 else pd.isna(rows).all(axis=1)
        if min_points is not None:
            told = np.isin(np.arange(len(rows)), failures.index)
            require(np.array_equal(missing, told), "other rows are missing than the table says")
        for k in np.flatnonzero(~missing)[:1]:
            alone = call(select(X, np.array([k])))[0]
            same = np.array_equal(rows[k], alone, equal_nan=rows.dtype != object)
            require(same, "another result than alone")
        rows = rows[~missing]
    if min_points is not None and rows.dtype.kind == "f":
        require(np.isfinite(rows).all(), "results that are not finite")
    return rows


def augmentations(rng: np.random.Generator) -> None:
    """Alter light curves: the same objects, and nothing that is not finite."""
    objects = draw_objects(rng, spoilt=0.5)
    curves = forms(objects, rng)["light curves"]()
    curves = curves.with_metadata(redshift=rng.choice([0.01, 0.5, 5.9, 1e-12, 1e300], len(curves)))
    name = one_of(rng, [*transformers.__all__, "ObservingConditions"])
    own = getattr(transformers, name, None) or getattr(augment, name)
    options = {"random_state": int(rng.integers(100)), "min_points": int(rng.integers(3))}
    if name not in ("ObservingConditions",):
        options["share"] = 1.0
    altered = own(**options).fit_transform(curves)
    require_sound(altered)
    require(list(altered.ids) == list(curves.ids), "other ids")


TARGETS: dict[str, tuple[Callable[[np.random.Generator], None], float]] = {
    "containers": (containers, 0.45),
    "readers": (readers, 0.1),
    "estimators": (estimators, 0.1),
    "features": (features, 0.1),
    "augmentations": (augmentations, 0.1),
    **{f"read {name}": (partial(true_file, name), 0.2 / len(list_formats()))
       for name in list_formats() if find_spec("fastavro") and find_spec("astropy")},
}  # fmt: skip
