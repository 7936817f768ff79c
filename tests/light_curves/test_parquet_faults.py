"""Folders of Parquet files: replaced as a whole or not at all, and one error where damaged."""

import json
import multiprocessing
import os
import resource
import shutil
import signal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sklc import LightCurves, stream
from sklc.errors import LightCurveError
from sklc.light_curves.readers.parquet_folder import MANIFEST, OBJECTS, PHOTOMETRY

FORK = multiprocessing.get_context("fork")


def made(scale, n=3, ids=None):
    rng = np.random.default_rng(0)
    ids = [f"SN{k}" for k in range(n)] if ids is None else ids
    return LightCurves.from_arrays(
        np.tile(np.arange(20.0), n), scale * rng.normal(100, 9, 20 * n), np.full(20 * n, 5.0),
        "ztfg", offsets=20 * np.arange(n + 1), ids=ids, metadata={"scale": np.full(n, scale)},
    )  # fmt: skip


OLD, NEW = made(1.0), made(1000.0)


@pytest.fixture
def folder(tmp_path):
    OLD.to_parquet(tmp_path / "curves")
    (tmp_path / "curves" / "notes.txt").write_text("mine")
    return tmp_path / "curves"


def in_blocks(folder):
    return list(LightCurves.iter_parquet(folder, n_objects=2))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


WHOLE = ["notes.txt", OBJECTS, PHOTOMETRY]


def test_the_files_do_not_depend_on_when_they_are_written(folder, tmp_path):
    OLD.to_parquet(tmp_path / "again")
    for name in (OBJECTS, PHOTOMETRY):
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


@pytest.mark.parametrize("call", [1, 2, 3])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_the_old_folder(folder, monkeypatch, call, error):
    calls, write, replace = [], pq.write_table, os.replace

    def failing(function):
        def fail(*args, **kwargs):
            calls.append(None)
            if len(calls) == call:
                raise error
            return function(*args, **kwargs)

        return fail

    with monkeypatch.context() as patch:
        patch.setattr(pq, "write_table", failing(write))
        patch.setattr(os, "replace", failing(replace))
        with pytest.raises(type(error)) as raised:
            NEW.to_parquet(folder)
    if isinstance(error, OSError):
        assert raised.value.errno == 28
        assert f"{folder} could not be written, and is as it was (No space" in str(raised.value)
    assert LightCurves.from_parquet(folder).equals(OLD)
    assert names(folder) == WHOLE


