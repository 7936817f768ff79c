"""Weights files: the catalogue of those in the package, and how one is read and written."""

from sklc.weights.catalogue import list_weights

__all__ = ["list_weights"]
