"""``sklc simulate``: simulated light curves in a folder of Parquet files."""

from __future__ import annotations

import shutil
import sys
from argparse import Namespace

import pyarrow.parquet as pq

from sklc.cli.arguments import UsageError
from sklc.cli.console import Console
from sklc.light_curves.readers.parquet_folder import PART
from sklc.simulate import list_classes, list_surveys, simulate_to_parquet

__all__ = ["simulate"]


def simulate(options: Namespace, console: Console) -> int:
    """Simulate light curves, or list what can be simulated.

    Parameters
    ----------
    options : Namespace
        The arguments of the command.
    console : Console
        Standard error.

    Returns
    -------
    int
        The exit status.
    """
    if options.list:
        print(f"surveys  {' '.join(list_surveys())}\nclasses  {' '.join(list_classes())}")
        return 0
    missing = [name for name in ("survey", "output") if getattr(options, name) is None]
    if missing:
        raise UsageError(
            f"--{missing[0]} is needed, as in: sklc simulate --survey ztf -o simulated"
        )
    folder = options.output
    if folder.suffix.lower() in (".csv", ".parquet", ".fits", ".txt"):
        raise UsageError(f"{folder} looks like a file, and simulations are folders: name a folder")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file: name a folder that is new or holds a simulation")
    is_new, numbers = not folder.exists(), _numbers(options)
    try:
        simulate_to_parquet(
            folder,
            numbers,
            options.survey,
            options.classes,
            redshift=options.redshift,
            z_max=options.z_max,
            random_state=options.seed,
            n_jobs=options.n_jobs,
            progress=not options.quiet and sys.stderr.isatty(),
        )
    finally:
        # A folder without a complete part has nothing to go on with, and only bars other settings.
        if is_new and folder.is_dir() and not list(folder.glob(f"{PART}*")):
            shutil.rmtree(folder)
    count = sum(pq.read_metadata(file).num_rows for file in folder.rglob("objects.parquet"))
    console.say(f"simulated {count:,} light curves of {options.survey} in {folder}")
    return 0


def _numbers(options: Namespace) -> int | dict[str, int]:
    """Return the number of light curves of every class, or of each."""
    numbers: dict[str, int] = {}
    for text in options.n:
        name, _, number = text.rpartition("=")
        if not number.isdecimal():
            raise UsageError(f"-n {text!r} is neither a number nor CLASS=NUMBER, such as SNIa=500")
        if name in numbers:
            raise UsageError(f"-n {text!r} gives a number for a second time: give one")
        numbers[name] = int(number)
    if numbers and not any(numbers.values()):
        raise UsageError("no light curves are asked for: give a number above 0 with -n")
    if "" in numbers:
        if len(numbers) > 1:
            raise UsageError("give -n N for every class, or -n CLASS=N for each, but not both")
        return numbers[""]
    return numbers or 100
