"""The table of a result: CSV on standard output, or a file that appears when it is complete."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sklc.cli.arguments import UsageError

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Failure", "OutputFile", "TableWriter", "write_failures"]

_TABLES = (".csv", ".parquet")


class OutputFile:
    """A file that is written beside its place, and appears when it is complete.

    Parameters
    ----------
    path : Path
        The file.
    endings : sequence of str
        The endings that it may have.
    overwrite : bool
        Whether an existing file is replaced.
    inputs : sequence of str, optional
        Files that are read, and that it must not replace.
    """

    def __init__(
        self, path: Path, endings: Sequence[str], *, overwrite: bool, inputs: Sequence[str] = ()
    ) -> None:
        if path.suffix.lower() not in endings:
            raise UsageError(f"{path} ends in none of {', '.join(endings)}: choose such a name")
        if path.is_dir():
            raise UsageError(f"{path} is a folder: name a file in it")
        if not path.parent.is_dir():
            raise UsageError(f"the folder {path.parent} does not exist: create it first")
        if not os.access(path.parent, os.W_OK):
            raise UsageError(f"the folder {path.parent} cannot be written to: choose another")
        if any(os.path.abspath(path) == os.path.abspath(given) for given in inputs):
            raise UsageError(f"{path} is one of the files to read: choose another name")
        self.path = path
        self.ending = path.suffix.lower()
        self.overwrite = overwrite
        self._check_place()
        # A link stays a link: the file that it points to is replaced.
        self._target = Path(os.path.realpath(path))
        self.partial = self._target.with_name(f".{self._target.name}.{os.getpid()}.partial")

    def _check_place(self) -> None:
        if self.path.exists() and not self.overwrite:
            raise UsageError(f"{self.path} exists: choose another name, or add --overwrite")

    def open(self) -> IO[bytes]:
        """Open the file beside its place."""
        try:
            return self.partial.open("wb")
        except OSError as error:
            raise UsageError(
                f"{self.path} cannot be written ({error.strerror}): choose another place"
            ) from error

    def keep(self) -> None:
        """Move what was written to its place."""
        self._check_place()
        os.replace(self.partial, self._target)

    def discard(self) -> None:
        """Remove what was written."""
        self.partial.unlink(missing_ok=True)


class TableWriter:
    """Writes a table part by part.

    Parameters
    ----------
    path : Path or None
        The file, .csv or .parquet; None or "-" is CSV on standard output.
    overwrite : bool
        Whether an existing file is replaced.
    inputs : sequence of str
        Files that are read, and that it must not replace.
    """

    def __init__(self, path: Path | None, *, overwrite: bool, inputs: Sequence[str] = ()) -> None:
        self.output = None
        if path is not None and str(path) != "-":
            self.output = OutputFile(path, _TABLES, overwrite=overwrite, inputs=inputs)
        self._file: IO[bytes] | None = None
        self._parquet: pq.ParquetWriter | None = None
        self._begun = False

    def __enter__(self) -> Self:
        if self.output is not None:
            self._file = self.output.open()
        return self

    def write(self, frame: pd.DataFrame) -> None:
        """Write some rows; the columns are those of the first call.

        Raises
        ------
        UsageError
            If ids of another type cannot be written into the same column.
        """
        if self._file is None:
            if sys.stdout is None:
                raise UsageError("standard output is closed: write to a file with -o")
            _write_csv(frame, sys.stdout, header=not self._begun)
        elif self.output is not None and self.output.ending == ".parquet":
            self._write_parquet(frame)
        else:
            _write_csv(frame, self._file, header=not self._begun)
        self._begun = True

    def _write_parquet(self, frame: pd.DataFrame) -> None:
        table = pa.Table.from_pandas(frame, preserve_index=False)
        if self._parquet is None:
            self._parquet = pq.ParquetWriter(self._file, table.schema)
        before, now = self._parquet.schema.field(0).type, table.schema.field(0).type
        if before != now:
            raise UsageError(
                f"the ids of the files are of different types ({before} and {now}), and a column "
                "of Parquet has one: write CSV, or use one command per file"
            )
        self._parquet.write_table(table.cast(self._parquet.schema))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.output is None or self._file is None:
            return
        try:
            if self._parquet is not None:
                with suppress(Exception) if error is not None else nullcontext():
                    self._parquet.close()
            self._file.flush()
            if error is None:
                os.fsync(self._file.fileno())
            self._file.close()
            if error is None and self._begun:
                self.output.keep()
        finally:
            self.output.discard()


class Failure(NamedTuple):
    """An object, or (without an id) a file, that could not be used: a row of the table of these."""

    file: str
    object_id: Any
    reason: str
    remedy: str


def write_failures(failures: Sequence[Failure], output: OutputFile) -> None:
    """Write the table of what could not be used.

    Parameters
    ----------
    failures : sequence of Failure
        One for each row.
    output : OutputFile
        The CSV file.
    """
    try:
        with output.open() as file:
            _write_csv(
                pd.DataFrame(failures, columns=list(Failure._fields), dtype=object),
                file,
                header=True,
            )
        output.keep()
    finally:
        output.discard()


def _write_csv(frame: pd.DataFrame, file: Any, *, header: bool) -> None:
    frame.to_csv(file, index=False, header=header, lineterminator="\n")
