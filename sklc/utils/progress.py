"""Progress bars, which are shown where a person can see them and do not overwrite each other."""

from __future__ import annotations

import multiprocessing
import sys
import threading
from typing import Any

from tqdm import tqdm

__all__ = ["progress_bar"]


def progress_bar(verbose: int | bool | str, **options: Any) -> tqdm:
    """Return a tqdm progress bar that writes to standard error.

    Parameters
    ----------
    verbose : int, bool or "auto"
        With "auto" the bar is shown in a terminal or a notebook, with 1 always and with 0 never.
        The bars of worker processes and threads would overwrite each other: there, "auto" shows
        none, and 1 writes one line at the end.
    **options
        Further options of tqdm, such as ``total`` and ``desc``.

    Examples
    --------
    >>> from sklc.utils.progress import progress_bar
    >>> with progress_bar(0, total=3) as bar:
    ...     _ = bar.update(3)
    >>> bar.disable
    True
    """
    worker = (
        multiprocessing.current_process().name != "MainProcess"
        or threading.current_thread() is not threading.main_thread()
    )
    shown = bool(verbose)
    if verbose == "auto":
        shown = not worker and (_in_notebook() or bool(sys.stderr and sys.stderr.isatty()))
    # tqdm.auto asks for widgets in a notebook, and warns on import where there are none.
    return (_Line if worker else tqdm)(disable=not shown, leave=False, **options)


class _Line(tqdm):
    """A bar that is written once, when it closes."""

    def display(self, *args: Any, **kwargs: Any) -> None:
        """Draw nothing."""

    def close(self) -> None:
        """Write the line."""
        if not self.disable:
            self.fp.write(f"{self}\n")
        super().close()


def _in_notebook() -> bool:
    """Whether this is the kernel of a notebook, whose standard error is no terminal."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return "IPKernelApp" in getattr(shell, "config", ())
