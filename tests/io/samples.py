"""A small file in the true layout of each format, under the name that the documentation uses."""

import json
from types import SimpleNamespace

import alert_packets as packets
import make_services as services
import pandas as pd
import test_brokers as brokers
import test_io_missions as missions
import test_io_nested as nested
import test_io_tables as tables
from astropy.table import Table

from sklc.datasets import load_demo

_MJD = [60_000.25, 60_003.25, 60_006.25]


def _ztf_alerts(folder):
    now = [packets.detection(mjd, mag) for mjd, mag in zip(_MJD, (20.0, 19.0, 18.5), strict=True)]
    alerts = [packets.ztf_packet(now[k], now[:k]) for k in (1, 2)]
    contents = {
        f"{k}.avro": packets.avro([alert], packets.ZTF_SCHEMA) for k, alert in enumerate(alerts)
    }
    packets.tar_gz(folder / "ztf_public_20230225.tar.gz", contents)


def _rubin_alerts(folder):
    alert = packets.rubin_packet(
        packets.source(_MJD[2]), [packets.source(_MJD[0])], [packets.forced_source(_MJD[1])]
    )
    (folder / "alerts.avro").write_bytes(packets.avro([alert], packets.RUBIN_SCHEMA))


def _alerce(folder):
    found = {"detections": brokers.with_id(brokers.SEEN), "non_detections": brokers.LIMITS}
    (folder / "ZTF20abc.json").write_text(json.dumps(found))


def _fink(folder):
    rows = [row for row in brokers.fink_rows() if row["i:magpsf"] is not None]
    pd.DataFrame(rows).to_parquet(folder / "fink.parquet")


def _lasair(folder):
    (folder / "objects.json").write_text(json.dumps([brokers.LASAIR]))


def _antares(folder):
    table = brokers.antares_table()
    table[table["ant_survey"] != 4].to_csv(folder / "ANT2020abc.csv", index=False)


def _alerce_elasticc(folder):
    rows = {"SNID": ["7", "7"], "MJD": _MJD[:2], "BAND": ["g", "Y"], "FLUXCAL": [52.0, 31.0]}
    pd.DataFrame(rows | {"FLUXCALERR": [4.0, 5.0]}).to_parquet(folder / "lc.parquet")
    about = {"SNID": ["7"], "REDSHIFT_HELIO": [0.31], "MWEBV": [0.02]}
    pd.DataFrame(about).to_parquet(folder / "metadata.parquet")


def _service(name):
    content, file = services.FILES[name]
    return lambda folder: (folder / file).write_bytes(content)


def _snana(folder):
    services.snana_fits(folder, prefix="LSST_SNIa")


def _plasticc(folder):
    (folder / "training_set.csv").write_bytes(services.PLASTICC)
    about = {"object_id": [615, 713], "target": [92, 88], "hostgal_specz": [0.0, 1.8]}
    about |= {"ra": [349.0, 53.1], "decl": [-61.9, -27.8], "mwebv": [0.017, 0.007]}
    pd.DataFrame(about).to_csv(folder / "training_set_metadata.csv", index=False)


def _rubin_tables(folder):
    services.rubin_forced().to_parquet(folder / "ForcedSourceOnDiaObject.parquet")
    services.rubin_visits().to_parquet(folder / "Visit.parquet")


def _kepler(folder):
    (folder / "kplr001026032-2011271113734_llc.fits").write_bytes(missions.space_file("Kepler"))


def _tess(folder):
    name = "tess2018206045859-s0001-0000000025155310-0120-s_lc.fits"
    (folder / name).write_bytes(missions.space_file("TESS", star=25155310))


def _gaia(folder):
    missions.gaia_long().to_csv(folder / "EPOCH_PHOTOMETRY.csv", index=False)


def _asassn(folder):
    (folder / "RCrB.csv").write_text(missions.V1)


def _aavso(folder):
    (folder / "aavsodata.txt").write_text(missions.AAVSO)


def _sousa(folder):
    (folder / "SN2011aa_uvotB15.1.dat").write_text(tables.SOUSA)


def _sklc_parquet(folder):
    load_demo().curves[:2].to_parquet(folder / "simulated")


def _hats(folder):
    nested.catalogue(folder / "dia_object_lc", collection=False)


def _astropy_table(folder):
    table = Table({"name": ["SN1", "SN1"], "mjd": _MJD[:2], "band": ["ztfg", "ztfr"]})
    table["flux"], table["flux_err"] = [310.0, 820.0], [21.0, 18.0]
    table["flux"].unit = table["flux_err"].unit = "uJy"
    table.write(folder / "supernovae.ecsv")


def _text(folder):
    (folder / "SN1.txt").write_text("60000.25 19.2 0.08\n60003.25 18.7 0.05\n")


def _long_table(folder):
    load_demo().curves[:3].to_frame().to_csv(folder / "night.csv", index=False)


#: A function for each format, which writes its files into a folder.
WRITERS = {
    "antares": _antares,
    "fink": _fink,
    "lasair": _lasair,
    "ztf-alerts": _ztf_alerts,
    "rubin-alerts": _rubin_alerts,
    "alerce-elasticc": _alerce_elasticc,
    "alerce": _alerce,
    "ztf-forced": _service("ztf-forced"),
    "atlas-forced": _service("atlas-forced"),
    "snana": _snana,
    "plasticc": _plasticc,
    "elasticc": _service("elasticc"),
    "rubin-tables": _rubin_tables,
    "ztf-dr": _service("ztf-dr"),
    "open-catalog": _service("open-catalog"),
    "otter": _service("otter"),
    "sncosmo": _service("sncosmo"),
    "kepler": _kepler,
    "tess": _tess,
    "lightkurve": _kepler,  # the file that it downloads
    "gaia": _gaia,
    "asassn": _asassn,
    "aavso": _aavso,
    "sklc-parquet": _sklc_parquet,
    "hats": _hats,
    "astropy-table": _astropy_table,
    "sousa": _sousa,
    "text": _text,
    "long-table": _long_table,
}


def packages():
    """Return stand-ins of packages that find light curves in an archive, by name."""
    quarter = SimpleNamespace(download=missions.lightkurve_object)
    alert = SimpleNamespace(alert_id="ztf_candidate:2", properties={"ztf_isdiffpos": "f"})
    table = brokers.antares_table()
    locus = SimpleNamespace(
        locus_id="ANT2020abc", ra=10.5, dec=-20.25, alerts=[alert],
        lightcurve=table[table["ant_survey"] != 4],
    )  # fmt: skip
    client = SimpleNamespace(search=SimpleNamespace(get_by_id={locus.locus_id: locus}.get))
    return {
        "lightkurve": SimpleNamespace(search_lightcurve=lambda *_, **__: quarter),
        "antares_client": client,
    }
