"""Optional packages, imported when they are first needed."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["AbsentModule", "optional", "require"]


def require(module: str, *, extra: str = "sim", user: str = "sklc.simulate") -> Any:
    """Import a module of an extra, or say how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{user} needs {module.split('.')[0]}, which is not installed: "
            f'pip install "sklc[{extra}]"'
        ) from error


def optional(module: str) -> Any:
    """Import a module, or return one without content where it is not installed.

    An exported model runs with numpy, pandas and ONNX Runtime alone. Code that light curves of
    other libraries pass through can then still ask whether something is one of theirs.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        return AbsentModule(module)


class AbsentModule:
    """Stands for a module that is not installed: of its classes, nothing is an instance."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        if name[0].isupper():
            return type(name, (Exception,), {})
        package = self._module.split(".")[0].replace("_", "-")
        raise ImportError(f"this needs {package}, which is not installed: pip install {package}")
