"""How Python and notebooks show `LightCurves`."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
import pandas as pd

from sklc.light_curves.light_curve import LightCurve
from sklc.light_curves.store import Store
from sklc.passbands.registry import passband_labels


def summary(store: Store, lengths: np.ndarray) -> str:
    """Return one line about a container whose objects, all or some of a store, have `lengths`."""
    text = f"LightCurves: {len(lengths):,} objects, {int(lengths.sum()):,} observations"
    if len(lengths):
        text += f" (median {np.median(lengths):g})"
    bands = passband_labels(store.passbands)
    text += f", bands {_some(bands, 8)}" if bands else ""
    text += f", zero point {store.zero_point:g}"
    columns = [str(c) for c in store.metadata.columns]
    return text + (f", metadata {_some(columns, 6)}" if columns else "")


def _some(names: Sequence[str], most: int) -> str:
    return " ".join(names[:most]) + (" ..." if len(names) > most else "")


def html_table(line: str, first: Sequence[LightCurve], n_objects: int) -> str:
    """Return the line about a container, and a table of its first objects, as HTML."""
    rows = [
        {
            "object_id": curve.id,
            "observations": len(curve),
            "time": f"{curve.time[0]:.1f} to {curve.time[-1]:.1f}" if len(curve) else "",
            "bands": " ".join(passband_labels(curve.passbands)),
            **curve.metadata.iloc[:4].to_dict(),
        }
        for curve in first
    ]
    table = pd.DataFrame(rows).to_html(index=False, border=0) if rows else ""
    n_more = n_objects - len(rows)
    return f"<p>{html.escape(line)}</p>{table}" + (f"<p>and {n_more:,} more</p>" if n_more else "")
