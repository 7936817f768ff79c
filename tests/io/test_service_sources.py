"""What holds for the readers of all services: sources, recognition, damage."""

import io
import logging
import tarfile
import warnings
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make_services import FILES, compressed, rubin_forced

import sklc.io
from sklc.errors import LightCurveError, LightCurveWarning
from sklc.io import read, read_report, recognise
from sklc.io.bands import passband_column
from sklc.io.registry import FORMATS
from sklc.io.values import exact_ids, numbers

EVERY = pytest.mark.parametrize("name", list(FILES))


@EVERY
def test_every_form_of_a_file(tmp_path, name):
    content, file_name = FILES[name]
    path = tmp_path / file_name
    path.write_bytes(content)
    packed = tmp_path / f"{file_name}.gz"
    packed.write_bytes(compressed(content))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(file_name, content)
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.add(path, file_name)
    expected = read_report(path)
    assert expected.format.name == name
    given = [str(path), packed, content, compressed(content), io.BytesIO(content),
             tmp_path / "a.zip", tmp_path / "a.tar.gz", [path]]  # fmt: skip
    for source in given:
        report = read_report(source)
        assert report.format.name == name
        np.testing.assert_array_equal(report.curves.flux, expected.curves.flux)
        np.testing.assert_array_equal(report.curves.time, expected.curves.time)


@EVERY
def test_one_format_claims_a_file(name):
    content, _ = FILES[name]
    source = sklc.io.Source(content)
    services = [n for n in FILES if FORMATS[n].recognise(source)]
    assert services == [name]


@pytest.mark.parametrize(
    "content",
    [
        b"object_id,mjd,band,flux,flux_err\na,59000,ztfg,1,1\n",
        b"mjd mag dmag filter\n59000 18 0.1 V\n",
        b"SNID: one word and nothing else\n",
        b"{}",
        b"[]",
        b"[1, 2]",
        b'{"photometry": 1}',
        b"<html><body>404</body></html>",
        b"\x00\x01",
    ],
)
def test_other_files_are_left_to_other_formats(content):
    found = recognise(content)
    assert found is None or found.name not in FILES


@pytest.mark.parametrize("value", [{}, [], [1, 2], {"a": 1}, ({}, {}), "no", 5, np.arange(3)])
def test_other_objects_are_left_to_other_formats(value):
    if isinstance(value, str):
        value = value.encode()
    source = sklc.io.Source(value)
    assert not any(FORMATS[name].recognise(source) for name in FILES)


@EVERY
def test_unknown_choices_of_quality_are_errors(name):
    content, _ = FILES[name]
    with pytest.raises(LightCurveError, match="quality must be"):
        read(content, verbose=False, quality="best")
    with pytest.raises(LightCurveError, match="one boolean for each row"):
        read(content, verbose=False, quality=lambda table: [True] * (len(table) + 1))
    with pytest.raises(LightCurveError, match="no observations that can be used"):
        read(content, verbose=False, quality=lambda table: [False] * len(table))


@EVERY
def test_empty_files(tmp_path, name):
    path = tmp_path / FILES[name][1]
    path.touch()
    with pytest.raises(LightCurveError, match="is empty") as error:
        FORMATS[name].read(path)
    assert str(path) in str(error.value)


@EVERY
def test_truncated_compressed_files(tmp_path, name):
    content, file_name = FILES[name]
    path = tmp_path / f"{file_name}.gz"
    path.write_bytes(compressed(content)[:-20])
    for reader in (read, FORMATS[name].read):
        with pytest.raises(LightCurveError) as error:
            reader(path)
        assert str(path) in str(error.value)


@EVERY
def test_files_of_another_format(name):
    other = FILES["otter" if name != "otter" else "snana"][0]
    with pytest.raises(LightCurveError):
        FORMATS[name].read(other)


@EVERY
@settings(max_examples=15, deadline=None, derandomize=True)
@given(data=st.data())
def test_damaged_files_raise_one_kind_of_error(name, data):
    """Whatever is cut out or changed: light curves of finite numbers, or a documented error."""
    logging.disable(logging.INFO)
    content = bytearray(FILES[name][0])
    start = data.draw(st.integers(0, len(content) - 1))
    stop = data.draw(st.integers(start, min(start + 40, len(content))))
    content[start:stop] = data.draw(st.binary(max_size=8))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LightCurveWarning)  # such as times that span a century
        try:
            curves = FORMATS[name].read(bytes(content))
        except LightCurveError:
            return
    assert np.isfinite(curves.flux).all()
    assert np.isfinite(curves.time).all()
    assert (curves.flux_err > 0).all()


def test_damaged_parquet_files_are_named(tmp_path):
    path = tmp_path / "a.parquet"
    rubin_forced().to_parquet(path)
    path.write_bytes(path.read_bytes()[:-200])
    for reader in (read, sklc.io.read_rubin_tables):
        with pytest.raises(LightCurveError, match=r"Parquet file|cannot be read") as error:
            reader(path)
        assert str(path) in str(error.value)


def test_results_of_queries_with_pyvo():
    table = pytest.importorskip("astropy.table", reason="astropy is not installed (extra io)")

    class Results:
        fieldnames = ("oid",)

        def __init__(self, frame):
            self.fieldnames = tuple(frame.columns)
            self.to_table = lambda: table.Table.from_pandas(frame)

    given = Results(rubin_forced(expMidptMJD=[60623.25, 60624.125, 60624.125]))
    assert read(given, verbose=False).flux.tolist() == [-120, 180]


def test_words_for_a_missing_value_are_no_error():
    table = pd.DataFrame({"flux": ["1.5", "null", "--", None, "nan", " "]})
    np.testing.assert_array_equal(numbers(table, "flux"), [1.5] + [np.nan] * 5)
    with pytest.raises(LightCurveError, match=r"'flux' holds 'x{80}' in row 1.*2 such values"):
        numbers(pd.DataFrame({"flux": ["x" * 200, "y"]}), "flux")


def test_ids_are_exact_or_refused():
    assert exact_ids(pd.Series([1.0, 2.0]), "id").tolist() == [1, 2]
    assert exact_ids(pd.Series([2**60 + 1, 3], dtype=object), "id").tolist() == [2**60 + 1, 3]
    assert exact_ids(pd.Series([2**63 + 1], dtype="uint64"), "id").tolist() == [2**63 + 1]
    with pytest.raises(LightCurveError, match="is missing in row 2"):
        exact_ids(pd.Series(["a", None]), "id")
    with pytest.raises(LightCurveError, match="not exact"):
        exact_ids(pd.Series([2.0**60]), "id")


@given(st.lists(st.sampled_from(["g", "r", " g ", "i"]), min_size=1, max_size=8))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_passbands_of_labels(labels):
    band = passband_column(labels, "ZTF", {"i": "lssti"})
    expected = [{"g": "ztfg", "r": "ztfr", "i": "lssti"}[label.strip()] for label in labels]
    assert [passband.name for passband in band] == expected
