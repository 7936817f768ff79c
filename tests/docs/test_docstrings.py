"""Public docstrings are numpydoc, match the signature, and have an example."""

import importlib
import inspect
import re

import pytest
from numpydoc.docscrape import get_doc_object
from numpydoc.validate import Validator, validate

MODULES = [
    "sklc",
    "sklc.baselines",
    "sklc.datasets",
    "sklc.features",
    "sklc.inspection",
    "sklc.light_curves",
    "sklc.networks.architectures",
    "sklc.estimators.outlier",
    "sklc.passbands",
    "sklc.pretrain",
    "sklc.weights.file",
    "sklc.estimators.regressor",
    "sklc.simulate",
    "sklc.augment.transformers",
    "sklc.cosmology",
    "sklc.simulate.lightcurvelynx",
    "sklc.simulate.populations",
    "sklc.simulate.source_class",
    "sklc.simulate.sources",
    "sklc.simulate.spectra",
    "sklc.simulate.surveys",
    "sklc.simulate.templates",
    "sklc.simulate.visits",
]
# No docstring; sections unknown or in another order; parameters missing, unknown or in another
# order; a value is returned without a Returns section.
CHECKS = {"GL06", "GL07", "GL08", "PR01", "PR02", "PR03", "RT01"}
# scikit-learn's own vocabulary is explained once, by the example of the class.
COMMON = {"fit", "transform", "predict", "predict_proba", "decision_function", "score", "plot",
          "get_feature_names_out"}  # fmt: skip
# The interface of light sources is explained once, by the class that introduces each method.
OF_SOURCES = {"prepare", "sample", "brightest", "flux", "span", "truth", "steady", "key",
              "evolution", "brightest_days", "draw", "solve", "models"}  # fmt: skip
# Made by class methods, not by their constructors.
NOT_CONSTRUCTED = {"LightCurve", "LightCurves"}


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
