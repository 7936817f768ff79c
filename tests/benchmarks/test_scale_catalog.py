"""The benchmark of large catalogues runs through; its figures are not judged."""

import json

import pytest

pytest.importorskip("psutil", reason='pip install "sklc[scale]"')


@pytest.mark.slow
def test_scale_catalog(load_module, tmp_path):
    pytest.importorskip("distributed")
    module = load_module("scale_catalog")
    arguments = ["--quick", "--engines", "parquet", "dask", "--output", str(tmp_path)]
    module.main(arguments)
    result = json.loads((tmp_path / "scale_catalog_quick.json").read_text())
    assert [row["n"] for row in result["scaling"]] == [300, 1_000]
    assert set(result["engines"]) == {"parquet", "dask"}
    assert all(row[-1] in ("met", "missed") for row in result["targets"])
    assert result["10 M objects, CPU hours"] > 0
    tables = module.markdown(result)
    assert "| the estimator, in memory | 1 |" in tables
    assert "| light curves |" in tables
