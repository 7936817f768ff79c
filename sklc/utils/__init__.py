"""Helpers that know nothing of light curves."""
