"""Random light curves for hypothesis, and the naive container they are compared with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from hypothesis import settings
from hypothesis import strategies as st

from sklc.light_curves import LightCurves
from sklc.passbands import get_passband

# the same examples in every run, and no failures from a busy machine
settings.register_profile("sklc", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("sklc")

BANDS = ["ztfg", "ztfr", "lssti", "kepler"]


@dataclass
class Naive:
    """One object in plain lists, in the order they were given."""

    id: object
    time: list
    flux: list
    flux_err: list
    band: list

    def sorted(self):
        order = sorted(range(len(self.time)), key=self.time.__getitem__)  # stable
        return Naive(self.id, *([c[k] for k in order] for c in self.columns()))

    def columns(self):
        return self.time, self.flux, self.flux_err, self.band


# few distinct times, so that ties are common; few digits, so that float32 holds them
times = st.integers(0, 40).map(lambda k: 59000 + k / 4)
fluxes = st.integers(-4000, 4000).map(lambda k: k / 8)
errors = st.integers(1, 80).map(lambda k: k / 8)


@st.composite
def naive_objects(draw, min_objects=0, max_objects=6, min_points=1, max_points=8):
    """A list of `Naive` with unique ids, all strings or all integers."""
    n = draw(st.integers(min_objects, max_objects))
    kind = draw(st.sampled_from([st.integers(0, 10**6), st.text("abcé_0", min_size=1)]))
    ids = draw(st.lists(kind, min_size=n, max_size=n, unique=True))
    objects = []
    for i in ids:
        m = draw(st.integers(min_points, max_points))
        columns = [
            draw(st.lists(values, min_size=m, max_size=m))
            for values in (times, fluxes, errors, st.sampled_from(BANDS))
        ]
        objects.append(Naive(i, *columns))
    return objects


def long_frame(objects):
    """A long table of the objects, one after the other, in the given order."""
    rows = [(o.id, *row) for o in objects for row in zip(*o.columns(), strict=True)]
    columns = ["object_id", "mjd", "flux", "flux_err", "band"]
    frame = pd.DataFrame(rows, columns=columns)
    numeric = {"mjd": float, "flux": float, "flux_err": float}
    return frame.astype(numeric)


def container(objects, **options):
    """A `LightCurves` of the objects by way of lists of arrays."""
    return LightCurves.from_arrays(
        [np.array(o.time, dtype=float) for o in objects],
        [np.array(o.flux, dtype=float) for o in objects],
        [np.array(o.flux_err, dtype=float) for o in objects], [o.band for o in objects],
        ids=[o.id for o in objects], duplicates="keep", **options,
    )  # fmt: skip


def assert_equals_naive(curves, objects):
    """Compare a container with the list of objects, array by array."""
    objects = [o.sorted() for o in objects]
    assert len(curves) == len(objects)
    assert curves.shape == (len(objects),)
    assert curves.ids.tolist() == [o.id for o in objects]
    assert curves.lengths.tolist() == [len(o.time) for o in objects]
    assert curves.offsets.tolist() == np.cumsum([0] + [len(o.time) for o in objects]).tolist()
    for name, values in (
        ("time", [o.time for o in objects]),
        ("flux", [o.flux for o in objects]),
        ("flux_err", [o.flux_err for o in objects]),
        ("band_names", [o.band for o in objects]),
        ("wavelength", [[get_passband(b).wavelength for b in o.band] for o in objects]),
    ):
        assert getattr(curves, name).tolist() == [v for part in values for v in part], name
    for curve, o in zip(curves, objects, strict=True):
        assert curve.id == o.id
        assert len(curve) == len(o.time)
        assert curve.time.tolist() == o.time
        assert curve.flux.tolist() == o.flux
        assert curve.flux_err.tolist() == o.flux_err
        assert curve.band_names.tolist() == o.band
