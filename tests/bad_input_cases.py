"""One example of every bad input in docs/bad_input.md; the lists there are made from these."""

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import astropy.units as u
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import safetensors
import safetensors.numpy
from scipy import sparse

import sklc.estimators.class_fitting
import sklc.estimators.class_heads
import sklc.estimators.encoder
import sklc.estimators.encoder_training
import sklc.estimators.redshift_encoder
import sklc.estimators.transfer
from sklc import (
    InputRepresentation,
    LatentIsolationForest,
    LightCurveEncoder,
    LightCurves,
    RedshiftRegressor,
    TransferClassifier,
    concatenate,
    stream,
)
from sklc.networks.architectures import Transformer
from sklc.serving import OnnxModel
from sklc.simulate import Survey, Trigger, simulate


def pointings(**changed) -> pd.DataFrame:
    """Three visits to a field, the second with other values."""
    table = pd.DataFrame(
        {"mjd": [60000.2, 60002.2, 60004.2], "band": "lsstg", "depth": 24.3, "position": "COSMOS"}
    )
    for column, value in changed.items():
        table.loc[1, column] = value
    return table


NAMES = ["SN1", "SN2", "SN3", "SN4", "SN5", "SN6"]
N_POINTS = 8


def supernovae() -> pd.DataFrame:
    """A long table of six light curves of eight observations, nothing wrong with it."""
    frames = []
    for number, name in enumerate(NAMES):
        days = np.arange(0.0, 3.0 * N_POINTS, 3.0)
        fall = 6.0 if number < 3 else 30.0
        flux = 400.0 * np.exp(-np.abs(days - 6) / np.where(days < 6, 4.0, fall))
        frames.append(
            pd.DataFrame(
                {
                    "object_id": name,
                    "mjd": 59000.0 + number + days,
                    "band": ["ztfg", "ztfr"] * (N_POINTS // 2),
                    "flux": np.round(flux + 7 * number, 1),
                    "flux_err": 5.0,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def labels() -> np.ndarray:
    """Class of each of the six."""
    return np.array(["Ia", "Ia", "Ia", "II", "II", "II"])


def spoiled(column: str, value: object, rows: object = 10) -> pd.DataFrame:
    """The table with another value in a column; row 10 is the third observation of SN2."""
    frame = supernovae()
    if isinstance(value, str) or value is None:
        frame[column] = frame[column].astype(object)
    frame.loc[rows, column] = value
    return frame


def curves(**options: object) -> LightCurves:
    """The six light curves."""
    return LightCurves.from_frame(supernovae(), **options)


def classifier(**params: object) -> TransferClassifier:
    return TransferClassifier("ztf", device="cpu", random_state=0, **params)


def encoder(**params: object) -> LightCurveEncoder:
    return LightCurveEncoder(device="cpu", random_state=0, early_stopping=False, **params)


def folded() -> InputRepresentation:
    return InputRepresentation.preset("magnitude").folded("period")


def with_period(last: float) -> LightCurves:
    return curves().with_metadata(period=[3.0] * 5 + [last])


def checkpoint(**params: object) -> str:
    """Train for an epoch, and leave "mine.checkpoint"."""
    Path("mine.checkpoint").unlink(missing_ok=True)
    encoder(checkpoint="mine.checkpoint", max_epochs=1, **params).fit(curves(), labels())
    return "mine.checkpoint"


def cut_short(path: str) -> str:
    content = Path(path).read_bytes()
    Path(path).write_bytes(content[: len(content) // 2])
    return path


def regressor(**params: object) -> RedshiftRegressor:
    return RedshiftRegressor("ztf", device="cpu", random_state=0, **params)


def redshifts(**changed: float) -> np.ndarray:
    """Redshift of each of the six, some of them changed."""
    known = dict(zip(NAMES, [0.02, 0.03, 0.04, 0.05, 0.06, 0.07], strict=True))
    return np.array(list({**known, **changed}.values()))


def outlier_forest(**params: object) -> LatentIsolationForest:
    return LatentIsolationForest("ztf", device="cpu", random_state=0, **params)


def per_object(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """The table as a list of one frame an object."""
    groups = frame.groupby("object_id", sort=False)
    return [group.drop(columns="object_id").reset_index(drop=True) for _, group in groups]


def one_without_points(frame: pd.DataFrame) -> LightCurves:
    """SN2 without a single detection."""
    frame = frame.copy()
    frame.loc[frame["object_id"] == "SN2", "flux"] = 1.0
    return LightCurves.from_frame(frame).detections(snr=3)


def as_magnitudes() -> pd.DataFrame:
    frame = supernovae()
    magnitude = 27.5 - 2.5 * np.log10(frame["flux"])
    frame["flux_err"] = 1.0857 * frame["flux_err"] / frame["flux"]
    return frame.assign(flux=magnitude.round(2))


def duplicated() -> pd.DataFrame:
    frame = supernovae()
    return pd.concat([frame, frame.iloc[[10]]], ignore_index=True)


def series(n_samples: int = 12) -> np.ndarray:
    """Six plain series, one a row."""
    return 2.0 + np.sin(np.arange(6 * n_samples)).reshape(6, n_samples)


# -- weights files, in the working directory


def write_weights(spoil: Callable[[bytes], bytes] = lambda content: content) -> str:
    """Write "mine.safetensors" as `LightCurveEncoder.save` does, then spoil its bytes."""
    path = LightCurveEncoder.pretrained("ztf").save("mine.safetensors")
    path.write_bytes(spoil(path.read_bytes()))
    return path.name


def write_header(**changes: object) -> str:
    """Write "mine.safetensors" with other values in its header."""
    path = LightCurveEncoder.pretrained("ztf").save("mine.safetensors")
    with safetensors.safe_open(path, framework="np") as file:
        header = json.loads(file.metadata()["sklc"])
    content = safetensors.numpy.save(
        safetensors.numpy.load_file(path), metadata={"sklc": json.dumps({**header, **changes})}
    )
    path.write_bytes(content)
    return path.name


def flipped(content: bytes, position: int) -> bytes:
    """The same bytes with one bit of one of them changed."""
    spoilt = bytearray(content)
    spoilt[position] ^= 1
    return bytes(spoilt)


def other_file(content: bytes) -> str:
    Path("mine.safetensors").write_bytes(content)
    return "mine.safetensors"


def forbid_running(monkeypatch) -> None:
    """Make a test fail as soon as a network is trained or used."""

    def reached(*args, **kwargs):
        pytest.fail("training or encoding was reached before the error")

    patched = []
    watched = (
        sklc.estimators.encoder_training,
        sklc.estimators.encoder,
        sklc.estimators.class_fitting,
        sklc.estimators.transfer,
        sklc.estimators.class_heads,
        sklc.estimators.redshift_encoder,
    )
    for module in watched:
        for name in ("fit_net", "fit_linear_head", "fit_dense_head", "fine_tune", "encode_latents"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, reached)
                patched.append(f"{module.__name__}.{name}")
    # What does the work must not have moved to where it is not watched.
    assert {
        "sklc.estimators.encoder_training.fit_net",
        "sklc.estimators.transfer.fit_net",
        "sklc.estimators.class_heads.fit_net",
    } < set(patched)
    assert "sklc.estimators.encoder.encode_latents" in patched
    assert any(name.endswith("fit_linear_head") for name in patched)


@dataclass(frozen=True)
class Case:
    """A row of the table.

    Parameters
    ----------
    what : str
        The bad input, in words.
    run : callable
        Does it, in an empty working directory.
    remedy : str
        What to do, where the message leaves something to say.
    """

    what: str
    run: Callable[[], object]
    remedy: str

    def outcome(self) -> tuple[str, str]:
        """Class and message of the error, or of the one warning, that this leads to."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                self.run()
            except Exception as error:
                return type(error).__name__, str(error)
        if len(caught) != 1:
            raise AssertionError(f"{self.what}: {len(caught)} warnings, one expected: {caught}")
        return caught[0].category.__name__, str(caught[0].message)


def exported() -> OnnxModel:
    """An exported encoder that knows no redshifts."""
    return OnnxModel(LightCurveEncoder("ztf+lsst-v1").to_onnx("encoder.onnx"))


def backwards() -> str:
    """Write a folder whose photometry has the objects in another order."""
    curves().to_parquet("night")
    table = pq.read_table("night/photometry.parquet")
    pq.write_table(table.take(np.arange(len(table))[::-1]), "night/photometry.parquet")
    return "night"


# fmt: off
SECTIONS: dict[str, list[Case]] = {
    "Tables and columns": [
        Case("a long table (one row per observation) as X",
             lambda: classifier().fit(supernovae(), labels()),
             "Convert it as the message says, once."),
        Case("a column is missing",
             lambda: LightCurves.from_frame(supernovae().rename(columns={"flux_err": "sigma"})),
             '`from_frame(frame, flux_err="sigma")`.'),
        Case("a column is missing in a list of tables",
             lambda: classifier().fit(
                 per_object(supernovae().rename(columns={"flux": "fnu"})), labels()
             ),
             '`[table.rename(columns={"fnu": "flux"}) for table in X]`.'),
        Case("an unknown band",
             lambda: LightCurves.from_frame(spoiled("band", "ztfx")),
             "Correct the name, or [register](passbands.md) the band."),
        Case("a band that several surveys have",
             lambda: LightCurves.from_frame(spoiled("band", "g")),
             '`from_frame(frame, survey="ztf")`.'),
        Case("arrays of different lengths",
             lambda: LightCurves.from_arrays([1.0, 2.0, 3.0], [5.0, 6.0], offsets=[0, 3]),
             "Pass one value per observation in each."),
        Case("dates instead of days",
             lambda: LightCurves.from_frame(supernovae().assign(mjd=pd.Timestamp("2020-05-31"))),
             '`pandas.DatetimeIndex(frame["mjd"]).to_julian_date() - 2400000.5`.'),
        Case("text instead of numbers",
             lambda: LightCurves.from_frame(spoiled("flux", "<18.5")),
             '`pandas.to_numeric(frame.flux, errors="coerce")`, then `invalid="drop"`.'),
        Case("an id is missing",
             lambda: LightCurves.from_frame(spoiled("object_id", None)),
             '`frame.dropna(subset=["object_id"])`.'),
        Case("ids of 64 bits that have become floating-point numbers",
             lambda: LightCurves.from_frame(supernovae().assign(object_id=7.00000000000000101e17)),
             '`pandas.read_csv(file, dtype={"object_id": "Int64"})`.'),
        Case("ids of mixed types",
             lambda: LightCurves.from_arrays([1.0, 2.0], [5.0, 6.0], object_id=["SN1", 2]),
             '`frame.assign(object_id=frame["object_id"].astype(str))`.'),
        Case("an id in two containers that are concatenated",
             lambda: concatenate([curves(), curves()[:1]]),
             '`sklc.concatenate([first, second], suffixes=["", "_second"])`.'),
        Case("a zero point is missing",
             lambda: LightCurves.from_frame(
                 supernovae().assign(zp=np.where(np.arange(48) == 10, np.nan, 25.0))
             ),
             '`frame.dropna(subset=["zp"])`, or `zero_point=25.0` for all.'),
        Case("a unit that contradicts the zero point",
             lambda: LightCurves.from_arrays(
                 [1.0, 2.0], [5.0, 6.0] * u.mJy, offsets=[0, 2], zero_point=27.5
             ),
             "Leave `zero_point` out."),
        Case("fluxes in a unit without a zero point",
             lambda: LightCurves.from_arrays(
                 [1.0, 2.0], [5.0, 6.0] * u.electron / u.s, offsets=[0, 2]
             ),
             "`zero_point=20.44`, or any constant if they are not calibrated."),
        Case("an object without a row of metadata",
             lambda: curves(metadata=pd.DataFrame({"redshift": [0.1] * 5}, index=NAMES[:5])),
             "Add the row, or leave the object out."),
    ],
    "Observations": [
        Case("NaN in time, flux or error",
             lambda: LightCurves.from_frame(spoiled("flux", np.nan)),
             'Correct it, or `from_frame(frame, invalid="drop")`.'),
        Case("a value that is masked",
             lambda: LightCurves.from_arrays(
                 [1.0, 2.0], np.ma.masked_array([5.0, 1e20], mask=[False, True]), offsets=[0, 2]
             ),
             "The same."),
        Case("an infinite time, flux or error",
             lambda: LightCurves.from_frame(spoiled("mjd", np.inf)),
             "The same."),
        Case("an error that is zero or negative",
             lambda: LightCurves.from_frame(spoiled("flux_err", 0.0)),
             "The same, or `flux_err=None` if all errors are unusable."),
        Case("a missing band",
             lambda: LightCurves.from_frame(spoiled("band", None)),
             "The same."),
        Case('one of these, with `invalid="drop"`',
             lambda: LightCurves.from_frame(spoiled("flux", np.nan, [9, 10, 30]), invalid="drop"),
             "Check the number of dropped observations."),
        Case("an observation that occurs twice",
             lambda: LightCurves.from_frame(duplicated()),
             '`from_frame(frame, duplicates="drop")`.'),
        Case('the same, with `duplicates="drop"`',
             lambda: LightCurves.from_frame(duplicated(), duplicates="drop"),
             "Check the number of dropped observations."),
        Case("an array that is filled up with zeros",
             lambda: LightCurves.from_padded(np.array([[[1.0, 5.0], [2.0, 6.0], [0.0, 0.0]]])),
             "Fill it with NaN."),
        Case("an object without observations",
             lambda: classifier().fit(one_without_points(supernovae()), labels()),
             "`keep = curves.lengths >= 1`, then `fit(curves[keep], y[keep])`."),
        Case("fewer observations than `min_points`",
             lambda: classifier(min_points=8).fit(
                 LightCurves.from_frame(supernovae().drop(index=[8, 9])), labels()
             ),
             "The same, or set a smaller `min_points`."),
        Case("an object whose flux is zero throughout",
             lambda: classifier().fit(
                 LightCurves.from_frame(spoiled("flux", 0.0, slice(8, 15))), labels()
             ),
             "`keep = [lc.flux.any() for lc in curves]`, then `fit(curves[keep], y[keep])`."),
        Case("no object at all",
             lambda: classifier().fit(curves()[:0], labels()[:0]),
             "Check the selection; `predict` and `transform` do accept an empty one."),
    ],
    "Units that look wrong": [
        Case("Julian dates",
             lambda: LightCurves.from_frame(supernovae().assign(mjd=lambda f: f.mjd + 2400000.5)),
             "`time - 2400000.5`; only `nightly()` depends on it."),
        Case("MJD and Julian dates in one table",
             lambda: LightCurves.from_frame(spoiled("mjd", 2459010.5)),
             "Subtract 2400000.5 from the Julian dates."),
        Case("times in seconds",
             lambda: LightCurves.from_frame(supernovae().assign(mjd=lambda f: f.mjd * 86400)),
             "`time / 86400`."),
        Case("an error that stands for a missing one",
             lambda: LightCurves.from_frame(spoiled("flux_err", 999.0)),
             "Leave such rows out."),
        Case("metadata that stand for missing ones",
             lambda: curves().with_metadata(redshift=[0.1, -9, 0.2, 0.1, 0.3, 0.1]),
             "Replace them with NaN."),
        Case("wavelengths in nanometre",
             lambda: classifier().fit([np.array([[1.0, 5.0, 1.0, 480.0]])] * 6, labels()),
             "`X[..., 3] /= 1000`."),
        Case("magnitudes as fluxes",
             lambda: LightCurves.from_frame(as_magnitudes()),
             "Convert to fluxes as the message says."),
    ],
    "Labels": [
        Case("no labels",
             lambda: classifier().fit(curves()),
             'Pass `y`, or use `finetune="none"`.'),
        Case("labels of another length than X",
             lambda: classifier().fit(curves(), labels()[:5]),
             "Select the same rows of `X` and `y`."),
        Case("a label that is missing",
             lambda: classifier().fit(curves(), ["Ia", "Ia", None, "II", "II", "II"]),
             "Label the object, or leave it out."),
        Case("labels indexed by ids, without some of them",
             lambda: classifier().fit(curves(), pd.Series(labels(), index=[*NAMES[:5], "SN7"])),
             "Label the object, or leave it out."),
        Case("labels of mixed types",
             lambda: classifier().fit(curves(), np.array(["Ia"] * 3 + [2] * 3, dtype=object)),
             "`y.astype(str)`."),
        Case("continuous numbers as classes",
             lambda: classifier().fit(curves(), np.linspace(0, 0.1, 6)),
             "Use classes; for redshifts, use `RedshiftRegressor`."),
        Case("a single class",
             lambda: classifier().fit(curves(), ["Ia"] * 6),
             "Check how `y` was made."),
        Case("a class of one member, with early stopping",
             lambda: classifier(finetune="all").fit(
                 curves(), ["Ia", "Ia", "TDE", "II", "II", "II"]
             ),
             '`keep = y != "TDE"`, then `fit(curves[keep], y[keep])`; or `early_stopping=False`.'),
        Case("a negative weight",
             lambda: classifier().fit(curves(), labels(), sample_weight=[1, 1, -1, 1, 1, 1]),
             "`sample_weight=numpy.maximum(weight, 0)`, to leave such objects out."),
        Case("a parameter that has no effect",
             lambda: classifier(finetune="none", C=0.1).fit(curves()),
             "Leave it out, or choose the mode that reads it."),
    ],
    "Calibration": [
        Case("`calibrate` without held-out labels",
             lambda: classifier(finetune="all", calibrate="temperature", early_stopping=False).fit(
                 curves(), labels()
             ),
             "Use `early_stopping=True`, or a linear head on the frozen encoder."),
        Case("`predict_set` without labels",
             lambda: TransferClassifier.pretrained("ztf", device="cpu").predict_set(curves()),
             '`fit(curves, ["SNIa", "SNII", ...])`.'),
        Case("`predict_set` with too few labels",
             lambda: classifier().fit(curves(), labels()).predict_set(curves(), coverage=0.9),
             "Use more labels, or `coverage=0.8`."),
        Case("a coverage in percent",
             lambda: classifier().fit(curves(), labels()).predict_set(curves(), coverage=90),
             "`coverage=0.9`."),
        Case("`class_prior` without a class of the weights",
             lambda: TransferClassifier.pretrained("ztf", class_prior={"SNIa": 0.8, "SNII": 0.2}),
             "Add it; shares need not sum to 1."),
        Case(
            "`class_prior` with a trained head",
            lambda: classifier(class_prior="magnitude-limited").fit(curves(), labels()),
            "Leave it out: a head learns the shares from `y`.",
        ),
    ],
    "Arrays": [
        Case("a 2-D array with another number of columns than in `fit`",
             lambda: classifier().fit(series(), labels()).predict(series()[:, :8]),
             "Pass a list of arrays (time, flux) instead."),
        Case("a 2-D array for a model that was fitted on light curves",
             lambda: classifier().fit(curves(), labels()).predict(series()),
             "Pass light curves with times."),
        Case("a single light curve as a 2-D array",
             lambda: classifier().fit(curves(), labels()).predict(
                 curves()[:1].to_padded()[0]
             ),
             "`[X]`."),
        Case(
            "NaN in a 2-D array",
            lambda: classifier().fit(np.where(series() > 2.99, np.nan, series()), labels()),
            "Pass a list of arrays (time, flux) without gaps.",
        ),
        Case("a list of series without times",
             lambda: classifier().fit([row[: 5 + k] for k, row in enumerate(series())], labels()),
             "`[numpy.column_stack([numpy.arange(len(flux)), flux]) for flux in X]`."),
        Case("one array of fluxes",
             lambda: classifier().fit(np.array([2.0, 2.8, 2.9]), labels()),
             "Pass one row per object."),
        Case("a sparse matrix",
             lambda: classifier().fit(sparse.csr_matrix(series()), labels()),
             "`X.toarray()`."),
        Case("something else",
             lambda: classifier().fit({"SN1": series()[0]}, labels()),
             "[Input](input.md) lists what X may be."),
    ],
    "Weights": [
        Case("an unknown name",
             lambda: LightCurveEncoder.pretrained("ztf-lsst"),
             "See `sklc.list_weights()`."),
        Case("a file that is not there",
             lambda: LightCurveEncoder.pretrained("mine.safetensors"),
             "Check the spelling and the working directory."),
        Case("a file cut short",
             lambda: LightCurveEncoder.pretrained(write_weights(lambda b: b[: len(b) // 2])),
             "Copy the file again."),
        Case("a file with a byte changed",
             lambda: LightCurveEncoder.pretrained(write_weights(lambda b: flipped(b, -1000))),
             "Copy the file again."),
        Case("a file of a newer sklc",
             lambda: LightCurveEncoder.pretrained(write_header(format_version=99)),
             "Upgrade; or save the weights with the older version."),
        Case("a file that is something else",
             lambda: LightCurveEncoder.pretrained(other_file(b"object_id,mjd,flux\nSN1,59000,1\n")),
             "Check the path."),
        Case("a safetensors file of other software",
             lambda: LightCurveEncoder.pretrained(
                 other_file(safetensors.numpy.save({"weight": np.zeros(3, dtype=np.float32)}))
             ),
             "Only files written by `save` can be loaded."),
    ],
    "Parameters": [
        Case("a metadata column that is not there",
             lambda: classifier(metadata_columns=["mwebv"]).fit(curves(), labels()),
             "`curves.with_metadata(mwebv=values)`, in `fit` and in `predict`."),
        Case("a metadata column that is not numeric",
             lambda: classifier(metadata_columns=["host"]).fit(
                 curves().with_metadata(host=["spiral"] * 6), labels()
             ),
             "Encode it with `pandas.get_dummies`."),
        Case("a fold with a period that is missing",
             lambda: encoder(representation=folded()).fit(with_period(np.nan), labels()),
             "Fill it in, or have all periods found with `fold=\"period\"`."),
        Case("a fold with a period longer than the light curve",
             lambda: encoder(representation=folded()).fit(with_period(365.25), labels()),
             "Check its unit; `find_periods` looks for periods within the time span."),
        Case("`merge_classes` with a class that the weights do not have",
             lambda: TransferClassifier.pretrained("ztf", merge_classes={"Ia": ["SNIa", "Ia-pec"]}),
             "The message lists the classes."),
        Case("`novelty_score` with weights that have none",
             lambda: TransferClassifier.pretrained("ztf").novelty_score(curves()),
             "The message lists weights that have one; `sklc.pretrain.add_novelty` adds it."),
        Case("`transform` before `fit`, without weights",
             lambda: LightCurveEncoder().transform(curves()),
             "`fit(X, y)` first, or use pretrained weights."),
    ],
    "Anomalies": [
        Case("no classes where they are needed",
             lambda: outlier_forest(per_class=True).fit(curves()),
             "`fit(X, y)`, or use the default `per_class=False`."),
        Case("a class of one member, with one forest per class",
             lambda: outlier_forest(per_class=True).fit(curves(), ["Ia"] * 5 + ["TDE"]),
             '`keep = y != "TDE"`, then `fit(curves[keep], y[keep])`.'),
        Case("a single light curve",
             lambda: outlier_forest().fit(curves()[:1]),
             "Fit many objects."),
        Case("more components than light curves",
             lambda: outlier_forest(n_components=32).fit(curves()),
             "Use a smaller number, or the default."),
        Case("identical light curves",
             lambda: outlier_forest().fit(concatenate([curves()[:1]] * 2, suffixes=["a", "b"])),
             "Check how `X` was made."),
    ],
    "Redshifts": [
        Case("no redshifts",
             lambda: regressor().fit(curves()),
             'Pass `y`, or use `finetune="none"`.'),
        Case("a redshift that is missing",
             lambda: regressor().fit(curves(), redshifts(SN3=np.nan)),
             "Leave the object out."),
        Case("a redshift that is zero or negative",
             lambda: regressor().fit(curves(), redshifts(SN3=-0.001)),
             "Leave the object out."),
        Case("redshifts of another length than X",
             lambda: regressor().fit(curves(), redshifts()[:5]),
             "Select the same rows of `X` and `y`."),
        Case("redshifts given as text",
             lambda: regressor().fit(curves(), ["z=0.1"] * 6),
             '`pandas.to_numeric(y, errors="coerce")`, then leave out NaN.'),
        Case("two objects",
             lambda: regressor().fit(curves()[:2], redshifts()[:2]),
             "Fit more objects, better a few dozen."),
        Case("fewer objects than neighbours",
             lambda: regressor(method="knn").fit(curves(), redshifts()),
             "Set a smaller `n_neighbors`."),
        Case("a coverage in percent",
             lambda: regressor().fit(curves(), redshifts()).predict_interval(curves(), coverage=68),
             "`coverage=0.68`."),
    ],
    "Pretraining": [
        Case('`objective="adversarial"` without surveys',
             lambda: encoder(objective="adversarial").fit(curves(), labels()),
             "Pass one survey per object."),
        Case("a survey that is missing",
             lambda: encoder(objective="adversarial").fit(
                 curves(), labels(), survey=["ZTF", None, "LSST", "ZTF", "ZTF", "LSST"]
             ),
             "Add the survey, or leave the object out."),
        Case("a single survey",
             lambda: encoder(objective="adversarial").fit(curves(), labels(), survey=["ZTF"] * 6),
             "Use another objective."),
        Case("`redshift_weight` without redshifts",
             lambda: encoder(redshift_weight=0.1).fit(curves(), labels()),
             "Add the metadata column, or set `redshift_weight=0`."),
        Case("a redshift that is not positive",
             lambda: encoder(redshift_weight=0.1).fit(
                 curves().with_metadata(redshift=[0.1, -0.2, 0.1, 0.3, 0.1, 0.1]), labels()
             ),
             "Correct it, or leave the object out."),
        Case('`objective="masked"` with objects of one observation',
             lambda: encoder(objective="masked").fit(curves().truncate(points=1)),
             "Leave them out: `X[X.lengths >= 2]`."),
        Case('`objective="masked"` without a channel of the brightness',
             lambda: encoder(
                 objective="masked", representation=InputRepresentation(("time", "gap"))
             ).fit(curves()),
             "Add such a channel."),
        Case('`class_weight` with `objective="masked"`',
             lambda: encoder(objective="masked", class_weight="balanced").fit(curves()),
             "Leave `class_weight` out, or learn classes as well."),
        Case("predicted observations of a network that was not trained for them",
             lambda: LightCurveEncoder("ztf").reconstruct(curves()),
             'Train one with `objective="masked"`.'),
        Case("a transformer with an unknown positional code",
             lambda: Transformer(positional="cosine"),
             "Choose a known one."),
        Case("a checkpoint of another training",
             lambda: encoder(checkpoint=checkpoint(hidden_size=4)).fit(curves(), labels()),
             "Use the original settings, or another file."),
        Case("a checkpoint that is cut short",
             lambda: encoder(checkpoint=cut_short(checkpoint())).fit(curves(), labels()),
             "Delete it, or name another file."),
    ],
    "Simulation": [
        Case("an unknown class",
             lambda: simulate(10, "ztf", "SNIA"),
             "See `sklc.simulate.list_classes()`; case matters."),
        Case("an unknown survey",
             lambda: simulate(10, "ztff"),
             "See `sklc.simulate.list_surveys()`."),
        Case("a number of objects that is negative or not an integer",
             lambda: simulate({"SNIa": -1}, "ztf"),
             "Pass 0 or a positive integer."),
        Case("an impossible redshift",
             lambda: simulate(10, "ztf", "SNIa", z_max=-0.1),
             "`z_max=None` uses the limit of the survey."),
        Case("an impossible trigger",
             lambda: simulate(10, "ztf", trigger=Trigger(n_det=0)),
             "Ask for at least one detection."),
        Case("pointings with NaN",
             lambda: Survey.from_pointings(pointings(depth=np.nan)),
             "Drop such visits."),
        Case("pointings in Julian dates",
             lambda: Survey.from_pointings(pointings(mjd=2460000.5)),
             "Subtract 2400000.5."),
        Case("pointings with depths that are not magnitudes",
             lambda: Survey.from_pointings(pointings(depth=450.0)),
             "Pass 5-sigma point-source depths in AB magnitudes."),
        Case("pointings outside the season asked for",
             lambda: Survey.from_pointings(pointings(), season=(50000, 50100)),
             "Pass the season in MJD."),
        Case("pointings in an unknown band",
             lambda: Survey.from_pointings(pointings(band="luminance")),
             '`passbands={"luminance": (wavelength, transmission)}`.'),
    ],
    "Serving, and large data sets": [
        Case("an exported model without the output",
             lambda: exported().run(curves(), "redshift"),
             "Export an encoder trained with `redshift_weight`."),
        Case("an exported model that is not there",
             lambda: OnnxModel("classifier.onnx"),
             "Check the path and the working directory."),
        Case("a Parquet folder with unsorted objects, read in blocks",
             lambda: list(stream(encoder().transform, backwards(), n_objects=2)),
             "Rewrite it with `to_parquet`."),
        Case("`stream` with `n_objects=0`",
             lambda: list(stream(encoder().transform, curves(), n_objects=0)),
             "Pass a positive number, or the default."),
        Case("`stream` of a function that does not return one row per object",
             lambda: list(stream(len, [curves()])),
             "Use `transform`, `predict`, `predict_proba` or `score_samples`."),
    ],
}

# fmt: on
