"""The one place that builds and fits a skorch net, and cleans it up afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EarlyStopping, GradientNormClipping
from skorch.helper import predefined_split
from torch import nn
from torch.utils.data import Dataset

from sklc.networks.recurrent.precision import recurrent_precision
from sklc.networks.training.batching import BucketedBatches
from sklc.networks.training.checkpoint import TrainingCheckpoint
from sklc.networks.training.halving import HalvingNet
from sklc.networks.training.interruption import InterruptibleNet
from sklc.networks.training.schedules import warm_up_then_cosine
from sklc.utils.progress import progress_bar

__all__ = [
    "AnchoredNet",
    "KeepStartIfBetter",
    "TrainingSettings",
    "fit_net",
    "seeded",
    "wrap",
]

# A bar appears only on fits that last longer than this, in seconds.
_PROGRESS_AFTER = 5.0


@dataclass(frozen=True)
class TrainingSettings:
    """How a network is trained; the defaults are the papers' (Adam 1e-3, batch 128, patience 5)."""

    max_epochs: int = 40
    batch_size: int = 128
    learning_rate: float = 1e-3
    learning_rate_decay: bool | int = False
    weight_decay: float = 0.0
    gradient_clip: float = 1.0
    patience: int = 5
    device: str = "cpu"
    mixed_precision: bool = True
    seed: int = 0
    verbose: int | bool | str = "auto"


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Make torch's global draws (initial weights) depend on `seed` and leave no trace."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@contextlib.contextmanager
def flushed_denormals() -> Iterator[None]:
    """Round numbers below 1e-38 to zero inside, as training on a GPU does.

    The gradient of a long light curve decays into them, step by step, and Intel processors multiply
    them slowly: more than two thirds of a training step, for nothing, where it was measured.
    """
    tiny = torch.tensor(1e-39)  # torch can set this mode, and cannot be asked for it
    before = bool(tiny * 0.5 == 0)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


class _Progress(Callback):
    """A bar over epochs, on standard error, for fits that turn out to be long."""

    def __init__(self, verbose: int | bool | str) -> None:
        self.verbose = verbose

    def on_train_begin(self, net, **kwargs) -> None:
        self.bar_ = progress_bar(
            self.verbose,
            total=net.max_epochs,
            desc="training",
            unit="epoch",
            delay=_PROGRESS_AFTER if self.verbose == "auto" else 0,
        )

    def on_epoch_end(self, net, **kwargs) -> None:
        last = net.history[-1]
        losses = {k: f"{last[k]:.4f}" for k in ("train_loss", "valid_loss") if k in last}
        self.bar_.set_postfix(losses, refresh=False)
        self.bar_.update()

    def on_train_end(self, net, **kwargs) -> None:
        self.bar_.close()
        del self.bar_  # holds an open stream, which cannot be pickled


class _StopOnNaN(Callback):
    """Raise an error when the loss diverges, so that no diverged network is returned."""

    def on_epoch_end(self, net, **kwargs) -> None:
        if not np.isfinite(net.history[-1, "train_loss"]):
            raise FloatingPointError(
                f"Training diverged: the loss is {net.history[-1, 'train_loss']} after epoch "
                f"{len(net.history)}. Lower the learning rate, which is {net.lr} (learning_rate, "
                "or finetune_learning_rate where a pretrained network is fine-tuned), and look for "
                "extreme values among fluxes, errors and metadata."
            )


def fit_net(
    module: nn.Module,
    train: Dataset,
    valid: Dataset | None,
    settings: TrainingSettings,
    *,
    criterion: nn.Module,
    callbacks: Sequence[Any] = (),
    checkpoint: TrainingCheckpoint | None = None,
    net_class: type[InterruptibleNet] = HalvingNet,
    **net_options: Any,
) -> NeuralNet:
    """Train `module` and return the fitted skorch net, on the CPU, without its training data.

    Parameters
    ----------
    module : torch.nn.Module
        The network, trained in place. The inputs of a batch are the arguments of its ``forward``.
    train, valid : Dataset
        The objects to train on, and those to stop early on. Without `valid`, all epochs are run.
    settings : TrainingSettings
        The settings of the training.
    criterion : torch.nn.Module
        The loss, called with outputs and targets.
    callbacks : sequence of skorch callbacks
        The user's callbacks, which run after the built-in ones.
    checkpoint : TrainingCheckpoint, optional
        The checkpoint to continue from, and to save to after every epoch.
    net_class : subclass of InterruptibleNet
        The class of the net, which may have another loss.
    **net_options
        Further arguments of its constructor.

    Raises
    ------
    FloatingPointError
        If the loss becomes NaN or infinite.
    MemoryError
        If the device has too little memory for one light curve, or for a validation batch. Training
        batches are halved instead, with a warning.
    CheckpointError
        If `checkpoint` is damaged or of another training.
    KeyboardInterrupt
        If training is interrupted. A callback that stops it at the end of an epoch, as skorch's
        ``EarlyStopping`` does, is not an interruption.
    """
    stopping = EarlyStopping(
        patience=settings.patience, load_best=True, sink=_no_output, threshold=1e-4
    )
    built_in: list[tuple[str, Callback]] = [
        ("stop_on_nan", _StopOnNaN()),
        ("gradient_clip", GradientNormClipping(settings.gradient_clip)),
        ("progress", _Progress(settings.verbose)),
    ]
    if valid is not None:
        built_in.append(("early_stopping", stopping))
    if settings.learning_rate_decay:
        built_in.append(
            (
                "learning_rate",
                warm_up_then_cosine(settings.max_epochs, int(settings.learning_rate_decay)),
            )
        )
    last = [] if checkpoint is None else [("checkpoint", checkpoint)]
    done = 0 if checkpoint is None else checkpoint.open()
    device = resident_device(settings.device)
    net = net_class(
        module,
        criterion=criterion,
        optimizer=torch.optim.AdamW,
        optimizer__weight_decay=settings.weight_decay,
        lr=settings.learning_rate,
        max_epochs=settings.max_epochs - done,
        batch_size=settings.batch_size,
        iterator_train=BucketedBatches,
        iterator_train__shuffle=True,
        iterator_train__seed=settings.seed,
        iterator_train__epoch=done,
        iterator_train__device=device,
        iterator_valid=BucketedBatches,
        iterator_valid__device=device,
        train_split=None if valid is None else predefined_split(valid),
        callbacks=[*built_in, *_named(callbacks), *last],
        device=settings.device,
        verbose=0,
        **net_options,
    )
    try:
        with (
            seeded(settings.seed),
            flushed_denormals(),
            recurrent_precision(settings.mixed_precision),
        ):
            net.fit(train, None)
    except torch.OutOfMemoryError as error:
        smaller = settings.batch_size // 2
        use = f"use batch_size={smaller}, or device='cpu'" if smaller else "use device='cpu'"
        raise MemoryError(
            f"{settings.device} ran out of memory with batch_size={settings.batch_size}: {use}."
        ) from error
    if net.interruption_ is not None:
        keep = "nothing is kept. To be able to continue, train an encoder with checkpoint=PATH"
        raise KeyboardInterrupt(
            f"Training was interrupted in epoch {len(net.history)} of {settings.max_epochs}: "
            + (keep if checkpoint is None else f"fit again to continue from {checkpoint.path}")
            + "."
        ) from net.interruption_
    return _tidy(net)


