"""Models of `light_curve.embed`, with small ONNX files of the same interface."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from sklc import LightCurves
from sklc.errors import LightCurveError, WeightsError
from sklc.external import EmbeddingModel

REASON = "light-curve with light_curve.embed is not installed: pip install 'sklc[embed]'"
embed = pytest.importorskip("light_curve.embed", reason=REASON)
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
helper, FLOAT, INT64, BOOL = (
    onnx.helper, onnx.TensorProto.FLOAT, onnx.TensorProto.INT64, onnx.TensorProto.BOOL
)  # fmt: skip


def write(path, inputs, nodes, outputs, constants=()):
    """Write an ONNX file.

    Inputs and outputs are names with types and shapes; constants are names with values.
    """
    graph = helper.make_graph(
        [helper.make_node(op, ins, outs, **attributes) for op, ins, outs, attributes in nodes],
        "small",
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs],
        [helper.make_tensor_value_info(name, FLOAT, shape) for name, shape in outputs],
        [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


def sums(names, total, axes):
    """Sum products of inputs over axes, side by side: the output `total`."""
    nodes, parts = [], []
    for number, factors in enumerate(names):
        product = factors[0]
        for step, factor in enumerate(factors[1:]):
            nodes.append(("Mul", [product, factor], [f"p{number}_{step}"], {}))
            product = f"p{number}_{step}"
        nodes.append(("ReduceSum", [product, axes], [f"s{number}"], {"keepdims": 0}))
        nodes.append(("Unsqueeze", [f"s{number}", "last"], [f"u{number}"], {}))
        parts.append(f"u{number}")
    return [*nodes, ("Concat", parts, [total], {"axis": 1})]


LAST = ("last", np.array([1]))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("onnx")
    astromer = [(name, FLOAT, ["n", 200, 1]) for name in ("times", "input", "mask_in")]
    axes = [("axes", np.array([1, 2])), LAST]
    squares = [("input", "input", "mask_in"), ("times", "times", "mask_in"), ("mask_in",)]
    found = {
        "astromer": write(
            folder / "astromer2.onnx", astromer,
            [*sums(squares, "mean", "axes"), ("Neg", ["mean"], ["max"], {}),
             ("Identity", ["input"], ["sequence"], {})],
            [("mean", ["n", 3]), ("max", ["n", 3]), ("sequence", ["n", 200, 1])], axes,
        ),
        "chronos": write(
            folder / "chronos.onnx", [("context", FLOAT, ["n", "length"])],
            [
                ("IsNaN", ["context"], ["missing"], {}),
                ("Where", ["missing", "zero", "context"], ["filled"], {}),
                ("ReduceSum", ["filled", "axis"], ["mean"], {"keepdims": 1}),
                ("Identity", ["context"], ["sequence"], {}),
            ],
            [("mean", ["n", 1]), ("sequence", ["n", "length"])],
            [("zero", np.float32(0)), ("axis", np.array([1]))],
        ),
        "atat": write(
            folder / "atat.onnx",
            [(name, FLOAT, ["n", 65, 6]) for name in ("data", "time", "mask")],
            [
                ("ReduceSum", ["data", "one"], ["token"], {"keepdims": 0}),
                ("ReduceSum", ["mask", "one"], ["mean"], {"keepdims": 0}),
                ("Identity", ["time"], ["sequence"], {}),
            ],
            [("token", ["n", 6]), ("mean", ["n", 6]), ("sequence", ["n", 65, 6])],
            [("one", np.array([1]))],
        ),
        "astraclr": write(
            folder / "astra_clr.onnx",
            [*((name, FLOAT, ["n", 700, 1]) for name in ("input", "times", "band_info")),
             ("mask", FLOAT, ["n", 700])],
            [
                ("Sub", ["unit", "mask"], ["valid"], {}),
                ("ReduceSum", ["valid", "one"], ["count"], {"keepdims": 1}),
                ("Mul", ["input", "input"], ["square"], {}),
                ("ReduceSum", ["square", "one"], ["spread"], {"keepdims": 0}),
                ("Concat", ["count", "spread"], ["embedding"], {"axis": 1}),
                ("ReduceSum", ["times", "both"], ["unused1"], {}),
                ("ReduceSum", ["band_info", "both"], ["unused2"], {}),
            ],
            [("embedding", ["n", 2])],
            [("unit", np.float32(1)), ("one", np.array([1])), ("both", np.array([1, 2]))],
        ),
    }  # fmt: skip
    found["atcat"] = write(
        folder / "atcat.onnx",
        [("flux", FLOAT, ["n", 243]), ("flux_err", FLOAT, ["n", 243]), ("time", FLOAT, ["n", 243]),
         ("mask", BOOL, ["n", 243]), ("channel_index", INT64, ["n", 243])],
        [
            ("Cast", ["mask"], ["valid"], {"to": FLOAT}),
            ("Cast", ["channel_index"], ["channel"], {"to": FLOAT}),
            *(
                node
                for number, name in enumerate(["flux", "flux_err", "channel"])
                for node in (
                    ("Mul", [name, "valid"], [f"p{number}"], {}),
                    ("ReduceSum", [f"p{number}", "one"], [f"s{number}"], {"keepdims": 1}),
                )
            ),
            ("ReduceSum", ["valid", "one"], ["s3"], {"keepdims": 1}),
            ("Concat", ["s0", "s1", "s2", "s3"], ["mean"], {"axis": 1}),
            ("Identity", ["mean"], ["last"], {}),
            ("Identity", ["time"], ["sequence"], {}),
        ],
        [("last", ["n", 4]), ("mean", ["n", 4]), ("sequence", ["n", 243])],
        [("one", np.array([1]))],
    )  # fmt: skip
    return found


def light_curves(*bands, zero_point=27.5):
    """An object for each list of bands, a point a day."""
    rng = np.random.default_rng(1)
    times = [58_200.0 + np.arange(len(names)) for names in bands]
    fluxes = [rng.uniform(50, 100, len(names)) for names in bands]
    return LightCurves.from_arrays(
        times, fluxes, [0.05 * f for f in fluxes], list(bands), zero_point=zero_point
    )


@pytest.fixture(scope="module")
def stars():
    return light_curves(["ztfg", "ztfr"] * 10, ["ztfr"] * 450)


def magnitude(curve, band):
    return curve.zero_point - 2.5 * np.log10(curve.flux[curve.band_names == band])


# -- models of a single band


def test_each_band_is_embedded_by_itself(files, stars):
    model = EmbeddingModel("Astromer2", file=files["astromer"]).fit(stars)
    found = model.transform(stars)
    assert list(model.get_feature_names_out()[[0, 3]]) == ["ztfg_astromer2_0", "ztfr_astromer2_0"]
    for number, band in enumerate(("ztfg", "ztfr")):
        own = magnitude(stars[0], band)
        time = stars[0].time[stars[0].band_names == band]
        expected = [10 * own.var(), 10 * time.var(), 10]
        np.testing.assert_allclose(found[0, 3 * number : 3 * number + 3], expected, rtol=1e-4)
    assert np.isnan(found[1, :3]).all()
    # windows of 200, 200 and 50 observations, averaged: none is left out
    own = magnitude(stars[1], "ztfr")
    parts = [len(part) * part.var() for part in (own[:200], own[200:400], own[400:])]
    np.testing.assert_allclose(found[1, [3, 5]], [np.mean(parts), 150], rtol=1e-4)


def test_outputs_and_reductions_are_those_of_the_package(files, stars):
    plain = EmbeddingModel("Astromer2", file=files["astromer"], bands=["ztfr"])
    mean, most = (clone(plain).set_params(output=o).fit_transform(stars) for o in ("mean", "max"))
    np.testing.assert_array_equal(mean, -most)
    last = clone(plain).set_params(reduction="end").fit_transform(stars)
    own = magnitude(stars[1], "ztfr")[-200:]
    np.testing.assert_allclose(last[1, [0, 2]], [200 * own.var(), 200], rtol=1e-4)
    several = clone(plain).set_params(reduction=["beginning", "end"]).fit(stars)
    assert several.n_features_out_ == 6
    assert several.transform(stars).shape == (2, 6)


def test_models_of_series_read_magnitudes_in_order(files, stars):
    for name, size in (("Chronos2", None), ("ChronosBolt", "tiny"), ("Moment1", "small")):
        model = EmbeddingModel(name, file=files["chronos"], size=size, bands=["ztfr"])
        found = model.fit_transform(stars)
        totals = [magnitude(curve, "ztfr").sum() for curve in stars]
        np.testing.assert_allclose(found[:, 0], totals, rtol=1e-4)


# -- models of several bands


def test_fluxes_of_all_bands_are_read_at_the_zero_point_of_the_model(files):
    curves = light_curves(["lsstu", "lsstr"] * 8, ["lssty"] * 3, zero_point=25.0)
    model = EmbeddingModel("ATCAT", file=files["atcat"]).fit(curves)
    found = model.transform(curves)
    assert list(model.get_feature_names_out()[:1]) == ["atcat_0"]
    scale = 10 ** (0.4 * 2.5)
    for row, curve, channels in zip(found, curves, (8 * 2, 3 * 5), strict=True):
        total = scale * curve.flux.sum()
        np.testing.assert_allclose(row, [total, 0.05 * total, channels, len(curve.time)], rtol=1e-4)


def test_windows_end_where_a_band_is_full(files):
    # the 66th point in g does not fit, 100 in all
    bands = ["lsstg"] * 65 + ["lsstr"] * 30 + ["lsstg"] * 5
    curves = light_curves(bands)
    model = EmbeddingModel("ATAT", file=files["atat"], output="mean").fit(curves)
    counts = model.transform(curves)[0]
    np.testing.assert_allclose(counts, [0, 35, 15, 0, 0, 0])  # means of two windows
    cut = EmbeddingModel("ATAT", file=files["atat"], output="mean", reduction="beginning")
    np.testing.assert_allclose(cut.fit(curves).transform(curves)[0], [0, 65, 30, 0, 0, 0])
    flux = EmbeddingModel("ATAT", file=files["atat"]).fit(curves).transform(curves)[0]
    shown = curves.band_names == "lsstr"
    np.testing.assert_allclose(flux[2], curves.flux[shown].sum() / 2, rtol=1e-4)


def test_magnitudes_of_several_bands(files):
    curves = light_curves(["ztfg", "ztfr", "ztfi"] * 60)  # more than 50 in i
    found = EmbeddingModel("AstraCLR", file=files["astraclr"]).fit(curves).transform(curves)
    np.testing.assert_allclose(found[0, 0], 90)
    assert found[0, 1] > 0


def test_other_bands_need_a_map(files):
    curves = light_curves(["ps1g", "ps1r"] * 4, ["lsstg"] * 2)
    model = EmbeddingModel("ATCAT", file=files["atcat"])
    with pytest.raises(LightCurveError, match=r"have ps1g, ps1r\. Pass band_map=") as caught:
        model.fit(curves)
    shown = str(caught.value).partition("band_map=")[2].partition("band_map=")[2].rstrip(".")
    chosen = eval(shown)
    assert chosen == {"lsstg": "lsstg", "ps1g": "lsstg", "ps1r": "lsstr"}
    found = model.set_params(band_map=chosen).fit(curves).transform(curves)
    np.testing.assert_allclose(found[:, 2:], [[4 * 1 + 4 * 2, 8], [2, 2]])
    one = model.set_params(band_map={"ps1r": "lsstr"}).fit(curves).transform(curves)
    np.testing.assert_allclose(one[0, 2:], [8, 4])  # observations in g are left out
    assert np.isnan(one[1]).all()
    with pytest.raises(ValueError, match="band_map has r, which is no band of ATCAT"):
        model.set_params(band_map={"ps1r": "r"}).fit(curves)


def test_models_that_read_errors_need_them(files):
    curves = LightCurves.from_arrays(
        [[1.0, 2.0]], [[9.0, 8.0]], [[np.nan, np.nan]], [["lsstg"] * 2]
    )
    with pytest.raises(LightCurveError, match="has observations without an error, which ATCAT"):
        EmbeddingModel("ATCAT", file=files["atcat"]).fit_transform(curves)


# -- files and mistakes


def test_a_pickle_opens_the_file_again(files, stars):
    model = EmbeddingModel("Astromer2", file=files["astromer"]).fit(stars)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.transform(stars), model.transform(stars))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"model": "Astromer3"}, "model='Astromer3' is not known: use one of"),
        ({"model": "Astromer2", "output": "sequence"}, "has no output 'sequence': use one of"),
        ({"model": "Astromer2", "size": "tiny"}, "it has one size, size=None"),
        ({"model": "ChronosBolt"}, "comes in several sizes: pass size="),
        ({"model": "Moment1", "size": "tiny"}, "has no size 'tiny': use one of"),
        ({"model": "ATAT", "bands": ["lsstg"]}, "pass band_map= instead of bands="),
        ({"model": "Astromer2", "band_map": {"ztfg": "g"}}, "pass bands= instead of band_map="),
    ],
)
def test_wrong_parameters_name_the_right_ones(stars, params, message):
    with pytest.raises(ValueError, match=message):
        EmbeddingModel(**params).fit(stars)


def test_wrong_files_are_refused(files, stars, tmp_path):
    with pytest.raises(WeightsError, match="is not a file of Astromer2: it has the inputs"):
        EmbeddingModel("Astromer2", file=files["atat"]).fit(stars)
    with pytest.raises(WeightsError, match="There is no ONNX file"):
        EmbeddingModel("Astromer2", file=tmp_path / "nothing.onnx").fit(stars)
    text = tmp_path / "text.onnx"
    text.write_text("not a model")
    with pytest.raises(WeightsError, match="is damaged, or not an ONNX file"):
        EmbeddingModel("Astromer2", file=text).fit(stars)
    other = write(
        tmp_path / "shapes.onnx",
        [(name, FLOAT, ["n", 7, 1]) for name in ("times", "input", "mask_in")],
        [("Add", ["times", "input"], ["a"], {}), ("Add", ["a", "mask_in"], ["mean"], {})],
        [("mean", ["n", 7, 1])],
    )
    with pytest.raises(WeightsError, match="cannot be run as Astromer2"):
        EmbeddingModel("Astromer2", file=other).fit(stars)


def test_without_a_file_it_is_downloaded(files, stars, monkeypatch):
    """No test reaches the network: the package's own method is replaced."""
    import onnxruntime

    def from_hf(cls, **options):
        return cls(onnxruntime.InferenceSession(str(files["astromer"])), **options)

    monkeypatch.setattr(embed.Astromer2, "from_hf", classmethod(from_hf))
    found = EmbeddingModel("Astromer2").fit_transform(stars)
    local = EmbeddingModel("Astromer2", file=files["astromer"]).fit_transform(stars)
    np.testing.assert_array_equal(found, local)

    def fails(cls, **options):
        raise OSError("no connection")

    monkeypatch.setattr(embed.Astromer2, "from_hf", classmethod(fails))
    message = "cannot be downloaded .no connection.: pass file=.*light-curve/astromer2"
    with pytest.raises(WeightsError, match=message):
        EmbeddingModel("Astromer2").fit(stars)


def test_missing_packages_are_named(stars, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match="pip install huggingface_hub; or pass file="):
        EmbeddingModel("Astromer1").fit(stars)
    monkeypatch.delattr(embed, "Moment1")
    with pytest.raises(ImportError, match=r"has no light_curve.embed.Moment1: pip install --upgr"):
        EmbeddingModel("Moment1", size="small").fit(stars)
