"""``sklc classify``, ``encode``, ``redshift`` and ``anomalies``: the table, and what failed."""

import numpy as np
import pandas as pd
import pytest

from sklc import (
    LatentIsolationForest,
    LightCurveEncoder,
    LightCurves,
    RedshiftRegressor,
    TransferClassifier,
)
from sklc.datasets import load_demo
from sklc.pretrain import add_novelty

TYPES = {
    "SNIa": ["SNIa", "SNIa-91bg", "SNIax"],
    "SNII": ["SNII", "SNIIn"],
    "SNIb/c": ["SNIb", "SNIc", "SNIc-BL", "SNIIb"],
    **{
        name: [name]
        for name in (
            "AGN",
            "KN",
            "SLSN-I",
            "TDE",
            "artefact",
            "dwarf-nova",
            "uLens",
            "variable-star",
        )
    },
}


def test_classes_are_those_of_the_estimator(run, night, demo_curves):
    ran = run("classify", night)
    classifier = TransferClassifier.pretrained("any")
    expected = classifier.predict_proba(demo_curves)
    table = ran.table
    assert ran.status == 0
    assert table["object_id"].tolist() == demo_curves.ids.tolist()
    assert table.columns.tolist() == [
        "object_id",
        "class",
        "probability",
        "novelty",
        *classifier.classes_,
    ]
    np.testing.assert_allclose(table[classifier.classes_], expected, atol=1e-6)
    assert table["class"].tolist() == classifier.predict(demo_curves).tolist()
    np.testing.assert_allclose(table["probability"], expected.max(axis=1), atol=1e-6)
    assert "sklc: classified 12 objects\n" in ran.err
    assert "long-table" in ran.err or "one row per observation" in ran.err


def test_weights_that_know_novelty_add_a_column(run, photometry, demo_curves, tmp_path):
    encoder = add_novelty("ztf", load_demo().curves[:100])
    path = encoder.save(tmp_path / "novel.safetensors", class_shares={"TDE": 0.1})
    photometry.loc[photometry["object_id"] == demo_curves.ids[1], "flux"] = 0.0
    photometry.to_csv(tmp_path / "spoilt.csv", index=False)
    ran = run("classify", tmp_path / "spoilt.csv", "--weights", path)
    classifier = TransferClassifier.pretrained(path)
    expected = ["object_id", "class", "probability", "novelty", *classifier.classes_]
    assert ran.table.columns.tolist() == expected
    usable = np.flatnonzero(np.arange(12) != 1)
    score = classifier.novelty_score(demo_curves[usable])
    np.testing.assert_allclose(ran.table["novelty"][usable], score, atol=1e-6)
    assert ran.table.loc[1, ["novelty", "probability"]].isna().all()
    proba = classifier.predict_proba(demo_curves[usable])
    np.testing.assert_allclose(ran.table.loc[usable, classifier.classes_], proba, atol=1e-6)
    equal = run("classify", tmp_path / "spoilt.csv", "--weights", path, "--prior", "equal").table
    assert (equal["TDE"][usable] > ran.table["TDE"][usable]).all()
    clash = run("classify", tmp_path / "spoilt.csv", "--merge", "novelty=SNIa")
    assert "cannot be named 'novelty'" in clash.err


@pytest.mark.parametrize("where", ["before", "after"])
def test_merge_alone_joins_the_subtypes_and_takes_no_file(run, night, demo_curves, where):
    merge = ["--merge", night] if where == "before" else [night, "--merge"]
    table = run("classify", *merge).table
    classifier = TransferClassifier.pretrained("any", merge_classes=TYPES)
    np.testing.assert_allclose(
        table[classifier.classes_], classifier.predict_proba(demo_curves), atol=1e-6
    )


