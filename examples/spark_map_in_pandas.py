"""Class probabilities of a table of light curves in Spark, with ``mapInPandas``.

    python examples/spark_map_in_pandas.py NIGHT OUTPUT

NIGHT is a Parquet file or folder with one row per object and columns of lists (or an array of
structures); OUTPUT is the folder of Parquet files to write. The model is loaded once per Python
worker, which runs it in one thread: give Spark one core per task, its default.
"""

import os
import sys
from collections.abc import Iterator

import pandas as pd
from pyspark.sql import DataFrame, SparkSession

from sklc.distributed import Predictor

KINDS = {"float32": "float", "float64": "double", "string": "string", "Int64": "bigint"}


def predict_table(frame: DataFrame, predictor: Predictor) -> DataFrame:
    """Return the predictions for a table of Spark."""
    result = predictor.meta(frame.limit(1).toPandas())
    kinds = {name: KINDS.get(str(dtype), "") for name, dtype in result.dtypes.items()}
    kept = {f.name: f.dataType.simpleString() for f in frame.schema if f.name in result.columns}
    kinds |= kept
    schema = ", ".join(f"`{name}` {kinds[name]}" for name in result.columns)

    def predict(tables: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for table in tables:
            yield predictor(table)

    return frame.mapInPandas(predict, schema)


def main(night: str, output: str) -> None:
    """Predict for all objects of a night."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "10000")
        .getOrCreate()
    )
    predictor = Predictor("predict_proba", "any")
    predict_table(spark.read.parquet(night), predictor).write.parquet(output)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
