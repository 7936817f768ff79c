"""Throw random and damaged input at the library, and look for what must not happen.

    python benchmarks/fuzz.py --n 100000              # all of it, about a quarter of an hour
    python benchmarks/fuzz.py --n 2000 --targets readers
    python benchmarks/fuzz.py --only readers 1234     # one input again, with its traceback

Input comes from seeds: number k of a target is always the same. What must not happen is an error
that the library did not raise on purpose, NaN or infinity out of finite input, a row that is lost
or moved, a crash, or an input that takes longer than half a minute. A run works in a process of its
own, which is started again after a crash. It writes results/fuzz.json as it goes along, and goes
on with that file where it was interrupted, if the seed is the same.
"""

from __future__ import annotations

import argparse
import json
import linecache
import multiprocessing
import platform
import sys
import time
import traceback
import warnings
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from _common import RESULTS, _versions
from _fuzz_targets import TARGETS, Fault

import sklc

_CHUNK = 200  # inputs between two reports
_PATIENCE = 30.0  # seconds without a report of the number in hand
_TO_START = 300.0  # seconds until a process must have started
_MOST_FAULTS = 200  # kinds of faults that are written down


@dataclass
class Found:
    """Counts of outcomes by target, and the first input of each kind of fault."""

    done: dict[str, int] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    faults: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, target: str, number: int, outcome: str, what: str, place: str) -> None:
        """Count one input."""
        self.done[target] = number + 1
        counts = self.counts.setdefault(target, {})
        counts[outcome] = counts.get(outcome, 0) + 1
        if outcome != "fault":
            return
        for known in self.faults:
            if (known["target"], known["place"]) == (target, place):
                known["inputs"] += 1
                return
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(
                {"target": target, "number": number, "what": what, "place": place, "inputs": 1}
            )


def try_input(target: str, seed: int, number: int) -> tuple[str, str, str]:
    """Try one input.

    Returns
    -------
    outcome : {"ok", "refused", "fault"}
    what : str
        The error.
    place : str
        Where it was raised.
    """
    rng = np.random.default_rng([seed, zlib.crc32(target.encode()), number])
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            TARGETS[target][0](rng)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place_of = _hidden(error) or frame
        place = f"{'/'.join(Path(place_of.filename).parts[-2:])}:{place_of.lineno} {place_of.name}"
        what = f"{type(error).__name__}: {str(error)[:300]}"
        return ("refused" if _on_purpose(error, frame) else "fault"), what, place
    return "ok", "", ""


def _on_purpose(error: BaseException, frame: traceback.FrameSummary) -> bool:
    """Whether an error is one of the documented types, and a line of sklc's raised it."""
    documented = (ValueError, TypeError, ImportError, FileNotFoundError)
    if isinstance(error, Fault) or not isinstance(error, documented):
        return False
    if _hidden(error) is not None:
        return False
    return _is_ours(frame) and _raises(frame)


def _hidden(error: BaseException) -> traceback.FrameSummary | None:
    """Where a reader failed, if its error only wraps what went wrong in the reader's own code."""
    cause = error.__cause__
    if cause is None or " cannot be read" not in str(error):
        return None
    frames = traceback.extract_tb(cause.__traceback__)
    return frames[-1] if frames and _is_ours(frames[-1]) and not _raises(frames[-1]) else None


def _is_ours(frame: traceback.FrameSummary) -> bool:
    file = Path(frame.filename).resolve()
    return any(Path(p.__file__ or "").resolve().parent in file.parents for p in (sklc, sklearn))


def _raises(frame: traceback.FrameSummary) -> bool:
    return linecache.getline(frame.filename, frame.lineno or 0).strip().startswith("raise")


