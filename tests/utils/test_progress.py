"""Progress bars: where a person looks, and not where several would overwrite each other."""

import io
import subprocess
import sys
import textwrap
import types
from concurrent.futures import ThreadPoolExecutor

import joblib
import pytest

from sklc.utils.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def stream(monkeypatch):
    def put(kind):
        monkeypatch.setattr(sys, "stderr", kind())
        return sys.stderr

    return put


@pytest.fixture
def notebook(monkeypatch):
    kernel = types.SimpleNamespace(config={"IPKernelApp": {}})
    module = types.SimpleNamespace(get_ipython=lambda: kernel)
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setitem(sys.modules, "ipywidgets", None)


def shown(verbose, **options):
    with progress_bar(verbose, total=2, desc="folds", **options) as bar:
        bar.update(2)
    return sys.stderr.getvalue()


@pytest.mark.parametrize(("verbose", "kind", "expected"), [
    ("auto", Terminal, True), ("auto", io.StringIO, False), (1, io.StringIO, True),
    (0, Terminal, False),
])  # fmt: skip
def test_a_bar_is_shown_in_terminals_or_on_request(stream, verbose, kind, expected):
    stream(kind)
    assert ("folds" in shown(verbose)) == expected


def test_a_bar_is_shown_in_a_notebook_without_widgets(stream, notebook):
    stream(io.StringIO)
    assert "folds" in shown("auto")


@pytest.mark.parametrize(("verbose", "lines"), [("auto", 0), (1, 3)])
def test_parallel_folds_do_not_overwrite_each_other(stream, notebook, verbose, lines):
    written = stream(Terminal)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(shown, [verbose] * 3))
    text = written.getvalue()
    assert text.count("folds") == text.count("\n") == lines
    assert "\r" not in text


def _kind(verbose):
    with progress_bar(verbose, total=1) as bar:
        return type(bar).__name__, bar.disable


def test_worker_processes_show_no_bar():
    found = joblib.Parallel(n_jobs=2)(joblib.delayed(_kind)(v) for v in ("auto", 1, 0))
    assert found == [("_Line", True), ("_Line", False), ("_Line", True)]


def test_importing_in_a_notebook_without_widgets_warns_of_nothing():
    script = """
        import sys, types, warnings
        warnings.simplefilter("error")
        shell = type("ZMQInteractiveShell", (), {"config": {"IPKernelApp": {}}})()
        sys.modules["IPython"] = types.SimpleNamespace(get_ipython=lambda: shell)
        sys.modules["ipykernel.zmqshell"] = sys.modules["ipywidgets"] = None
        import sklc.utils.progress
        from sklc.utils.progress import progress_bar
        with progress_bar("auto", total=1, desc="training") as bar:
            bar.update()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "training:" in done.stderr
    assert "IProgress" not in done.stderr
