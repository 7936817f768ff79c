"""What kind of process this is: the first one, a worker, or one that was forked."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable

__all__ = ["after_fork", "in_worker", "is_forked"]

_FIRST = os.getpid()


def is_forked() -> bool:
    """Return whether this process was forked from one that had imported sklc."""
    return os.getpid() != _FIRST


def in_worker() -> bool:
    """Return whether this is a worker process, such as one of joblib, or was forked."""
    return is_forked() or multiprocessing.current_process().name != "MainProcess"


def after_fork(action: Callable[[], object]) -> None:
    """Call `action` in every child that is forked from now on, where there is such a thing."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=action)
