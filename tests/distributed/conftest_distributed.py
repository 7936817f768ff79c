"""Catalogues in memory and in files, with objects that cannot be used."""

import numpy as np
import pandas as pd
import pytest

from sklc import LightCurves, TransferClassifier
from sklc.datasets import load_demo

N_OBJECTS = 60
BAD = {7: "no flux other than zero", 20: "0 observations, and 1 needed"}


@pytest.fixture(scope="session")
def curves():
    return load_demo().curves[:N_OBJECTS]


@pytest.fixture(scope="session")
def nested(curves):
    """One row per object, with coordinates; two of the objects cannot be used."""
    long = curves.to_frame()
    ids = curves.ids
    long.loc[long["object_id"] == ids[7], "flux"] = 0.0
    rest = long[long["object_id"] != ids[20]]
    few = LightCurves.from_frame(rest).to_nested()
    frame = few.reindex(ids).reset_index(names="object_id")
    rng = np.random.default_rng(0)
    frame["ra"] = rng.uniform(0, 360, len(frame))
    frame["dec"] = rng.uniform(-60, 60, len(frame))
    frame["number"] = np.arange(len(frame))
    return frame


@pytest.fixture(scope="session")
def classifier():
    return TransferClassifier.pretrained("any", device="cpu")


@pytest.fixture(scope="session")
def expected(nested, classifier):
    """Probabilities as the estimator itself gives them, NaN for the two objects."""
    usable = nested.drop(index=list(BAD))
    probabilities = classifier.predict_proba(usable.set_index("object_id"))
    table = pd.DataFrame(probabilities, usable["object_id"], classifier.classes_)
    return table.reindex(nested["object_id"])


@pytest.fixture(scope="session")
def client():
    """A local cluster of two processes."""
    distributed = pytest.importorskip("distributed", reason='pip install "sklc[scale]"')
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=2, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


def assert_expected(table, expected):
    """The table has these probabilities to the bit, in any order, and the reasons."""
    table = table.set_index("object_id")
    own = table.loc[expected.index, list(expected)].to_numpy(dtype=float)
    np.testing.assert_array_equal(own, expected.to_numpy())
    reasons = table.loc[expected.index, "reason"]
    assert {k: reasons.iloc[k] for k in BAD} == BAD
    assert reasons.notna().sum() == len(BAD)
