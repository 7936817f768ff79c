"""Catalogues of LSDB, which the tests write as HATS files."""

import json
import shutil

import pandas as pd
import pytest
from conftest_distributed import BAD, assert_expected

from sklc import WeightsError
from sklc.distributed import predict, predict_proba, transform

lsdb = pytest.importorskip("lsdb", minversion="0.11", reason='pip install "sklc[scale]"')
dask = pytest.importorskip("dask")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # of LSDB, about its own future
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, nested):
    """A HATS collection of a dozen partitions."""
    path = tmp_path_factory.mktemp("hats") / "night"
    catalog = lsdb.from_dataframe(
        nested, catalog_name="night", partition_rows=12, margin_threshold=None
    )
    catalog.write_catalog(path, progress_bar=False)
    return path


@pytest.fixture
def catalog(folder):
    return lsdb.open_catalog(folder)


def test_predictions_are_a_catalogue(catalog, expected):
    assert catalog.npartitions > 3
    result = predict_proba(catalog, "any", columns=["number"])
    assert isinstance(result, lsdb.catalog.Catalog)
    assert result.columns.tolist()[:4] == ["object_id", "ra", "dec", "number"]
    table = result.compute(progress_bar=False)
    assert table.index.name == "_healpix_29"
    assert_expected(table, expected)
    few = result.query("number < 10")
    assert len(few.compute(progress_bar=False)) == 10
    pd.testing.assert_series_equal(table.dtypes, result.dtypes)


def test_a_cluster_of_processes_gives_the_same(client, catalog, expected, tmp_path):
    with client.as_current():
        predict_proba(catalog, "any").write_catalog(tmp_path / "out", progress_bar=False)
    assert_expected(lsdb.open_catalog(tmp_path / "out").compute(progress_bar=False), expected)


@pytest.fixture
def interrupted(folder, tmp_path, nested):
    """What is written of a catalogue until a bad object stops it; and the catalogue without it."""
    source = tmp_path / "night"
    shutil.copytree(folder, source)
    output = tmp_path / "out"
    result = predict(lsdb.open_catalog(source), "any", on_error="raise")
    with (
        dask.config.set(scheduler="synchronous"),
        pytest.raises(RuntimeError, match=r"distributed\.predict to partition .*object 'SIM00"),
    ):
        result.write_catalog(output, progress_bar=False)
    good = lsdb.open_catalog(source).query("object_id not in ['SIM0007', 'SIM0020']")
    return good, output


def test_an_interrupted_write_is_resumed(interrupted, folder):
    good, output = interrupted
    done = sorted((output / "night" / "done").iterdir())
    assert done
    files = {f: f.stat().st_mtime_ns for f in (output / "night").rglob("Npix*.parquet")}
    result = predict(good, "any", on_error="raise")
    result.write_catalog(output, resume=True, progress_bar=False)
    assert all(file.stat().st_mtime_ns == time for file, time in files.items())
    table = lsdb.open_catalog(output).compute(progress_bar=False)
    assert sorted(table["object_id"]) == sorted(good.compute(progress_bar=False)["object_id"])
    files = {f: f.stat().st_mtime_ns for f in (output / "night").rglob("*")}
    result.write_catalog(output, resume=True, progress_bar=False)  # it is complete
    assert files == {f: f.stat().st_mtime_ns for f in (output / "night").rglob("*")}


def test_another_model_does_not_resume(interrupted):
    good, output = interrupted
    before = {f: f.stat().st_mtime_ns for f in output.rglob("*")}
    for model, settings, message in [
        ("ztf", {}, "begun with the model any-v2.*ztf-v2"),
        ("any", {"columns": ["number"]}, "begun with columns"),
        ("any", {"on_error": "nan"}, "begun with on_error='raise'"),
    ]:
        result = predict(good, model, **{"on_error": "raise", **settings})
        for derived in (result, result.query("ra > 0")):
            with pytest.raises(WeightsError, match=message):
                derived.write_catalog(output, resume=True, progress_bar=False)
    with pytest.raises(WeightsError, match="begun with method"):
        transform(good, "any", on_error="raise").write_catalog(output, resume=True)
    assert before == {f: f.stat().st_mtime_ns for f in output.rglob("*")}


def test_the_model_is_stamped_into_the_catalogue(catalog, tmp_path):
    output = tmp_path / "out"
    predict(catalog, "any").write_catalog(output, progress_bar=False)
    stamp = json.loads((output / "night" / "_sklc_model.json").read_text())
    told = json.loads(lsdb.open_catalog(output).hc_structure.catalog_info.sklc_model)
    assert told["model"] == stamp["model"]
    assert stamp["model"]["name"] == "any-v2"
    with pytest.raises(ValueError, match="contains files"):
        predict(catalog, "any").write_catalog(output, progress_bar=False)
    predict(catalog, "ztf").write_catalog(output, overwrite=True, progress_bar=False)
    stamp = json.loads((output / "night" / "_sklc_model.json").read_text())
    assert stamp["model"]["name"] == "ztf-v2"


def test_a_folder_of_a_bare_catalogue_is_not_resumed(catalog, folder, tmp_path):
    output = tmp_path / "night"
    shutil.copytree(folder, output)
    with pytest.raises(WeightsError, match="not known what it was made with"):
        predict(catalog, "any").write_catalog(output, resume=True, progress_bar=False)


def test_partitions_without_objects(catalog):
    empty = predict(catalog.query("ra < -1"), "any").compute(progress_bar=False)
    assert len(empty) == 0
    assert empty.columns.tolist() == ["object_id", "ra", "dec", "class", "reason"]


def test_hats_files_are_also_read_as_parquet(folder, tmp_path, expected):
    written = predict_proba(folder, "any", output=tmp_path / "out")
    assert written.n_objects == len(expected)
    assert written.n_unusable == len(BAD)
    parts = [pd.read_parquet(file) for file in written.path.rglob("*.parquet")]
    assert_expected(pd.concat(parts), expected)


def test_output_is_for_folders(catalog):
    with pytest.raises(TypeError, match="write_catalog"):
        predict(catalog, "any", output="somewhere")
