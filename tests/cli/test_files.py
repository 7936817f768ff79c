"""Files that are read: several, damaged, with options; and files that are written."""

import gzip
import io
import json
import os
import re
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sklc import LightCurves
from sklc.io.registry import FORMATS


@pytest.fixture
def halves(photometry, tmp_path):
    """Two files of six objects each."""
    ids = photometry["object_id"].unique()
    paths = []
    for name, own in (("one", ids[:6]), ("two", ids[6:])):
        paths.append(tmp_path / f"{name}.csv")
        photometry[photometry["object_id"].isin(own)].to_csv(paths[-1], index=False)
    return paths


def test_several_files_are_one_table(run, night, halves):
    ran = run("classify", halves[0], "--weights", "ztf", halves[1])  # an option between files
    pd.testing.assert_frame_equal(
        ran.table, run("classify", night, "--weights", "ztf").table, atol=1e-6
    )
    assert ran.err.count("sklc: read ") == 2


def test_a_file_that_cannot_be_read_does_not_stop_the_others(run, halves, tmp_path):
    damaged, failures = tmp_path / "damaged.csv.gz", tmp_path / "failures.csv"
    damaged.write_bytes(gzip.compress(halves[0].read_bytes())[:-200])
    missing = tmp_path / "missing.csv"
    ran = run("classify", damaged, halves[1], missing, "--failures", failures)
    assert ran.status == 1
    assert len(ran.table) == 6
    errors = [line for line in ran.err.splitlines() if line.startswith("sklc: error: ")]
    assert [str(path) in line for path, line in zip([damaged, missing], errors, strict=True)]
    assert "2 of 3 files were not read" in ran.err
    table = pd.read_csv(failures)
    assert table["file"].tolist() == [str(damaged), str(missing)]
    assert table["object_id"].isna().all()
    assert table["reason"].notna().all()
    for files in ([damaged, missing], [damaged], [damaged, "--join", halves[1]]):
        ran = run("classify", *files, "-o", tmp_path / "none.csv")
        assert ran.status == 2
        assert not (tmp_path / "none.csv").exists()
    assert run("classify", halves[0], damaged, "--on-error", "raise").status == 2


def test_an_object_in_two_files_is_told_joined_or_renamed(run, night, halves, demo_curves):
    ran = run("classify", halves[1], night)
    assert ran.status == 1
    assert ran.table["object_id"].tolist() == [*demo_curves.ids[6:], *demo_curves.ids[:6]]
    assert f"and 5 others: {halves[1]} has an object of this id, too" in ran.err
    assert "--join" in ran.err
    joined = run("classify", halves[1], night, "--join")
    assert joined.status == 0
    assert sorted(joined.table["object_id"]) == sorted(demo_curves.ids)
    named = run("classify", halves[1], night, "--ids-from-files")
    assert named.status == 0
    assert named.table["object_id"].tolist() == [
        *(f"two:{name}" for name in demo_curves.ids[6:]),
        *(f"night:{name}" for name in demo_curves.ids),
    ]
    assert "given twice" in run("classify", night, night).err


def test_a_file_without_ids_is_named_after_itself(run, photometry, tmp_path):
    first = photometry[photometry["object_id"] == "SIM0000"].drop(columns="object_id")
    paths = [tmp_path / "SN 2020abc.csv.gz", tmp_path / "v1.2.csv"]
    for path in paths:
        first.to_csv(path, index=False)
    table = run("classify", *paths, "--ids-from-files").table
    assert table["object_id"].tolist() == ["SN 2020abc", "v1.2"]


def test_the_objects_of_a_bad_file_keep_their_order_under_other_names(run, spoilt):
    path, _, bad = spoilt
    table = run("classify", path, "--ids-from-files").table
    missing = table.loc[table["class"].isna(), "object_id"]
    assert missing.tolist() == [f"spoilt:{name}" for name in bad]


def test_archives_and_standard_input(run, night, tmp_path, monkeypatch):
    expected = run("classify", night).table
    folder = tmp_path / "folder"
    folder.mkdir()
    shutil.copy(night, folder)
    archive = shutil.make_archive(str(tmp_path / "night"), "gztar", folder)
    for path in (folder, archive):
        pd.testing.assert_frame_equal(run("classify", path).table, expected)
    with night.open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        pd.testing.assert_frame_equal(run("classify", "-").table, expected)
    assert "standard input" in run("classify", "-", night).err


