"""The benchmark of readers runs through. Its figures are not judged."""

import json

import pytest


@pytest.fixture
def benchmark(load_module):
    for package in ("astropy", "fastavro", "nested_pandas", "sncosmo"):
        pytest.importorskip(package)
    return load_module("speed_readers")


@pytest.mark.slow
def test_speed_readers(benchmark, tmp_path):
    benchmark.main(["--quick", "--output", str(tmp_path)])
    result = json.loads((tmp_path / "speed_readers_quick.json").read_text())
    assert result["quick"]
    assert list(result["figures"]) == [row[0] for row in result["targets"]]
    assert list(result["figures"]) == list(benchmark.FORMATS)
    assert all(row[-1] in ("met", "missed") for row in result["targets"])
    for own in result["figures"].values():
        assert own["rows"] > 1000
        assert own["ratio"] == pytest.approx(own["reader_ms"] / own["parser_ms"], rel=0.2)


def test_a_file_that_is_taken_for_another_format_is_noticed(benchmark, monkeypatch):
    _, *rest = benchmark.FORMATS["table, CSV"]
    monkeypatch.setitem(benchmark.FORMATS, "table, CSV", ("gaia", *rest))
    with pytest.raises(RuntimeError, match="taken for long-table"):
        benchmark.measure("table, CSV", n_rows=500, repeat=1)
