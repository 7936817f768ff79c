"""Optional packages, imported when they are first needed."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["require"]


def require(module: str) -> Any:
    """Import a module of the extra ``sim``, or say how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"sklc.simulate needs {module.split('.')[0]}, which is not installed: "
            'pip install "sklc[sim]"'
        ) from error