def run(
    target: str,
    seed: int,
    start: int,
    stop: int,
    found: Found,
    *,
    work: Callable[..., None] | None = None,
    patience: float = _PATIENCE,
) -> None:
    """Try inputs in a process of its own, which is started again where it dies or hangs."""
    context = multiprocessing.get_context("spawn")
    while start < stop:
        mine, theirs = context.Pipe(duplex=False)
        in_hand = context.Value("q", start)
        worker = context.Process(
            target=work or _work, args=(target, seed, start, stop, in_hand, theirs), daemon=True
        )
        worker.start()
        theirs.close()
        seen, since, hung = start, time.monotonic() + _TO_START, False
        while True:
            try:
                if mine.poll(1.0):
                    since = time.monotonic()
                    for number, *outcome in mine.recv():
                        found.add(target, number, *outcome)
                        start = number + 1
            except EOFError:
                break
            if in_hand.value != seen:
                seen, since = in_hand.value, time.monotonic()
            elif time.monotonic() - since > patience:
                hung = True
                worker.kill()
                break
        worker.join()
        if start < stop:  # outcomes since the last report are lost: they are tried again
            number = int(in_hand.value)
            for again in range(start, number):
                found.add(target, again, *try_input(target, seed, again))
            what = "it hangs" if hung else f"it crashes with exit code {worker.exitcode}"
            found.add(target, number, "fault", what, f"input {number}")
            start = number + 1


def _work(target: str, seed: int, start: int, stop: int, in_hand: Any, pipe: Any) -> None:
    outcomes: list[tuple[Any, ...]] = []
    pipe.send(outcomes)  # it is ready
    for number in range(start, stop):
        in_hand.value = number
        outcomes.append((number, *try_input(target, seed, number)))
        if len(outcomes) == _CHUNK or number == stop - 1:
            pipe.send(outcomes)
            outcomes = []
    pipe.close()


def report(found: Found, options: argparse.Namespace) -> dict[str, Any]:
    """Write what was found so far; return it."""
    total: Counter[str] = Counter()
    for counts in found.counts.values():
        total.update(counts)
    result = {
        "name": "fuzz",
        "seed": options.seed,
        "n": sum(found.done.values()),
        "total": dict(total),
        **asdict(found),
        "versions": {"python": platform.python_version(), **_versions()},
    }
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "fuzz.json"
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return result


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Run the fuzzer; return the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=100_000, help="inputs in all (100000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--targets", nargs="+", choices=list(TARGETS), default=list(TARGETS))
    parser.add_argument("--minutes", type=float, default=30.0, help="stop after so long (30)")
    parser.add_argument("--output", type=Path, metavar="DIR", default=RESULTS)
    parser.add_argument("--only", nargs=2, metavar=("TARGET", "NUMBER"), help="try one input again")
    options = parser.parse_args(arguments)
    if options.only:
        target, number = options.only[0], int(options.only[1])
        rng = np.random.default_rng([options.seed, zlib.crc32(target.encode()), number])
        TARGETS[target][0](rng)
        return {}
    found, path = Found(), options.output / "fuzz.json"
    if path.is_file():
        before = json.loads(path.read_text(encoding="utf-8"))
        if before["seed"] == options.seed:
            found = Found(**{name: before[name] for name in asdict(found)})
    begun, before_seconds = time.monotonic(), found.seconds
    share = sum(TARGETS[target][1] for target in options.targets)
    for target in options.targets:
        n = round(options.n * TARGETS[target][1] / share)
        for start in range(found.done.get(target, 0), n, 25 * _CHUNK):
            if time.monotonic() - begun > 60 * options.minutes:
                break
            run(target, options.seed, start, min(start + 25 * _CHUNK, n), found)
            found.seconds = round(before_seconds + time.monotonic() - begun, 1)
            report(found, options)
            print(f"{target}: {found.done[target]:,} of {n:,}, {found.counts[target]}", flush=True)
    result = report(found, options)
    for fault in found.faults:
        print(f"{fault['target']} {fault['number']} ({fault['inputs']} inputs): {fault['what']} "
              f"[{fault['place']}]")  # fmt: skip
    print(f"{result['n']:,} inputs, {len(found.faults)} kinds of faults: {result['total']}")
    return result


if __name__ == "__main__":
    sys.exit(bool(main().get("faults")))
