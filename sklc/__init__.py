"""Pretrained light-curve encoders as scikit-learn estimators.

What is imported is declared in ``__init__.pyi``; a module is loaded when a name of it is first
used, so that ``import sklc`` takes half a second and does not import torch.
"""

from sklc._lazy import attach_stub
from sklc._version import __version__ as __version__

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
