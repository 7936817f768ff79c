"""Every section of "Your survey's table" reads a file of its format in Python and in the shell."""

import contextlib
import doctest
import io
import json
import re
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from transcripts import run

from sklc.io import list_formats

sys.path.append(str(Path(__file__).parents[1] / "io"))  # where pytest finds it in a whole run
import samples

PAGE = Path(__file__).parents[2] / "docs" / "your_survey.md"
TEXT = PAGE.read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL))


def block(language, text):
    """The only block of a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return found


@pytest.fixture(autouse=True)
def _folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name, package in samples.packages().items():
        monkeypatch.setitem(sys.modules, name, package)
    yield
    plt.close("all")


def test_every_format_has_a_section_and_a_link():
    assert sorted(SECTIONS) == sorted(samples.WRITERS) == sorted(list_formats())
    table = TEXT[: TEXT.index("## What holds")]
    assert sorted(re.findall(r"\[([\w-]+)\]\(#\1\)", table)) == sorted(SECTIONS)


@pytest.mark.parametrize("name", SECTIONS)
def test_python(name):
    samples.WRITERS[name](Path.cwd())
    code = block("python", SECTIONS[name])
    assert len(re.findall(r"^.", code, re.MULTILINE)) <= 3
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        exec(code, names := {})
    assert f": {list_formats()[name]}; " in said.getvalue()
    assert len(names["curves"])


@pytest.mark.parametrize("name", SECTIONS)
def test_shell(name):
    samples.WRITERS[name](Path.cwd())
    (command,) = block("bash", SECTIONS[name]).splitlines()
    status, printed = run(command)
    assert status == 0, printed
    info = re.sub("^sklc (classify|plot)", "sklc info --json -q", command)
    status, printed = run(info.replace(" --no-classes", ""))
    (facts,) = json.loads(printed[printed.index("{") :]).values()
    assert facts["format"] == ("kepler" if name == "lightkurve" else name)  # a file, not an object
    assert not facts["unusable"]


def test_the_general_case():
    samples.WRITERS["long-table"](Path.cwd())
    beginning = TEXT[: TEXT.index("| you have")]
    exec(block("python", beginning), names := {})
    assert names["probabilities"].shape[0] == 3
    for command in block("bash", beginning).splitlines():
        status, printed = run(command)
        assert status == 0, printed


def test_no_format_for_your_survey():
    end = doctest.DocTestParser().get_doctest(
        TEXT[TEXT.index("## No format") :], {}, PAGE.name, str(PAGE), 0
    )
    assert doctest.DocTestRunner().run(end) == (0, 5)
