"""What quick trainings have in common: a small network, and light curves to train it on."""

import numpy as np
import pytest
import torch

from sklc import LightCurves
from sklc.context import CONTEXT_CHANNELS
from sklc.networks.architectures.choice import network_from_config
from sklc.weights.file import WeightsFile, load_weights

SMALL = {
    "hidden_size": 8,
    "latent_size": 6,
    "max_epochs": 4,
    "batch_size": 32,
    "learning_rate": 0.01,
    "device": "cpu",
    "random_state": 0,
    "verbose": 0,
}


@pytest.fixture(scope="module", autouse=True)
def few_folds():
    """Two folds and two strengths to choose a linear head from; import it where all may have it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sklc.estimators.class_heads._C_GRID", np.array([0.1, 1.0]))
        for heads in ("class_heads", "redshift_heads"):
            patch.setattr(f"sklc.estimators.{heads}._FOLDS", 2)
        yield


def same_weights(a, b):
    """Whether two fitted encoders have the same network."""
    a, b = (encoder.net_.module_.state_dict() for encoder in (a, b))
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def curves_of(lengths, seed=0):
    """Noise in one band, five times a day, of objects of these lengths."""
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    n = int(offsets[-1])
    time = 59000 + 0.2 * (np.arange(n) - np.repeat(offsets[:-1], lengths))
    flux = rng.normal(100, 30, n)
    return LightCurves.from_arrays(time, flux, np.full(n, 3.0), "ztfr", offsets=offsets)


def weights_with_context(path):
    """A weights file: those of "any" with an adapter for context, whose numbers are random."""
    source = load_weights("any-v1")
    config = {**source.architecture, "context": list(CONTEXT_CHANNELS), "context_sizes": [16]}
    network = network_from_config(config, source.representation.channels)
    own = {name: torch.from_numpy(tensor.copy()) for name, tensor in source.tensors.items()}
    network.load_state_dict(own, strict=False)
    generator = torch.Generator().manual_seed(0)
    for parameter in network.context.parameters():
        torch.nn.init.normal_(parameter, std=0.2, generator=generator)
    return WeightsFile.from_network(network, source.representation, source.classes).save(path)
