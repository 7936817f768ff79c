"""What is computed for each part of a catalogue: a table in, a table of predictions out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from sklc.distributed.models import ModelReference, load_model
from sklc.distributed.outputs import METHODS, TEXT, Outputs
from sklc.distributed.rows import Rows, id_column
from sklc.errors import LightCurveError
from sklc.light_curves import LightCurves
from sklc.light_curves.usable import check_on_error
from sklc.networks.device import one_thread
from sklc.utils.text import listed, shown

__all__ = ["Predictor"]

_REASON = "reason"
_NOTHING = LightCurves.from_arrays([], [], offsets=[0])
_NOWHERE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, init=False)
class Predictor:
    """A function that predicts for a table with one row per object, made to be sent to workers.

    It refers to its model by name or file and checksum; each worker process loads the model once,
    and uses one thread for it. Calling it with a table of pandas returns the predictions in the
    order of the rows.

    Parameters
    ----------
    method : {"transform", "predict", "predict_proba", "redshift", "anomaly_score"}
        What to compute; see the functions of `sklc.distributed`.
    model : str, path or estimator
        The name of pretrained weights; a file of weights (``.safetensors``), an exported model
        (``.onnx``) or an estimator that joblib wrote (``.joblib``, ``.pkl``), under a path that all
        workers can read; or a fitted estimator, which is sent to the workers. Unpickling runs code:
        load only files that you trust.
    columns : sequence of str or None, default=None
        Columns of the table that are kept, beside the column of ids. None keeps the ids alone.
    on_error : {"nan", "raise"}, default="nan"
        "nan" gives an object that cannot be used a row of missing values, and says why in the
        column ``reason``, which is missing for all others; "raise" stops at the first.
    batch_size : int, default=10_000
        The largest number of objects that are processed at a time.
    sha256 : str, optional
        The checksum that a file must have.
    **options
        How the light curves are read, as in `sklc.LightCurves.from_nested`: `column`, `time`,
        `flux`, `flux_err`, `band`, `zero_point`, `survey`, `passband`, `object_id`. Where they are
        magnitudes, or fluxes under the names of a survey, the options of `sklc.io.read_hats`.

    Raises
    ------
    WeightsError
        If the model does not exist, or has another checksum.
    TypeError
        If the model cannot compute this.
    ValueError
        If an argument has a value that is not known.

    Examples
    --------
    >>> from sklc.datasets import load_demo
    >>> from sklc.distributed import Predictor
    >>> predictor = Predictor("predict_proba", "ztf-v2", columns=["redshift"])
    >>> table = predictor(load_demo().curves.to_nested()[:3])
    >>> table.columns[:3].tolist(), table.index.tolist()
    (['redshift', 'AGN', 'SLSN-I'], ['SIM0000', 'SIM0001', 'SIM0002'])
    >>> table["reason"].isna().all()
    np.True_
    """

    method: str
    model: ModelReference
    columns: tuple[str, ...]
    on_error: str
    batch_size: int
    options: dict[str, Any] = field(hash=False)

    def __init__(
        self,
        method: str,
        model: Any,
        *,
        columns: Sequence[str] | None = None,
        on_error: str = "nan",
        batch_size: int = 10_000,
        sha256: str | None = None,
        **options: Any,
    ) -> None:
        if method not in METHODS:
            raise ValueError(f"method must be one of {list(METHODS)}, got {shown(method)}")
        if isinstance(columns, str):
            raise TypeError(f"columns must be a list of names, such as [{columns!r}]")
        if isinstance(batch_size, bool) or int(batch_size) != batch_size or batch_size < 1:
            raise ValueError(f"batch_size must be a positive integer, got {shown(batch_size)}")
        own = {
            "method": method,
            "model": ModelReference.of(model, sha256),
            "columns": tuple(columns or ()),
            "on_error": check_on_error(on_error),
            "batch_size": int(batch_size),
            "options": options,
        }
        for name, value in own.items():
            object.__setattr__(self, name, value)
        clash = {*self.columns} & {*self.outputs.names, *self._reason}
        if clash:
            raise ValueError(
                f"the column {shown(clash.pop())} is computed, and cannot be kept under the same "
                "name: rename the column of the table"
            )

    @property
    def __name__(self) -> str:
        return f"sklc.distributed.{self.method}"  # how dask and LSDB name the task

    @property
    def estimator(self) -> Any:
        """The model, as this process has loaded it."""
        return load_model(self.model, self.method)

    @property
    def outputs(self) -> Outputs:
        """The columns that are computed."""
        return Outputs.of(self.estimator, self.method)

    @property
    def _reason(self) -> list[str]:
        return [_REASON] * (self.on_error == "nan")

    def kept(self, columns: Sequence[str], also: Sequence[str] = ()) -> list[str]:
        """Return the columns of a table that are kept.

        Parameters
        ----------
        columns : sequence of str
            The columns of the table.
        also : sequence of str, optional
            Further columns to keep.

        Raises
        ------
        LightCurveError
            If the table lacks one of them.
        """
        own = id_column(columns, self.options.get("object_id"))
        ids = [own] if own is not None and own in columns else []
        kept = list(dict.fromkeys([*ids, *also, *self.columns]))
        missing = [name for name in kept if name not in columns]
        if missing:
            raise LightCurveError(
                f"the table has no column {shown(missing[0])} (argument columns=); its columns are "
                f"{listed(columns)}"
            )
        computed = {*self.outputs.names, *self._reason}
        if clash := [name for name in kept if name in computed]:
            raise LightCurveError(
                f"the table has a column {shown(clash[0])}, as the result: rename it first"
            )
        return kept

    def meta(self, table: pd.DataFrame, also: Sequence[str] = ()) -> pd.DataFrame:
        """Return the result for no rows: its columns and their types.

        Parameters
        ----------
        table : DataFrame
            A table of the same columns and types as those that are predicted for.
        also : sequence of str, optional
            Further columns to keep.

        Returns
        -------
        DataFrame of no rows

        Examples
        --------
        >>> from sklc.datasets import load_demo
        >>> from sklc.distributed import Predictor
        >>> table = load_demo().curves.to_nested()
        >>> Predictor("redshift", "any").meta(table).dtypes.astype(str).tolist()
        ['float64', 'float64', 'string']
        """
        return self(table.iloc[:0], also)

    def __call__(self, table: pd.DataFrame, also: Sequence[str] = ()) -> pd.DataFrame:
        """Return one row per row of the table, with the columns that are kept and the results.

        Parameters
        ----------
        table : DataFrame
            One row per object, with a nested column of observations, or columns of lists.
        also : sequence of str, optional
            Further columns to keep.

        Raises
        ------
        LightCurveError
            If the table cannot be read or, with ``on_error="raise"``, an object cannot be used.
        """
        kept = table[self.kept(list(table.columns), also)]
        starts = range(0, max(len(table), 1), self.batch_size)
        parts = [self._predict(table.iloc[k : k + self.batch_size]) for k in starts]
        predicted = pd.concat(parts) if len(parts) > 1 else parts[0]
        predicted.index = kept.index
        return pd.concat([kept, predicted], axis=1)

    def _predict(self, table: pd.DataFrame) -> pd.DataFrame:
        strict, estimator, outputs = self.on_error == "raise", self.estimator, self.outputs
        rows = Rows(_NOTHING, _NOWHERE, {})
        if len(table):
            rows = Rows.read(table, self.options, strict=strict)
        with one_thread():
            rows = rows if strict or not len(rows.curves) else rows.usable(estimator)
            predicted = outputs.frame(rows.curves, rows.positions, len(table))
        if not strict:
            reasons = np.full(len(table), None, dtype=object)
            for row, reason in rows.reasons.items():
                reasons[row] = reason
            predicted[_REASON] = pd.array(reasons, dtype=TEXT)
        return predicted

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        """Return what tells one predictor from another, for dask."""
        return (
            type(self).__name__, self.method, self.model.kind, self.model.digest, self.columns,
            self.on_error, self.batch_size, sorted(self.options.items()),
        )  # fmt: skip