@pytest.mark.parametrize(
    "merge",
    [
        ["--merge", "Ia=SNIa,SNIax", "II=SNII"],
        ["--merge", "Ia=SNIa,SNIax", "--merge", "II=SNII"],
        ["--merge", "Ia=SNIa,SNIax;II=SNII"],
        ["--merge=Ia=SNIa,SNIax II=SNII"],
    ],
)
def test_own_classes_and_priors(run, night, demo_curves, merge):
    ran = run("classify", *merge, night, "--prior", "magnitude-limited", "--weights", "ztf")
    classifier = TransferClassifier.pretrained(
        "ztf",
        merge_classes={"Ia": ["SNIa", "SNIax"], "II": ["SNII"]},
        class_prior="magnitude-limited",
    )
    np.testing.assert_allclose(
        ran.table[classifier.classes_], classifier.predict_proba(demo_curves), atol=1e-6
    )
    assert "left out: AGN, SLSN-I" in ran.err


def test_latents_and_redshifts(run, night, demo_curves, tmp_path):
    out = tmp_path / "latents.parquet"
    assert run("encode", night, "-o", out, "--weights", "ztf").status == 0
    latents = pd.read_parquet(out)
    assert latents.columns.tolist() == ["object_id", *(f"latent_{k}" for k in range(128))]
    expected = LightCurveEncoder.pretrained("ztf").transform(demo_curves)
    np.testing.assert_allclose(latents.iloc[:, 1:], expected, atol=1e-5)

    table = run("redshift", night, "--coverage", "0.8").table
    model = RedshiftRegressor.pretrained()
    redshift, error = model.predict(demo_curves, return_std=True)
    np.testing.assert_allclose(table["redshift"], redshift, rtol=1e-5)
    np.testing.assert_allclose(table["redshift_err"], error, rtol=1e-5)
    interval = model.predict_interval(demo_curves, coverage=0.8)
    np.testing.assert_allclose(
        table[["redshift_low", "redshift_high"]], interval, rtol=1e-4, atol=1e-9
    )
    assert "redshift_low" not in run("redshift", night).table


def test_anomalies_among_themselves_or_others(run, night, photometry, demo_curves, tmp_path):
    forest = LatentIsolationForest(contamination=0.25, random_state=3).fit(demo_curves)
    table = run("anomalies", night, "--seed", 3, "--contamination", 0.25).table
    explained = forest.explain(demo_curves)
    np.testing.assert_allclose(table["anomaly_score"], explained["anomaly_score"], rtol=1e-6)
    assert table["outlier"].tolist() == (forest.predict(demo_curves) < 0).tolist()
    assert table["outlier"].sum() == 3
    assert table["nearest_class"].tolist() == explained["nearest_class"].tolist()

    some = tmp_path / "some.csv"
    photometry[photometry["object_id"] == demo_curves.ids[0]].to_csv(some, index=False)
    alone = run("anomalies", some)
    assert alone.status == 2
    assert "1 object can be used" in alone.err
    assert "--normal" in alone.err
    damaged = tmp_path / "damaged.parquet"
    damaged.write_bytes(b"PAR1")
    ran = run("anomalies", night, damaged)  # which are read twice
    assert ran.status == 1
    assert ran.err.count(str(damaged)) == 1
    ran = run("anomalies", some, "--normal", night, "--seed", 3)
    assert ran.table["object_id"].tolist() == demo_curves.ids[:1].tolist()
    assert "normal from 12 objects" in ran.err


@pytest.mark.parametrize("command", ["classify", "encode", "redshift"])
def test_objects_that_cannot_be_used_are_missing_values_with_reasons(
    run, spoilt, tmp_path, command
):
    path, good, bad = spoilt
    failures = tmp_path / "failures.csv"
    ran = run(command, path, "--failures", failures)
    assert ran.status == 1
    table, others = (
        ran.table.set_index("object_id"),
        run(command, good).table.set_index("object_id"),
    )
    assert len(table) == 12
    assert table.loc[bad].isna().all(axis=None)
    pd.testing.assert_frame_equal(table.drop(bad), others, atol=1e-6)
    reasons = pd.read_csv(failures).set_index("object_id")["reason"]
    assert sorted(reasons.index) == sorted(bad)
    for object_id, what in zip(
        bad, ["nosuchband", "zero", "nosuchband", "nosuchband"], strict=True
    ):
        assert what in reasons[object_id]
        assert what in ran.err
    assert "8 objects; 4 could not be used" in ran.err
    stopped = run(command, path, "--on-error", "raise")
    assert (stopped.status, stopped.out) == (2, "")
    assert stopped.err.count("\n") == 1
    assert any(object_id in stopped.err for object_id in bad)


