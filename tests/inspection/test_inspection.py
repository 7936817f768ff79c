import sys

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgba
from sklearn.metrics import roc_auc_score

from sklc import LightCurveError, LightCurves
from sklc.inspection import (
    ClassHistoryDisplay,
    LatentMapDisplay,
    LightCurveDisplay,
    RocDisplay,
)
from sklc.inspection._axes import passband_colour
from sklc.passbands import Passband, get_passband


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture
def curves():
    """Two objects: one in three bands with two non-detections, one empty."""
    return LightCurves.from_arrays(
        time=[[59001.5, 59002.5, 59003.5, 59004.5, 59005.5], []],
        flux=[[100.0, 5.0, 300.0, 200.0, -40.0], []],
        flux_err=[[10.0, 5.0, 10.0, 10.0, 10.0], []],
        band=[["ztfr", "ztfr", "lsstg", "ztfg", "ztfg"], []],
        ids=["a", "b"],
    )


@pytest.fixture
def latents():
    return np.random.default_rng(0).normal(size=(40, 6)) + np.repeat(np.eye(2, 6) * 9, 20, axis=0)


def alpha(container):
    return container.lines[0].get_alpha()


class TestLightCurveDisplay:
    def test_draws_every_observation_once(self, curves):
        display = LightCurveDisplay.from_curve(curves[0])
        drawn = [
            (x + 59001, y)
            for containers in display.errorbars_.values()
            for container in containers
            for x, y in zip(*container.lines[0].get_data(), strict=True)
        ]
        assert sorted(drawn) == sorted(zip(curves[0].time, curves[0].flux, strict=True))
        assert display.ax_.get_xlabel() == "days since 59001"
        assert "27.5" in display.ax_.get_ylabel()
        assert display.ax_.get_title() == "a"
        assert display.figure_ is display.ax_.figure

    def test_error_bars_have_the_size_of_the_errors(self, curves):
        (bright,) = LightCurveDisplay.from_curve(curves[0]).errorbars_["lsstg"]
        (segment,) = bright.lines[2][0].get_segments()
        np.testing.assert_allclose(segment[:, 1], [290.0, 310.0])

    def test_bands_are_in_order_of_wavelength(self, curves):
        display = LightCurveDisplay.from_curve(curves[0])
        assert list(display.errorbars_) == ["ztfg", "lsstg", "ztfr"]
        legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
        assert legend == ["ztfg", "lsstg", "ztfr"]

    def test_surveys_have_their_markers(self, curves):
        errorbars = LightCurveDisplay.from_curve(curves[0]).errorbars_
        markers = {name: drawn[0].lines[0].get_marker() for name, drawn in errorbars.items()}
        assert markers["ztfg"] == markers["ztfr"] != markers["lsstg"]

    def test_non_detections_are_faint(self, curves):
        display = LightCurveDisplay.from_curve(curves[0])
        assert display.detected.tolist() == [True, False, True, True, False]
        detected, faint = display.errorbars_["ztfr"]
        assert alpha(detected) == 1 > alpha(faint) > 0
        assert detected.lines[0].get_ydata().tolist() == [100.0]
        assert faint.lines[0].get_ydata().tolist() == [5.0]
        assert "3 sigma" in display.ax_.get_legend().get_title().get_text()

    def test_legend_is_in_full_colour(self):
        curves = LightCurves.from_arrays([[1.0, 2.0]], [[0.1, 0.2]], [[1.0, 1.0]], "ztfg")
        display = LightCurveDisplay.from_curve(curves[0])
        assert alpha(display.errorbars_["ztfg"][0]) < 1
        (handle,) = display.ax_.get_legend().legend_handles
        assert handle.get_alpha() == 1
        assert handle.get_color() == display.errorbars_["ztfg"][0].lines[0].get_color()

    def test_snr_sets_what_is_faint(self, curves):
        display = LightCurveDisplay.from_curve(curves[0], snr=15.0)
        assert display.detected.tolist() == [False, False, True, True, False]

    def test_unknown_errors_are_neither_drawn_nor_faint(self):
        curves = LightCurves.from_arrays([[1.0, 2.0]], [[0.1, 0.2]], None, "ztfg")
        display = LightCurveDisplay.from_curve(curves[0])
        assert display.detected.all()
        (drawn,) = display.errorbars_["ztfg"]
        assert not drawn.has_yerr

    def test_passbands_of_one_name_are_drawn_apart(self):
        bands = [Passband("g", "lab", 0.48), Passband("g", "lab", 0.7), Passband("g", "x", 0.48)]
        curves = LightCurves.from_arrays([[1.0, 2.0, 3.0]], [[5.0, 6.0, 7.0]], None, [bands])
        display = LightCurveDisplay.from_curve(curves[0])
        labels = ["g(lab 0.48um)", "g(x 0.48um)", "g(lab 0.7um)"]
        assert list(display.errorbars_) == labels
        assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == labels
        lines = [display.errorbars_[label][0].lines[0] for label in labels]
        assert [line.get_ydata().tolist() for line in lines] == [[5.0], [7.0], [6.0]]
        assert lines[0].get_color() == lines[1].get_color() != lines[2].get_color()
        assert lines[0].get_marker() != lines[1].get_marker()

    def test_draws_on_given_axes_with_given_style(self, curves):
        figure, ax = plt.subplots()
        display = LightCurveDisplay.from_curve(curves[0], title="mine", ax=ax, color="k")
        assert display.ax_ is ax
        assert display.figure_ is figure
        assert ax.get_title() == "mine"
        assert display.errorbars_["ztfg"][0].lines[0].get_color() == "k"

    def test_plot_again(self, curves):
        display = LightCurveDisplay.from_curve(curves[0])
        first = display.ax_
        assert display.plot() is display
        assert display.ax_ is not first

    def test_refuses_several_objects(self, curves):
        with pytest.raises(TypeError, match=r"curves\[0\]"):
            LightCurveDisplay.from_curve(curves)

    def test_refuses_an_empty_object(self, curves):
        with pytest.raises(LightCurveError, match="'b' has no observations"):
            LightCurveDisplay.from_curve(curves[1])