def test_options_of_formats(run, photometry, tmp_path):
    path = tmp_path / "short.csv"
    photometry.assign(band=photometry["band"].str[-1]).to_csv(path, index=False)
    assert run("classify", path).status == 2  # which survey's g?
    for options in (["--survey", "ztf"], ["--option", "survey=ztf"], ["--format", "long-table",
                    "--survey=ztf"]):  # fmt: skip
        ran = run("classify", path, *options)
        assert ran.status == 0
        assert "bands ztf" in ran.err
    for options, message in (
        (["--option", "survey"], "is not KEY=VALUE"),
        (["--option", "survey=ztf", "--survey", "ztf"], "survey is given twice"),
        (["--option", "nosuch=1"], "the format long-table has no option nosuch: its options are"),
        (["--format", "long-tabel"], "Did you mean 'long-table'?"),
    ):
        ran = run("classify", path, *options)
        assert (ran.status, ran.out) == (2, "")
        assert message in ran.err


def test_values_of_options_have_the_type_that_the_reader_wants(run, tmp_path, known_format):
    got = {}

    def read(
        source,
        *,
        quality: str = "good",
        survey: str | None = None,
        names: "list[str] | None" = None,
        zero_point: float = 1.0,
        nights: bool = False,
        other=None,
    ):
        got.update(quality=quality, survey=survey, names=names, zero_point=zero_point)
        got.update(nights=nights, other=other)
        return LightCurves.from_arrays([[1.0]], [[3.0]], None, "ztfg", ids=["a"])

    known_format(read)
    path = tmp_path / "a.txt"
    path.write_text("a")
    options = ["survey=12", "names=mjd, mag", "zero_point=25", "nights=true", "other=[1, 2]"]
    arguments = [word for text in options for word in ("--option", text)]
    ran = run("info", path, "--format", "toy", "--quality", "all", *arguments)
    assert ran.status == 0
    assert got == {"quality": "all", "survey": "12", "names": ["mjd", "mag"],
                   "zero_point": 25, "nights": True, "other": [1, 2]}  # fmt: skip
    assert "zero_point=1.0" in run("formats", "toy").out


def test_quality_means_nothing_for_a_format_without_flags_and_that_is_said(
    run, tmp_path, known_format
):
    known_format(lambda source: LightCurves.from_arrays([[1.0]], [[3.0]], None, "ztfg"))
    path = tmp_path / "a.txt"
    path.write_text("toy")
    ran = run("classify", path, "--quality", "all")
    assert ran.status == 0
    assert "the format toy has no flags of quality" in ran.err


@pytest.fixture
def batches_of_tables():
    """A function that replaces, until the test ends, how long tables are read part by part."""
    own = FORMATS["long-table"]

    def replaced(batches):
        FORMATS.register("long-table", replace(own, batches=batches), overwrite=True)

    yield replaced
    FORMATS.register("long-table", own, overwrite=True)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_large_file_is_read_part_by_part(
    run, photometry, tmp_path, monkeypatch, batches_of_tables, ending
):
    path = tmp_path / f"night.{ending}"
    write = photometry.to_csv if ending == "csv" else photometry.to_parquet
    write(path, index=False)
    whole = run("classify", path)
    # As if a few rows were many, in a file that is too large to be read as a whole.
    monkeypatch.setattr("sklc.cli.sources._LARGE", 1000)
    batches = FORMATS["long-table"].batches
    sizes = []

    def few_rows(source, n_objects, **options):
        for curves in batches(source, n_objects, chunksize=40, **options):
            sizes.append(len(curves))
            yield curves

    batches_of_tables(few_rows)
    parts = run("classify", path, "--batch-size", 2)
    assert (parts.status, parts.err) == (whole.status, whole.err)
    pd.testing.assert_frame_equal(parts.table, whole.table, atol=1e-6)
    assert sum(sizes) == 12
    assert max(sizes) == 2

    out = tmp_path / "out.csv"
    photometry.sample(frac=1, random_state=0).to_csv(tmp_path / "mixed.csv", index=False)
    ran = run("classify", tmp_path / "mixed.csv", "-o", out)
    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert "mixed.csv is not sorted by object" in ran.err
    assert "Read it as a whole, with --whole, or sort it" in ran.err
    assert not out.exists()
    ran = run("classify", tmp_path / "mixed.csv", "--whole")
    assert ran.status == 0
    assert sorted(ran.table["object_id"]) == sorted(whole.table["object_id"])


