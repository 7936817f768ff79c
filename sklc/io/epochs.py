"""Which rows of a survey's tables measure the same epoch, and which of them to take."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["not_latest", "same_epoch", "superseded"]

_SAME_TIME = 1e-5  # days, a second: no survey takes two exposures within it


def same_epoch(
    object_id: np.ndarray, band: np.ndarray, time: np.ndarray, *image: np.ndarray
) -> np.ndarray:
    """Return a number for each row, equal for rows that measure one object on one image.

    Parameters
    ----------
    object_id, band : ndarray of int, shape (n_rows,)
        Codes.
    time : ndarray of shape (n_rows,)
        In days.
    *image : ndarray of shape (n_rows,)
        What identifies the image, such as visit and detector, if it is known. Where it does not
        (placeholders, which are equal at different times), times within a second are one epoch.
    """
    if image:
        keys = {str(k): column for k, column in enumerate((object_id, *image))}
        groups = pd.DataFrame({**keys, "time": time}).groupby(list(keys), sort=False, dropna=False)
        code = groups.ngroup().to_numpy()
        times = groups["time"]
        if (times.transform("max") - times.transform("min")).max() < 0.01:
            return code
    order = np.lexsort((time, band, object_id))
    new = np.ones(len(order), dtype=bool)
    new[1:] = (
        (np.diff(object_id[order]) != 0)
        | (np.diff(band[order]) != 0)
        | ~(np.diff(time[order]) < _SAME_TIME)
    )
    code = np.empty(len(order), dtype=np.int64)
    code[order] = np.cumsum(new)
    return code


def not_latest(epoch: np.ndarray, kind: np.ndarray, version: np.ndarray) -> np.ndarray:
    """Return True for rows of which a later packet has another version, of the same kind.

    Parameters
    ----------
    epoch : ndarray of int, shape (n_rows,)
        As from `same_epoch`.
    kind : ndarray of int, shape (n_rows,)
        The kind of row: forced photometry, detection, limit.
    version : ndarray of shape (n_rows,)
        When the packet of a row was issued.
    """
    order = np.lexsort((-version, kind, epoch))
    same = np.zeros(len(order), dtype=bool)
    same[1:] = (np.diff(epoch[order]) == 0) & (np.diff(kind[order]) == 0)
    old = np.empty(len(order), dtype=bool)
    old[order] = same
    return old


def superseded(epoch: np.ndarray, kind: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Return True for rows whose epoch has a usable row of a kind with a lower number."""
    best = np.full(int(epoch.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(best, epoch[usable], kind[usable])
    return kind > best[epoch]