def test_colour_of_a_passband_depends_on_its_wavelength_alone():
    colours = [to_rgba(passband_colour(get_passband(n))) for n in ("ztfg", "ztfr", "lsstz")]
    # Redder passbands are redder.
    assert np.all(np.diff([red - blue for red, _, blue, _ in colours[:2]]) > 0.5)
    assert len({to_hex(colour) for colour in colours}) == 3
    infrared, ultraviolet = get_passband("wiseW1"), get_passband("uvotuvw1")
    assert passband_colour(infrared) != passband_colour(ultraviolet)
    # Beyond the ends of the table the colour stays that of the end.
    far = Passband("far", "user", 100.0), Passband("farther", "user", 200.0)
    assert passband_colour(far[0]) == passband_colour(far[1])


class TestLatentMapDisplay:
    @pytest.mark.parametrize("method", ["pca", "tsne"])
    def test_keeps_neighbours_together(self, latents, method):
        display = LatentMapDisplay.from_latents(latents, np.repeat(["a", "b"], 20), method=method)
        assert display.coordinates.shape == (40, 2)
        first, second = display.coordinates[:20], display.coordinates[20:]
        apart = np.linalg.norm(first.mean(0) - second.mean(0))
        assert apart > 2 * np.linalg.norm(first - first.mean(0), axis=1).mean()

    def test_pca_is_that_of_the_latents(self, latents):
        display = LatentMapDisplay.from_latents(latents)
        left, size, _ = np.linalg.svd(latents - latents.mean(0), full_matrices=False)
        np.testing.assert_allclose(np.abs(display.coordinates), np.abs(left[:, :2] * size[:2]))
        share = 100 * size[0] ** 2 / (size**2).sum()
        assert display.ax_.get_xlabel() == f"principal component 1 ({share:.0f} % of the variance)"

    def test_a_colour_and_a_legend_entry_for_each_class(self, latents):
        labels = np.array(["b"] * 25 + ["a"] * 10 + ["c"] * 5)
        display = LatentMapDisplay.from_latents(latents, labels)
        assert list(display.scatters_) == ["a", "b", "c"]
        texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
        assert texts == ["a (10)", "b (25)", "c (5)"]
        np.testing.assert_array_equal(
            display.scatters_["c"].get_offsets(), display.coordinates[labels == "c"]
        )
        assert len({to_hex(s.get_facecolor()[0]) for s in display.scatters_.values()}) == 3
        # The rarest class is on top.
        heights = {name: scatter.get_zorder() for name, scatter in display.scatters_.items()}
        assert heights["c"] > heights["a"] > heights["b"]

    @pytest.mark.parametrize("n_classes", [7, 20])
    def test_many_classes_have_different_colours(self, latents, n_classes):
        display = LatentMapDisplay.from_latents(latents, np.arange(40) % n_classes)
        colours = {to_hex(s.get_facecolor()[0]) for s in display.scatters_.values()}
        assert len(colours) == n_classes

    def test_labels_are_optional(self, latents):
        display = LatentMapDisplay.from_latents(latents)
        assert list(display.scatters_) == [""]
        assert display.ax_.get_legend() is None

    def test_mixed_labels(self, latents):
        display = LatentMapDisplay.from_latents(latents, ["a", None] * 20)
        assert list(display.scatters_) == ["None", "a"]

    def test_tsne_repeats(self, latents):
        first, second = (LatentMapDisplay.from_latents(latents, method="tsne") for _ in range(2))
        np.testing.assert_array_equal(first.coordinates, second.coordinates)

    @pytest.mark.parametrize("method", ["pca", "tsne"])
    def test_three_objects_are_enough(self, latents, method):
        assert LatentMapDisplay.from_latents(latents[:3], method=method).coordinates.shape == (3, 2)

    def test_draws_on_given_axes_with_given_style(self, latents):
        _, ax = plt.subplots()
        display = LatentMapDisplay.from_latents(latents, ax=ax, s=7)
        assert display.ax_ is ax
        assert display.scatters_[""].get_sizes().tolist() == [7]

    def test_refusals(self, latents):
        with pytest.raises(ValueError, match="not known"):
            LatentMapDisplay.from_latents(latents, method="lda")
        with pytest.raises(ValueError, match="minimum of 3"):
            LatentMapDisplay.from_latents(latents[:2])
        with pytest.raises(ValueError, match="NaN"):
            LatentMapDisplay.from_latents(np.full((5, 4), np.nan))
        with pytest.raises(ValueError, match="inconsistent"):
            LatentMapDisplay.from_latents(latents, ["a"] * 39)
        with pytest.raises(ValueError, match="40 different values"):
            LatentMapDisplay.from_latents(latents, np.arange(40))

    def test_umap_says_what_to_install(self, latents, monkeypatch):
        monkeypatch.setitem(sys.modules, "umap", None)
        with pytest.raises(ImportError, match=r'pip install "sklc\[umap\]"'):
            LatentMapDisplay.from_latents(latents, method="umap")

    def test_umap(self, latents):
        pytest.importorskip("umap", reason="umap-learn is not installed")
        assert LatentMapDisplay.from_latents(latents, method="umap").coordinates.shape == (40, 2)


