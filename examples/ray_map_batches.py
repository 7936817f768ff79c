"""Class probabilities of a table of light curves in Ray, with ``map_batches``.

    python examples/ray_map_batches.py NIGHT OUTPUT

NIGHT is a Parquet file or folder with one row per object and columns of lists; OUTPUT is the folder
of Parquet files to write. Two actors load the model once each, and run it in one thread.
"""

import sys

import pandas as pd
import ray

from sklc.distributed import Predictor


class Classify:
    """An actor that keeps the model."""

    def __init__(self) -> None:
        self.predictor = Predictor("predict_proba", "any")

    def __call__(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the predictions for a batch."""
        return self.predictor(table)


def main(night: str, output: str) -> None:
    """Predict for all objects of a night."""
    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False)
    data = ray.data.read_parquet(night)
    data.map_batches(Classify, batch_format="pandas", batch_size=2000, concurrency=2).write_parquet(
        output
    )
    ray.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
