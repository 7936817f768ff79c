import importlib.util
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sklc import LightCurveEncoder, LightCurves, LightCurveWarning
from sklc.datasets import load_demo

EXAMPLE = Path(__file__).parents[2] / "examples" / "quickstart.py"
FIGURES = {"light_curves.png", "latent_map.png", "roc.png"}
METHODS = [
    "pretrained, no labels",
    "pretrained + LogisticRegression",
    "TransferClassifier",
    "same network from scratch",
]


@pytest.fixture(scope="module")
def quickstart():
    spec = importlib.util.spec_from_file_location("quickstart", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def table():
    """40 demo light curves as a user might have them: own names, short bands, classes."""
    demo = load_demo()
    classes = demo.curves.metadata["class"]
    chosen = demo.curves.ids[np.argsort(demo.target, kind="stable")][::15]
    frame = demo.frame[demo.frame["object_id"].isin(chosen)]
    return pd.DataFrame(
        {
            "name": frame["object_id"],
            "day": frame["mjd"],
            "filter": frame["band"].str[-1],
            # Another zero point than the default.
            "counts": frame["flux"] * 10 ** (0.4 * (25 - 27.5)),
            "sigma": frame["flux_err"] * 10 ** (0.4 * (25 - 27.5)),
            "type": classes.loc[frame["object_id"]].to_numpy(),
        }
    )


def csv_arguments(table, folder, *more):
    table.to_csv(folder / "table.csv", index=False)
    names = {"id": "name", "time": "day", "flux": "counts", "flux-err": "sigma", "band": "filter"}
    columns = [word for flag, name in names.items() for word in (f"--{flag}", name)]
    places = ["--csv", str(folder / "table.csv"), "--output", str(folder / "out")]
    return [*places, *columns, "--zero-point", "25", "--survey", "ztf", *more]


def written(folder):
    return {path.name for path in folder.iterdir()}


@pytest.mark.slow
def test_demo(quickstart, tmp_path, capsys):
    scores = quickstart.main(["--quick", "--output", str(tmp_path)])
    assert list(scores) == METHODS
    assert all(values.shape == (3,) for values in scores.values())
    means = {name: values.mean() for name, values in scores.items()}
    # What the example is there to show.
    assert means["pretrained + LogisticRegression"] > 0.85
    assert means["pretrained + LogisticRegression"] > means["same network from scratch"] + 0.1
    assert written(tmp_path) == FIGURES
    assert all((tmp_path / name).stat().st_size > 10_000 for name in FIGURES)
    printed = capsys.readouterr().out
    assert "left out 450 of 600 objects at random" in printed
    for name, mean in means.items():
        assert f"{name:34}{mean:.3f}" in printed


@pytest.mark.slow
def test_table_with_labels(quickstart, table, tmp_path, capsys):
    scores = quickstart.main(csv_arguments(table, tmp_path, "--label", "type", "--quick"))
    assert list(scores) == METHODS
    assert written(tmp_path / "out") == FIGURES
    assert "20 SNIa, 12 SNII, 8 SNIb/c" in capsys.readouterr().out


@pytest.mark.slow
def test_table_of_other_classes(quickstart, table, tmp_path, capsys):
    names = {"SNIa": "thermonuclear", "SNII": "core collapse", "SNIb/c": "core collapse"}
    table = table.assign(type=table["type"].map(names))
    scores = quickstart.main(csv_arguments(table, tmp_path, "--label", "type", "--quick"))
    # The weights do not know these classes, and two are as good as three.
    assert list(scores) == METHODS[1:]
    assert all(((values > 0) & (values <= 1)).all() for values in scores.values())


def test_table_without_labels(quickstart, table, tmp_path):
    assert quickstart.main(csv_arguments(table, tmp_path)) == {}
    assert written(tmp_path / "out") == FIGURES - {"roc.png"} | {"latents.csv"}
    latents = pd.read_csv(tmp_path / "out" / "latents.csv", index_col="name")
    curves = LightCurves.from_frame(
        table,
        object_id="name",
        time="day",
        flux="counts",
        flux_err="sigma",
        band="filter",
        zero_point=25,
        survey="ztf",
    )
    assert latents.index.tolist() == curves.ids.tolist()
    expected = LightCurveEncoder.pretrained("any").transform(curves)
    np.testing.assert_allclose(latents.to_numpy(), expected, atol=1e-4)


def selected(quickstart, arguments):
    options = quickstart.build_parser().parse_args(arguments)
    return quickstart.leave_out(*quickstart.load(options), options)


def test_what_is_left_out_is_counted(quickstart, table, tmp_path, capsys):
    table = table.copy()
    ids = table["name"].unique()
    table.loc[table["name"].isin(ids[:2]), "type"] = None
    several = table.index[table["name"] == ids[2]][4:]
    table = table.drop(index=several)
    table.loc[table.index[-1], "counts"] = np.nan
    with pytest.warns(LightCurveWarning, match="dropped 1 of"):
        curves, y = selected(quickstart, csv_arguments(table, tmp_path, "--label", "type"))
    assert curves.ids.tolist() == ids[3:].tolist()
    assert y.tolist() == table.drop_duplicates("name")["type"].tolist()[3:]
    printed = capsys.readouterr().out
    assert "left out 2 of 40 objects that have none of the classes" in printed
    assert "left out 1 of 38 objects with fewer than 6 observations" in printed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--flux", "flx"], r"no column 'flx' \(--flux\) among .*'counts'"),
        (["--label", "kind"], r"no column 'kind' \(--label\) among .*'type'"),
        (["--survey", "no such survey"], "survey"),
        (["--min-points", "1000"], "0 light curves are left"),
        (["--data", "."], "not allowed with argument"),
    ],
)
def test_errors_name_the_remedy(quickstart, table, tmp_path, capsys, change, message):
    with pytest.raises(SystemExit) as stopped:
        quickstart.main(csv_arguments(table, tmp_path, *change))
    assert stopped.value.code == 2
    error = capsys.readouterr().err.split("error: ")[1]
    assert re.search(message, error)


