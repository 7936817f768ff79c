"""The objects of several containers, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sklc.errors import LightCurveError
from sklc.light_curves.alignment import indexed_metadata
from sklc.light_curves.bands import unique_passbands
from sklc.light_curves.columns import object_array
from sklc.light_curves.ids import check_ids, join_ids
from sklc.light_curves.store import Store, read_only
from sklc.utils.floats import saturated
from sklc.utils.offsets import offsets_of


def check_containers(containers: Any, kind: type, suffixes: Sequence[str] | None) -> list[Any]:
    """Return the containers to concatenate as a list.

    Raises
    ------
    TypeError
        If this is no list of containers.
    ValueError
        If there is no container, or not one suffix for each.
    """
    if isinstance(containers, kind):
        raise TypeError("concatenate takes a list: LightCurves.concatenate([first, second])")
    containers = list(containers)
    if not containers:
        raise ValueError("there is nothing to concatenate: pass at least one LightCurves")
    for k, container in enumerate(containers):
        if not isinstance(container, kind):
            raise TypeError(
                f"item {k} is a {type(container).__name__}, not a LightCurves: convert it with "
                "sklc.as_light_curves"
            )
    if suffixes is not None and (isinstance(suffixes, str) or len(suffixes) != len(containers)):
        raise ValueError(f"suffixes must be {len(containers)} strings, one for each container")
    return containers


def concatenate(
    stores: Sequence[Store],
    *,
    suffixes: Sequence[str] | None = None,
    prefix_ids: bool = False,
    check_unique: bool = True,
) -> Store:
    """Return the objects of several stores as one; see `LightCurves.concatenate`.

    `check_unique` is False for objects that were picked from several containers: ids may then
    repeat, and ids of mixed types become strings.
    """
    ids = [_renamed(s.ids, k, suffixes, prefix_ids) for k, s in enumerate(stores)]
    all_ids = join_ids(ids, as_strings=not check_unique)
    if check_unique:
        _check_unique(ids, all_ids)
    code, passbands = unique_passbands([p for s in stores for p in s.passbands])
    zero_point = stores[0].zero_point
    firsts = offsets_of([len(s.passbands) for s in stores])
    band = [code[first:][s.band] for first, s in zip(firsts[:-1], stores, strict=True)]
    metadata = pd.concat([s.metadata.reset_index(drop=True) for s in stores])

    def scaled(name: str) -> list[np.ndarray]:
        pairs = [(getattr(s, name), 10 ** (-0.4 * (s.zero_point - zero_point))) for s in stores]
        with np.errstate(over="ignore", under="ignore"):
            parts = [v if factor == 1.0 else saturated(v * factor, v.dtype) for v, factor in pairs]
        if name == "flux_err":  # an error is positive
            parts = [np.maximum(part, np.finfo(part.dtype).smallest_subnormal) for part in parts]
        return parts

    return Store(
        time=read_only(np.concatenate([s.time for s in stores])),
        flux=read_only(np.concatenate(scaled("flux"))),
        flux_err=read_only(np.concatenate(scaled("flux_err"))),
        band=read_only(np.concatenate(band)),
        offsets=read_only(offsets_of(np.concatenate([s.lengths for s in stores]))),
        passbands=passbands,
        ids=read_only(all_ids),
        metadata=indexed_metadata(metadata, all_ids),
        zero_point=zero_point,
    )


def _renamed(
    ids: np.ndarray, position: int, suffixes: Sequence[str] | None, prefix_ids: bool
) -> np.ndarray:
    if suffixes is None and not prefix_ids:
        return ids
    suffix = "" if suffixes is None else suffixes[position]
    prefix = f"{position}_" if prefix_ids else ""
    return object_array([f"{prefix}{i}{suffix}" for i in ids])


def _check_unique(ids: list[np.ndarray], all_ids: np.ndarray) -> None:
    index = pd.Index(all_ids)
    twice = np.flatnonzero(index.duplicated())
    if len(twice):
        owners: list[Any] = [k for k, own in enumerate(ids) if (own == all_ids[twice[0]]).any()]
        raise LightCurveError(
            f"object id {all_ids[twice[0]]!r} occurs in container(s) {owners} "
            f"({len(twice)} repeated ids): pass prefix_ids=True, or suffixes= one for each "
            'container such as suffixes=["", "_lsst"]'
        )
    check_ids(all_ids)
