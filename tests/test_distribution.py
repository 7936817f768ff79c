"""The sdist holds what its tests need, the wheel what users need; and the levels of the package."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from functools import cache
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("benchmarks", "docs", "examples", "serve", "sklc", "tests")
BUILD = """
import sys
from setuptools import build_meta
out = sys.argv[1]  # setuptools changes it
build_meta.build_sdist(out), build_meta.build_wheel(out)
"""


def is_built(path):
    return "__pycache__" in path.parts or path.suffix == ".pyc"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The sdist unpacked, and the names of the files of the wheel."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, source)
    for folder in FOLDERS:
        shutil.copytree(
            ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__", ".*")
        )
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(out)], cwd=source, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    sdist, wheel = out.glob("*.tar.gz"), out.glob("*.whl")
    with tarfile.open(next(sdist)) as archive:
        archive.extractall(out, filter="data")
    (unpacked,) = (path for path in out.iterdir() if path.is_dir())
    return unpacked, set(zipfile.ZipFile(next(wheel)).namelist())


def test_sdist_holds_what_its_tests_need(built):
    unpacked, _ = built
    expected = {
        path.relative_to(ROOT)
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and not is_built(path) and not path.name.startswith(".")
    }
    assert {path for path in expected if not (unpacked / path).exists()} == set()


@pytest.mark.slow
def test_all_tests_are_collected_from_the_sdist(built):
    def collected(folder):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"],
            cwd=folder, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:]
        return done.stdout.splitlines()[-1].split()[0]

    assert collected(built[0]) == collected(ROOT)


def test_wheel_holds_data_and_types_but_no_tests(built):
    _, wheel = built
    package = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "sklc").rglob("*")
        if path.is_file() and not is_built(path)
    }
    assert {name for name in wheel if ".dist-info/" not in name} == package
    assert {"sklc/__init__.pyi", "sklc/py.typed", "sklc/weights/manifest.json"} <= wheel


# -- layers, beside the contracts of import-linter in pyproject.toml


def test_every_module_stands_on_one_of_nine_levels():
    graph = grimp.build_graph("sklc", exclude_type_checking_imports=False, cache_dir=None)
    rooms = {name: set() for name in graph.find_children("sklc")}
    for room, below in rooms.items():
        for module in {room, *graph.find_descendants(room)}:
            for imported in graph.find_modules_directly_imported_by(module):
                below.add(".".join(imported.split(".")[:2]))
        below -= {room, "sklc"}

    @cache
    def level(room):
        return 1 + max(map(level, rooms[room]), default=0)

    levels = {room: level(room) for room in rooms}
    assert max(levels.values()) <= 9, sorted(levels.items(), key=lambda item: item[1])
    assert levels["sklc.light_curves"] > levels["sklc.passbands"] > levels["sklc.errors"]
