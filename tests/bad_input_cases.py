"""One real example of every bad input in docs/bad_input.md: the table there is made from these."""

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import safetensors
import safetensors.numpy
from scipy import sparse

import sklc.estimators.class_heads
import sklc.estimators.classifier
import sklc.estimators.encoder
import sklc.estimators.encoder_training
import sklc.estimators.redshift_encoder
import sklc.estimators.transfer
from sklc import (
    LatentIsolationForest,
    LightCurveEncoder,
    LightCurves,
    RedshiftRegressor,
    TransferClassifier,
    concatenate,
    stream,
)
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
        *(
            sklc.estimators.encoder_training,
            sklc.estimators.encoder,
            sklc.estimators.transfer,
            sklc.estimators.class_heads,
        ),
        sklc.estimators.classifier,
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
    assert {
        "sklc.estimators.encoder.encode_latents",
        "sklc.estimators.classifier.encode_latents",
    } < set(patched)
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


SECTIONS: dict[str, list[Case]] = {
    "Tables and columns": [
        Case(
            "a long table (a row an observation) as X",
            lambda: classifier().fit(supernovae(), labels()),
            "Convert it once, then split, fit and predict with the light curves.",
        ),
        Case(
            "a column is missing",
            lambda: LightCurves.from_frame(supernovae().rename(columns={"flux_err": "sigma"})),
            'Here: `flux_err="sigma"`.',
        ),
        Case(
            "a column is missing in a list of tables",
            lambda: classifier().fit(
                per_object(supernovae().rename(columns={"flux": "fnu"})), labels()
            ),
            'Here: `[table.rename(columns={"fnu": "flux"}) for table in X]`.',
        ),
        Case(
            "a band that is not known",
            lambda: LightCurves.from_frame(spoiled("band", "ztfx")),
            "Correct the name, or register the band: [passbands](passbands.md).",
        ),
        Case(
            "a band of many surveys",
            lambda: LightCurves.from_frame(spoiled("band", "g")),
            'Here: `LightCurves.from_frame(frame, survey="ztf")`.',
        ),
        Case(
            "arrays of different lengths",
            lambda: LightCurves.from_arrays([1.0, 2.0, 3.0], [5.0, 6.0], offsets=[0, 3]),
            "One value an observation in each.",
        ),
        Case(
            "dates instead of days",
            lambda: LightCurves.from_frame(supernovae().assign(mjd=pd.Timestamp("2020-05-31"))),
            '`days = pandas.DatetimeIndex(frame["mjd"]).to_julian_date() - 2400000.5`, then '
            "`frame.assign(mjd=days)`.",
        ),
        Case(
            "text instead of numbers",
            lambda: LightCurves.from_frame(spoiled("flux", "<18.5")),
            "Drop limits given as text, or replace them: `pandas.to_numeric(frame.flux, "
            'errors="coerce")`, then `invalid="drop"`.',
        ),
        Case(
            "an id is missing",
            lambda: LightCurves.from_frame(spoiled("object_id", None)),
            '`frame.dropna(subset=["object_id"])`.',
        ),
        Case(
            "ids of mixed types",
            lambda: LightCurves.from_arrays([1.0, 2.0], [5.0, 6.0], object_id=["SN1", 2]),
            '`frame.assign(object_id=frame["object_id"].astype(str))`.',
        ),
        Case(
            "an id twice in containers put together",
            lambda: concatenate([curves(), curves()[:1]]),
            '`sklc.concatenate([first, second], suffixes=["", "_second"])`.',
        ),
        Case(
            "a zero point is missing",
            lambda: LightCurves.from_frame(
                supernovae().assign(zp=np.where(np.arange(48) == 10, np.nan, 25.0))
            ),
            '`frame.dropna(subset=["zp"])`, or `zero_point=25.0` for all.',
        ),
        Case(
            "an object without a row of metadata",
            lambda: curves(metadata=pd.DataFrame({"redshift": [0.1] * 5}, index=NAMES[:5])),
            'Add the row; or `frame[frame["object_id"].isin(metadata.index)]`.',
        ),
    ],
    "Observations": [
        Case(
            "NaN in time, flux or error",
            lambda: LightCurves.from_frame(spoiled("flux", np.nan)),
            '`LightCurves.from_frame(frame, invalid="drop")`.',
        ),
        Case(
            "an infinite time, flux or error",
            lambda: LightCurves.from_frame(spoiled("mjd", np.inf)),
            "The same.",
        ),
        Case(
            "an error that is zero or negative",
            lambda: LightCurves.from_frame(spoiled("flux_err", 0.0)),
            "The same; or `flux_err=None` if the errors are not to be trusted at all.",
        ),
        Case(
            "a missing band",
            lambda: LightCurves.from_frame(spoiled("band", None)),
            "The same.",
        ),
        Case(
            'any of these, with `invalid="drop"`',
            lambda: LightCurves.from_frame(spoiled("flux", np.nan, [9, 10, 30]), invalid="drop"),
            "Nothing, if you expected as many.",
        ),
        Case(
            "an observation that occurs twice",
            lambda: LightCurves.from_frame(duplicated()),
            '`LightCurves.from_frame(frame, duplicates="drop")`.',
        ),
        Case(
            'the same, with `duplicates="drop"`',
            lambda: LightCurves.from_frame(duplicated(), duplicates="drop"),
            "Nothing, if you expected as many.",
        ),
        Case(
            "an object without observations",
            lambda: classifier().fit(one_without_points(supernovae()), labels()),
            "`keep = curves.lengths >= 1`, then `fit(curves[keep], y[keep])`.",
        ),
        Case(
            "fewer observations than `min_points`",
            lambda: classifier(min_points=8).fit(
                LightCurves.from_frame(supernovae().drop(index=[8, 9])), labels()
            ),
            "As above, or a smaller `min_points`.",
        ),
        Case(
            "an object whose flux is zero throughout",
            lambda: classifier().fit(
                LightCurves.from_frame(spoiled("flux", 0.0, slice(8, 15))), labels()
            ),
            "`keep = [lc.flux.any() for lc in curves]`, then `fit(curves[keep], y[keep])`.",
        ),
        Case(
            "no object at all",
            lambda: classifier().fit(curves()[:0], labels()[:0]),
            "Look at the selection that left nothing. (`predict` and `transform` of nothing "
            "return nothing.)",
        ),
    ],
    "Units that look wrong": [
        Case(
            "Julian dates",
            lambda: LightCurves.from_frame(supernovae().assign(mjd=lambda f: f.mjd + 2400000.5)),
            "`time - 2400000.5`. Results do not depend on it; `nightly()` does.",
        ),
        Case(
            "times in seconds",
            lambda: LightCurves.from_frame(supernovae().assign(mjd=lambda f: f.mjd * 86400)),
            "`time / 86400`: results depend on it.",
        ),
        Case(
            "magnitudes as fluxes",
            lambda: LightCurves.from_frame(as_magnitudes()),
            "Convert as the message says: a magnitude falls as the source brightens. Without "
            "errors this cannot be told, and there is no warning.",
        ),
    ],
    "Labels": [
        Case(
            "no labels",
            lambda: classifier().fit(curves()),
            'Or `finetune="none"`, which needs none.',
        ),
        Case(
            "labels of another length than X",
            lambda: classifier().fit(curves(), labels()[:5]),
            "Select X and y with the same rows.",
        ),
        Case(
            "a label that is missing",
            lambda: classifier().fit(curves(), ["Ia", "Ia", None, "II", "II", "II"]),
            "Leave the object out, or label it.",
        ),
        Case(
            "labels of mixed types",
            lambda: classifier().fit(curves(), np.array(["Ia"] * 3 + [2] * 3, dtype=object)),
            "`y.astype(str)`.",
        ),
        Case(
            "numbers that are no classes",
            lambda: classifier().fit(curves(), np.linspace(0, 0.1, 6)),
            "Bin them into classes; for redshifts, a regressor on the latents.",
        ),
        Case(
            "a single class",
            lambda: classifier().fit(curves(), ["Ia"] * 6),
            "Look at how y was made; one class cannot be told from nothing.",
        ),
        Case(
            "a class of one member, with early stopping",
            lambda: classifier(finetune="all").fit(curves(), ["Ia", "Ia", "TDE", "II", "II", "II"]),
            '`keep = y != "TDE"`, then `fit(curves[keep], y[keep])`; or `early_stopping=False`.',
        ),
        Case(
            "a negative weight",
            lambda: classifier().fit(curves(), labels(), sample_weight=[1, 1, -1, 1, 1, 1]),
            "`sample_weight=numpy.maximum(weight, 0)`, if such objects are to be left out.",
        ),
        Case(
            "a parameter that has no effect",
            lambda: classifier(finetune="none", C=0.1).fit(curves()),
            "Leave it out, or choose the mode that reads it.",
        ),
    ],
    "Calibration": [
        Case(
            "`calibrate` where nothing is held out",
            lambda: classifier(finetune="all", calibrate="temperature", early_stopping=False).fit(
                curves(), labels()
            ),
            "`early_stopping=True`, the default; or a linear head on the frozen encoder.",
        ),
        Case(
            "`predict_set` without labels",
            lambda: TransferClassifier.pretrained("ztf", device="cpu").predict_set(curves()),
            'Labels in the classes of the weights: `fit(curves, ["SNIa", "SNII", ...])`.',
        ),
        Case(
            "`predict_set` with too few labels",
            lambda: classifier().fit(curves(), labels()).predict_set(curves(), coverage=0.9),
            "Here: a coverage of 0.8 can be had.",
        ),
        Case(
            "a coverage in percent",
            lambda: classifier().fit(curves(), labels()).predict_set(curves(), coverage=90),
            "`coverage=0.9`.",
        ),
        Case(
            "`class_prior` without a class of the weights",
            lambda: TransferClassifier.pretrained("ztf", class_prior={"SNIa": 0.8, "SNII": 0.2}),
            "Shares need not sum to 1.",
        ),
        Case(
            "`class_prior` with a trained head",
            lambda: classifier(class_prior="magnitude-limited").fit(curves(), labels()),
            "A head learns the shares of y; for other shares, weight or draw objects accordingly.",
        ),
    ],
    "Arrays": [
        Case(
            "a 2-D array with another number of columns than in `fit`",
            lambda: classifier().fit(series(), labels()).predict(series()[:, :8]),
            "Series of other lengths are passed as a list of arrays (time, flux).",
        ),
        Case(
            "NaN in a 2-D array",
            lambda: classifier().fit(np.where(series() > 2.99, np.nan, series()), labels()),
            "A list of arrays (time, flux) without the gaps, or a 3-D array padded with NaN.",
        ),
        Case(
            "a list of series without times",
            lambda: classifier().fit([row[: 5 + k] for k, row in enumerate(series())], labels()),
            "`[numpy.column_stack([numpy.arange(len(flux)), flux]) for flux in X]`.",
        ),
        Case(
            "one array of fluxes",
            lambda: classifier().fit(np.array([2.0, 2.8, 2.9]), labels()),
            "One row an object.",
        ),
        Case(
            "a sparse matrix",
            lambda: classifier().fit(sparse.csr_matrix(series()), labels()),
            "`X.toarray()`.",
        ),
        Case(
            "something else",
            lambda: classifier().fit({"SN1": series()[0]}, labels()),
            "[Input](input.md) lists what X may be.",
        ),
    ],
    "Weights": [
        Case(
            "a name that is not known",
            lambda: LightCurveEncoder.pretrained("ztf-lsst"),
            "`sklc.list_weights()` lists them.",
        ),
        Case(
            "a file that is not there",
            lambda: LightCurveEncoder.pretrained("mine.safetensors"),
            "Look for a typing error, and at the working directory.",
        ),
        Case(
            "a file cut short",
            lambda: LightCurveEncoder.pretrained(write_weights(lambda b: b[: len(b) // 2])),
            "Copy the file again.",
        ),
        Case(
            "a file with a byte changed",
            lambda: LightCurveEncoder.pretrained(write_weights(lambda b: flipped(b, -1000))),
            "Copy the file again.",
        ),
        Case(
            "a file of a newer sklc",
            lambda: LightCurveEncoder.pretrained(write_header(format_version=2)),
            "Upgrade; or save the weights with the older version.",
        ),
        Case(
            "a file that is something else",
            lambda: LightCurveEncoder.pretrained(other_file(b"object_id,mjd,flux\nSN1,59000,1\n")),
            "Look at the path.",
        ),
        Case(
            "a safetensors file of other software",
            lambda: LightCurveEncoder.pretrained(
                other_file(safetensors.numpy.save({"weight": np.zeros(3, dtype=np.float32)}))
            ),
            "Weights need their input convention: load such a network in torch, not here.",
        ),
    ],
    "Parameters": [
        Case(
            "a metadata column that is not there",
            lambda: classifier(metadata_columns=["mwebv"]).fit(curves(), labels()),
            "`curves.with_metadata(mwebv=values)`, in `fit` and in `predict`.",
        ),
        Case(
            "a metadata column that is not numeric",
            lambda: classifier(metadata_columns=["host"]).fit(
                curves().with_metadata(host=["spiral"] * 6), labels()
            ),
            "One 0-1 column for each value: `pandas.get_dummies`.",
        ),
        Case(
            "`merge_classes` with a class that the weights do not have",
            lambda: TransferClassifier.pretrained("ztf", merge_classes={"Ia": ["SNIa", "Ia-pec"]}),
            '`sklc.weights.file.load_weights("ztf").classes` are the classes.',
        ),
        Case(
            "`transform` before `fit`, without weights",
            lambda: LightCurveEncoder().transform(curves()),
            "`fit(X, y)` first, or pretrained weights.",
        ),
    ],
    "Anomalies": [
        Case(
            "no classes where they are needed",
            lambda: outlier_forest(per_class=True).fit(curves()),
            "`fit(X, y)`; or leave out `per_class` and `finetune`, and name weights.",
        ),
        Case(
            "a class of one member, with a forest for each",
            lambda: outlier_forest(per_class=True).fit(curves(), ["Ia"] * 5 + ["TDE"]),
            '`keep = y != "TDE"`, then `fit(curves[keep], y[keep])`.',
        ),
        Case(
            "a single light curve",
            lambda: outlier_forest().fit(curves()[:1]),
            "What is normal is learned from many objects.",
        ),
        Case(
            "more components than light curves",
            lambda: outlier_forest(n_components=32).fit(curves()),
            "The default keeps as many as the data have.",
        ),
        Case(
            "light curves that all are the same",
            lambda: outlier_forest().fit(concatenate([curves()[:1]] * 2, suffixes=["a", "b"])),
            "Look at how X was made.",
        ),
    ],
    "Redshifts": [
        Case(
            "no redshifts",
            lambda: regressor().fit(curves()),
            'Or `finetune="none"`, with weights that were trained on redshifts.',
        ),
        Case(
            "a redshift that is missing",
            lambda: regressor().fit(curves(), redshifts(SN3=np.nan)),
            "As the message says.",
        ),
        Case(
            "a redshift that is zero or negative",
            lambda: regressor().fit(curves(), redshifts(SN3=-0.001)),
            "As the message says.",
        ),
        Case(
            "redshifts of another length than X",
            lambda: regressor().fit(curves(), redshifts()[:5]),
            "Select X and y with the same rows.",
        ),
        Case(
            "redshifts given as text",
            lambda: regressor().fit(curves(), ["z=0.1"] * 6),
            '`pandas.to_numeric(y, errors="coerce")`, then leave out what is NaN.',
        ),
        Case(
            "two objects",
            lambda: regressor().fit(curves()[:2], redshifts()[:2]),
            "With a few dozen, intervals begin to mean something.",
        ),
        Case(
            "fewer objects than neighbours",
            lambda: regressor(method="knn").fit(curves(), redshifts()),
            "As the message says: the number is never changed silently.",
        ),
        Case(
            "a coverage in percent",
            lambda: regressor().fit(curves(), redshifts()).predict_interval(curves(), coverage=68),
            "`coverage=0.68`.",
        ),
    ],
    "Pretraining": [
        Case(
            '`objective="adversarial"` without surveys',
            lambda: encoder(objective="adversarial").fit(curves(), labels()),
            "One survey an object.",
        ),
        Case(
            "a survey that is missing",
            lambda: encoder(objective="adversarial").fit(
                curves(), labels(), survey=["ZTF", None, "LSST", "ZTF", "ZTF", "LSST"]
            ),
            "Leave the object out, or find its survey.",
        ),
        Case(
            "a single survey",
            lambda: encoder(objective="adversarial").fit(curves(), labels(), survey=["ZTF"] * 6),
            "Another objective.",
        ),
        Case(
            "`redshift_weight` without redshifts",
            lambda: encoder(redshift_weight=0.1).fit(curves(), labels()),
            "A metadata column, or classes alone.",
        ),
        Case(
            "a redshift that is not positive",
            lambda: encoder(redshift_weight=0.1).fit(
                curves().with_metadata(redshift=[0.1, -0.2, 0.1, 0.3, 0.1, 0.1]), labels()
            ),
            "Heliocentric or CMB redshifts both do, but a velocity does not.",
        ),
        Case(
            "a checkpoint of another training",
            lambda: encoder(checkpoint=checkpoint(hidden_size=4)).fit(curves(), labels()),
            "The settings that began it, or another file.",
        ),
        Case(
            "a checkpoint that is cut short",
            lambda: encoder(checkpoint=cut_short(checkpoint())).fit(curves(), labels()),
            "A new file.",
        ),
    ],
    "Simulation": [
        Case(
            "a class that is not known",
            lambda: simulate(10, "ztf", "SNIA"),
            "`sklc.simulate.list_classes()` names them; case matters.",
        ),
        Case(
            "a survey that is not known",
            lambda: simulate(10, "ztff"),
            "`sklc.simulate.list_surveys()` names them.",
        ),
        Case(
            "a number that is negative or no integer",
            lambda: simulate({"SNIa": -1}, "ztf"),
            "0 is allowed, and gives no light curves.",
        ),
        Case(
            "an impossible redshift",
            lambda: simulate(10, "ztf", "SNIa", z_max=-0.1),
            "`z_max=None` looks as far as the survey sees.",
        ),
        Case(
            "an impossible trigger",
            lambda: simulate(10, "ztf", trigger=Trigger(n_det=0)),
            "At least one detection. A trigger that nothing passes ends in an error, too, which "
            "says how many candidates were tried.",
        ),
        Case(
            "pointings with NaN",
            lambda: Survey.from_pointings(pointings(depth=np.nan)),
            "Leave such visits out.",
        ),
        Case(
            "pointings in Julian dates",
            lambda: Survey.from_pointings(pointings(mjd=2460000.5)),
            "Subtract 2400000.5.",
        ),
        Case(
            "pointings with depths that are no magnitudes",
            lambda: Survey.from_pointings(pointings(depth=450.0)),
            "Depth is the 5-sigma point-source limit in AB magnitudes.",
        ),
        Case(
            "pointings outside the season asked for",
            lambda: Survey.from_pointings(pointings(), season=(50000, 50100)),
            "Times of the season are MJD.",
        ),
        Case(
            "pointings in an unknown band",
            lambda: Survey.from_pointings(pointings(band="clear")),
            'Any curve will do: `passbands={"clear": (wavelength, transmission)}`.',
        ),
    ],
    "Serving, and large data sets": [
        Case(
            "an exported model without what is asked for",
            lambda: exported().run(curves(), "redshift"),
            "Export an encoder that was trained with `redshift_weight`.",
        ),
        Case(
            "an exported model that is not there",
            lambda: OnnxModel("classifier.onnx"),
            "Paths are relative to the working directory.",
        ),
        Case(
            "a Parquet folder in another order, read in blocks",
            lambda: list(stream(encoder().transform, backwards(), n_objects=2)),
            "`to_parquet` writes both files in one order.",
        ),
        Case(
            "no light curves in a part",
            lambda: list(stream(encoder().transform, curves(), n_objects=0)),
            "10,000 is the default.",
        ),
        Case(
            "a method that does not return a row for each light curve",
            lambda: list(stream(len, [curves()])),
            "Such as `transform`, `predict`, `predict_proba`, `score_samples`.",
        ),
    ],
}

CASES = {case.what: case for section in SECTIONS.values() for case in section}