def resident_device(device: str) -> torch.device | None:
    """Return the device that holds the training data: a GPU if one trains, else None, the host."""
    return None if torch.device(device).type == "cpu" else torch.device(device)


class AnchoredNet(HalvingNet):
    """Fine-tuning that is pulled back to where it started, and never ends worse than there.

    Adds ``anchor / 2 * sum((theta - theta_0)**2)`` over the trained parameters to the loss
    (L2-SP; Li, Grandvalet & Davoine 2018).

    Parameters
    ----------
    anchor : float
        Strength of the pull.
    """

    def __init__(self, *args: Any, anchor: float = 0.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.anchor = anchor

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Cross-entropy plus, in training, the pull to the start."""
        loss = super().get_loss(y_pred, y_true, X=X, training=training)
        if training and self.anchor:
            moved = sum(((p - start) ** 2).sum() for p, start in self.anchors_)
            loss = loss + 0.5 * self.anchor * moved
        return loss

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        """Remember the start."""
        self.anchors_ = [
            (p, p.detach().clone()) for p in self.module_.parameters() if p.requires_grad
        ]
        super().on_train_begin(net, X=X, y=y, **kwargs)

    def on_train_end(self, net, X=None, y=None, **kwargs):
        """Let go of the start, which would double the size of a pickle."""
        super().on_train_end(net, X=X, y=y, **kwargs)
        del self.anchors_


class KeepStartIfBetter(Callback):
    """Restore the initial weights where no epoch lowered the validation loss."""

    def on_train_begin(self, net, X=None, y=None, **kwargs) -> None:
        """Remember the start and its loss."""
        _, valid = net.get_split_datasets(X, y)
        self.state_ = {k: v.clone() for k, v in net.module_.state_dict().items()}
        losses, sizes = [], []
        for batch in net.get_iterator(valid, training=False):
            losses.append(float(net.validation_step(batch)["loss"]))
            sizes.append(len(next(iter(batch[0].values()))))
        self.start_loss_ = float(np.average(losses, weights=sizes))

    def on_train_end(self, net, **kwargs) -> None:
        """Go back to the start, unless an epoch was better."""
        losses = [epoch["valid_loss"] for epoch in net.history if "valid_loss" in epoch]
        if min(losses, default=np.inf) >= self.start_loss_:
            net.module_.load_state_dict(self.state_)
        del self.state_


def wrap(module: nn.Module) -> NeuralNet:
    """Hold an already trained module as an initialised skorch net."""
    net = NeuralNet(module, criterion=nn.CrossEntropyLoss, device="cpu", verbose=0)
    return _tidy(net.initialize())


def _no_output(*args: Any, **kwargs: Any) -> None:
    """Suppress the sentence that skorch prints when it stops early."""


def _named(callbacks: Sequence[Any]) -> list[Any]:
    """Give unnamed user callbacks names that cannot collide with the built-in ones."""
    return [
        callback if isinstance(callback, tuple) else (f"user_{number}", callback)
        for number, callback in enumerate(callbacks)
    ]


def _tidy(net: NeuralNet) -> NeuralNet:
    """Bring everything to the CPU and let go of the data, so the net is cheap to pickle."""
    net.device = "cpu"
    net.module_.to("cpu").eval()
    net.criterion_.to("cpu")
    for state in net.optimizer_.state.values():
        for name, value in state.items():
            if torch.is_tensor(value):
                state[name] = value.cpu()
    net.train_split = None
    return net
