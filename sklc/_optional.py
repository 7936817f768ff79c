"""Optional packages, imported when they are first needed."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["require"]


def require(module: str, *, extra: str = "sim", user: str = "sklc.simulate") -> Any:
    """Import a module of an extra, or say how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{user} needs {module.split('.')[0]}, which is not installed: "
            f'pip install "sklc[{extra}]"'
        ) from error
