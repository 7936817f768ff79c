"""Offsets of flat arrays, compared with loops over objects; objects may be empty anywhere."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sklc.utils.offsets import (
    count_by_object,
    object_of,
    offsets_after,
    offsets_of,
    per_observation,
    reduce_by_object,
    row_index,
)

LENGTHS = st.lists(st.integers(0, 4), max_size=8)


@given(lengths=LENGTHS, data=st.data())
def test_offsets_agree_with_a_loop(lengths, data):
    n = sum(lengths)
    offsets = offsets_of(lengths)
    assert offsets.dtype == np.int64
    values = np.array(data.draw(st.lists(st.integers(-9, 9), min_size=n, max_size=n)), dtype=float)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), dtype=bool)
    edges = list(pairwise(offsets))
    assert [stop - start for start, stop in edges] == lengths
    counts = [int(mask[start:stop].sum()) for start, stop in edges]
    assert count_by_object(mask, offsets).tolist() == counts
    assert offsets_after(mask, offsets).tolist() == offsets_of(counts).tolist()
    largest = [values[start:stop].max(initial=-np.inf) for start, stop in edges]
    assert reduce_by_object(np.maximum, values, offsets, empty=-np.inf).tolist() == largest
    total = [values[start:stop].sum() for start, stop in edges]
    assert reduce_by_object(np.add, values, offsets, empty=0).tolist() == total
    owner = [k for k, length in enumerate(lengths) for _ in range(length)]
    assert per_observation(np.arange(len(lengths)), offsets).tolist() == owner
    assert object_of(offsets, np.arange(n)).tolist() == owner


@given(ranges=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4)), max_size=8))
def test_row_index_is_the_ranges_put_together(ranges):
    starts = np.array([start for start, _ in ranges], dtype=np.int64)
    stops = starts + np.array([length for _, length in ranges], dtype=np.int64)
    expected = [
        row for start, stop in zip(starts, stops, strict=True) for row in range(start, stop)
    ]
    assert row_index(starts, stops).tolist() == expected
