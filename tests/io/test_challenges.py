"""Tables of PLAsTiCC and ELAsTiCC."""

import io

import numpy as np
import pandas as pd
import pytest
from make_services import ELASTICC, PLASTICC

from sklc.errors import LightCurveError
from sklc.io import read, read_elasticc, read_plasticc

METADATA = b"""object_id,ra,decl,ddf_bool,hostgal_specz,hostgal_photoz,distmod,mwebv,target,true_z
615,349.046051,-61.943836,1,0.0,0.0,-9,0.017,92,0.0
713,53.085938,-27.784405,1,-9,1.6267,45.4063,0.007,88,1.8
730,33.574219,-6.579593,1,0.232,0.2262,40.2561,0.021,42,0.2
"""


def test_plasticc():
    curves = read_plasticc(PLASTICC, metadata=METADATA)
    assert curves.ids.tolist() == [615, 713]
    assert curves.flux.tolist() == [-544.810303, -816.434326, -14.735178]
    assert curves.band_names.tolist() == ["lsstr", "lsstg", "lsstu"]
    assert curves.zero_point == 27.5
    about = curves.metadata
    assert about["label"].tolist() == [92, 88]
    np.testing.assert_array_equal(about["redshift"], [0.0, np.nan])
    np.testing.assert_array_equal(about["distmod"], [np.nan, 45.4063])
    assert about["dec"].tolist() == [-61.943836, -27.784405]
    assert about["true_z"].tolist() == [0.0, 1.8]


def test_plasticc_in_its_older_form():
    old = PLASTICC.replace(b"detected_bool", b"detected")
    frame = pd.read_csv(io.BytesIO(old))
    for source in (old, frame):
        assert read(source, verbose=False).lengths.tolist() == [2, 1]
    detected = read_plasticc(frame, quality=lambda table: table["detected"] == 1)
    assert detected.lengths.tolist() == [1]


def test_plasticc_truth_is_preferred_as_label():
    zenodo = METADATA.replace(b"target,true_z", b"target,true_target").replace(b",1.8", b",991")
    assert read_plasticc(PLASTICC, metadata=zenodo).metadata["label"].tolist() == [0.0, 991.0]


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (METADATA.replace(b"713", b"615"), "more than one row for the object 615"),
        (METADATA.replace(b"object_id", b"id"), "no column of object ids"),
        (METADATA.replace(b"713", b"714"), "713"),
    ],
)
def test_metadata_that_does_not_fit(metadata, message):
    with pytest.raises(LightCurveError, match=message):
        read_plasticc(PLASTICC, metadata=metadata)


def test_elasticc():
    curves = read(ELASTICC, verbose=False)
    assert curves.ids.tolist() == [2**53 + 1]
    assert curves.flux.tolist() == [120.5, -80.5]
    assert curves.band_names.tolist() == ["lssty", "lsstg"]
    assert curves.zero_point == 27.5


def test_elasticc_of_a_database():
    lower = ELASTICC.splitlines()[0].lower() + b"\n" + b"\n".join(ELASTICC.splitlines()[1:])
    truth = pd.DataFrame(
        {"diaobjectid": [2**53 + 1], "classid": [111], "zcmb": [-9.0], "ra": [1.0]}
    )
    curves = read(lower.replace(b"diaobjectid", b"diaobject_id"), metadata=truth, verbose=False)
    assert curves.metadata["label"].tolist() == [111]
    assert np.isnan(curves.metadata["redshift"].iloc[0])


def test_ids_that_went_through_floats_are_refused():
    frame = pd.read_csv(io.BytesIO(ELASTICC)).astype({"diaObjectId": float})
    with pytest.raises(LightCurveError, match=r"not exact above 2\*\*53"):
        read_elasticc(frame)


def test_a_bad_row_is_named():
    with pytest.raises(LightCurveError, match="'flux' holds 'oops' in row 2"):
        read_plasticc(PLASTICC.replace(b"-816.434326", b"oops"))
