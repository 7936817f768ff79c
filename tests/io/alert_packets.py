"""Small files in the layouts of surveys and brokers, and what they should be read as."""

import io
import tarfile

import fastavro
import numpy as np

ZERO_POINT = 27.5
MJD = 2_400_000.5

_NUMBER, _INTEGER, _TEXT = ["null", "double"], ["null", "long"], ["null", "string"]
_CANDIDATE = {
    "jd": "double", "fid": "int", "pid": "long", "diffmaglim": _NUMBER, "candid": _INTEGER,
    "isdiffpos": _TEXT, "ra": _NUMBER, "dec": _NUMBER, "magpsf": _NUMBER, "sigmapsf": _NUMBER,
    "distnr": _NUMBER, "magnr": _NUMBER, "sigmagnr": _NUMBER, "nbad": _INTEGER, "rb": _NUMBER,
}  # fmt: skip
_FORCED = {
    "jd": "double", "fid": "int", "pid": "long", "magzpsci": _NUMBER, "forcediffimflux": _NUMBER,
    "forcediffimfluxunc": _NUMBER, "procstatus": _TEXT, "distnr": _NUMBER, "magnr": _NUMBER,
    "sigmagnr": _NUMBER,
}  # fmt: skip
_SOURCE = {
    "diaSourceId": "long", "visit": "long", "detector": "int", "diaObjectId": _INTEGER,
    "ssObjectId": _INTEGER, "midpointMjdTai": "double", "ra": "double", "dec": "double",
    "psfFlux": _NUMBER, "psfFluxErr": _NUMBER, "psfFlux_flag": ["null", "boolean"],
    "pixelFlags_saturatedCenter": ["null", "boolean"], "scienceFlux": _NUMBER,
    "scienceFluxErr": _NUMBER, "reliability": _NUMBER, "band": _TEXT,
    "timeWithdrawnMjdTai": _NUMBER,
}  # fmt: skip
_FORCED_SOURCE = {
    "diaForcedSourceId": "long", "diaObjectId": "long", "visit": "long", "detector": "int",
    "psfFlux": _NUMBER, "psfFluxErr": _NUMBER, "midpointMjdTai": "double", "scienceFlux": _NUMBER,
    "scienceFluxErr": _NUMBER, "band": _TEXT, "timeWithdrawnMjdTai": _NUMBER,
}  # fmt: skip
_OBJECT = {"diaObjectId": "long", "ra": "double", "dec": "double", "nDiaSources": "int"}
_OLD_SOURCE = {
    "diaSourceId": "long", "ccdVisitId": "long", "diaObjectId": _INTEGER, "midPointTai": "double",
    "filterName": "string", "ra": "double", "decl": "double", "psFlux": "float",
    "psFluxErr": "float",
}  # fmt: skip
_OLD_OBJECT = {
    "diaObjectId": "long", "ra": "double", "decl": "double", "mwebv": "float", "z_final": "float",
    "hostgal_ellipticity": "float",
}  # fmt: skip


def _record(name, fields):
    return {
        "type": "record",
        "name": name,
        "fields": [
            {"name": key, "type": kind, **({"default": None} if isinstance(kind, list) else {})}
            for key, kind in fields.items()
        ],
    }


def _or_null(kind):
    return ["null", kind]


def _list_of(kind):
    return ["null", {"type": "array", "items": kind}]


ZTF_SCHEMA = _record(
    "ztf.alert",
    {
        "objectId": "string",
        "candid": "long",
        "candidate": _record("ztf.alert.candidate", _CANDIDATE),
        "prv_candidates": _list_of(_record("ztf.alert.prv_candidate", _CANDIDATE)),
        "fp_hists": _list_of(_record("ztf.alert.fp_hist", _FORCED)),
    },
)
RUBIN_SCHEMA = _record(
    "lsst.v10_0.alert",
    {
        "diaSourceId": "long",
        "observation_reason": _TEXT,
        "diaSource": _record("lsst.v10_0.diaSource", _SOURCE),
        "prvDiaSources": _list_of("lsst.v10_0.diaSource"),
        "prvDiaForcedSources": _list_of(_record("lsst.v10_0.diaForcedSource", _FORCED_SOURCE)),
        "diaObject": _or_null(_record("lsst.v10_0.diaObject", _OBJECT)),
    },
)
ELASTICC_SCHEMA = _record(
    "elasticc.v0_9_1.alert",
    {
        "alertId": "long",
        "diaSource": _record("elasticc.v0_9_1.diaSource", _OLD_SOURCE),
        "prvDiaSources": _list_of("elasticc.v0_9_1.diaSource"),
        "prvDiaForcedSources": _list_of("elasticc.v0_9_1.diaSource"),
        "diaObject": _record("elasticc.v0_9_1.diaObject", _OLD_OBJECT),
    },
)
OBJECT = 170028485706776685  # beyond 2**53, and no float64
assert int(float(OBJECT)) != OBJECT


def avro(records, schema):
    """Return Avro with the schema inside, as archives and brokers have it."""
    file = io.BytesIO()
    fastavro.writer(file, fastavro.parse_schema(schema), records)
    return file.getvalue()


