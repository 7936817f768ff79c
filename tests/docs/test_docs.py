"""Every example of the README, of docs/ and of the docstrings runs and prints what it says."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pytest

import sklc
import sklc.passbands
import sklc.weights.file
from sklc.pretrain import main as pretrain_main

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(sklc.__path__, "sklc.")
    if not module.name.endswith("__main__")
)
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
HAS_LIGHT_CURVE = importlib.util.find_spec("light_curve") is not None
NEEDS_LIGHT_CURVE = {"README.md", "features.md", "sklc.features", "sklc.baselines",
                    "sklc.features.band"}  # fmt: skip
# Examples that simulate need spectral templates, see `sncosmo_data`.
NEEDS_TEMPLATES = {"simulation.md", "sklc.simulate.api", "sklc.simulate.to_parquet"}


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    """Files that examples write, and passbands that they register, stay with them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sklc.passbands.lookup, "_registry", sklc.passbands.lookup._registry)
    yield
    plt.close("all")


def skip_without_what_it_needs(name, request):
    if name in NEEDS_LIGHT_CURVE and not HAS_LIGHT_CURVE:
        pytest.skip('the light-curve package is not installed: pip install "sklc[features]"')
    if name in NEEDS_TEMPLATES:
        request.getfixturevalue("sncosmo_data")


def blocks(page):
    """Language, first line and text of each fenced block."""
    text = page.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        yield match[2], text[: match.start()].count("\n") + 1, match[3]


def run_examples(source, name, line, names, runner, out=None):
    test = doctest.DocTestParser().get_doctest(source, names, name, name, line)
    runner.run(test, clear_globs=False, out=out)
    names.update(test.globs)  # the test works on a copy


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page(page, request):
    skip_without_what_it_needs(page.name, request)
    names = {"__name__": "__main__"}
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    languages = []
    for language, line, source in blocks(page):
        languages.append(language)
        if ">>>" in source:
            assert language == "pycon", f"{page.name}, line {line}: not a block of >>> examples"
            run_examples(source, page.name, line, names, runner)
        elif language == "python":
            exec(compile("\n" * line + source, str(page), "exec"), names)
    assert runner.summarize(verbose=False).failed == 0
    assert set(languages) <= {"pycon", "python", "bash", "", "json", "text"}


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name, request):
    skip_without_what_it_needs(name, request)
    module = importlib.import_module(name)
    assert doctest.testmod(module, optionflags=OPTIONS).failed == 0


def test_a_wrong_output_is_noticed():
    names, printed = {}, []
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    run_examples(">>> a = 1\n", "page", 0, names, runner, printed.append)
    run_examples(">>> a + 1\n2\n", "page", 0, names, runner, printed.append)
    assert not printed
    run_examples(">>> a + 1\n3\n", "page", 0, names, runner, printed.append)
    assert "Expected" in "".join(printed)


def test_pages_have_examples():
    examples = {page.name: sum(">>>" in text for _, _, text in blocks(page)) for page in PAGES}
    pages = {"README.md", "input.md", "bad_input.md", "representation.md", "weights.md",
             "fine_tuning.md", "passbands.md", "features.md", "simulation.md"}  # fmt: skip
    assert pages <= {name for name, count in examples.items() if count}


# -- links, and commands that cannot be run here


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", text)):
        if target.startswith(("https://", "http://")):
            continue
        file, _, anchor = target.partition("#")
        linked = page if not file else page.parent / file
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(linked), target


def anchors(page):
    """Anchors that headings get on GitHub."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        words = re.sub(r"[^\w\s-]", "", heading.replace("`", "").lower()).strip()
        yield re.sub(r"\s", "-", words)


def test_every_page_is_on_the_map():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in PAGES[1:]:
        assert page.name == "index.md" or f"]({page.name})" in index


def test_model_cards_are_those_of_the_weights():
    text = (ROOT / "docs" / "weights.md").read_text(encoding="utf-8")
    for name, entry in sklc.weights.file.manifest()["weights"].items():
        card = text[text.index(f"#### {name}\n") :].split("####")[1]
        facts = [f"{entry['n_objects']:,}", f"{entry['n_observations']:,}", entry["objective"],
                 f"{entry['epochs']} epochs", f"seed {entry['seed']}", entry["licence"],
                 *map(str, entry["metrics"].values())]  # fmt: skip
        for fact in facts:
            assert fact in card, (name, fact)


def shell_commands():
    for page in PAGES:
        for language, _, text in blocks(page):
            if language == "bash":
                yield from text.replace("\\\n", " ").splitlines()


def test_options_of_the_commands_exist(capsys):
    with pytest.raises(SystemExit):
        pretrain_main(["--help"])
    known = {
        "sklc.pretrain": capsys.readouterr().out,
        "examples/quickstart.py": (ROOT / "examples" / "quickstart.py").read_text(encoding="utf-8"),
    }
    seen = set()
    for command in shell_commands():
        for program, text in known.items():
            if program in command:
                seen.add(program)
                for option in re.findall(r"--[\w-]+", command.split(program, 1)[1]):
                    assert option in text, (program, option)
    assert seen == set(known)


def test_readme_has_the_two_commands():
    commands = [c.strip() for c in shell_commands()]
    assert commands[0] == (
        "python -m venv .venv && . .venv/bin/activate && "
        'pip install -c constraints.txt ".[plot]" && python examples/quickstart.py'
    )
    assert commands[1] == 'pip install -c constraints.txt -e ".[test]" && pytest'
    extras = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(r"^plot = ", extras, re.MULTILINE)
    assert re.search(r"^test = ", extras, re.MULTILINE)
    assert (ROOT / "constraints.txt").exists()
    assert (ROOT / "examples" / "quickstart.py").exists()
