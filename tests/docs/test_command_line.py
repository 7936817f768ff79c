"""The commands and options that the documentation names are those of the program."""

import re
import shlex
from pathlib import Path

import pytest
from transcripts import differences, run

from sklc.cli.arguments import build_parser, with_explicit_merge

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "command_line.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(page):
    """The commands "sklc ..." in blocks of the shell."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for language, block in re.findall(r"```(bash|console)\n(.*?)```", text, re.DOTALL):
        mark = r"\$ " if language == "console" else ""
        yield from re.findall(rf"^{mark}(sklc .*)$", block, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_are_valid(page):
    for command in commands(page):
        words = with_explicit_merge(shlex.split(command, comments=True)[1:])
        _, unknown = build_parser().parse_known_args(words)
        assert unknown == [], command


def test_the_page_names_all_commands_and_existing_options():
    text = PAGE.read_text(encoding="utf-8")
    (action,) = (a for a in build_parser()._actions if a.dest == "command")
    named = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    assert sorted(re.findall(r"\w+", " ".join(named))) == sorted(action.choices)
    helps = "".join(run(f"sklc {name} --help")[1] for name in action.choices)
    for option in re.findall(r"`(--[\w-]+)|\s(--[\w-]+)", text):
        assert "".join(option) in helps, option


def test_transcripts_notice_what_differs():
    assert differences("$ sklc --version\nsklc ...\n$ echo $?\n0\n") == []
    assert len(differences("$ sklc --version\nsklc 0\n$ echo $?\n1\n")) == 2