class TestRocDisplay:
    @pytest.fixture
    def predictions(self):
        rng = np.random.default_rng(1)
        y = rng.choice(["x", "y", "z"], size=200, p=[0.6, 0.3, 0.1])
        probabilities = rng.dirichlet([1, 1, 1], size=200)
        probabilities += 0.3 * (y[:, None] == np.array(["x", "y", "z"]))
        return y, probabilities / probabilities.sum(axis=1, keepdims=True)

    def test_macro_auroc_is_that_of_scikit_learn(self, predictions):
        y, probabilities = predictions
        display = RocDisplay.from_predictions(y, probabilities, ["x", "y", "z"])
        expected = roc_auc_score(y, probabilities, multi_class="ovr")
        assert display.macro_auroc == pytest.approx(expected)
        one = roc_auc_score(y == "z", probabilities[:, 2])
        assert display.areas["z"] == pytest.approx(one)
        texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
        assert texts[2] == f"z: {one:.3f}"
        title = display.ax_.get_legend().get_title().get_text()
        assert title == f"macro AUROC {expected:.3f}"

    def test_lines_are_the_curves(self, predictions):
        display = RocDisplay.from_predictions(*predictions, ["x", "y", "z"], name="model")
        np.testing.assert_array_equal(display.lines_["y"].get_data(), display.curves["y"])
        assert "model" in display.ax_.get_legend().get_title().get_text()

    def test_two_classes(self):
        p = np.array([0.9, 0.4, 0.35, 0.2])
        display = RocDisplay.from_predictions([1, 0, 1, 0], np.column_stack([1 - p, p]), [0, 1])
        assert display.areas == {"0": 0.75, "1": 0.75}

    def test_draws_on_given_axes_with_given_style(self, predictions):
        _, ax = plt.subplots()
        options = {"ax": ax, "linestyle": "--"}
        display = RocDisplay.from_predictions(*predictions, ["x", "y", "z"], **options)
        assert display.ax_ is ax
        assert display.lines_["x"].get_linestyle() == "--"

    def test_refusals(self, predictions):
        y, probabilities = predictions
        with pytest.raises(ValueError, match="3 columns for 2 classes"):
            RocDisplay.from_predictions(y, probabilities, ["x", "y"])
        with pytest.raises(ValueError, match=r"not defined for \['w', 'z'\]"):
            RocDisplay.from_predictions(y, probabilities, ["w", "x", "y"])
        with pytest.raises(ValueError, match="inconsistent"):
            RocDisplay.from_predictions(y[1:], probabilities, ["x", "y", "z"])
        with pytest.raises(ValueError, match="two classes"):
            RocDisplay.from_predictions(["x", "x"], np.ones((2, 1)), ["x"])