@pytest.mark.parametrize("then", ["read", "in blocks", "write", "fail to write"])
def test_a_writer_that_was_killed_between_the_files_has_written(folder, monkeypatch, then):
    def killed(folder):
        replace = os.replace

        def once(source, target):
            replace(source, target)
            os.kill(os.getpid(), signal.SIGKILL)

        os.replace = once
        NEW.to_parquet(folder)

    process = FORK.Process(target=killed, args=(folder,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert len(names(folder)) == 4  # the new photometry has a hidden name
    if then == "write":
        OLD.to_parquet(folder)
    elif then == "fail to write":
        with monkeypatch.context() as patch:
            patch.setattr(pq, "write_table", None)
            with pytest.raises(TypeError):
                OLD.to_parquet(folder)
    expected = OLD if then == "write" else NEW
    if then == "in blocks":
        parts = [ids.tolist() for ids, _ in stream(lambda c: c.flux[:1], folder, n_objects=1)]
        assert parts == [["SN0"], ["SN1"], ["SN2"]]
    assert LightCurves.from_parquet(folder).equals(expected)
    if "write" in then:
        assert names(folder) == WHOLE


def test_killed_before_there_was_a_folder(tmp_path, monkeypatch):
    NEW.to_parquet(tmp_path / "new")
    stamp = json.loads(pq.read_schema(tmp_path / "new" / OBJECTS).metadata[b"sklc"])["id"]
    hidden = tmp_path / "new" / f".{PHOTOMETRY}.{stamp}.0123.partial"
    (tmp_path / "new" / PHOTOMETRY).rename(hidden)
    assert LightCurves.from_parquet(tmp_path / "new").equals(NEW)


def test_files_that_were_not_written_together_are_refused(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("sklc.light_curves.readers.parquet_folder._PAUSE", 0)
    NEW.to_parquet(tmp_path / "new")
    shutil.copy(tmp_path / "new" / OBJECTS, folder)
    message = rf"{OBJECTS} and {PHOTOMETRY} were not written together"
    for read in (
        LightCurves.from_parquet,
        lambda f: list(LightCurves.iter_parquet(f, n_objects=1)),
    ):
        with pytest.raises(LightCurveError, match=message) as error:
            read(folder)
    remedy = str(error.value).rpartition("read them with ")[2]
    assert len(eval(remedy, {"LightCurves": LightCurves})) == 3
    # A table that was written by something else has no id.
    pq.write_table(pq.read_table(folder / OBJECTS).replace_schema_metadata(), folder / OBJECTS)
    assert LightCurves.from_parquet(folder).flux.tolist() == OLD.flux.tolist()


def _full(folder, limit, sent):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        made(5.0, n=200).to_parquet(folder)
        sent.send("written")
    except OSError as error:
        sent.send(str(error))


@pytest.mark.parametrize("limit", [0, 500, 3000, 20_000])
@pytest.mark.parametrize("is_new", [False, True])
def test_a_full_disk(folder, tmp_path, limit, is_new):
    place = tmp_path / "far" / "away" if is_new else folder
    mine, theirs = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_full, args=(place, limit, theirs))
    process.start()
    assert f"{place} could not be written, and is as it was" in mine.recv()
    process.join()
    if is_new:
        assert not (tmp_path / "far").exists()
    else:
        assert names(folder) == WHOLE
        assert LightCurves.from_parquet(folder).equals(OLD)


def _alternate(folder, number, n, sent):
    try:
        for k in range(n):
            (OLD if (k + number) % 2 else NEW).to_parquet(folder)
            read = LightCurves.from_parquet(folder)
            assert read.equals(OLD) or read.equals(NEW)
        sent.send("")
    except BaseException as error:
        sent.send(repr(error))


def test_two_writers_that_read(folder):
    mine, theirs = FORK.Pipe(duplex=False)
    writers = [FORK.Process(target=_alternate, args=(folder, k, 25, theirs)) for k in (0, 1)]
    for writer in writers:
        writer.start()
    assert [mine.recv(), mine.recv()] == ["", ""]
    for writer in writers:
        writer.join()
    assert names(folder) == WHOLE


# -- damaged files


def cut(folder):
    content = (folder / PHOTOMETRY).read_bytes()
    (folder / PHOTOMETRY).write_bytes(content[: len(content) // 2])


def header_of(name, text):
    def change(folder):
        table = pq.read_table(folder / name).replace_schema_metadata({b"sklc": text})
        pq.write_table(table, folder / name)

    return change


def column(name, values):
    def change(folder):
        table = pq.read_table(folder / PHOTOMETRY)
        changed = table.set_column(table.column_names.index(name), name, values)
        pq.write_table(changed, folder / PHOTOMETRY)

    return change


DAMAGED = {
    "cut": cut,
    "text": lambda f: (f / OBJECTS).write_text("object_id,class\n"),
    "empty": lambda f: (f / PHOTOMETRY).write_bytes(b""),
    "no JSON": header_of(PHOTOMETRY, b"{"),
    "a list": header_of(PHOTOMETRY, b"[1]"),
    "no text": header_of(OBJECTS, b"\xff\xfe"),
    "deep": header_of(OBJECTS, b"[" * 100_000),
    "passbands": header_of(PHOTOMETRY, b'{"passbands": [1]}'),
    "a passband": header_of(PHOTOMETRY, b'{"passbands": {"g": 1}}'),
    "number of empty objects": header_of(PHOTOMETRY, b'{"empty_objects": "2"}'),
    "types": header_of(OBJECTS, b'{"types": {"scale": "no type"}}'),
    "categories": header_of(OBJECTS, b'{"categories": {"scale": 3}}'),
    "ids missing": column("object_id", pa.nulls(60)),
    "lists": column("flux", pa.array([[1.0, 2.0]] * 60)),
    "bands of bytes": column("band", pa.array([b"\xff"] * 60)),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file_is_one_error_that_names_it(folder, damage):
    DAMAGED[damage](folder)
    for read in (
        LightCurves.from_parquet,
        lambda f: list(LightCurves.iter_parquet(f, n_objects=2)),
    ):
        with pytest.raises(LightCurveError) as error:
            read(folder)
        assert str(folder / OBJECTS) in str(error.value) or str(folder / PHOTOMETRY) in str(
            error.value
        )


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"parts": "2"}', "[" * 100_000, "null", "7"])
def test_a_damaged_manifest_names_itself(folder, tmp_path, text):
    shutil.move(folder, tmp_path / "all" / "part-00000")
    (tmp_path / "all" / MANIFEST).write_text(text)
    with pytest.raises(LightCurveError, match=rf"all/{MANIFEST} cannot be read.*simulate_to_par"):
        LightCurves.from_parquet(tmp_path / "all")


def test_a_header_that_promises_more_than_the_file_holds(folder, monkeypatch):
    for name, limit in (("_MUCH", 1 << 22), ("_PACKED", 1000)):
        monkeypatch.setattr(f"sklc.light_curves.readers.parquet_folder.{name}", limit)
    assert LightCurves.from_parquet(folder).equals(OLD)
    names = ("mjd", "flux", "flux_err", "zp")
    zeros = pa.table({name: np.zeros(1_000_000) for name in names})  # some kB on the disk
    pq.write_table(zeros, folder / PHOTOMETRY)
    with pytest.raises(LightCurveError, match=rf"{PHOTOMETRY} cannot be read.*promises 1000000 r"):
        LightCurves.from_parquet(folder)
