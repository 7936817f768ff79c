"""Every example of the README, of docs/ and of the docstrings runs and prints what it says."""

import doctest
import importlib
import json
import pkgutil
import re
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pytest
from transcripts import differences

import sklc
import sklc.passbands.lookup
import sklc.weights.file
from sklc.pretrain import main as pretrain_main

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
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
NEEDS_TEMPLATES = {"simulation.md", "sklc.simulate.run", "sklc.simulate.to_parquet"}
NEEDS_LSDB = {"scale.md"}
SLOW = {"adaptation.md", "calibration.md", "context.md", "features.md", "fine_tuning.md",
        "input.md", "persistence.md", "redshift.md", "scale.md", "serving.md", "simulation.md",
        "transformers.md", "uncertainty.md", "sklc.baselines", "sklc.estimators.class_sets",
        "sklc.estimators.novelty", "sklc.estimators.redshift_spread", "sklc.estimators.regressor",
        "sklc.estimators.sampling", "sklc.estimators.sequences", "sklc.networks.objectives.masked",
        "sklc.serving.model", "sklc.simulate.run"}  # fmt: skip


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
    if name in NEEDS_LSDB:
        reason = 'LSDB is missing: pip install "sklc[scale]"'
        pytest.importorskip("lsdb", minversion="0.11", reason=reason)
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


def slow(name):
    """The marks of examples that train or simulate for several seconds."""
    return [pytest.mark.slow] * (name in SLOW)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=slow(page.name), id=page.name)
        for page in PAGES
        if page.name != "your_survey.md"  # its sections need files, see test_your_survey.py
    ],
)
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
        elif language == "console":
            assert differences(source) == []
        elif language == "python":
            exec(compile("\n" * line + source, str(page), "exec"), names)
    assert runner.summarize(verbose=False).failed == 0
    assert set(languages) <= {"pycon", "python", "bash", "console", "", "json", "text", "mermaid"}


@pytest.mark.parametrize("name", [pytest.param(name, marks=slow(name)) for name in MODULES])
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
             "fine_tuning.md", "passbands.md", "features.md", "simulation.md",
             "command_line.md"}  # fmt: skip
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


def test_every_page_is_in_the_index():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in PAGES[2:]:
        assert page.name == "index.md" or f"]({page.name})" in index


def test_model_cards_are_those_of_the_weights():
    text = (ROOT / "docs" / "weights.md").read_text(encoding="utf-8")
    introduction = text[text.index("## Model cards") : text.index("| weights | units |")]
    for name, entry in sklc.weights.file.manifest()["weights"].items():
        row = re.search(rf"^\| `{re.escape(name)}` \|(.*)$", text, re.MULTILINE)[1]
        cells = [cell.strip() for cell in row.split("|")]
        expected = [f"{entry['n_objects']:,}", f"{entry['n_observations']:,}",
                    f"{entry['objective']}, {entry['epochs']}"]  # fmt: skip
        assert cells[1:4] == expected, name
        metrics = [f"{kind}_{survey}" for kind in ("macro_auroc", "redshift_mse")
                   for survey in ("ZTF", "LSST")]  # fmt: skip
        others = {f"{metric.rpartition('_')[0]}_{survey}" for metric in metrics
                  for survey in ("PS1", "DES", "random")}  # fmt: skip
        others |= {f"macro_auroc_{age}{told}" for age in ("whole", "early")
                   for told in ("", "_redshift", "_photo_z")}  # fmt: skip
        if name.startswith("variables"):  # whose surveys have a table of their own
            table = re.search(r"\| macro AUROC, 33 classes \|(.*)\|", text)[1].split("|")
            surveys = [
                "CRTS",
                "ASAS",
                "ASAS-SN",
                "ZTF",
                "OGLE",
                "LSST",
                "ATLAS",
                "Gaia",
                "Hipparcos",
                "random",
            ]
            others = {f"macro_auroc_{survey}" for survey in surveys}
            for survey, cell in zip(surveys, table, strict=True):
                assert abs(float(cell) - entry["metrics"][f"macro_auroc_{survey}"]) < 0.00051
        allowed = {*metrics, *(others if name.startswith(("any", "variables")) else ())}
        assert set(entry["metrics"]) <= allowed, name
        assert cells[4:8] == [str(entry["metrics"].get(metric, "")) for metric in metrics], name
        assert f"seed {entry['seed']}" in introduction
        assert entry["licence"] in introduction


def test_readme_shows_the_results():
    path = ROOT / "benchmarks" / "results" / "label_efficiency.json"
    figures = json.loads(path.read_text(encoding="utf-8"))["figures"]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    head, without_labels = 'any, TransferClassifier "head"', "any, class_prior"
    for row, names in {
        "pretrained encoder, frozen": ["any, frozen + logistic regression"],
        "pretrained, `TransferClassifier": [head, f'{without_labels}="magnitude-limited"'],
        "the same network from scratch": ["same network, from scratch"],
        "150 hand-crafted features": ["features + gradient boosting",
                                      "features + gradient boosting, simulations"],
    }.items():  # fmt: skip
        measured = {}
        for name in names:
            measured |= {n: scores["auroc"]["mean"] for n, scores in figures[name].items()}
        expected = [f"{measured[n]:.3f}"[1:] for n in sorted(measured, key=as_number)]
        shown = re.search(rf"^\| {re.escape(row)}.*?\|(.*)\|$", text, re.MULTILINE)[1]
        assert re.findall(r"\.\d{3}", shown) == expected, row


def as_number(labels):
    return float("inf") if labels == "all" else int(labels)


def test_contributing_names_what_exists():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"`((?:sklc|tests|docs|benchmarks)/[\w/.]+)`", text))
    assert {path for path in paths if not (ROOT / path).exists()} == set()
    functions = set(re.findall(r"`(sklc\.[\w.]+)\(", text))
    assert len(functions) > 5
    for function in functions:
        assert callable(pkgutil.resolve_name(function)), function


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
    assert commands[1] == 'pip install -c constraints.txt -e ".[test]" && pytest -n auto'
    extras = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(r"^plot = ", extras, re.MULTILINE)
    assert re.search(r"^test = ", extras, re.MULTILINE)
    assert (ROOT / "constraints.txt").exists()
    assert (ROOT / "examples" / "quickstart.py").exists()
