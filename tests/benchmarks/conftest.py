"""Benchmarks as modules, and their quick runs with what every result must hold."""

import importlib
import json
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def load_module():
    """Import a benchmark as if it were run as a script from its own folder."""
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture
def run_quick(tmp_path, capsys):
    """Run a benchmark quickly; return its figures, its results file and what it printed."""

    def run(module, *arguments):
        figures = module.main(["--quick", "--output", str(tmp_path), *map(str, arguments)])
        result = json.loads((tmp_path / f"{module.__name__}_quick.json").read_text())
        assert result["quick"]
        assert result["figures"] == figures
        assert (tmp_path / f"{module.__name__}_quick.png").stat().st_size > 10_000
        printed = capsys.readouterr().out
        assert printed.splitlines()[-1] == result["summary"]
        return figures, result, printed

    return run
