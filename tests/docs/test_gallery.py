"""The gallery of simulated light curves is drawn."""

import importlib.util
from pathlib import Path

import matplotlib.image
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "simulated_classes.py"


@pytest.fixture(scope="module")
def gallery():
    spec = importlib.util.spec_from_file_location("simulated_classes", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_a_sheet_for_each_survey(gallery, sncosmo_data, tmp_path, capsys):
    paths = gallery.main(
        ["--survey", "ztf", "des", "--classes", "SNIa", "AGN", "uLens", "--n", "60"]
        + ["--output", str(tmp_path / "sheets")]
    )
    assert [path.name for path in paths] == ["simulated_ztf.png", "simulated_des.png"]
    assert capsys.readouterr().out.splitlines() == [f"wrote {path}" for path in paths]
    for path in paths:
        image = matplotlib.image.imread(path)
        assert image.shape[0] > 200
        assert image[..., :3].std() > 0.05  # it is not blank


def test_the_panel_of_an_object(gallery, sncosmo_data):
    options = gallery.build_parser().parse_args(["--n", "60"])
    curve, redshift, detected = gallery.choose("SNIa", "ztf", options)
    assert redshift > 0
    assert detected.sum() >= 4
    _, ax = gallery.plt.subplots()
    handles = gallery.draw_panel(ax, "SNIa", curve, redshift, detected)
    assert set(handles) == {passband.name for passband in curve.passbands}
    assert ax.get_title() == f"SNIa, z = {redshift:.2g}"
    assert "0" in [label.get_text() for label in ax.get_xticklabels()]
    gallery.plt.close("all")


def test_unknown_names_end_with_a_message(gallery, capsys):
    with pytest.raises(SystemExit):
        gallery.main(["--classes", "SNIz"])
    assert "invalid choice: 'SNIz'" in capsys.readouterr().err


def test_missing_templates_end_with_a_message(gallery, monkeypatch, tmp_path, capsys):
    def fail(*_, **__):
        raise gallery.SimulationError("there is no template")

    monkeypatch.setattr(gallery, "simulate", fail)
    with pytest.raises(SystemExit):
        gallery.main(["--classes", "SNIa", "--output", str(tmp_path)])
    assert "there is no template" in capsys.readouterr().err


def test_a_sheet_of_stars(sncosmo_data, tmp_path, capsys):
    spec = importlib.util.spec_from_file_location("stars", EXAMPLE.with_name("simulated_stars.py"))
    stars = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(stars)
    paths = stars.main(["--classes", "RRab", "EA", "CV", "--output", str(tmp_path)])
    assert [path.name for path in paths] == ["simulated_stars_crts.png"]
    assert matplotlib.image.imread(paths[0])[..., :3].std() > 0.03
    with pytest.raises(SystemExit):
        stars.main(["--classes", "SNIa"])
    assert "invalid choice: 'SNIa'" in capsys.readouterr().err
