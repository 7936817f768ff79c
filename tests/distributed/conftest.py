"""Fixtures of all tests of this folder."""

from conftest_distributed import classifier, client, curves, expected, nested

__all__ = ["classifier", "client", "curves", "expected", "nested"]
