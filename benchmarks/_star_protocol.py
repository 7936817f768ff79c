"""Which real variable stars weights may learn from, and which stars they are judged on.

The rule depends on the identifier of a star alone, so that whoever has the data can repeat it: the
blake2b digest (8 bytes, big-endian) of the identifier in UTF-8, modulo 3, is 0 for the stars of
``"test"`` and 1 or 2 for those of ``"development"``. It knows nothing of classes, and neither does
who trains weights on the stars of ``"development"``: their labels are not for that.

Stars of ``"test"`` must not be seen by anything that is trained before the benchmark, neither with
nor without labels. Sets that are not in `SPLIT_SETS` are tests as a whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

SPLIT_SETS = ("crts_sss", "asas_acvs")
DEVELOPMENT, TEST = "development", "test"
N_PARTS = 3  # of which one is the test

# Stars that are listed twice in the Catalina catalogue, less than 6 arcseconds apart and with the
# same period, go where their first entry goes.
SAME_STAR = {
    "sss_3039117029417": "sss_3039116032673",
    "sss_3041085066676": "sss_3041084061686",
    "sss_3043037013073": "sss_3043036011654",
}


def part_of(object_id: str) -> str:
    """Return "development" or "test" for the identifier of a star."""
    name = SAME_STAR.get(object_id, object_id)
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return DEVELOPMENT if int.from_bytes(digest, "big") % N_PARTS else TEST


def is_test(object_ids: Iterable[object]) -> np.ndarray:
    """Return which of these stars are in the test part, as booleans."""
    return np.array([part_of(str(name)) == TEST for name in object_ids], dtype=bool)


def star_split(folder: Path | str) -> pd.Series:
    """Return the part of every star of a data set.

    Parameters
    ----------
    folder : Path or str
        Folder of the set, such as ``DIR/crts_sss`` or ``DIR/asas_acvs``, with an
        ``objects.parquet``.

    Returns
    -------
    Series of str
        "development" or "test", by object_id, in the order of the file. Every star of a set that
        is not in `SPLIT_SETS` is "test".
    """
    folder = Path(folder)
    table = pd.read_parquet(folder / "objects.parquet", columns=["object_id"])
    ids = table["object_id"].astype(str)
    parts = [part_of(name) if folder.name in SPLIT_SETS else TEST for name in ids]
    return pd.Series(parts, index=pd.Index(ids, name="object_id"), name="part")
