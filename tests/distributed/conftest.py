"""Fixtures of all tests of this folder."""

from conftest_distributed import classifier, curves, expected, nested

__all__ = ["classifier", "curves", "expected", "nested"]
