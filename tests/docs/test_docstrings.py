"""Public docstrings are numpydoc, match the signature, and have an example."""

import importlib
import inspect
import re
from functools import cache
from pathlib import Path

import pytest
from numpydoc.docscrape import get_doc_object
from numpydoc.validate import Validator, validate

import sklc

MODULES = [
    "sklc",
    "sklc.baselines",
    "sklc.datasets",
    "sklc.external",
    "sklc.features",
    "sklc.inspection",
    "sklc.io",
    "sklc.light_curves",
    "sklc.networks.architectures",
    "sklc.estimators.outlier",
    "sklc.passbands",
    "sklc.pretrain",
    "sklc.weights.file",
    "sklc.estimators.regressor",
    "sklc.simulate",
    "sklc.augment.transformers",
    "sklc.cli",
    "sklc.cosmology",
    "sklc.simulate.lightcurvelynx",
    "sklc.simulate.classes",
    "sklc.simulate.classes.rates",
    "sklc.simulate.sources",
    "sklc.simulate.spectra",
    "sklc.simulate.spectra.templates",
    "sklc.simulate.surveys",
    "sklc.simulate.surveys.visits",
]
# No docstring; sections unknown or in another order; parameters missing, unknown or in another
# order; a value is returned without a Returns section.
CHECKS = {"GL06", "GL07", "GL08", "PR01", "PR02", "PR03", "RT01"}
# scikit-learn's own vocabulary is explained once, by the example of the class.
COMMON = {"fit", "transform", "predict", "predict_proba", "decision_function", "score", "plot",
          "get_feature_names_out"}  # fmt: skip
# The interface of light sources is explained once, by the class that introduces each method.
OF_SOURCES = {"prepare", "sample", "brightest", "flux", "span", "truth", "steady", "key",
              "evolution", "brightest_days", "draw", "solve", "models",
              "relative_flux", "mean_flux", "kinds"}  # fmt: skip
# Made by class methods, not by their constructors.
NOT_CONSTRUCTED = {"LightCurve", "LightCurves", "Reader"}


@cache
def exported():
    """Full name and object of everything public, each once."""
    found = {}
    for module_name in MODULES:
        module = importlib.import_module(module_name)
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                found.setdefault(thing, f"{module_name}.{name}")
    return {name: thing for thing, name in found.items()}


@cache
def methods():
    """Full name of every public method and property, with its class."""
    found = {}
    for name, thing in exported().items():
        if not inspect.isclass(thing):
            continue
        for member, value in inspect.getmembers(thing):
            function = value.fget if isinstance(value, property) else value
            is_ours = (getattr(function, "__module__", None) or "").startswith("sklc")
            if callable(function) and is_ours and not member.startswith("_"):
                found[f"{name}.{member}"] = thing
    return found


def problems(name, thing=None):
    ignored = {"PR01"} if getattr(thing, "__name__", None) in NOT_CONSTRUCTED else set()
    return [error for error in validate(name)["errors"] if error[0] in CHECKS - ignored]


# -- plain English

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
SOURCES = sorted(Path(sklc.__file__).parent.rglob("*.py"))
# What makes a reader stumble, and what to write instead.
THINGS = "row|column|line|entry|value|survey|class|band|point|visit|file"
BANNED = {
    rf"\b(one|a) ({THINGS}) an? (?!time)\w": "one row per observation",
    r"\brivals?\b": "baseline",
    r"\banew\b": "again",
    r"\blest\b": "so that ... not",
    r"\bby heart\b": "overfitted, memorized",
    r"\bsurely wrong\b": "wrong",
    r"\bas often as they (say|state|claim)\b": "calibrated intervals",
    r"\bunlike the rest\b": "anomaly detection",
    r"\btell(ing|s)? less of\b": "trained to be survey-invariant",
    r"\bis the map\b": "See docs/index.md for all pages",
}


