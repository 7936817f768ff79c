"""Copy the tables of benchmarks/results into the documentation, or check that they agree.

    python benchmarks/results_page.py [--check]

The pages are docs/results.md (accuracy), docs/performance.md (speed), docs/transfer.md (what is
kept from survey to survey), docs/pretraining.md, docs/benchmark_suite.md (all sets, tasks and
methods), docs/scale.md (large catalogues) and benchmarks/results/README.md (all tables). The text
between the lines
``<!-- figures: NAME -->`` and ``<!-- end -->`` of a page is replaced by the tables that the
benchmark NAME wrote into its results file, ``"markdown"`` of NAME.json. ``<!-- figures: NAME 1 3
-->`` copies only the first and the third table, each with its caption. Everything else on a page is
left alone. With --check nothing is written, and the exit status is 1 if a page does not show the
results.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path

from _common import RESULTS

_DOCS = Path(__file__).parents[1] / "docs"
PAGES = [
    *(
        _DOCS / f"{name}.md"
        for name in (
            "results",
            "performance",
            "transfer",
            "pretraining",
            "benchmark_suite",
            "simulation",
            "variable_stars",
            "scale",
        )
    ),
    RESULTS / "README.md",
]
START = re.compile(r"<!-- figures: (\w+)((?: \d+)*) -->")
END = "<!-- end -->"


def tables_of(text: str, results: Path) -> tuple[str, list[str]]:
    """Return the page with the tables of the results, and the names of those that changed.

    Parameters
    ----------
    text : str
        The page.
    results : Path
        Folder of the results.

    Raises
    ------
    ValueError
        If a marker has no end, or its benchmark or table does not exist.
    """
    parts, changed, position = [], [], 0
    while start := START.search(text, position):
        end = text.find(END, start.end())
        following = START.search(text, start.end())
        if end < 0 or (following and following.start() < end):
            raise ValueError(f"{start[0]!r} has no {END!r} after it: add that line")
        tables = _tables(start[1], results, [int(n) for n in start[2].split()])
        tables = re.sub(r" (±) | *(\|) *", r"\1\2", tables)  # tables of ten columns have long lines
        table = f"\n\n{tables}\n\n"
        if text[start.end() : end] != table:
            changed.append(start[1])
        parts += [text[position : start.end()], table, END]
        position = end + len(END)
    return "".join([*parts, text[position:]]), changed


def _tables(name: str, results: Path, chosen: Sequence[int]) -> str:
    path = results / f"{name}.json"
    if not path.is_file():
        raise ValueError(f"there is no {path}: run benchmarks/{name}.py, or correct the marker")
    text = json.loads(path.read_text(encoding="utf-8")).get("markdown")
    if not text:
        raise ValueError(f'{path.name} has no "markdown": run benchmarks/{name}.py again')
    if not chosen:
        return text.strip()
    # a table ends with its last row; what stands between two tables is the caption of the second
    tables = re.findall(r"(?:^(?!\|).*\n)*(?:^\|.*\n?)+", text.strip() + "\n", re.MULTILINE)
    if not set(chosen) <= set(range(1, len(tables) + 1)):
        raise ValueError(f"{path.name} has {len(tables)} tables, not {list(chosen)}")
    return "\n\n".join(tables[n - 1].strip() for n in chosen)


def main(arguments: Sequence[str] | None = None) -> int:
    """Update or check the pages, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with status 1 on differences"
    )
    parser.add_argument("--page", type=Path, help="one page only")
    parser.add_argument(
        "--results", type=Path, default=RESULTS, help="folder of the results (benchmarks/results)"
    )
    options = parser.parse_args(arguments)
    out_of_date = False
    for page in PAGES if options.page is None else [options.page]:
        text = page.read_text(encoding="utf-8")
        try:
            updated, changed = tables_of(text, options.results)
        except ValueError as error:
            parser.error(f"{page.name}: {error}")
        names = ", ".join(changed)
        if not changed:
            print(f"{page.name} is up to date")
        elif options.check:
            out_of_date = True
            print(f"{page.name} is out of date: {names}; run benchmarks/results_page.py")
        else:
            page.write_text(updated, encoding="utf-8")
            print(f"{page.name}: wrote {names}")
    return int(out_of_date)


if __name__ == "__main__":
    raise SystemExit(main())
