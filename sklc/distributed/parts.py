"""Parquet files: predictions file by file, in processes, kept if the run is interrupted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from joblib import Parallel, delayed

from sklc.distributed.predictor import Predictor
from sklc.distributed.stamp import NAME, Stamp
from sklc.distributed.tables import parts_of, tables_of
from sklc.errors import LightCurveError
from sklc.utils.progress import progress_bar

__all__ = ["Written", "predict_parts"]

_FILE = f"_{NAME}.json"  # readers of Parquet skip names that begin like this
_STAMP, _SOURCE = NAME.encode(), b"sklc_source"


@dataclass(frozen=True)
class Written:
    """What is in the folder of a result.

    Parameters
    ----------
    path : Path
        The folder, which ``pandas.read_parquet`` and every other reader of Parquet reads.
    n_parts : int
        The number of files.
    n_resumed : int
        How many of them an earlier call had written.
    n_objects : int
        The number of rows.
    n_unusable : int
        How many of them have a ``reason`` instead of a result.

    Examples
    --------
    See `sklc.distributed.predict_proba`:

    >>> from pathlib import Path
    >>> from sklc.distributed import Written
    >>> Written(Path("night"), n_parts=3, n_resumed=1, n_objects=250, n_unusable=2).n_objects
    250
    """

    path: Path
    n_parts: int
    n_resumed: int
    n_objects: int
    n_unusable: int


def predict_parts(
    source: str | os.PathLike[str],
    predictor: Predictor,
    output: str | os.PathLike[str] | None,
    resume: bool,
    n_jobs: int | None,
    verbose: int | bool | str,
) -> Written:
    """Predict for Parquet files, and write one file for each.

    Raises
    ------
    LightCurveError
        If a file cannot be read.
    WeightsError
        If the folder holds results of another model or of other settings.
    FileExistsError
        If the folder is not empty, and is not to be resumed.
    """
    parts = parts_of(Path(source))
    if output is None:
        raise TypeError(
            "the results of Parquet files are written to a folder: pass output= its path"
        )
    folder = Path(output)
    if folder.resolve() == Path(source).resolve():
        raise ValueError(f"output={str(folder)!r} is the folder that is read: name another one")
    stamp = Stamp.of(predictor)
    _claim(folder, stamp, resume)
    tasks = [_Task(part, folder / name, predictor, stamp) for name, part in parts.items()]
    n_objects = n_unusable = n_resumed = 0
    with progress_bar(verbose, total=len(tasks), unit=" files", desc=predictor.method) as bar:
        run = Parallel(n_jobs=n_jobs, return_as="generator_unordered", pre_dispatch="2*n_jobs")
        for rows, unusable, resumed in run(delayed(task)() for task in tasks):
            n_objects, n_unusable = n_objects + rows, n_unusable + unusable
            n_resumed += resumed
            bar.set_postfix(objects=n_objects, unusable=n_unusable, refresh=False)
            bar.update()
    return Written(folder, len(tasks), n_resumed, n_objects, n_unusable)


def _claim(folder: Path, stamp: Stamp, resume: bool) -> None:
    """Write the stamp into a new folder, or compare it with the one that is there."""
    mark = folder / _FILE
    if folder.exists() and any(folder.iterdir()):
        if not resume:
            raise FileExistsError(
                f"{folder} is not empty: pass resume=True to go on with what is there, or write to "
                "another folder"
            )
        stamp.require(mark.read_text(encoding="utf-8") if mark.is_file() else None, folder)
        return
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{_FILE}.{os.getpid()}.partial"
    partial.write_text(stamp.text, encoding="utf-8")
    try:
        os.link(partial, mark)  # which another process may have written meanwhile
    except FileExistsError:
        stamp.require(mark.read_text(encoding="utf-8"), folder)
    finally:
        partial.unlink()


@dataclass(frozen=True)
class _Task:
    """One file to read, and one to write."""

    part: Path
    target: Path
    predictor: Predictor
    stamp: Stamp

    def __call__(self) -> tuple[int, int, bool]:
        """Write the file unless it is there; return its rows, those unusable, and if it was."""
        source = _state_of(self.part)
        if self.target.exists():
            about = pq.read_metadata(self.target)
            told = about.metadata or {}
            if told.get(_SOURCE) == source:
                self.stamp.require(told.get(_STAMP, b"").decode(), self.target)
                return about.num_rows, _n_unusable(self.target, about.schema.names), True
        self.target.parent.mkdir(parents=True, exist_ok=True)
        partial = self.target.with_name(f".{self.target.name}.{os.getpid()}.partial")
        try:
            rows, unusable = self._write(partial, source)
            os.replace(partial, self.target)
        finally:
            partial.unlink(missing_ok=True)
        return rows, unusable, False

    def _write(self, path: Path, source: bytes) -> tuple[int, int]:
        rows = unusable = 0
        with path.open("wb") as file, ExitStack() as stack:
            writer: pq.ParquetWriter | None = None
            for result in self._results():
                table = pa.Table.from_pandas(result)
                if writer is None:
                    own = {**(table.schema.metadata or {}), _STAMP: self.stamp.text.encode()}
                    schema = table.schema.with_metadata({**own, _SOURCE: source})
                    writer = pq.ParquetWriter(file, schema, compression="zstd")
                    stack.enter_context(writer)
                writer.write_table(table.cast(writer.schema))
                rows += len(result)
                if "reason" in result:
                    unusable += int(result["reason"].notna().sum())
            stack.close()
            file.flush()
            os.fsync(file.fileno())
        return rows, unusable

    def _results(self) -> Iterator[pd.DataFrame]:
        predictor = self.predictor
        try:
            for table in tables_of(self.part, predictor.options, predictor.batch_size):
                yield predictor(table)
        except LightCurveError as error:
            if str(self.part) in str(error):
                raise
            raise type(error)(f"{self.part}: {error}") from error


def _state_of(part: Path) -> bytes:
    """Return size and time of the files of a part, which tell whether they were changed."""
    files = sorted(part.glob("*.parquet")) if part.is_dir() else [part]
    states = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return repr(states).encode()


def _n_unusable(path: Path, names: Any) -> int:
    if "reason" not in names:
        return 0
    column = pq.read_table(path, columns=["reason"]).column("reason")
    return len(column) - column.null_count
