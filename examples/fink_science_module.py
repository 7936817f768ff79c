"""A science module in the style of Fink: columns of an alert in, one column of results out.

    python examples/fink_science_module.py NIGHT OUTPUT

Fink's modules are functions of columns that Spark calls on batches of alerts. The columns ``cjd``,
``cfid``, ``cmagpsf`` and ``csigmapsf`` hold the history of each alert as lists. The result is the
probability of a type Ia supernova, missing where an alert cannot be used.
"""

import os
import sys
from functools import lru_cache

import numpy as np
import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql.functions import pandas_udf
from pyspark.sql.types import DoubleType

from sklc.distributed import Predictor


@lru_cache(maxsize=1)
def predictor() -> Predictor:
    """Return the predictor, which a worker makes once; its model is loaded at the first batch."""
    return Predictor(
        "predict_proba", "any", time="mjd", mag="cmagpsf", mag_err="csigmapsf", band="cfid",
        survey="ztf",
    )  # fmt: skip


def probability_of_ia(
    cjd: pd.Series, cfid: pd.Series, cmagpsf: pd.Series, csigmapsf: pd.Series
) -> pd.Series:
    """Return the probability of a type Ia supernova for each alert."""
    detected = [np.isfinite(np.asarray(m, dtype=float)) for m in cmagpsf]  # others are upper limits
    columns = {"mjd": cjd, "cfid": cfid, "cmagpsf": cmagpsf, "csigmapsf": csigmapsf}
    lists = {
        name: [np.asarray(cell)[kept] for cell, kept in zip(column, detected, strict=True)]
        for name, column in columns.items()
    }
    lists["mjd"] = [jd - 2400000.5 for jd in lists["mjd"]]
    table = pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in lists.items()})
    return predictor()(table.assign(object_id=np.arange(len(table))))["SNIa"]


sklc_snia = pandas_udf(probability_of_ia, DoubleType())


def main(night: str, output: str) -> None:
    """Add the column to the alerts of a night."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    spark = (
        SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    )
    alerts = spark.read.parquet(night)
    columns = [alerts[name] for name in ("cjd", "cfid", "cmagpsf", "csigmapsf")]
    alerts.withColumn("sklc_snia", sklc_snia(*columns)).write.parquet(output)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