def on_the_wire(record, schema, number=1000):
    """Return a packet as it comes from Kafka: a zero, the number of the schema, the body."""
    file = io.BytesIO()
    fastavro.schemaless_writer(file, fastavro.parse_schema(schema), record)
    return b"\x00" + number.to_bytes(4, "big") + file.getvalue()


def tar_gz(path, contents):
    """Write an archive of files, as ZTF publishes one for each night."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in contents.items():
            item = tarfile.TarInfo(name)
            item.size = len(content)
            archive.addfile(item, io.BytesIO(content))
    return path


def flux_of(mag, mag_err=None, zero_point=ZERO_POINT):
    """Return the flux of an AB magnitude, or its error."""
    flux = 10 ** (-0.4 * (np.asarray(mag, dtype=float) - zero_point))
    return flux if mag_err is None else flux * mag_err * np.log(10) / 2.5


def detection(mjd, mag=20.0, mag_err=0.1, **fields):
    """Return a candidate of ZTF."""
    return {
        "jd": mjd + MJD, "fid": 1, "pid": round(mjd * 1000), "diffmaglim": 20.9, "candid": 7,
        "isdiffpos": "t", "ra": 10.5, "dec": -20.25, "magpsf": mag, "sigmapsf": mag_err, "nbad": 0,
        "rb": 0.9, "distnr": 0.3, "magnr": 18.0, "sigmagnr": 0.05,
    } | fields  # fmt: skip


def non_detection(mjd, limit=20.5, **fields):
    """Return a candidate of ZTF that is an upper limit."""
    empty = dict.fromkeys(_CANDIDATE)
    return empty | {
        "jd": mjd + MJD, "fid": 1, "pid": round(mjd * 1000), "diffmaglim": limit
    } | fields  # fmt: skip


def forced(mjd, counts=100.0, counts_err=10.0, zero_point=26.0, **fields):
    """Return a row of fp_hists."""
    return {
        "jd": mjd + MJD, "fid": 1, "pid": round(mjd * 1000), "magzpsci": zero_point,
        "forcediffimflux": counts, "forcediffimfluxunc": counts_err, "procstatus": "0",
        "distnr": 0.3, "magnr": 18.0, "sigmagnr": 0.05,
    } | fields  # fmt: skip


def ztf_packet(now, before=None, history=None, name="ZTF20abc"):
    """Return a packet of ZTF."""
    return {
        "objectId": name, "candid": 7, "candidate": now, "prv_candidates": before,
        "fp_hists": history,
    }  # fmt: skip


def source(mjd, flux=100.0, flux_err=5.0, **fields):
    """Return a diaSource of Rubin."""
    return dict.fromkeys(_SOURCE) | {
        "diaSourceId": round(mjd * 1000), "visit": round(mjd * 1000), "detector": 4,
        "diaObjectId": OBJECT, "midpointMjdTai": mjd, "ra": 10.5, "dec": -20.25, "psfFlux": flux,
        "psfFluxErr": flux_err, "band": "r", "scienceFlux": flux + 1000, "scienceFluxErr": 6.0,
    } | fields  # fmt: skip


def forced_source(mjd, flux=90.0, flux_err=4.0, **fields):
    """Return a diaForcedSource of Rubin."""
    return dict.fromkeys(_FORCED_SOURCE) | {
        "diaForcedSourceId": round(mjd * 1000), "diaObjectId": OBJECT, "visit": round(mjd * 1000),
        "detector": 4, "psfFlux": flux, "psfFluxErr": flux_err, "midpointMjdTai": mjd, "band": "r",
        "scienceFlux": flux + 1000, "scienceFluxErr": 6.0,
    } | fields  # fmt: skip


def rubin_packet(now, before=None, history=None, name=OBJECT, **fields):
    """Return a packet of Rubin; `name` None is a Solar System object."""
    about = None
    if name is not None:
        about = {"diaObjectId": name, "ra": 10.5, "dec": -20.25, "nDiaSources": 1}
    return {
        "diaSourceId": now["diaSourceId"], "observation_reason": "science", "diaSource": now,
        "prvDiaSources": before, "prvDiaForcedSources": history, "diaObject": about,
    } | fields  # fmt: skip


def elasticc_packet(name=11901802):
    """Return a packet of ELAsTiCC, whose current source has a placeholder as its image."""

    def row(mjd, flux, image, band="g"):
        return {
            "diaSourceId": round(mjd * 1000), "ccdVisitId": image, "diaObjectId": name,
            "midPointTai": mjd, "filterName": band, "ra": 182.3, "decl": -43.5, "psFlux": flux,
            "psFluxErr": 50.0,
        }  # fmt: skip

    about = {"diaObjectId": name, "ra": 182.3, "decl": -43.5, "mwebv": 0.125, "z_final": 0.5}
    return {
        "alertId": 1,
        "diaSource": row(61_020.25, 900.0, -1),
        "prvDiaSources": [row(61_010.25, 800.0, -1), row(61_005.25, 700.0, -1, "Y")],
        "prvDiaForcedSources": [row(61_000.25, -20.0, 5), row(61_010.25, 750.0, 6)],
        "diaObject": about | {"hostgal_ellipticity": 0.25},
    }
