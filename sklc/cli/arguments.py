"""The arguments of all commands: defined without importing anything that takes time."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from sklc._version import __version__

__all__ = ["Parser", "UsageError", "build_parser", "with_explicit_merge"]

_STATUS = """\
exit status:
  0    everything was done
  1    some objects, or some of several files, could not be used: the last lines on standard error
       name them, and --failures lists them all
  2    nothing was done: wrong usage, a file that cannot be read, a missing package, no space, ...
  130  interrupted (Ctrl-C); 141: the reader of standard output went away; 143: terminated
"""
_INPUT = """\
A FILE is a file of any format that "sklc formats" lists, compressed or not; an archive or a folder
of such files; or - for standard input. The format is recognised.
"""
_LISTED = """\
Objects that cannot be used are listed, and do not change the exit status.
"""
_OUTPUT = """\
There is one row per object, in the order of the files. Objects that cannot be used have empty
(missing) values. Ids are written exactly as they were read.
"""


class UsageError(ValueError):
    """The command line asks for something that is not possible."""


class Parser(argparse.ArgumentParser):
    """A parser that raises an error instead of printing a page."""

    def error(self, message: str) -> NoReturn:
        """Raise a `UsageError`."""
        raise UsageError(f"{message} (see {self.prog} --help)")


def build_parser() -> Parser:
    """Return the parser of the command ``sklc``."""
    common = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--debug", action="store_true", help="show where an error comes from")
    common.add_argument(
        "-q", "--quiet", action="store_true", help="write nothing but errors to standard error"
    )
    parser = Parser(
        prog="sklc",
        parents=[common],
        description="Classes, latent vectors, redshifts and anomalies of light curves in files.",
        epilog=f'See "sklc COMMAND --help" for each command.\n\n{_STATUS}',
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"sklc {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, summary: str, details: str = "", *, own_help: bool = True) -> Parser:
        return commands.add_parser(
            name,
            parents=[common],
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.\n\n{details}".rstrip(),
            epilog=_STATUS,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            add_help=own_help,
        )

    _classify(command("classify", "print the class of each object", _INPUT + _OUTPUT))
    _encode(command("encode", "print the latent vector of each object", _INPUT + _OUTPUT))
    _redshift(command("redshift", "print the redshift of each object", _INPUT + _OUTPUT))
    _anomalies(command("anomalies", "print how unusual each object is", _INPUT + _OUTPUT))
    _plot(command("plot", "draw light curves and, over time, their classes", _INPUT))
    _info(
        command("info", "tell what was read: format, objects, bands, zero point", _INPUT + _LISTED)
    )
    _simulate(command("simulate", "simulate light curves into a folder of Parquet files"))
    command("pretrain", "train weights on simulated light curves", own_help=False)
    _weights(command("weights", "list the pretrained weights, or show one of them"))
    _formats(command("formats", "list the formats that can be read, or explain one of them"))
    return parser


def with_explicit_merge(arguments: Sequence[str]) -> list[str]:
    """Write every value of ``--merge`` as ``--merge=VALUE``, so that it takes no file for one.

    Parameters
    ----------
    arguments : sequence of str
        The arguments of the process: ``--merge`` may be followed by several values, or by none.
    """
    explicit: list[str] = []
    merging = False  # after --merge or one of its values
    for argument in arguments:
        if merging and "=" in argument and argument[0] != "-" and not Path(argument).exists():
            if explicit[-1] == "--merge=":
                explicit.pop()
            explicit.append(f"--merge={argument}")
            continue
        merging = argument == "--merge"
        explicit.append("--merge=" if merging else argument)
    return explicit


def _reading(parser: Parser, files: str = "+") -> None:
    parser.add_argument("files", nargs=files, metavar="FILE", help="what to read")
    group = parser.add_argument_group("reading")
    group.add_argument(
        "--format", help='name of the format (see "sklc formats"), if not recognised'
    )
    group.add_argument(
        "--quality",
        choices=["good", "all"],
        help="observations to read: those of good quality, as the format documents it, or all",
    )
    group.add_argument("--survey", help="survey that short names of bands belong to, such as ztf")
    group.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help='an option of the format (see "sklc formats NAME"); may be repeated',
    )
    group.add_argument(
        "--whole",
        action="store_true",
        help="read each file as a whole, however large it is; without this, the objects of files "
        "of more than 256 MB are read one part after the other, as far as their format allows",
    )
    group.add_argument(
        "--join",
        action="store_true",
        help="read all files as one, so that the observations of an object that is in several "
        "files (such as alerts) are joined",
    )
    group.add_argument(
        "--ids-from-files",
        action="store_true",
        help="name the object of a file after the file; where there are several, FILE:ID",
    )


def _objects(parser: Parser, *, weights: str) -> None:
    group = parser.add_argument_group("network")
    group.add_argument(
        "--weights",
        default=weights,
        help='pretrained weights: a name (see "sklc weights") or a file (default: %(default)s)',
    )
    group.add_argument("--device", default="auto", help="auto, cpu, cuda, ... (default: auto)")
    _unusable(parser)
    parser.add_argument_group("reading").add_argument(
        "--batch-size",
        type=_positive,
        default=10_000,
        metavar="N",
        help="largest number of objects in memory (default: %(default)s)",
    )


def _unusable(parser: Parser) -> None:
    group = parser.add_argument_group("objects that cannot be used")
    group.add_argument(
        "--min-points",
        type=_positive,
        default=1,
        metavar="N",
        help="fewest observations that an object must have (default: %(default)s)",
    )
    group.add_argument(
        "--on-error",
        choices=["nan", "raise"],
        default="nan",
        help="give objects that cannot be used missing values and go on, or stop at the first "
        "(default: nan)",
    )
    group.add_argument(
        "--failures",
        type=Path,
        metavar="FILE.csv",
        help="write a table of the objects that could not be used: file, object_id, reason, remedy",
    )


def _output(parser: Parser, text: str, *, required: bool = False) -> None:
    group = parser.add_argument_group("output")
    group.add_argument("-o", "--output", type=Path, metavar="FILE", required=required, help=text)
    group.add_argument("--overwrite", action="store_true", help="replace files that exist")


def _table(parser: Parser) -> None:
    _output(
        parser,
        "the table to write, .csv or .parquet; it appears when it is complete (default: CSV on "
        "standard output)",
    )


def _merging(parser: Parser) -> None:
    group = parser.add_argument_group("classes")
    group.add_argument(
        "--merge",
        action="append",
        nargs="?",
        const="",
        metavar="NAME=CLASS,...",
        help="join classes of the weights: --merge Ia=SNIa,SNIax II=SNII,SNIIn. Classes that are "
        "not named are left out. Alone, --merge joins the subtypes of SNIa, SNII and SNIb/c, and "
        "keeps the other classes",
    )
    group.add_argument(
        "--prior",
        choices=["magnitude-limited", "equal"],
        help="multiply probabilities by the frequencies of the classes in such a survey; with "
        "equal, all classes are equally likely beforehand; without it, as the weights say",
    )


def _classify(parser: Parser) -> None:
    _reading(parser)
    _merging(parser)
    _objects(parser, weights="any")
    _table(parser)


def _encode(parser: Parser) -> None:
    _reading(parser)
    _objects(parser, weights="any")
    _table(parser)


def _redshift(parser: Parser) -> None:
    _reading(parser)
    _objects(parser, weights="any")
    parser.add_argument_group("network").add_argument(
        "--coverage",
        type=_share,
        metavar="P",
        help="also print an interval that contains the redshift with this probability, such as 0.9",
    )
    _table(parser)


def _anomalies(parser: Parser) -> None:
    _reading(parser)
    group = parser.add_argument_group("what is normal")
    group.add_argument(
        "--normal",
        action="append",
        default=[],
        metavar="FILE",
        help="a file of normal objects to learn from; may be repeated (default: the objects "
        "themselves, among which unusual ones should be few)",
    )
    group.add_argument(
        "--contamination",
        type=_share,
        metavar="P",
        help="share of the normal objects that counts as outliers, at most 0.5 (default: those "
        "with a score above 0.5)",
    )
    group.add_argument("--seed", type=int, default=0, help="seed of the forest (default: 0)")
    _objects(parser, weights="any")
    _table(parser)


def _plot(parser: Parser) -> None:
    _reading(parser)
    _output(
        parser,
        "a figure (.png, .pdf or .svg) with a row for each object, or a folder for one PNG per "
        "object (default: the name of the first file, with .png, in the current folder)",
    )
    group = parser.add_argument_group("figure")
    group.add_argument(
        "--object", action="append", default=[], metavar="ID", help="an object to draw; repeatable"
    )
    group.add_argument(
        "--max", type=_positive, default=6, metavar="N", help="most objects to draw (default: 6)"
    )
    group.add_argument(
        "--no-classes", action="store_true", help="draw no classes, for which no network is needed"
    )
    _merging(parser)
    _objects(parser, weights="any")


def _info(parser: Parser) -> None:
    _reading(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def _simulate(parser: Parser) -> None:
    parser.add_argument("--list", action="store_true", help="list surveys and classes, and stop")
    parser.add_argument("--survey", help="survey that observes, such as ztf or lsst")
    parser.add_argument(
        "-n",
        action="append",
        default=[],
        metavar="N",
        help="number of light curves of every class (default: 100), or CLASS=N; may be repeated",
    )
    parser.add_argument(
        "--classes",
        nargs="+",
        metavar="CLASS",
        help="classes to simulate (default: the eight common ones)",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed (default: 0)")
    parser.add_argument("--redshift", choices=["volumetric", "flat"], default="volumetric")
    parser.add_argument("--z-max", type=float, help="largest redshift")
    parser.add_argument("--n-jobs", type=int, default=1, help="number of processes (default: 1)")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FOLDER",
        help="folder to write; if it holds an unfinished part of the same simulation, that goes on",
    )


def _weights(parser: Parser) -> None:
    parser.add_argument("action", nargs="?", choices=["list", "show"], default="list")
    parser.add_argument("name", nargs="?", help="the weights to show: a name or a file")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def _formats(parser: Parser) -> None:
    parser.add_argument("name", nargs="?", help="the format to explain, with its options")


def _positive(text: str) -> int:
    if not re.fullmatch(r"\d+", text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive integer")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number between 0 and 1")
    return share
