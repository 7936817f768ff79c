"""Readers and writers of light-curve files, one module per format."""