def prose(path):
    """The text of a file on one line, without the marks of comments and broken strings."""
    text = re.sub(r"^\s*#+ ?", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return " ".join(re.sub(r"""["']\s*\n\s*f?["']""", "", text).split())


def not_plain(text):
    """Each phrase of a text that stands in the table, with its better form and surroundings."""
    return [
        f"...{text[max(0, found.start() - 30) : found.end() + 30]}...: write {better!r}"
        for phrase, better in BANNED.items()
        for found in re.finditer(phrase, text, re.IGNORECASE)
    ]


def not_sentences(name):
    """Descriptions of parameters and attributes that are not sentences."""
    documented = get_doc_object(Validator._load_obj(name))
    found = []
    for section in ("Parameters", "Other Parameters", "Attributes"):
        for item in documented[section]:
            text = " ".join(item.desc).strip()
            begins = re.match(r"[A-Z\d`'\"({\[+-]", text) and not text.startswith("Of ")
            # an attribute that is a property is described where it is defined
            if not (begins and text.endswith(".")) and (text or section != "Attributes"):
                found.append(f"{item.name}: {text or 'no description'}")
    return found


@pytest.mark.parametrize("path", [*PAGES, *SOURCES], ids=lambda path: str(path.relative_to(ROOT)))
def test_plain_english(path):
    assert not_plain(prose(path)) == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_description_begins_with_of(path):
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"^ *(?:\"\"\")?Of .*", text, re.MULTILINE) == []


@pytest.mark.parametrize("name", [*exported(), *methods()])
def test_descriptions_are_sentences(name):
    assert not_sentences(name) == []


def test_what_is_not_plain_english_is_noticed(monkeypatch, tmp_path):
    source = '''"""One row
    an observation."""  # the
    # rival
    raise ValueError("sure"
                     f"ly wrong")'''
    (tmp_path / "a.py").write_text(source)
    assert len(not_plain(prose(tmp_path / "a.py"))) == 3
    assert not_plain("One row at a time; a row per object; arrivals and crests renewed.") == []

    def terse(first, second, third, fourth):
        """Do something.

        Parameters
        ----------
        first : int
            Of the file.
        second : int
            how many
        third : int
        fourth : int
            ``None`` leaves it out.
        """

    monkeypatch.setattr("sklc.datasets.terse", terse, raising=False)
    found = not_sentences("sklc.datasets.terse")
    assert [text.split(":")[0] for text in found] == ["first", "second", "third"]


def is_explained_by_a_base(thing, method):
    return method in OF_SOURCES and any(hasattr(base, method) for base in thing.__bases__)


def examples(name):
    return "\n".join(get_doc_object(Validator._load_obj(name))["Examples"])


@pytest.mark.parametrize("module", MODULES)
def test_modules_say_what_is_public(module):
    module = importlib.import_module(module)
    assert module.__doc__
    assert module.__all__
    assert all(hasattr(module, name) for name in module.__all__)


@pytest.mark.parametrize("name", exported())
def test_class_or_function(name):
    thing = exported()[name]
    assert problems(name, thing) == []
    if not (inspect.isclass(thing) and issubclass(thing, Exception)):
        assert ">>>" in examples(name), f"{name} has no example"


@pytest.mark.parametrize("name", methods())
def test_method_or_property(name):
    owner, method = name.rsplit(".", 1)
    found = problems(name)
    if is_explained_by_a_base(methods()[name], method):
        found = [error for error in found if error[0] not in {"PR01", "RT01"}]
    assert found == []
    is_property = isinstance(inspect.getattr_static(methods()[name], method), property)
    if method in COMMON | OF_SOURCES or is_property:
        return
    shown = re.search(rf"\.{method}\(", examples(owner))
    own = examples(name)
    assert shown or ">>>" in own or "See " in own, f"{name} has no example"


def test_a_wrong_docstring_is_noticed(monkeypatch):
    def wrong(first, second):
        """Do something.

        Parameters
        ----------
        first : int
        third : int
        """
        return first

    monkeypatch.setattr("sklc.datasets.wrong", wrong, raising=False)
    codes = {code for code, _ in problems("sklc.datasets.wrong")}
    assert {"PR01", "PR02", "RT01"} <= codes


def test_there_is_something_to_check():
    assert {"sklc.LightCurveEncoder", "sklc.list_weights", "sklc.datasets.load_demo"} <= set(
        exported()
    )
    assert "sklc.TransferClassifier.predict_proba" in methods()
    assert "sklc.LightCurves.from_frame" in methods()
