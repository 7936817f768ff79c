"""CPU time of reading a file of each format, beside the time of the format's own parser alone.

Run on an idle machine, some minutes::

    python benchmarks/speed_readers.py            # about 100,000 rows in each file
    python benchmarks/speed_readers.py --quick    # a twentieth of that

The files are made by the script, in the layouts of surveys and services. Reading is
``sklc.io.read``: the format is recognised, and the light curves are complete and checked. The
parser makes the table or the records that it is made for, and nothing of these is used: fastavro,
pandas, astropy, sncosmo, nested-pandas and json. Both are measured in turn, so that other work on
the machine counts for both alike; the ratio is that of the fastest of several repetitions.

Prints a table and writes ``benchmarks/results/speed_readers.json``.
"""

from __future__ import annotations

import json
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import _reader_surveys as surveys
import _reader_tables as tables
import fastavro
import pandas as pd
import pyarrow as pa
import sncosmo
from _common import build_parser, markdown_table, parse, write_results
from astropy.table import Table
from nested_pandas import read_parquet as read_nested

from sklc.datasets import load_demo
from sklc.io import read_report

SEED = 0
TARGET = 1.5

Parser = Callable[[Path], Any]


def all_packets(path: Path) -> list[Any]:
    """Decode packets with fastavro."""
    with path.open("rb") as file:
        return list(fastavro.reader(file))


def all_columns(path: Path) -> Table:
    """Read a table with astropy."""
    return Table.read(path)


def all_json(path: Path) -> Any:
    """Decode JSON, from the bytes of a file."""
    return json.loads(path.read_bytes())


def skipping(lines: int, **options: Any) -> Parser:
    """Return pandas' reader of tables with blanks between columns, below some lines."""
    return lambda path: pd.read_csv(path, sep=r"\s+", skiprows=lines, header=None, **options)


def all_snana(folder: Path) -> list[Any]:
    """Read the text files of a folder with sncosmo."""
    return [sncosmo.read_snana_ascii(str(path), default_tablename="OBS")
            for path in sorted(folder.iterdir())]  # fmt: skip


def pair_of_snana(path: Path) -> list[Any]:
    """Read a pair of files with sncosmo."""
    return sncosmo.read_snana_fits(str(path), str(path).replace("HEAD", "PHOT"))


def columns_of_pair(path: Path) -> list[Any]:
    """Read all columns of a pair of files with astropy, without a table for each object."""
    return [Table.read(str(path).replace("HEAD", kind)) for kind in ("HEAD", "PHOT")]


def both_files(folder: Path) -> list[Any]:
    """Read the files of a folder with pandas."""
    return [pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))]


#: The format that is recognised, the file, the name of the parser, and the parser.
FORMATS: dict[str, tuple[str, Callable[[tables.Maker], Path], str, Parser]] = {
    "table, CSV": ("long-table", tables.long_csv, "pandas", pd.read_csv),
    "table, blanks": ("long-table", tables.long_text, "pandas", skipping(1)),
    "table, Parquet": ("long-table", tables.long_parquet, "pandas", pd.read_parquet),
    "nested Parquet": ("hats", tables.nested_parquet, "nested-pandas", read_nested),
    "sklc's own Parquet": ("sklc-parquet", tables.sklc_folder, "pandas", both_files),
    "table, FITS": ("astropy-table", tables.fits_table, "astropy", all_columns),
    "table, VOTable": ("astropy-table", tables.votable, "astropy", all_columns),
    "Kepler": ("kepler", tables.kepler, "astropy", all_columns),
    "Gaia, CSV": ("gaia", tables.gaia, "pandas", pd.read_csv),
    "ASAS-SN": ("asassn", tables.asassn, "pandas", pd.read_csv),
    "AAVSO": ("aavso", tables.aavso, "pandas", pd.read_csv),
    "ZTF data release": ("ztf-dr", surveys.ztf_dr, "pandas", pd.read_csv),
    "ZTF forced photometry": ("ztf-forced", surveys.ztf_forced, "pandas", skipping(3)),
    "ATLAS forced photometry": ("atlas-forced", surveys.atlas, "pandas", skipping(1)),
    "PLAsTiCC": ("plasticc", surveys.plasticc, "pandas", pd.read_csv),
    "Rubin forced table": ("rubin-tables", surveys.rubin_table, "pandas", pd.read_parquet),
    "Fink": ("fink", surveys.fink, "pandas", pd.read_parquet),
    "sncosmo text": ("sncosmo", surveys.sncosmo_text, "sncosmo",
                     lambda path: sncosmo.read_lc(str(path))),
    "SNANA text": ("snana", surveys.snana_text, "sncosmo", all_snana),
    "SNANA FITS": ("snana", surveys.snana_fits, "sncosmo", pair_of_snana),
    "SNANA FITS, columns": ("snana", surveys.snana_fits, "astropy", columns_of_pair),
    "Open Supernova Catalog": ("open-catalog", surveys.open_catalog, "json", all_json),
    "OTTER": ("otter", surveys.otter, "json", all_json),
    "Lasair": ("lasair", surveys.lasair, "json", all_json),
    "ZTF alerts": ("ztf-alerts", surveys.ztf_alerts, "fastavro", all_packets),
    "Rubin alerts": ("rubin-alerts", surveys.rubin_alerts, "fastavro", all_packets),
}  # fmt: skip


