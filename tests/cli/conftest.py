"""Files of the demo light curves, and a way to run a command in this process."""

import io
from dataclasses import dataclass

import pandas as pd
import pytest

from sklc.cli import main
from sklc.datasets import load_demo


@dataclass(frozen=True)
class Ran:
    """What a command returned and wrote."""

    status: int
    out: str
    err: str

    @property
    def table(self):
        return pd.read_csv(io.StringIO(self.out), dtype={"object_id": str})


@pytest.fixture
def run(capsys):
    def run(*arguments):
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Ran(status, out, err)

    return run


@pytest.fixture(scope="session")
def demo_curves():
    return load_demo().curves[:12].truncate(points=15)


@pytest.fixture
def photometry(demo_curves):
    """A table with one row per observation, of 12 objects."""
    return demo_curves.to_frame().astype({"band": str, "object_id": str})


@pytest.fixture
def night(photometry, tmp_path):
    path = tmp_path / "night.csv"
    photometry.to_csv(path, index=False)
    return path


@pytest.fixture
def spoilt(photometry, tmp_path):
    """A file in which four objects cannot be used; the table of the others, too."""
    frame, first = photometry.copy(), ~photometry["object_id"].duplicated()
    ids = frame["object_id"].unique()
    is_object = {number: frame["object_id"] == ids[number] for number in (0, 4, 7, 11)}
    frame.loc[first & is_object[0], "flux_err"] = -1.0
    frame.loc[first & is_object[4], "flux"] = float("nan")
    frame.loc[is_object[7], "flux"] = 0.0
    frame.loc[first & is_object[11], "band"] = "nosuchband"
    path, good = tmp_path / "spoilt.csv", tmp_path / "good.csv"
    frame.to_csv(path, index=False)
    bad = ids[[0, 4, 7, 11]]
    photometry[~photometry["object_id"].isin(bad)].to_csv(good, index=False)
    return path, good, list(bad)
