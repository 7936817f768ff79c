"""The passbands sklc knows: effective wavelengths in micrometre, aliases and sources.

One row per passband: canonical name, wavelength, aliases within the survey, sncosmo name.
The wavelength is the photon-weighted mean of the transmission (see `sklc.passbands`). Where the
transmission curve could not be integrated, the published value is quoted and the source says
which definition it follows: they differ by about 1 %, up to 3 % for wide bands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["FOLLOW_UP", "STANDARD", "SURVEYS", "Survey"]

Row = tuple[str, float, tuple[str, ...], str | None]


class Survey(NamedTuple):
    """A survey or instrument: its other names, the source of its wavelengths, and its bands."""

    name: str
    aliases: tuple[str, ...]
    source: str
    rows: tuple[Row, ...]


_CURVE = "mean of the transmission curve distributed with sncosmo"
_SVO = "mean wavelength (lambda_mean) of the SVO Filter Profile Service, Rodrigo & Solano 2020"

SURVEYS: tuple[Survey, ...] = (
    Survey(
        "ZTF",
        ("BTS", "ZTFBTS"),
        f"{_CURVE} (ztf/P48_*.dat)",
        (  # 1, 2, 3 are the filter ids (fid) of the ZTF alerts
            ("ztfg", 0.48140, ("g", "1"), "ztfg"),
            ("ztfr", 0.64218, ("r", "2"), "ztfr"),
            ("ztfi", 0.78830, ("i", "3"), "ztfi"),
        ),
    ),
    Survey(
        "LSST",
        ("Rubin", "LSSTCam", "DP0", "DP1", "PLAsTiCC", "ELAsTiCC", "ELAsTiCC2"),
        f"{_CURVE} (lsst/total_*.dat)",
        (  # 0 to 5 are the passband ids of PLAsTiCC
            ("lsstu", 0.36707, ("u", "0"), "lsstu"),
            ("lsstg", 0.48269, ("g", "1"), "lsstg"),
            ("lsstr", 0.62232, ("r", "2"), "lsstr"),
            ("lssti", 0.75460, ("i", "3"), "lssti"),
            ("lsstz", 0.86909, ("z", "4"), "lsstz"),
            ("lssty", 0.97103, ("y", "5"), "lssty"),
        ),
    ),
    Survey(
        "PS1",
        ("PanSTARRS", "PanSTARRS1", "PS", "Foundation", "YSE", "MDS", "PSST"),
        f"{_CURVE} (ps1/ps1_*.dat, Tonry et al. 2012)",
        (
            ("ps1g", 0.48665, ("g", "psg"), "ps1::g"),
            ("ps1r", 0.62146, ("r", "psr"), "ps1::r"),
            ("ps1i", 0.75446, ("i", "psi"), "ps1::i"),
            ("ps1z", 0.86795, ("z", "psz"), "ps1::z"),
            ("ps1y", 0.96333, ("y", "psy"), "ps1::y"),
            ("ps1w", 0.63894, ("w", "psw"), "ps1::w"),
        ),
    ),
    Survey(
        "DES",
        ("DECam", "Blanco"),
        f"{_CURVE} (des/des_*.dat, DECam)",
        (
            ("desu", 0.38168, ("u",), "desu"),
            ("desg", 0.48281, ("g",), "desg"),
            ("desr", 0.64338, ("r",), "desr"),
            ("desi", 0.78290, ("i",), "desi"),
            ("desz", 0.91772, ("z",), "desz"),
            ("desy", 0.99156, ("y",), "desy"),
        ),
    ),
    Survey(
        "SDSS",
        ("Sloan",),
        f"{_CURVE} (sdss/sdss_*.dat, Doi et al. 2010)",
        (
            ("sdssu", 0.35943, ("u",), "sdssu"),
            ("sdssg", 0.47176, ("g",), "sdssg"),
            ("sdssr", 0.61868, ("r",), "sdssr"),
            ("sdssi", 0.75062, ("i",), "sdssi"),
            ("sdssz", 0.89183, ("z",), "sdssz"),
        ),
    ),
    Survey(
        "ATLAS",
        (),
        f"{_SVO} (Misc/Atlas.cyan and Misc/Atlas.orange)",
        (
            ("atlasc", 0.54087, ("c", "cyan"), "atlasc"),
            ("atlaso", 0.68663, ("o", "orange"), "atlaso"),
        ),
    ),
    Survey(
        "Gaia",
        (),
        "mean photon wavelength of the Gaia EDR3 passbands, Riello et al. 2021",
        (
            ("gaia_g", 0.63902, ("G",), "gaia::g"),
            ("gaia_bp", 0.51826, ("BP", "G_BP", "Gbp"), "gaia::gbp"),
            ("gaia_rp", 0.78251, ("RP", "G_RP", "Grp"), "gaia::grp"),
        ),
    ),
    Survey(
        "Kepler",
        ("K2",),
        f"{_CURVE} (kepler/kepler_response_hires1.txt)",
        (("kepler", 0.64168, ("Kp", "Kepmag"), "kepler"),),
    ),
    Survey(
        "TESS",
        (),
        "mean of the mission's response function v2.0; SVO, and so sncosmo, have an older "
        "curve with a mean 1 % redder",
        (("tess", 0.7888, ("Tmag",), "tess"),),
    ),
    Survey(
        "Swift",
        ("UVOT",),
        f"{_CURVE} (swift/Swift_UVOT.*.dat)",
        (
            ("uvotuvw2", 0.20790, ("UVW2", "W2", "uvotW2"), "uvot::uvw2"),
            ("uvotuvm2", 0.22549, ("UVM2", "M2", "uvotM2"), "uvot::uvm2"),
            ("uvotuvw1", 0.26141, ("UVW1", "W1", "uvotW1"), "uvot::uvw1"),
            ("uvotu", 0.34755, ("U",), "uvot::u"),
            ("uvotb", 0.43591, ("B",), "uvot::b"),
            ("uvotv", 0.54301, ("V",), "uvot::v"),
            ("uvotwhite", 0.35474, ("white",), "uvot::white"),
        ),
    ),
    Survey(
        "Bessell",
        ("Johnson", "Cousins", "JohnsonCousins", "Landolt", "UBVRI"),
        f"{_CURVE} (Bessell 1990)",
        (
            ("bessellux", 0.35916, ("U", "bessellu"), "bessellux"),
            ("bessellb", 0.43848, ("B",), "bessellb"),
            ("bessellv", 0.54889, ("V",), "bessellv"),
            ("bessellr", 0.65340, ("R", "Rc"), "bessellr"),
            ("besselli", 0.80334, ("I", "Ic"), "besselli"),
        ),
    ),
    Survey(
        "CRTS",
        ("CSS", "MLS", "SSS", "Catalina"),
        "nominal: unfiltered CCD with magnitudes tied to Johnson V (Drake et al. 2009); "
        "wavelength of Bessell V",
        (("crtsV", 0.54889, ("V", "CV"), None),),
    ),
    Survey(
        "ASAS",
        (),
        "nominal: standard V and I filters (Pojmanski 1997); wavelength of Bessell V and I",
        (("asasV", 0.54889, ("V",), None), ("asasI", 0.80334, ("I",), None)),
    ),
    Survey(
        "ASAS-SN",
        (),
        "nominal: Johnson V and Sloan g filters (Kochanek et al. 2017); wavelength of Bessell V "
        "and SDSS g",
        (("asassng", 0.47176, ("g",), None), ("asassnV", 0.54889, ("V",), None)),
    ),
    Survey(
        "CSP",
        ("Swope",),
        "effective wavelength of the Swope natural system of CSP-I (Krisciunas et al. 2017), V "
        "with filter LC-3014; quoted",
        (
            ("cspu", 0.3639, ("u",), "cspu"),
            ("cspb", 0.4351, ("B",), "cspb"),
            ("cspg", 0.4765, ("g",), "cspg"),
            ("cspv", 0.5370, ("V",), "cspv3014"),
            ("cspr", 0.6223, ("r",), "cspr"),
            ("cspi", 0.7609, ("i",), "cspi"),
        ),
    ),
    Survey(
        "MegaCam",
        ("CFHT", "SNLS", "SNLS3", "CFHTLS"),
        "Vega-weighted effective wavelength of the filters 9301, 9401, 9601, 9701, 9801 in "
        "sedpy's filter table, about 1 % below the mean; quoted",
        (
            ("megacamu", 0.3813, ("u",), None),
            ("megacamg", 0.4833, ("g",), "megacam6::g"),
            ("megacamr", 0.6224, ("r",), "megacam6::r"),
            ("megacami", 0.7651, ("i",), "megacam6::i"),
            ("megacamz", 0.8847, ("z",), "megacam6::z"),
        ),
    ),
    Survey(
        "HSC",
        ("Subaru",),
        "central wavelength, Kawanomoto et al. 2018; quoted",
        (
            ("hscg", 0.4798, ("g",), "hsc::g"),
            ("hscr", 0.6218, ("r",), "hsc::r"),
            ("hsci", 0.7727, ("i",), "hsc::i"),
            ("hscz", 0.8908, ("z",), "hsc::z"),
            ("hscy", 0.9775, ("y",), "hsc::y"),
        ),
    ),
    Survey(
        "SkyMapper",
        (),
        "Vega-weighted effective wavelength of the SVO Filter Profile Service, as listed by "
        "Gomez et al. 2024; quoted",
        (
            ("skymapperu", 0.3500, ("u",), "skymapperu"),
            ("skymapperv", 0.3879, ("v",), "skymapperv"),
            ("skymapperg", 0.5016, ("g",), "skymapperg"),
            ("skymapperr", 0.6077, ("r",), "skymapperr"),
            ("skymapperi", 0.7733, ("i",), "skymapperi"),
            ("skymapperz", 0.9120, ("z",), "skymapperz"),
        ),
    ),
    Survey(
        "GROND",
        ("ESO2.2m",),
        "Vega-weighted effective wavelength of the SVO Filter Profile Service, as listed by "
        "Gomez et al. 2024; quoted",
        (
            ("grondg", 0.4503, ("g",), None),
            ("grondr", 0.6097, ("r",), None),
            ("grondi", 0.7604, ("i",), None),
            ("grondz", 0.8928, ("z",), None),
            ("grondJ", 1.2246, ("J",), None),
            ("grondH", 1.6329, ("H",), None),
            ("grondK", 2.1550, ("K", "Ks"), None),
        ),
    ),
    Survey(
        "2MASS",
        ("TwoMASS",),
        "isophotal wavelength, Cohen et al. 2003; quoted",
        (
            ("2massj", 1.235, ("J",), "2massj"),
            ("2massh", 1.662, ("H",), "2massh"),
            ("2massks", 2.159, ("Ks", "K"), "2massks"),
        ),
    ),
    Survey(
        "WISE",
        ("NEOWISE", "AllWISE", "unWISE"),
        "isophotal wavelength, Jarrett et al. 2011; quoted",
        (
            ("wiseW1", 3.3526, ("W1",), None),
            ("wiseW2", 4.6028, ("W2",), None),
            ("wiseW3", 11.5608, ("W3",), None),
            ("wiseW4", 22.0883, ("W4",), None),
        ),
    ),
    Survey(
        "GALEX",
        (),
        "effective wavelength, Bianchi et al. 2011 (CDS II/312); quoted",
        (
            ("galexFUV", 0.15386, ("FUV",), "galex::fuv"),
            ("galexNUV", 0.23157, ("NUV",), "galex::nuv"),
        ),
    ),
    Survey(
        "HST",
        (),
        "pivot wavelength in the ACS (SBC, WFC) and WFC3 (UVIS) instrument handbooks; quoted",
        (
            ("F125LP", 0.14375, (), None),
            ("F150LP", 0.16107, (), None),
            ("F225W", 0.2372, (), "f225w"),
            ("F475W", 0.4747, (), "f475w"),
            ("F625W", 0.6311, (), "f625w"),
            ("F775W", 0.7692, (), "f775w"),
            ("F850LP", 0.9033, (), "f850lp"),
        ),
    ),
)

# The standard filter that a follow-up telescope's label stands for.
STANDARD: dict[str, str] = {
    "u": "sdssu", "g": "sdssg", "r": "sdssr", "i": "sdssi", "z": "sdssz", "w": "ps1w",
    "U": "bessellux", "B": "bessellb", "V": "bessellv", "R": "bessellr", "J": "2massj",
    "H": "2massh", "K": "2massks", "Ks": "2massks",
}  # fmt: skip

# Telescopes of published follow-up photometry whose own transmission curves are not used: their
# other names, and the filters that occur. "LT_r" is Sloan r as mounted on the Liverpool Telescope;
# UKIRT is spelled both ways in published tables. The last two are surveys, for which a few
# published points have a filter that the survey itself does not have.
FOLLOW_UP: dict[str, tuple[tuple[str, ...], Sequence[str]]] = {
    "generic": (("--",), "ugrizw"), "C28Wise": ((), "gr"), "CPCS": ((), "gri"),
    "Copernico": ((), "ugrizBV"), "DCT": ((), "gri"), "EKAR": ((), "BV"), "FLWO": ((), "gri"),
    "FTN": ((), "ugrizV"), "FTS": ((), "griz"), "GN": ((), "griz"), "GS": ((), "griz"),
    "Helmos": ((), "iBV"), "INT": ((), "gri"), "Keck": ((), "gr"), "LBT": ((), "griz"),
    "LCO": (("LCOGT",), "grizUBV"), "LOT": ((), "griz"), "LSQ": ((), "r"),
    "LT": (("IO:O",), "ugrizBV"), "Lijiang": ((), "gri"), "MDM": ((), "ri"), "MMT": ((), "gri"),
    "Magellan": ((), "grizJ"), "NOT": ((), "ugrizBVJHK"), "NTT": ((), "ugrizBV"),
    "OSIRIS": ((), "r"), "P200": ((), "gri"), "P48": ((), "grR"), "P60": ((), "ugrizB"),
    "PS2": ((), "rizw"), "PTF": (("iPTF",), "gri"), "Post": ((), "riBV"), "QUEST": ((), "r"),
    "SLT": ((), "BVR"), "SOFI": ((), ("J", "H", "Ks")), "Schmidt": ((), "ugriBV"),
    "TNG": ((), "grizJHK"), "TNT": ((), "gri"), "Tsinghua": ((), "gri"),
    "UKIRT": (("UKRIT",), "J"), "UltraVISTA": ((), ("J", "H", "Ks")), "WHT": ((), "griz"),
    "CRTS": ((), "gr"), "Gaia": ((), "i"),
}  # fmt: skip