def test_an_object_with_two_labels_is_an_error(quickstart, table, tmp_path, capsys):
    table = table.copy()
    table.loc[table.index[0], "type"] = "nova"
    with pytest.raises(SystemExit):
        quickstart.main(csv_arguments(table, tmp_path, "--label", "type"))
    assert repr(table["name"].iloc[0]) in capsys.readouterr().err


def test_a_folder_without_classes_is_an_error(quickstart, tmp_path, capsys):
    curves = LightCurves.from_arrays([[1.0, 2.0]], [[5.0, 6.0]], [[1.0, 1.0]], "ztfg", ids=["a"])
    curves.to_parquet(tmp_path)
    with pytest.raises(SystemExit):
        quickstart.main(["--data", str(tmp_path)])
    assert "no column 'class' (--label)" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        quickstart.main(["--data", str(tmp_path / "nowhere")])
    assert "nowhere" in capsys.readouterr().err


def test_a_folder(quickstart, tmp_path, capsys):
    curves = load_demo().curves[:90]
    kinds = np.where(np.arange(90) < 3, "SLSN-I", curves.metadata["class"])
    curves.with_metadata(kind=kinds).to_parquet(tmp_path)
    arguments = ["--data", str(tmp_path), "--label", "kind"]
    chosen, y = selected(quickstart, arguments)
    assert chosen.equals(curves.with_metadata(kind=kinds)[3:])
    assert y.tolist() == kinds[3:].tolist()
    printed = capsys.readouterr().out
    assert "left out 3 of 90 objects in classes of fewer than 6 members: 3 SLSN-I" in printed
    selected(quickstart, [*arguments, "--max-objects", "50"])
    assert "left out 40 of 90 objects at random" in capsys.readouterr().out


@pytest.mark.slow
def test_real_supernovae(quickstart, data_dir, tmp_path, capsys):
    folder = str(data_dir / "ztf_bts")
    scores = quickstart.main(["--data", folder, "--quick", "--output", str(tmp_path)])
    assert list(scores) == METHODS
    assert scores["pretrained, no labels"].mean() > 0.75
    printed = capsys.readouterr().out
    assert "left out 94 of 2,609 objects that have none of the classes: 26 SLSN-I" in printed
    assert "left out 39 of 2,515 objects with fewer than 6 observations" in printed
