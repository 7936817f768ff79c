"""Files and folders are written whole or not at all, and what was left behind is removed."""

import multiprocessing
import os
import signal
import time

import pytest

from sklc.utils.files import partial_folder, partials, remove_leftovers, replace_file

FORK = multiprocessing.get_context("fork")


def test_a_file_is_replaced(tmp_path):
    path = tmp_path / "mine"
    for content in (b"old", b"new"):
        assert replace_file(path, content) == path
        assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ["mine"]
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("place", ["os.fsync", "os.replace"])
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_alone(tmp_path, monkeypatch, place, error):
    def fail(*_):
        raise error

    path = tmp_path / "mine"
    path.write_bytes(b"old")
    with monkeypatch.context() as patch:
        patch.setattr(place, fail)
        with pytest.raises(error):
            replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["mine"]


def _write_for_ever(path):
    while True:
        replace_file(path, os.urandom(1) * 100_000)


def test_what_a_killed_writer_leaves_is_removed_and_the_work_of_others_is_not(tmp_path):
    path, other = tmp_path / "mine", tmp_path / "mine.txt"
    replace_file(path, b"x" * 100_000)
    other.write_text("of another")
    (tmp_path / ".mine.partial.bak").write_text("of another")
    busy = FORK.Process(target=_write_for_ever, args=(path,))
    busy.start()
    for delay in (0.02, 0.03, 0.05, 0.001):
        killed = FORK.Process(target=_write_for_ever, args=(path,))
        killed.start()
        time.sleep(delay)
        os.kill(killed.pid, signal.SIGKILL)
        killed.join()
        content = path.read_bytes()
        assert content == content[:1] * 100_000
    assert busy.is_alive()  # nothing of its own was removed
    busy.kill()
    busy.join()
    replace_file(path, b"")
    assert sorted(os.listdir(tmp_path)) == [".mine.partial.bak", "mine", "mine.txt"]


def test_where_there_are_no_locks_nothing_of_others_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr("sklc.utils.files.fcntl", None)
    left = tmp_path / ".mine.0123.partial"
    left.write_bytes(b"of a writer that may still be there")
    replace_file(tmp_path / "mine", b"new")
    assert left.is_file()
    assert len(os.listdir(tmp_path)) == 2


def test_the_first_folder_stays(tmp_path):
    place = tmp_path / "part"
    with partial_folder(place) as mine:
        (mine / "a").write_text("mine")
        remove_leftovers(place)
        assert partials(place) == [mine]  # it is in use
        with partial_folder(place) as theirs:
            (theirs / "a").write_text("theirs")
    assert (place / "a").read_text() == "theirs"
    assert os.listdir(tmp_path) == ["part"]
