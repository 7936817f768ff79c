"""The command line, ``sklc``: classes, latents, redshifts and anomalies of light curves in files.

Nothing is imported here that takes time: each command imports what it needs when it runs.
"""

from sklc.cli.program import main

__all__ = ["main"]
