"""Names that are imported when they are first used, as a stub file declares them."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["attach_stub"]


def attach_stub(package: str, file: str) -> tuple[Callable, Callable, list[str]]:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` for the imports in a stub.

    Parameters
    ----------
    package : str
        The name of the package.
    file : str
        Its ``__init__.py``, beside which the stub lies.

    Examples
    --------
    >>> import sklc
    >>> from sklc._lazy import attach_stub
    >>> attach_stub("sklc", sklc.__file__)[0]("LightCurves") is sklc.LightCurves
    True
    """
    stub = ast.parse(Path(file).with_suffix(".pyi").read_text(encoding="utf-8"))
    homes = {
        alias.asname or alias.name: (node.module, alias.name)
        for node in stub.body
        if isinstance(node, ast.ImportFrom) and node.level == 1
        for alias in node.names
    }
    names = sorted(homes)

    def lookup(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, original = homes[name]
        if module is None:
            return importlib.import_module(f"{package}.{original}")
        value = getattr(importlib.import_module(f"{package}.{module}"), original)
        vars(importlib.import_module(package))[name] = value
        return value

    return lookup, lambda: names, names