def test_an_object_in_two_parts_of_a_large_file_is_told(
    run, night, demo_curves, monkeypatch, batches_of_tables
):
    def overlapping(source, n_objects):
        yield demo_curves[:n_objects]
        yield demo_curves[n_objects - 2 :]

    monkeypatch.setattr("sklc.cli.sources._LARGE", 1000)
    batches_of_tables(overlapping)
    ran = run("classify", night, "--batch-size", 7)
    assert ran.status == 1
    assert ran.table["object_id"].tolist() == demo_curves.ids.tolist()
    assert "and 1 other: it occurs again in another part of the file" in ran.err
    assert run("classify", night, "--whole").status == 0


def test_the_table_of_objects_of_a_challenge_is_an_option(run, tmp_path):
    ids = [615, 713]
    light_curves = pd.DataFrame({"object_id": np.repeat(ids, 2), "mjd": [59750.4, 59752.4] * 2,
                                 "passband": [2, 1] * 2, "flux": [-5.1, 30.1, 4.0, 9.0],
                                 "flux_err": 3.8, "detected_bool": 1})  # fmt: skip
    objects = pd.DataFrame({"object_id": ids[::-1], "ra": [53.1, 349.0], "decl": [-27.8, -61.9],
                            "mwebv": [0.007, 0.017], "target": [88, 92]})  # fmt: skip
    path, about = tmp_path / "training_set.csv", tmp_path / "training_set_metadata.csv"
    light_curves.to_csv(path, index=False)
    objects.to_csv(about, index=False)
    ran = run("info", path, "--option", f"metadata={about}", "--json")
    assert ran.status == 0
    facts = json.loads(ran.out)[str(path)]
    assert facts["format"] == "plasticc"
    assert facts["metadata"]["mwebv"] == {"from": 0.007, "median": 0.012, "to": 0.017}
    assert facts["metadata"]["label"]
    ran = run("classify", path, "--option", "metadata=nosuch.csv")
    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert "nosuch.csv does not exist" in ran.err


def test_remedies_are_in_the_words_of_a_shell(run, photometry, tmp_path, monkeypatch):
    short = tmp_path / "short.csv"
    photometry.assign(band=photometry["band"].str[-1]).to_csv(short, index=False)
    err = run("classify", short).err
    remedy = re.search(r"(--option survey=\S+?),", err)[1]
    assert run("classify", short, *shlex.split(remedy)).status == 0

    strange = tmp_path / "strange.csv"
    photometry.replace({"band": {"ztfg": "nosuchband"}}).to_csv(strange, index=False)
    ran = run("classify", strange, "--on-error", "raise")
    assert "register_passband" not in ran.err
    remedy = re.search(r"--option '(bands=.*?)'", ran.err)[1].replace("NAME", "ztfg")
    assert run("classify", strange, "--option", remedy).status == 0

    bare = tmp_path / "bare.txt"
    bare.write_text("59000.1 18.2 0.1 ztfg\n59003.1 18.0 0.1 ztfr\n")
    err = run("info", bare).err
    remedies = re.findall(r"--format=\S+|--option '[^']*'", err)
    assert len(remedies) == 2
    ran = run("info", bare, *(word for remedy in remedies for word in shlex.split(remedy)))
    assert ran.status == 0
    assert "2; per object 2" in ran.out

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert run("classify", "-").err.startswith("sklc: error: standard input is empty")


# -- files that are written


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("out.txt", "ends in none of .csv, .parquet"),
        ("nosuch/out.csv", "does not exist"),
        ("folder.csv", "is a folder"),
        ("night.csv", "is one of the files to read"),
        ("old.csv", "--overwrite"),
    ],
)
def test_where_a_table_cannot_be_written_nothing_is_done(run, night, tmp_path, name, message):
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "old.csv").write_text("kept")
    before, overwrite = night.read_bytes(), ["--overwrite"] if name != "old.csv" else []
    for option in ("-o", "--failures"):
        if (option, name) == ("--failures", "out.txt"):
            message = "ends in none of .csv"
        ran = run("classify", night, option, tmp_path / name, *overwrite)
        assert (ran.status, ran.out) == (2, "")
        assert ran.err.startswith("sklc: error: ")
        assert ran.err.count("\n") == 1
        assert message in ran.err
    assert night.read_bytes() == before
    assert (tmp_path / "old.csv").read_text() == "kept"


