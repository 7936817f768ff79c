"""Ctrl-C ends a training with an error; a callback that stops one does not."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

from skorch import NeuralNet

__all__ = ["InterruptibleNet"]


class InterruptibleNet(NeuralNet):
    """A skorch net that remembers whether its training was interrupted.

    skorch ends a training quietly on every KeyboardInterrupt, because its callbacks raise one to
    stop at the end of an epoch, as ``EarlyStopping`` does. Here, one from ``on_epoch_end`` is such
    a stop, unless Ctrl-C was pressed; every other one is an interruption, which `fit_net` raises.
    """

    interruption_: KeyboardInterrupt | None = None

    def notify(self, method_name: str, **arguments: Any) -> None:
        """Call the callbacks, and mark what they raise to stop."""
        try:
            super().notify(method_name, **arguments)
        except KeyboardInterrupt as stop:
            stop.by_callback = method_name == "on_epoch_end"  # type: ignore[attr-defined]
            raise

    def fit_loop(self, *args: Any, **kwargs: Any) -> InterruptibleNet:
        """Train, and remember an interruption."""
        with _watched_keyboard() as pressed:
            try:
                return super().fit_loop(*args, **kwargs)
            except KeyboardInterrupt as error:
                if pressed or not getattr(error, "by_callback", False):
                    self.interruption_ = error
                raise


@contextlib.contextmanager
def _watched_keyboard() -> Iterator[list[int]]:
    """Yield a list, which is empty until Ctrl-C is pressed."""
    pressed: list[int] = []
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler) or threading.current_thread() is not threading.main_thread():
        yield pressed  # nobody raises KeyboardInterrupt here
        return

    def watched(number: int, frame: Any) -> None:
        try:
            handler(number, frame)
        except KeyboardInterrupt:
            pressed.append(number)
            raise

    signal.signal(signal.SIGINT, watched)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, handler)
