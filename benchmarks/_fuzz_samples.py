"""Small files in the true layout of every format, and ways to change a value inside of them."""

from __future__ import annotations

import io
import json
import re
import sys
import tarfile
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _fuzz_inputs import NOT_NUMBERS, STRANGE, chance, one_of

_TESTS = Path(__file__).resolve().parents[1] / "tests"
# Options without which a file of the format is not read; "@" stands for the sample's folder.
OPTIONS: dict[str, dict[str, Any]] = {
    "rubin-tables": {"visit": "@Visit.parquet"},
    "plasticc": {"metadata": "@training_set_metadata.csv"},
    "alerce-elasticc": {"metadata": "@metadata.parquet"},
    "hats": {"survey": "lsst"},
    "aavso": {"missing_error": 0.3},
    "long-table": {"zero_point": 27.5},
    "text": {"format": "text", "names": ["mjd", "mag", "mag_err"], "passband": "ztfr"},
}
_MAIN = {
    "rubin-tables": "ForcedSourceOnDiaObject.parquet",
    "plasticc": "training_set.csv",
    "alerce-elasticc": "lc.parquet",
    "snana": "LSST_SNIa_HEAD.FITS",
}
_VALUES = [*STRANGE, *NOT_NUMBERS, 0, -1, 2**60 + 1, None, True, "", "null", "-", "t", "x", "1e400",
           "9" * 30, "é", b"\xff"]  # fmt: skip


@cache
def sample(name: str) -> dict[str, bytes]:
    """The files of a format by their names, as the tests write them."""
    before = list(sys.path)
    sys.path[:0] = [str(_TESTS), str(_TESTS / "io")]  # they import each other
    try:
        from samples import WRITERS
    finally:
        sys.path[:] = before
    with tempfile.TemporaryDirectory() as folder:
        WRITERS[name](Path(folder))
        paths = [p for p in sorted(Path(folder).rglob("*")) if p.is_file()]
        files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in paths}
    if name == "ztf-alerts":  # the packets, in which values can be changed
        (archive,) = files.values()
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            files = {f"alerts/{m.name}": tar.extractfile(m).read() for m in tar}  # type: ignore[union-attr]
    return files


def lightkurve_object(rng: np.random.Generator) -> Any:
    """An object of lightkurve, in which some values are changed."""
    sample("kepler")  # the tests can be imported
    from test_io_missions import lightkurve_object as make

    curve = make(one_of(rng, ["electron / s", "electron / s", "", "mJy", "mag"]))
    for _ in range(int(rng.integers(0, 3))):
        where = one_of(rng, [curve["flux"].value, curve["flux_err"].value])
        where[int(rng.integers(len(curve)))] = one_of(rng, [*STRANGE, *NOT_NUMBERS])
        curve["quality"][int(rng.integers(len(curve)))] = one_of(rng, [0, 1, 2**30, -1])
    if chance(rng, 0.5):
        curve.meta[one_of(rng, list(curve.meta))] = one_of(rng, _VALUES)
    if chance(rng, 0.1):
        curve.remove_column(one_of(rng, ["flux_err", "quality"]))
    return [curve] * int(rng.integers(1, 3)) if chance(rng, 0.5) else curve


def write(name: str, files: dict[str, bytes], folder: Path) -> tuple[str, dict[str, Any]]:
    """Write the files of a format; return what to read, and with which options."""
    for file, content in files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    options = {
        key: str(folder / value[1:]) if str(value).startswith("@") else value
        for key, value in OPTIONS.get(name, {}).items()
    }
    first = _MAIN.get(name) or next(iter(files)).partition("/")[0]
    return str(folder / first), options


def varied(content: bytes, rng: np.random.Generator) -> bytes:
    """Change some values in a file, which stays one of its format if this is possible."""
    vary: Callable[[bytes, np.random.Generator], bytes] = _vary_text
    if content.startswith(b"PAR1"):
        vary = _vary_parquet
    elif content.startswith(b"Obj\x01"):
        vary = _vary_avro
    elif content.startswith(b"SIMPLE  ="):
        vary = _vary_fits
    elif content[:1] in (b"{", b"["):
        vary = _vary_json
    try:
        return vary(content, rng)
    except Exception:  # a value that the format itself cannot hold
        return content


