"""Predictions part by part, and data sets read block by block."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sklc import LightCurveEncoder, LightCurves, concatenate, stream
from sklc.errors import LightCurveError


def some_curves(lengths, seed=0, prefix="s"):
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    n = int(offsets[-1])
    return LightCurves.from_arrays(
        np.sort(rng.uniform(59000, 59100, n)) if n else np.zeros(0), rng.normal(50, 20, n),
        rng.uniform(1, 5, n), rng.choice(["ztfg", "ztfr"], n), offsets=offsets,
        ids=[f"{prefix}{k}" for k in range(len(lengths))],
        metadata={"redshift": rng.uniform(0, 1, len(lengths))},
    )  # fmt: skip


@pytest.fixture
def curves():
    return some_curves(np.random.default_rng(1).integers(1, 30, 41))


def spans(part):
    """A cheap method of an estimator: one row an object."""
    return np.array([curve.flux.sum() for curve in part])


def test_blocks_span_row_groups_and_batches(tmp_path, curves, monkeypatch):
    monkeypatch.setattr("sklc.light_curves.readers.parquet_blocks._ROWS", 17)
    curves.to_parquet(tmp_path)
    table = pq.read_table(tmp_path / "photometry.parquet")
    # As other programs write it: text, small row groups, no header.
    plain = pa.table({n: table[n].to_pandas().astype(object if n in ("object_id", "band")
                      else float).to_numpy() for n in table.column_names})  # fmt: skip
    pq.write_table(plain, tmp_path / "photometry.parquet", row_group_size=23)
    parts = list(LightCurves.iter_parquet(tmp_path, n_objects=6))
    assert concatenate(parts).equals(LightCurves.from_parquet(tmp_path))
    assert [len(p) for p in parts] == [6] * 6 + [5]


def test_blocks_in_another_order_are_refused(tmp_path, curves):
    curves.to_parquet(tmp_path)
    table = pq.read_table(tmp_path / "photometry.parquet")
    backwards = table.take(np.argsort(-np.arange(len(table)), kind="stable"))
    pq.write_table(backwards, tmp_path / "photometry.parquet")
    assert len(LightCurves.from_parquet(tmp_path)) == 41
    with pytest.raises(LightCurveError, match=r"no observations of object 's0' before those of "
                       r"'s40'.*in the order of the objects file"):  # fmt: skip
        list(LightCurves.iter_parquet(tmp_path, n_objects=10))


def test_observations_of_an_object_that_come_later_are_not_lost(tmp_path, curves):
    curves.to_parquet(tmp_path)
    table = pq.read_table(tmp_path / "photometry.parquet")
    assert curves.lengths[0] > 1
    moved = pa.concat_tables([table.slice(1), table.slice(0, 1)])
    pq.write_table(moved, tmp_path / "photometry.parquet")
    parts = LightCurves.iter_parquet(tmp_path, n_objects=10)
    with pytest.raises(LightCurveError, match="observations of object 's0' after those of all"):
        list(parts)


def test_an_object_without_photometry(tmp_path, curves):
    curves.to_parquet(tmp_path)
    table = pq.read_table(tmp_path / "photometry.parquet")
    ids = np.array(table["object_id"].to_pylist())
    pq.write_table(table.filter(ids != "s3"), tmp_path / "photometry.parquet")
    with pytest.raises(LightCurveError, match=r"no observations of object 's3' .*invalid=\"drop\""):
        next(LightCurves.iter_parquet(tmp_path, n_objects=10))
    with pytest.warns(match="dropped 1 of 10 objects"):
        parts = list(LightCurves.iter_parquet(tmp_path, n_objects=10, invalid="drop"))
    assert sum(map(len, parts)) == 40


@pytest.mark.parametrize("n_objects", [0, -3, 2.5])
def test_number_of_objects_must_be_positive(tmp_path, curves, n_objects):
    curves.to_parquet(tmp_path)
    with pytest.raises(ValueError, match="n_objects must be a positive integer"):
        list(LightCurves.iter_parquet(tmp_path, n_objects=n_objects))
    with pytest.raises(ValueError, match="n_objects must be a positive integer"):
        list(stream(spans, curves, n_objects=n_objects))


def test_every_source_gives_the_same(tmp_path, curves):
    curves.to_parquet(tmp_path)
    expected = spans(curves)
    sources = {
        "folder": tmp_path,
        "text path": str(tmp_path),
        "light curves": curves,
        "a selection": curves[np.arange(41)],
        "iterator of parts": (curves[k : k + 5] for k in range(0, 41, 5)),
        "iterator of nested frames": (curves[k : k + 5].to_nested() for k in range(0, 41, 5)),
        "nested frame": curves.to_nested(),
        "list of parts": [curves[a:b] for a, b in pairwise([0, 20, 25, 26, 30, 31, 41])],
        "iterator of single light curves": iter(curves),
    }
    for name, source in sources.items():
        found = list(stream(spans, source, n_objects=7))
        assert len(found) > 5, name
        np.testing.assert_array_equal(np.concatenate([ids for ids, _ in found]), curves.ids)
        np.testing.assert_allclose(np.concatenate([r for _, r in found]), expected, rtol=1e-6)


def test_padded_array_is_read_whole(curves):
    padded = curves.to_padded()
    found = list(stream(lambda part: part.lengths, padded, n_objects=20))
    assert [len(ids) for ids, _ in found] == [20, 20, 1]
    assert np.concatenate([n for _, n in found]).tolist() == curves.lengths.tolist()


def test_parts_do_not_change_latents(curves):
    encoder = LightCurveEncoder("ztf", device="cpu")
    latents = np.concatenate([rows for _, rows in stream(encoder.transform, curves, n_objects=4)])
    np.testing.assert_array_equal(latents, encoder.transform(curves))


def test_nothing_to_stream():
    assert list(stream(spans, iter([]))) == []
    assert list(stream(spans, some_curves([3])[:0])) == []


def test_what_is_no_light_curve_is_not_passed_over(curves):
    with pytest.raises((LightCurveError, TypeError)):
        list(stream(spans, iter([curves[:3], None, curves[3:6]])))


def test_parts_are_made_when_they_are_asked_for(curves):
    made = []

    def parts():
        for k in range(0, 41, 5):
            made.append(k)
            yield curves[k : k + 5]

    results = stream(spans, parts())
    next(results)
    assert made == [0]


def test_a_method_that_does_not_return_rows(curves):
    with pytest.raises(ValueError, match=r"returned 3 rows for 10 light curves"):
        next(stream(lambda part: np.zeros(3), curves, n_objects=10))
