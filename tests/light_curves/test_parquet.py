"""Folders of objects.parquet and photometry.parquet."""

from contextlib import nullcontext

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from sklc.errors import LightCurveError, LightCurveWarning
from sklc.light_curves import LightCurves


@pytest.fixture
def curves():
    return LightCurves.from_arrays(
        time=[[59000.0, 59003.0], [59001.0], [59002.0, 59004.0]],
        flux=[[110.0, 180.0], [60.0], [30.0, 20.0]],
        flux_err=[[5.0, 6.0], [7.0], [5.0, 5.0]],
        band=["ztfg", "ztfr", ["ztfg", "ztfr"]],
        ids=["a", "b", "c"],
        metadata={"class": ["Ia", "II", None], "redshift": [0.03, 0.05, np.nan], "n": [1, 2, 3]},
    )


@pytest.fixture
def folder(curves, tmp_path):
    curves.to_parquet(tmp_path / "deep" / "folder")
    return tmp_path / "deep" / "folder"


def test_folder(curves, folder):
    assert LightCurves.from_parquet(str(folder)).equals(curves)
    assert sorted(p.name for p in folder.iterdir()) == ["objects.parquet", "photometry.parquet"]


def test_selection_is_written_alone(curves, tmp_path):
    curves[[2, 0]].to_parquet(tmp_path)
    again = LightCurves.from_parquet(tmp_path)
    assert again.equals(curves[[2, 0]])
    with pytest.raises(LightCurveError, match="unique"):
        curves[[0, 0]].to_parquet(tmp_path)
    assert LightCurves.from_parquet(tmp_path).equals(again)  # nothing was overwritten


def test_the_order_is_that_of_the_objects(curves, folder):
    objects = pd.read_parquet(folder / "objects.parquet").iloc[[1, 2, 0]]
    objects.to_parquet(folder / "objects.parquet")
    photometry = pd.read_parquet(folder / "photometry.parquet").iloc[[4, 1, 2, 0, 3]]
    photometry.to_parquet(folder / "photometry.parquet")
    assert LightCurves.from_parquet(folder).equals(curves[[1, 2, 0]])


def test_two_files_of_other_names_and_columns(curves, folder, tmp_path):
    objects, photometry = tmp_path / "o.parquet", tmp_path / "p.parquet"
    pd.read_parquet(folder / "objects.parquet").rename(columns={"object_id": "oid"}).to_parquet(
        objects
    )
    pd.read_parquet(folder / "photometry.parquet").rename(
        columns={"object_id": "oid", "mjd": "t", "flux_err": "e", "zp": "zero"}
    ).to_parquet(photometry)
    options = {"object_id": "oid", "time": "t", "flux_err": "e", "zero_point": "zero"}
    made = LightCurves.from_parquet(objects=objects, photometry=photometry, **options)
    assert made.equals(curves)
    with pytest.raises(LightCurveError, match=r"no column 'object_id'.*object_id="):
        LightCurves.from_parquet(objects=objects, photometry=photometry)
    with pytest.raises(LightCurveError, match=r"no column 'mjd' .*'t'.*time='t'"):
        LightCurves.from_parquet(objects=objects, photometry=photometry, object_id="oid")


def test_indexed_objects(curves, folder):
    objects = pd.read_parquet(folder / "objects.parquet").set_index("object_id")
    objects.to_parquet(folder / "objects.parquet")
    assert LightCurves.from_parquet(folder).equals(curves)


def test_zero_point(curves, tmp_path):
    other = LightCurves.from_arrays(
        [1.0, 2.0], [10.0, 20.0], [1.0, 1.0], "kepler", offsets=[0, 2], zero_point=25.0
    )
    other.to_parquet(tmp_path)
    assert LightCurves.from_parquet(tmp_path).equals(other)
    assert LightCurves.from_parquet(tmp_path, zero_point=25.0).equals(other)
    photometry = pd.read_parquet(tmp_path / "photometry.parquet").assign(zp=[25.0, 27.5])
    photometry.to_parquet(tmp_path / "photometry.parquet")
    np.testing.assert_allclose(LightCurves.from_parquet(tmp_path).flux, [100.0, 20.0])


def test_survey_column_resolves_short_names(curves, folder):
    photometry = pd.read_parquet(folder / "photometry.parquet")
    photometry["band"] = photometry["band"].astype(str).str[-1]
    photometry.to_parquet(folder / "photometry.parquet")
    objects = pd.read_parquet(folder / "objects.parquet").assign(survey=["ztf", "ps1", "lsst"])
    objects.to_parquet(folder / "objects.parquet")
    made = LightCurves.from_parquet(folder)
    assert made.band_names.tolist() == ["ztfg", "ztfg", "ps1r", "lsstg", "lsstr"]