def _vary_text(content: bytes, rng: np.random.Generator) -> bytes:
    text = content.decode()
    lines = text.splitlines(keepends=True)
    kind = int(rng.integers(8))
    if kind == 0:
        k = int(rng.integers(len(lines)))
        lines[k:k] = lines[-1:] * int(rng.integers(1, 3))
        return "".join(lines).encode()
    if kind == 1:  # another separator
        return text.replace(",", one_of(rng, ["\t", ";", " ", "|", ", "])).encode()
    found = list(re.finditer(r"(?<![\w.])-?\d+\.?\d*", text) if kind < 6 else
                 re.finditer(r"[A-Za-z_]\w*", text))  # fmt: skip
    if not found:
        return content
    token, value = one_of(rng, found), one_of(rng, _VALUES)
    new = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return (text[: token.start()] + new + text[token.end() :]).encode()


def _vary_json(content: bytes, rng: np.random.Generator) -> bytes:
    document = json.loads(content)
    places = list(_places(document))
    for _ in range(int(rng.integers(1, 3))):
        holder, key = one_of(rng, places)
        if chance(rng, 0.15) and isinstance(holder, dict):
            holder.pop(key, None)
        elif chance(rng, 0.1) and isinstance(holder, list):
            holder.append(holder[0])
        else:
            value = one_of(rng, [*_VALUES, [], {}, [1.0]])
            holder[key] = value.decode("latin-1") if isinstance(value, bytes) else value
    return json.dumps(document).encode()


def _places(thing: Any) -> Any:
    """Yield each dict or list in a document with each of its keys."""
    keys = list(thing) if isinstance(thing, dict) else range(len(thing))
    for key in keys:
        yield thing, key
        if isinstance(thing[key], dict | list) and thing[key]:
            yield from _places(thing[key])


def _vary_avro(content: bytes, rng: np.random.Generator) -> bytes:
    import fastavro

    reader = fastavro.reader(io.BytesIO(content))
    schema, records = reader.writer_schema, list(reader)
    for _ in range(int(rng.integers(1, 4))):
        holder, key = one_of(rng, list(_places(records)))
        if isinstance(holder, list) and chance(rng, 0.5):
            holder.append(holder[0])
        else:
            old, holder[key] = holder[key], one_of(rng, _VALUES)
            if not all(fastavro.validate(r, schema, raise_errors=False) for r in records):
                holder[key] = old
    buffer = io.BytesIO()
    fastavro.writer(buffer, schema, records)
    return buffer.getvalue()


def _vary_parquet(content: bytes, rng: np.random.Generator) -> bytes:
    table = varied_table(pd.read_parquet(io.BytesIO(content), dtype_backend="pyarrow"), rng)
    buffer = io.BytesIO()
    table.to_parquet(buffer)
    return buffer.getvalue()


def varied_table(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Change a value, a type, the rows or the columns of a table."""
    name, n = one_of(rng, list(table)), len(table)
    kind = int(rng.integers(7))
    if kind == 0:
        return table.drop(columns=name)
    if kind == 1:
        return table.sample(frac=1, random_state=int(rng.integers(1000)))
    if kind == 2:
        return table.iloc[np.sort(rng.integers(n, size=int(rng.integers(0, 2 * n + 1))))]
    if kind == 3:
        types = ["float32", "float64", "str", "object", "Float64", "string", "category", "int64"]
        return table.astype({name: one_of(rng, types)})
    if kind == 4:
        return table.rename(columns={name: one_of(rng, ["", "x", name.upper(), "mjd", "flux"])})
    values = table[name].astype(object)
    values.iloc[int(rng.integers(n))] = one_of(rng, [*_VALUES, [1.0]])
    known = values if chance(rng, 0.2) else values.astype(table[name].dtype)
    return table.assign(**{name: known})


def _vary_fits(content: bytes, rng: np.random.Generator) -> bytes:
    from astropy.io import fits

    with fits.open(io.BytesIO(content)) as hdus:
        table = hdus[-1]
        if chance(rng, 0.3):
            header = one_of(rng, [hdus[0].header, table.header])
            key = one_of(rng, [k for k in header if k not in ("SIMPLE", "XTENSION", "END")])
            header[key] = one_of(rng, ["", "x", -1, 0, 1e300, 99.0])
        for _ in range(int(rng.integers(0, 3))):
            column = table.data[one_of(rng, table.columns.names)]
            if len(column):
                column[int(rng.integers(len(column)))] = one_of(rng, _VALUES)
        buffer = io.BytesIO()
        hdus.writeto(buffer, output_verify="ignore")
        return buffer.getvalue()