def test_matplotlib_is_only_needed_to_draw(curves, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r'LightCurveDisplay.*pip install "sklc\[plot\]"'):
        LightCurveDisplay.from_curve(curves[0])


class Growing:
    """A classifier whose probabilities tell how many observations it saw."""

    classes_ = np.array(["few", "many", "never"])
    min_points = 2

    def predict_proba(self, X):
        many = X.lengths / 10
        return np.column_stack([1 - many, many, np.zeros(len(X))])


class TestClassHistoryDisplay:
    def test_draws_the_probabilities_of_the_beginnings(self, curves):
        display = ClassHistoryDisplay.from_estimator(Growing(), curves[0])
        np.testing.assert_allclose(display.time, curves[0].time[1:])
        np.testing.assert_allclose(display.probabilities[:, 1], [0.2, 0.3, 0.4, 0.5])
        assert list(display.lines_) == ["few", "many", "never"]
        x, y = display.lines_["many"].get_data()
        np.testing.assert_allclose(x + 59001, display.time)
        np.testing.assert_allclose(y, display.probabilities[:, 1])
        legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
        assert legend == ["few", "many"]
        assert display.ax_.get_title() == "a"
        assert display.ax_.get_xlabel() == "days since 59001"

    def test_observations_of_one_time_come_together_and_long_curves_are_thinned(self):
        time = np.repeat(np.arange(59000.0, 59300.0), 2)
        curves = LightCurves.from_arrays([time], [np.arange(600) + 1.0], None, "ztfg")
        display = ClassHistoryDisplay.from_estimator(Growing(), curves[0])
        assert len(display.time) == 100
        assert display.time[[0, -1]].tolist() == [59000.0, 59299.0]
        assert (np.diff(display.time) > 0).all()
        assert display.probabilities[0, 1] == pytest.approx(0.2)
        assert display.probabilities[-1, 1] == pytest.approx(60.0)

    def test_beginnings_without_flux_are_left_out(self):
        curves = LightCurves.from_arrays(
            [[1.0, 2.0, 3.0, 4.0]], [[0.0, 0.0, 0.0, 5.0]], None, "ztfg"
        )
        display = ClassHistoryDisplay.from_estimator(Growing(), curves[0])
        assert display.time.tolist() == [4.0]

    def test_draws_again_on_given_axes(self, curves):
        display = ClassHistoryDisplay.from_estimator(Growing(), curves[0], title="SN")
        _, ax = plt.subplots()
        assert display.plot(ax, linewidth=3).ax_ is ax
        assert ax.get_title() == "SN"
        assert {line.get_linewidth() for line in ax.get_lines()} == {3}

    def test_refuses_what_it_cannot_draw(self, curves):
        with pytest.raises(TypeError, match=r"one LightCurve, got a LightCurves.*curves\[0\]"):
            ClassHistoryDisplay.from_estimator(Growing(), curves)
        with pytest.raises(LightCurveError, match="'b' has 0 observation"):
            ClassHistoryDisplay.from_estimator(Growing(), curves[1])
        dark = LightCurves.from_arrays([[1.0, 2.0]], [[0.0, 0.0]], None, "ztfg", ids=["dark"])
        with pytest.raises(
            LightCurveError, match=r"'dark' has 2 observation.*of which 0 have a flux"
        ):
            ClassHistoryDisplay.from_estimator(Growing(), dark[0])