def test_a_folder_that_cannot_be_written_to(run, night, tmp_path, monkeypatch):
    def refuse(path, *mode, **named):
        if path.suffix == ".partial":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *mode, **named)

    opened = Path.open
    with monkeypatch.context() as patch:  # the superuser may write everywhere
        patch.setattr("os.access", lambda *_: False)
        ran = run("classify", night, "-o", tmp_path / "out.csv")
        assert "cannot be written to: choose another" in ran.err
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.open", refuse)
        ran = run("classify", night, "-o", tmp_path / "out.csv")
    assert ran.status == 2
    assert "out.csv cannot be written (Permission denied)" in ran.err
    assert "partial" not in ran.err


def test_a_file_is_replaced_when_the_new_one_is_complete(run, night, halves, tmp_path, monkeypatch):
    out, link = tmp_path / "out.csv", tmp_path / "link.csv"
    out.write_text("old")
    link.symlink_to(out)

    def fail(self, X, **options):
        assert out.read_text() == "old"
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("sklc.TransferClassifier._with_novelty", fail)
        ran = run("classify", night, "-o", out, "--overwrite")
    assert ran.status == 2
    assert "not enough memory" in ran.err
    assert out.read_text() == "old"
    for path in (out, link):
        ran = run("classify", night, "-o", path, "--overwrite")
        assert ran.status == 0
        assert ran.out == ""
        assert len(pd.read_csv(out)) == 12
    assert link.is_symlink()
    assert not [name for name in os.listdir(tmp_path) if "partial" in name]


def test_ids_of_two_types_do_not_share_a_column(run, photometry, night, tmp_path):
    numbers = tmp_path / "numbers.csv"
    codes = pd.factorize(photometry["object_id"])[0]
    photometry.assign(object_id=codes).to_csv(numbers, index=False)
    assert run("classify", night, numbers).status == 0
    out = tmp_path / "out.parquet"
    ran = run("classify", night, numbers, "-o", out)
    assert ran.status == 2
    assert "of different types" in ran.err
    assert not out.exists()


@pytest.mark.parametrize("order", [("HEAD", "PHOT"), ("PHOT", "HEAD")])
def test_head_and_phot_files_of_snana_are_one_source(run, tmp_path, order):
    fits = pytest.importorskip("astropy.io.fits", reason="astropy is not installed (extra io)")
    observed = {"MJD": [60000.0, 60001.0, -777.0], "BAND": ["g", "r", "-"],
                "FLUXCAL": [10.0, -3.0, -777.0], "FLUXCALERR": [1.0, 1.0, -777.0]}  # fmt: skip
    about = {"SNID": ["1001"], "PTROBS_MIN": [1], "PTROBS_MAX": [2], "NOBS": [2]}
    for kind, columns in (("HEAD", about), ("PHOT", observed)):
        hdu = fits.BinTableHDU.from_columns(
            [fits.Column(name, "8A" if isinstance(values[0], str) else
                         "D" if isinstance(values[0], float) else "J", array=values)
             for name, values in columns.items()])  # fmt: skip
        primary = fits.PrimaryHDU()
        primary.header["SURVEY"] = "LSST"
        fits.HDUList([primary, hdu]).writeto(tmp_path / f"TEST_{kind}.FITS")
    ran = run("info", *(tmp_path / f"TEST_{kind}.FITS" for kind in order))
    assert ran.status == 0
    assert re.search(r"TEST_HEAD.FITS\n", ran.out)
    assert re.search(r"objects +1\b", ran.out)
    assert "repeat" not in ran.out + ran.err
    ran = run("encode", *(tmp_path / f"TEST_{kind}.FITS" for kind in order), "--weights", "lsst")
    assert len(ran.table) == 1
    assert "too, which is in the table" not in ran.err
