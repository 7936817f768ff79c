"""Fixtures that are benchmarks, imported as if they were run as scripts from their own folder."""

import pytest


def benchmark_module(name, *needs, reason=None):
    """A fixture of a benchmark by name, which skips without the packages that it needs."""

    @pytest.fixture(scope="module")
    def module(load_module):
        for package in needs:
            pytest.importorskip(package, reason=reason)
        return load_module(name)

    return module
