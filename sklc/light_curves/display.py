"""How notebooks show `LightCurves`."""

from __future__ import annotations

import html
from collections.abc import Sequence

import pandas as pd

from sklc.light_curves.light_curve import LightCurve
from sklc.passbands.registry import passband_labels


def html_table(summary: str, first: Sequence[LightCurve], n_objects: int) -> str:
    """Return the summary of a container, and a table of its first objects, as HTML."""
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
    return f"<p>{html.escape(summary)}</p>{table}" + (
        f"<p>and {n_more:,} more</p>" if n_more else ""
    )
