"""Latents of many light curves."""
