"""Ctrl-C ends a fit with KeyboardInterrupt wherever it comes; a callback that stops does not."""

import concurrent.futures
import os
import signal
import subprocess
import sys
import textwrap
import threading
import warnings

import numpy as np
import pytest
from skorch.callbacks import Callback, EarlyStopping
from small import SMALL as OF_SIX
from small import same_weights

from sklc import LightCurveEncoder, TransferClassifier
from sklc.augment import Augmenter, Prefixes
from sklc.datasets import load_demo
from sklc.networks.architectures.gru import GRUNetwork
from sklc.networks.training.augmented import ObjectiveDataset

SMALL = {**OF_SIX, "hidden_size": 4, "latent_size": 4, "max_epochs": 6}


class Press(Callback):
    """Press Ctrl-C at an event of the third epoch."""

    def __init__(self, event):
        self.event = event

    def __getattribute__(self, name):
        if name.startswith("on_") and name == object.__getattribute__(self, "event"):
            return self._press
        return object.__getattribute__(self, name)

    def _press(self, net, **kwargs):
        if len(net.history) == 3:
            signal.raise_signal(signal.SIGINT)


@pytest.fixture(autouse=True)
def _interruptions_arrive():
    """A shell starts processes in the background with Ctrl-C ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("event", ["on_epoch_begin", "on_batch_begin", "on_epoch_end"])
def test_ctrl_c_in_a_callback_is_raised_and_nothing_is_kept(demo, event):
    encoder = LightCurveEncoder(callbacks=[Press(event)], **SMALL)
    with pytest.raises(KeyboardInterrupt, match=r"in epoch 3 of 6: nothing.*checkpoint=PATH"):
        encoder.fit(*demo)
    assert not hasattr(encoder, "net_")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("training", [True, False])
def test_ctrl_c_in_a_batch_is_raised(demo, monkeypatch, training):
    real = GRUNetwork.state

    def state(self, *args):
        if self.training == training:
            raise KeyboardInterrupt
        return real(self, *args)

    monkeypatch.setattr(GRUNetwork, "state", state)
    with pytest.raises(KeyboardInterrupt, match="in epoch 1 of 6"):
        LightCurveEncoder(**SMALL).fit(*demo)


@pytest.mark.parametrize("ahead", [False, True])
def test_an_interruption_while_an_epoch_is_drawn_is_raised(demo, monkeypatch, ahead):
    class Interrupted(Augmenter):
        def __init__(self, share=0.5, *, min_points=3, random_state=None):
            self.share, self.min_points, self.random_state = share, min_points, random_state

        def _altered(self, store, chosen, rng):
            drawn.append(threading.current_thread() is threading.main_thread())
            if len(drawn) == 2:
                raise KeyboardInterrupt
            return store

    drawn, real = [], ObjectiveDataset.__init__

    def init(self, *args, **kwargs):
        real(self, *args, **{**kwargs, "ahead": ahead})

    monkeypatch.setattr(ObjectiveDataset, "__init__", init)
    with pytest.raises(KeyboardInterrupt, match="in epoch 2 of 6"):
        LightCurveEncoder(augment=Interrupted(), **SMALL).fit(*demo)
    assert drawn[1] is not ahead


def test_a_head_in_training_is_interrupted(demo):
    classifier = TransferClassifier(
        "ztf", head_sizes=(4,), callbacks=[Press("on_epoch_end")], device="cpu", random_state=0
    )
    with pytest.raises(KeyboardInterrupt, match="in epoch 3"):
        classifier.fit(*demo)
    assert not hasattr(classifier, "classes_")


def test_an_interrupted_fit_goes_on_from_its_checkpoint(demo, tmp_path):
    params = {**SMALL, "checkpoint": tmp_path / "training"}
    with pytest.raises(KeyboardInterrupt, match=r"fit again to continue from .*training"):
        LightCurveEncoder(callbacks=[Press("on_batch_begin")], **params).fit(*demo)
    resumed, whole = (LightCurveEncoder(**p).fit(*demo) for p in (params, SMALL))
    np.testing.assert_array_equal(resumed.transform(demo[0]), whole.transform(demo[0]))


class Enough(Callback):
    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 2:
            raise KeyboardInterrupt


@pytest.mark.parametrize("thread", [False, True])
@pytest.mark.parametrize("stop", [Enough(), EarlyStopping("train_loss", patience=1, threshold=1.0)])
def test_a_callback_that_stops_is_no_interruption(demo, stop, thread):
    encoder = LightCurveEncoder(callbacks=[stop], **{**SMALL, "early_stopping": False})
    with warnings.catch_warnings(action="error"):
        if thread:
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                pool.submit(encoder.fit, *demo).result()
        else:
            encoder.fit(*demo)
    assert len(encoder.net_.history) == 2
    assert encoder.transform(demo[0]).shape == (120, 4)


def ended(script):
    """Run a script that presses Ctrl-C in its third epoch; return its status and output."""
    press = textwrap.dedent(
        """
        import os, signal
        from sklc.networks.training.augmented import EachEpoch
        real = EachEpoch.on_epoch_begin
        def pressed(self, net, **kwargs):
            if len(net.history) == 3:
                os.kill(os.getpid(), signal.SIGINT)
            real(self, net, **kwargs)
        EachEpoch.on_epoch_begin = pressed
        """
    )
    script = press + textwrap.dedent(script)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_a_script_ends_with_the_status_of_an_interruption():
    status, output = ended(
        f"""
        from sklc import LightCurveEncoder
        from sklc.datasets import load_demo
        X, y = load_demo(return_X_y=True)
        LightCurveEncoder(**{SMALL!r}).fit(X[:120], y[:120])
        print("went on")
        """
    )
    assert status == -signal.SIGINT
    assert "went on" not in output
    assert "Training was interrupted in epoch 3 of 6" in output


@pytest.mark.slow
def test_an_interrupted_pretraining_publishes_nothing(tmp_path):
    load_demo().curves[:100].to_parquet(tmp_path / "data")
    folder = tmp_path / "weights"
    arguments = ["--data", str(tmp_path / "data"), "--surveys", "ZTF", "--output", str(folder)]
    arguments += ["--epochs", "4", "--hidden-size", "4", "--name", "demo-v1", "--device", "cpu"]
    arguments += ["--checkpoints", str(tmp_path / "checkpoints")]
    command = f"from sklc.pretrain import main; main({arguments!r})"
    status, output = ended(command)
    assert status == -signal.SIGINT, output
    assert not os.listdir(folder)
    subprocess.run([sys.executable, "-c", command], capture_output=True, check=True)  # goes on
    assert sorted(os.listdir(folder)) == ["demo-v1.safetensors", "manifest.json"]


def test_a_handler_of_the_user_is_kept(demo):
    pressed = []
    before = signal.signal(signal.SIGINT, lambda *_: pressed.append(1))
    try:
        encoder = LightCurveEncoder(
            callbacks=[Press("on_epoch_end"), EarlyStopping("train_loss", patience=3, threshold=1)],
            augment=Prefixes(),
            **{**SMALL, "early_stopping": False},
        ).fit(*demo)  # the handler swallows Ctrl-C, and the callback stops later
    finally:
        signal.signal(signal.SIGINT, before)
    assert pressed == [1]
    assert len(encoder.net_.history) == 4


@pytest.mark.slow
def test_a_killed_process_leaves_a_checkpoint_to_go_on_from(tmp_path):
    path = tmp_path / "training.checkpoint"
    script = textwrap.dedent(
        f"""
        import os, signal
        import torch
        torch.set_num_threads(1)
        from skorch.callbacks import Callback
        from sklc import LightCurveEncoder
        from sklc.datasets import load_demo
        class Kill(Callback):
            def on_batch_end(self, net, **kwargs):
                if len(net.history) == 3:
                    os.kill(os.getpid(), signal.SIGKILL)
        curves, y = load_demo(return_X_y=True)
        LightCurveEncoder(checkpoint={str(path)!r}, callbacks=[Kill()], **{SMALL!r}).fit(
            curves[:120], y[:120]
        )
        """
    )
    ended = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    curves, y = load_demo(return_X_y=True)
    curves, y = curves[:120], y[:120]
    resumed = LightCurveEncoder(checkpoint=path, **SMALL).fit(curves, y)
    assert same_weights(resumed, LightCurveEncoder(**SMALL).fit(curves, y))
    assert os.listdir(tmp_path) == ["training.checkpoint"]