def test_object_without_photometry(curves, folder):
    photometry = pd.read_parquet(folder / "photometry.parquet")
    photometry[photometry["object_id"] != "b"].to_parquet(folder / "photometry.parquet")
    message = r"object 'b' \(position 1\) is in objects.parquet but has no row .*\(1 of 3"
    with pytest.raises(LightCurveError, match=message):
        LightCurves.from_parquet(folder)
    with pytest.warns(LightCurveWarning, match="dropped 1 of 3 objects"):
        made = LightCurves.from_parquet(folder, invalid="drop")
    assert made.equals(curves[[0, 2]])


def test_photometry_without_object(folder):
    objects = pd.read_parquet(folder / "objects.parquet")
    objects[objects["object_id"] != "b"].to_parquet(folder / "objects.parquet")
    with pytest.raises(LightCurveError, match=r"object 'b' has photometry .* no row in obj"):
        LightCurves.from_parquet(folder, invalid="drop")
    objects.assign(object_id=[1, 2, 3]).to_parquet(folder / "objects.parquet")
    with pytest.raises(LightCurveError, match=r"ids are int.* there, str here"):
        LightCurves.from_parquet(folder)


def test_invalid_and_duplicate_observations(folder):
    photometry = pd.read_parquet(folder / "photometry.parquet")
    photometry.loc[2, "flux"] = np.nan
    pd.concat([photometry, photometry[:1]]).to_parquet(folder / "photometry.parquet")
    with pytest.raises(LightCurveError, match="'b'"):
        LightCurves.from_parquet(folder)
    with pytest.raises(LightCurveError, match="occurs twice"), pytest.warns(LightCurveWarning):
        LightCurves.from_parquet(folder, invalid="drop")
    with pytest.warns(LightCurveWarning) as record:
        made = LightCurves.from_parquet(folder, invalid="drop", duplicates="drop")
    assert len(record) == 2
    assert made.lengths.tolist() == [2, 0, 2]


def test_files_that_are_not_there(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"objects\.parquet does not exist"):
        LightCurves.from_parquet(tmp_path)
    objects = {"objects": folder / "objects.parquet"}
    for path, options in ((None, objects), (folder, objects), (None, {})):
        with pytest.raises(ValueError, match="either a folder, or both"):
            LightCurves.from_parquet(path, **options)


def test_metadata_named_like_the_ids(curves, tmp_path):
    with pytest.raises(LightCurveError, match="rename"):
        curves.with_metadata(object_id=[1, 2, 3]).to_parquet(tmp_path)


def test_only_needed_columns_are_read(folder, monkeypatch):
    photometry = pd.read_parquet(folder / "photometry.parquet").assign(detected=True, other=1.0)
    photometry.to_parquet(folder / "photometry.parquet")
    read, columns = pq.read_table, []

    def spy(*args, **kwargs):
        columns.append(kwargs["columns"])
        return read(*args, **kwargs)

    monkeypatch.setattr(pq, "read_table", spy)
    LightCurves.from_parquet(folder)
    assert columns[-1] == ["object_id", "mjd", "flux", "flux_err", "band", "zp"]


def test_real_light_curves(data_dir):
    curves = LightCurves.from_parquet(data_dir / "ztf_bts")
    objects = pd.read_parquet(data_dir / "ztf_bts" / "objects.parquet")
    photometry = pd.read_parquet(data_dir / "ztf_bts" / "photometry.parquet")
    assert curves.ids.tolist() == objects["object_id"].tolist()
    assert curves.metadata["class"].tolist() == objects["class"].tolist()
    assert curves.flux.tolist() == photometry["flux"].tolist()
    assert curves.band_names.tolist() == photometry["band"].tolist()
    assert curves.zero_point == 27.5


@pytest.mark.parametrize("name", ["metadata", "column", "unique_ids", "fluxx"])
def test_options_that_files_do_not_have(folder, name):
    for read in (LightCurves.from_parquet, lambda *a, **k: list(LightCurves.iter_parquet(*a, **k))):
        with pytest.raises(TypeError, match=rf"option\(s\) \['{name}'\]: use \['object_id'"):
            read(folder, **{name: None})


def test_every_dataset_is_read(data_dir):
    for file in sorted(data_dir.glob("*/photometry.parquet")):
        options = {"zero_point": 25.0} if file.parent.name == "kepler_tda_small" else {}
        told = nullcontext()
        if file.parent.name == "ztf_alerts_fink":
            told = pytest.warns(LightCurveWarning, match="'ssdistnr' = -999 in the metadata")
        with told:
            curves = LightCurves.from_parquet(file.parent, **options)
        assert curves.offsets[-1] == pq.read_metadata(file).num_rows, file
        assert np.isfinite(curves.wavelength).all()


def test_uncalibrated_flux_asks_for_a_zero_point(data_dir):
    with pytest.raises(LightCurveError, match=r"zero_point=25\.0"):
        LightCurves.from_parquet(data_dir / "kepler_tda_small")


def test_unknown_errors_come_back(tmp_path):
    bare = LightCurves.from_arrays([1.0, 2.0], [10.0, 20.0], None, "kepler", offsets=[0, 2])
    bare.to_parquet(tmp_path)
    assert LightCurves.from_parquet(tmp_path).equals(bare)
