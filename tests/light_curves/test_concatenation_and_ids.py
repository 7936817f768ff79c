"""Concatenated containers: rescaled fluxes, merged metadata, and ids that keep their values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklc.errors import LightCurveError
from sklc.light_curves import LightCurves, concatenate


def test_concatenate_rescales_and_merges():
    first = LightCurves.from_arrays(
        [1.0], [10.0], [1.0], "ztfg", offsets=[0, 1], ids=["a"], zero_point=25.0,
        metadata={"z": [0.1]},
    )  # fmt: skip
    second = LightCurves.from_arrays(
        [1.0, 2.0], [100.0, 50.0], [10.0, 5.0], ["lsstr", "ztfg"], offsets=[0, 2], ids=["b"],
        zero_point=27.5, metadata={"kind": ["Ia"]},
    )  # fmt: skip
    joined = concatenate([first, second])
    assert joined.zero_point == 25.0
    np.testing.assert_allclose(joined.flux, [10, 10, 5])
    np.testing.assert_allclose(joined.flux_err, [1, 1, 0.5])
    assert joined.band_names.tolist() == ["ztfg", "lsstr", "ztfg"]
    assert [p.name for p in joined.passbands] == ["ztfg", "lsstr"]
    assert joined.metadata["z"].tolist()[0] == 0.1
    assert np.isnan(joined.metadata["z"].iloc[1])
    assert joined.metadata["kind"].iloc[1] == "Ia"


def test_concatenate_ids(curves):
    with pytest.raises(LightCurveError, match=r"'a' occurs in container\(s\) \[0, 1\].*prefix_ids"):
        concatenate([curves, curves[:2]])
    prefixed = concatenate([curves[:1], curves[:1]], prefix_ids=True)
    assert prefixed.ids.tolist() == ["0_a", "1_a"]
    suffixed = concatenate([curves[:1], curves[:1]], suffixes=["", "_x"])
    assert suffixed.ids.tolist() == ["a", "a_x"]
    numbered = LightCurves.from_arrays([1.0], [1.0], offsets=[0, 1])
    with pytest.raises(LightCurveError, match="mixed types"):
        concatenate([curves, numbered])
    with pytest.raises(ValueError, match="suffixes must be 2 strings"):
        concatenate([curves, curves], suffixes="ab")
    with pytest.raises(TypeError, match="takes a list"):
        concatenate(curves)
    with pytest.raises(TypeError, match="item 1 is a list"):
        concatenate([curves, [1]])
    with pytest.raises(ValueError, match="nothing"):
        concatenate([])


ID_TYPES = {
    "int": ["int8", "int64", "uint8", "uint64", "object"], "float": ["float32", "float64"],
    "bool": ["bool"], "str": ["str", "object"], "bytes": ["S2"],
}  # fmt: skip


VALUES = {
    "int": st.integers(0, 9) | st.sampled_from([-(2**63), -1, 2**53 + 1, 2**63, 2**64 - 1]),
    "float": st.integers(0, 100).map(lambda k: k / 4),
    "bool": st.booleans(),
    "str": st.text("ab1", min_size=1, max_size=2),
    "bytes": st.text("ab1", min_size=1, max_size=2).map(str.encode),
}  # fmt: skip


@st.composite
def id_arrays(draw):
    """The ids of up to four containers, of any types, each a kind and an array."""
    parts, seen = [], set()
    for kind in draw(st.lists(st.sampled_from(list(ID_TYPES)), min_size=1, max_size=4)):
        values = draw(st.lists(VALUES[kind], min_size=1, max_size=3, unique=True))
        values = [v for v in values if (kind, v) not in seen]
        seen |= {(kind, v) for v in values}
        dtype = draw(st.sampled_from(ID_TYPES[kind]))
        if kind == "int" and dtype != "object":
            info = np.iinfo(dtype)
            values = [v for v in values if info.min <= v <= info.max]
        parts.append((kind, np.array(values, dtype=dtype)))
    return parts


def numbered(ids):
    n = len(ids)
    return LightCurves.from_arrays(np.arange(n), np.ones(n), offsets=np.arange(n + 1), ids=ids)


@settings(max_examples=300)
@given(parts=id_arrays())
def test_concatenate_keeps_every_id_exactly(parts):
    containers = [numbered(ids) for _, ids in parts]
    kinds = {kind for kind, ids in parts if len(ids)}
    values = [i for _, ids in parts for i in ids.tolist()]
    fits = kinds != {"int"} or min(values) >= 0 or max(values) < 2**63
    as_objects = any(ids.dtype == object for _, ids in parts if len(ids))
    if len(kinds) > 1:
        with pytest.raises(LightCurveError, match=r"mixed types \(.*, .*\).*prefix_ids=True"):
            concatenate(containers)
    elif not fits and not as_objects:
        with pytest.raises(LightCurveError, match=r"no type of integers holds.*prefix_ids=True"):
            concatenate(containers)
    else:
        joined = concatenate(containers)
        assert joined.ids.tolist() == values
        assert list(map(type, joined.ids.tolist())) == list(map(type, values))
        assert joined.metadata.index.tolist() == values
        if kinds == {"int"} and fits and not as_objects:
            assert joined.ids.dtype.kind in "iu"
    strings = concatenate(containers, prefix_ids=True).ids  # the remedy
    assert strings.tolist() == [
        f"{k}_{i}" for k, (_, ids) in enumerate(parts) for i in ids.tolist()
    ]


@pytest.mark.parametrize("values", [[-1, 2**63 - 1], [2**64 - 1, 0], [-1, 2**64 - 1], [1, 2**70]])
def test_large_integer_ids_stay_exact(values, tmp_path):
    made = [numbered(values), LightCurves.from_arrays([1.0, 2.0], [1.0, 2.0], object_id=values)]
    made.append(LightCurves.from_frame(made[0].to_frame()))
    if max(values) < 2**64 and min(values) >= 0:
        made[0].to_parquet(tmp_path)
        made += [LightCurves.from_parquet(tmp_path), LightCurves.from_nested(made[0].to_nested())]
    for curves in made:
        assert curves.ids.tolist() == values
        assert [curve.id for curve in curves] == values


@pytest.mark.parametrize("values", [[1, 2.5], [True, 2], ["a", 1], [b"a", "a"]])
def test_lists_of_ids_of_mixed_types(values):
    with pytest.raises(LightCurveError, match=r"mixed types \(.*, .*astype\(str\)"):
        numbered(values)
    with pytest.raises(LightCurveError, match=r"mixed types \(.*, .*astype\(str\)"):
        LightCurves.from_arrays([1.0, 2.0], [1.0, 2.0], object_id=values)