def measure(name: str, n_rows: int, repeat: int) -> dict[str, Any]:
    """Return the figures of a format: milliseconds of the reader and of the parser, and the ratio.

    Parameters
    ----------
    name : str
        A key of `FORMATS`.
    n_rows : int
    repeat : int
    """
    expected, make, parser, run = FORMATS[name]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = make(tables.Maker(Path(folder), n_rows, SEED))
        report = read_report(path)
        if report.format.name != expected:
            raise RuntimeError(f"{name} was taken for {report.format.name}")
        times: dict[str, list[float]] = {"reader": [], "parser": []}
        for _ in range(repeat + 1):
            for key, call in (("parser", run), ("reader", read_report)):
                start = time.process_time()
                call(path)
                times[key].append((time.process_time() - start) * 1e3)
    best = {key: round(min(own[1:] or own), 2) for key, own in times.items()}
    rows = int(report.curves.lengths.sum())
    return {"parser": parser, "rows": rows, "reader_ms": best["reader"],
            "parser_ms": best["parser"],
            "ratio": round(best["reader"] / best["parser"], 2)}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> dict[str, dict[str, Any]]:
    """Measure, print, write, and return the figures."""
    parser = build_parser(__doc__, seeds=1)
    parser.add_argument("--repeat", type=int, default=7, help="repetitions (7)")
    parser.add_argument("--only", nargs="*", help="some of the formats")
    options = parse(parser, arguments)
    if unknown := set(options.only or ()) - set(FORMATS):
        parser.error(f"there is no format {sorted(unknown)}: known are {list(FORMATS)}")
    pa.set_cpu_count(1)
    load_demo()  # what is imported late does not count
    n_rows, repeat = (5_000, 1) if options.quick else (100_000, options.repeat)
    figures = {}
    for name in options.only or FORMATS:
        own = figures[name] = measure(name, n_rows, repeat)
        print(f"{name:28s} {own['reader_ms']:9.1f} ms  {own['parser']:13s} "
              f"{own['parser_ms']:9.1f} ms  ratio {own['ratio']:.2f}", flush=True)  # fmt: skip
    targets = [
        [name, f"<= {TARGET}", f"{own['ratio']:.2f}", "met" if own["ratio"] <= TARGET else "missed"]
        for name, own in figures.items()
    ]
    rows = [
        [name, own["parser"], f"{own['reader_ms']:.0f}", f"{own['parser_ms']:.0f}",
         f"{own['ratio']:.2f}"]
        for name, own in figures.items()
    ]  # fmt: skip
    content = {
        "what": "CPU time of sklc.io.read and of the parser of the format, one thread",
        "n_rows": n_rows,
        "repeat": repeat,
        "figures": figures,
        "targets": targets,
        "markdown": ""
        if options.quick
        else markdown_table(["", "parser", "sklc, ms", "parser, ms", "ratio"], rows),
    }
    if not options.only:
        print(f"wrote {write_results(options, 'speed_readers', content).name}")
    return figures


if __name__ == "__main__":
    main()
