"""Files of tables and of missions, in their true layouts, for the benchmark of the readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.table import Table

from sklc.light_curves import LightCurves

ROWS_PER_OBJECT = 100


class Maker:
    """Files of about `n_rows` rows in a folder, with numbers from a seed.

    Parameters
    ----------
    folder : Path
    n_rows : int
    seed : int
    """

    def __init__(self, folder: Path, n_rows: int, seed: int) -> None:
        self.folder, self.n_rows = folder, n_rows
        self.rng = np.random.default_rng(seed)
        self.n_objects = n_rows // ROWS_PER_OBJECT

    def base(self, ids: Any = None, bands: Sequence[str] = ("ztfg", "ztfr")) -> dict[str, Any]:
        """Return the columns of a long table, grouped by object."""
        n, rng = self.n_rows, self.rng
        names = np.arange(self.n_objects) + 10**12 if ids is None else np.asarray(ids)
        return {
            "id": np.repeat(names, ROWS_PER_OBJECT)[:n],
            "mjd": np.round(np.tile(np.sort(rng.uniform(58000, 60000, ROWS_PER_OBJECT)),
                                    self.n_objects) + np.repeat(rng.uniform(0, 1, self.n_objects),
                                                                ROWS_PER_OBJECT), 6),
            "band": rng.choice(list(bands), n),
            "flux": np.round(rng.normal(100, 20, n), 4),
            "err": np.round(rng.uniform(3, 5, n), 4),
            "mag": np.round(rng.uniform(17, 20, n), 4),
            "mag_err": np.round(rng.uniform(0.02, 0.2, n), 4),
        }  # fmt: skip

    def number(self, low: float = 0.0, high: float = 1.0, digits: int = 4) -> np.ndarray:
        """Return one number per row."""
        return np.round(self.rng.uniform(low, high, self.n_rows), digits)

    def csv(self, name: str, columns: Mapping[str, Any], head: str = "") -> Path:
        """Write a CSV file."""
        path = self.folder / name
        path.write_text(head + pd.DataFrame(columns).to_csv(index=False))
        return path

    def parquet(self, name: str, columns: Mapping[str, Any]) -> Path:
        """Write a Parquet file."""
        path = self.folder / name
        pd.DataFrame(columns).to_parquet(path)
        return path

    def blanks(self, name: str, columns: Mapping[str, Any], head: str = "") -> Path:
        """Write a table with blanks between the columns."""
        path = self.folder / name
        text = pd.DataFrame(columns).to_csv(index=False, sep=" ", header=not head)
        path.write_text(head + text)
        return path


# -- tables of observations


def long_csv(make: Maker) -> Path:
    """Return a table with the usual names."""
    own = make.base()
    return make.csv("long.csv", {"object_id": own["id"], "mjd": own["mjd"], "band": own["band"],
                                 "flux": own["flux"], "flux_err": own["err"]})  # fmt: skip


def long_text(make: Maker) -> Path:
    """Return the same with names of objects, and with blanks between columns."""
    own = make.base([f"SN{k:05d}" for k in range(make.n_objects)])
    return make.blanks("long.txt", {"name": own["id"], "mjd": own["mjd"], "filter": own["band"],
                                    "mag": own["mag"], "magerr": own["mag_err"]})  # fmt: skip


def long_parquet(make: Maker) -> Path:
    """Return a Parquet file with names of objects."""
    own = make.base([f"ZTF{k:08d}" for k in range(make.n_objects)])
    return make.parquet("long.parquet", {"object_id": own["id"], "mjd": own["mjd"],
                        "band": own["band"],
                        "flux": own["flux"], "flux_err": own["err"]})  # fmt: skip


def nested_parquet(make: Maker) -> Path:
    """Return one row per object with a nested column, as HATS catalogues have."""
    own = make.base(bands=("g", "r", "i"))
    curves = LightCurves.from_frame(
        pd.DataFrame({"object_id": own["id"], "mjd": own["mjd"], "flux": own["flux"],
                      "flux_err": own["err"], "band": own["band"]}), survey="LSST")  # fmt: skip
    path = make.folder / "nested.parquet"
    curves.to_nested().reset_index().to_parquet(path)
    return path


def sklc_folder(make: Maker) -> Path:
    """Return a folder that sklc itself writes."""
    own = make.base()
    frame = pd.DataFrame({"object_id": own["id"], "mjd": own["mjd"], "band": own["band"],
                          "flux": own["flux"], "flux_err": own["err"]})  # fmt: skip
    LightCurves.from_frame(frame).to_parquet(make.folder / "own")
    return make.folder / "own"


def fits_table(make: Maker) -> Path:
    """Return a table of astropy in FITS."""
    own = make.base([f"SN{k:05d}" for k in range(make.n_objects)])
    table = Table({"object_id": own["id"], "mjd": own["mjd"], "band": own["band"],
                   "flux": own["flux"], "flux_err": own["err"]})  # fmt: skip
    table["flux"].unit = table["flux_err"].unit = "uJy"
    table.write(make.folder / "table.fits")
    return make.folder / "table.fits"


def votable(make: Maker) -> Path:
    """Return the same as a VOTable."""
    table = Table.read(fits_table(make))
    table.write(make.folder / "table.xml", format="votable")
    (make.folder / "table.fits").unlink()
    return make.folder / "table.xml"


# -- missions and services of stars


def kepler(make: Maker) -> Path:
    """Return a light-curve file of Kepler."""
    n = make.n_rows
    names = {"TIME": "D", "TIMECORR": "E", "CADENCENO": "J", "SAP_FLUX": "E", "SAP_FLUX_ERR": "E",
             "SAP_BKG": "E", "SAP_BKG_ERR": "E", "PDCSAP_FLUX": "E", "PDCSAP_FLUX_ERR": "E",
             "SAP_QUALITY": "J", "PSF_CENTR1": "D", "PSF_CENTR2": "D", "MOM_CENTR1": "D",
             "MOM_CENTR2": "D", "POS_CORR1": "E", "POS_CORR2": "E"}  # fmt: skip
    values = {name: make.rng.uniform(1e4, 1.1e4, n) for name in names}
    values |= {"TIME": 1000 + np.arange(n) * 0.02, "SAP_QUALITY": np.zeros(n)}
    values |= {name: make.rng.uniform(5, 6, n) for name in names if name.endswith("_ERR")}
    primary = fits.PrimaryHDU()
    primary.header.update(TELESCOP="Kepler", OBJECT="KIC 1", KEPLERID=1, RA_OBJ=290.0,
                          DEC_OBJ=40.0, KEPMAG=15.1)  # fmt: skip
    table = fits.BinTableHDU.from_columns(
        [fits.Column(name, kind, array=values[name], unit="e-/s" if "FLUX" in name else None)
         for name, kind in names.items()], name="LIGHTCURVE")  # fmt: skip
    table.header.update(TELESCOP="Kepler", BJDREFI=2454833, BJDREFF=0.0)
    fits.HDUList([primary, table]).writeto(make.folder / "kplr_llc.fits")
    return make.folder / "kplr_llc.fits"


def gaia(make: Maker) -> Path:
    """Return epoch photometry of Gaia as CSV."""
    own = make.base(np.arange(make.n_objects) + 2328619740476096384, ("G", "BP", "RP"))
    return make.csv("gaia.csv", {
        "solution_id": 375316653866487564, "source_id": own["id"],
        "transit_id": np.arange(make.n_rows) + 10**16, "band": own["band"],
        "time": own["mjd"] - 55000, "mag": own["mag"], "flux": own["flux"] * 100,
        "flux_error": own["err"], "flux_over_error": make.number(10, 90),
        "rejected_by_photometry": make.rng.random(make.n_rows) < 0.02,
        "rejected_by_variability": make.rng.random(make.n_rows) < 0.02,
        "other_flags": make.rng.integers(0, 4, make.n_rows),
    })  # fmt: skip


def asassn(make: Maker) -> Path:
    """Return a star in Sky Patrol version 2."""
    own = make.base(bands=("V", "g"))
    return make.csv("asassn.csv", {
        "JD": own["mjd"] + 2400000.5, "Flux": own["flux"], "Flux Error": own["err"],
        "Mag": own["mag"], "Mag Error": own["mag_err"], "Limit": make.number(16, 18),
        "FWHM": make.number(1, 2), "Filter": own["band"],
        "Quality": make.rng.choice(["G", "G", "B"], make.n_rows),
        "Camera": make.rng.choice(["ba", "bb", "bi"], make.n_rows),
    })  # fmt: skip


def aavso(make: Maker) -> Path:
    """Return a download of the AAVSO, in which one magnitude in 20 is a limit."""
    own = make.base(bands=("V", "B", "Vis."))
    magnitude = own["mag"].round(3).astype(str).astype(object)
    limits = make.rng.random(make.n_rows) < 0.05
    magnitude[limits] = [f"<{text}" for text in magnitude[limits]]
    return make.csv("aavso.csv", {
        "JD": own["mjd"] + 2400000.5, "Magnitude": magnitude, "Uncertainty": own["mag_err"],
        "HQuncertainty": "", "Band": own["band"], "Observer Code": "ABC", "Comment Code(s)": "",
        "Comp Star 1": "110", "Comp Star 2": "", "Charts": "X1234", "Comments": "",
        "Transfomed": "0", "Airmass": make.number(1, 2), "Validation Flag": "Z",
        "Cmag": make.number(10, 12), "Kmag": "", "HJD": "", "Star Name": "SS CYG",
        "Observer Affiliation": "AAVSO", "Measurement Method": "STD", "Grouping Method": "",
        "ADS Reference": "", "Digitizer": "", "Credit": "",
    })  # fmt: skip
