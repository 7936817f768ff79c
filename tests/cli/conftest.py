"""Files of the demo light curves, and a way to run a command in this process."""

import io
from dataclasses import dataclass

import pandas as pd
import pytest

from sklc.cli import main
from sklc.datasets import load_demo
from sklc.io import Format, register_format
from sklc.io.registry import FORMATS


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
def known_format():
    """A function that makes a function the reader of a format, "toy", until the test ends."""

    def register(read, flux="difference flux"):
        register_format(Format("toy", "A toy", flux, lambda source: source.lines == ["toy"], read))

    yield register
    FORMATS.unregister("toy")


@pytest.fixture
def spoilt(photometry, tmp_path):
    """A file in which four objects cannot be used; the table of the others, too."""
    frame, ids = photometry.copy(), photometry["object_id"].unique()
    first = ~frame["object_id"].duplicated()
    bad = ids[[0, 4, 7, 11]]
    frame.loc[first & frame["object_id"].isin(bad[[0, 2, 3]]), "band"] = "nosuchband"
    frame.loc[frame["object_id"] == bad[1], "flux"] = 0.0
    path, good = tmp_path / "spoilt.csv", tmp_path / "good.csv"
    frame.to_csv(path, index=False)
    photometry[~photometry["object_id"].isin(bad)].to_csv(good, index=False)
    return path, good, list(bad)
