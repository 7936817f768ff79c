"""What an encoder is trained for, one objective per file."""

from sklc.networks.objectives.adversarial import Adversarial
from sklc.networks.objectives.classifier import Classifier
from sklc.networks.objectives.contrastive import Contrastive
from sklc.networks.objectives.interface import Objective, Outputs
from sklc.networks.objectives.masked import Masked
from sklc.networks.objectives.redshift import Redshift
from sklc.networks.objectives.registry import register_objective

__all__ = [
    "Adversarial",
    "Classifier",
    "Contrastive",
    "Masked",
    "Objective",
    "Outputs",
    "Redshift",
    "register_objective",
]