def test_objects_that_are_too_short(run, photometry, tmp_path):
    ids, short = photometry["object_id"].unique(), tmp_path / "short.csv"
    first = ~photometry["object_id"].duplicated()
    photometry[(photometry["object_id"] != ids[3]) | first].to_csv(short, index=False)
    ran = run("classify", short, "--min-points", 2)
    assert ran.status == 1
    assert ran.table["class"].isna().tolist() == [k == 3 for k in range(12)]
    assert f"'{ids[3]}' in {short}: 1 observation, and 2 needed. " in ran.err
    assert run("classify", short).status == 0
    stopped = run("classify", short, "--min-points", 2, "--on-error", "raise")
    assert stopped.status == 2
    assert f"object '{ids[3]}'" in stopped.err


def test_anomalies_learn_from_what_can_be_used(run, spoilt):
    path, _, bad = spoilt
    ran = run("anomalies", path)
    assert ran.status == 1
    missing = ran.table.set_index("object_id").isna()
    assert missing.loc[bad].all(axis=None)
    assert not missing.drop(bad)[["anomaly_score", "outlier"]].any(axis=None)


def test_nothing_can_be_used(run, photometry, tmp_path):
    path = tmp_path / "dark.csv"
    photometry.assign(flux=0.0).to_csv(path, index=False)
    ran = run("classify", path)
    assert ran.status == 1
    assert ran.table.shape == (12, 21)
    assert ran.table.iloc[:, 1:].isna().all(axis=None)
    assert "'SIM0000' in" in ran.err
    assert "and 11 others: no flux other than zero" in ran.err


@pytest.mark.parametrize("n_objects", [1, 5, 12])
def test_batches_make_no_difference(run, spoilt, n_objects):
    path, _, _ = spoilt
    whole, parts = run("classify", path), run("classify", path, "--batch-size", n_objects)
    pd.testing.assert_frame_equal(whole.table, parts.table, atol=1e-6)
    assert (parts.status, parts.err) == (whole.status, whole.err)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize(
    "ids",
    [
        2**62 + np.arange(12),
        -np.arange(1, 13),
        np.uint64(2**63) + np.arange(12, dtype=np.uint64),
        [f"ZTF18 é,{k}\"'" for k in range(12)],
    ],
    ids=["large", "negative", "unsigned", "text"],
)
def test_ids_are_exact_and_in_order(run, photometry, tmp_path, ids, ending):
    ids = pd.Series(ids)
    path, out = tmp_path / "night.parquet", tmp_path / f"out.{ending}"
    codes = pd.factorize(photometry["object_id"])[0]
    frame = photometry.assign(object_id=ids.to_numpy()[codes])
    frame.sample(frac=1, random_state=0).to_parquet(path)
    order = pd.read_parquet(path)["object_id"].unique()
    assert run("classify", path, "-o", out).status == 0
    read = pd.read_parquet(out) if ending == "parquet" else pd.read_csv(out)
    assert read["object_id"].tolist() == order.tolist()
    assert pd.api.types.is_integer_dtype(read["object_id"]) == (ids.dtype.kind in "iu")


def test_total_flux_is_warned_of(run, tmp_path, known_format):
    known_format(
        lambda source: LightCurves.from_arrays([[1.0, 2.0]], [[3.0, 4.0]], None, "ztfg"),
        flux="total flux",
    )
    path = tmp_path / "star.txt"
    path.write_text("toy")
    ran = run("classify", path)
    assert ran.status == 0
    assert "warning: toy gives total flux, and the weights were trained on diff" in ran.err
    assert "warning" not in run("info", path).err
