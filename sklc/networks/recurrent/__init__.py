"""Recurrent layers without padding, on a CPU."""
