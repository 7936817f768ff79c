"""The passbands of variability surveys, of amateurs and of telescopes for follow-up."""

from __future__ import annotations

from collections.abc import Sequence

from sklc.passbands.table.survey import SVO, Survey

__all__ = ["FOLLOW_UP", "STANDARD", "TELESCOPES"]

TELESCOPES: tuple[Survey, ...] = (
    Survey(
        "AAVSO",
        (),
        "nominal: magnitudes tied to a standard band by comparison stars, as for visual estimates, "
        "unfiltered CCDs and the colours of a camera; wavelength of Bessell V, R and B",
        (
            ("aavsoVis", 0.54889, ("Vis.", "Vis", "visual"), None),
            ("aavsoCV", 0.54889, ("CV",), None),
            ("aavsoCR", 0.65340, ("CR",), None),
            ("aavsoTG", 0.54889, ("TG",), None),
            ("aavsoTB", 0.43848, ("TB",), None),
            ("aavsoTR", 0.65340, ("TR",), None),
        ),
        labels={
            **{"U": "bessellux", "B": "bessellb", "V": "bessellv", "R": "bessellr"},
            **{"I": "besselli", "SU": "sdssu", "SG": "sdssg", "SR": "sdssr", "SI": "sdssi"},
            **{"SZ": "sdssz", "ZS": "ps1z", "J": "2massj", "H": "2massh", "K": "2massks"},
            **{"STU": "stromgrenu", "STV": "stromgrenv", "STB": "stromgrenb"},
            **{"STY": "stromgreny"},
        },
    ),
    Survey(
        "OGLE",
        ("OGLEII", "OGLEIII", "OGLEIV"),
        "nominal: Johnson V and Cousins I (Udalski et al. 2015); wavelength of Bessell V and I",
        (("ogleI", 0.80334, ("I",), None), ("ogleV", 0.54889, ("V",), None)),
    ),
    Survey(
        "EROS",
        ("EROS1", "EROS2"),
        "central wavelength of the two wide bands of EROS-2, Derue et al. 2002; quoted",
        (("erosB", 0.600, ("B", "B_E", "BE"), None), ("erosR", 0.762, ("R", "R_E", "RE"), None)),
    ),
    Survey(
        "MACHO",
        (),
        "middle of the two wide bands, 0.44 to 0.59 and 0.59 to 0.78 (VizieR II/247); quoted",
        (
            ("machoB", 0.515, ("B", "blue"), None),
            ("machoR", 0.685, ("R", "red"), None),
        ),
    ),
    Survey(
        "unfiltered",
        (),
        "nominal: a CCD without filter; from camera to camera the mean differs by 10 %",
        (("clear", 0.6200, ("C", "unfiltered", "unfilt.", "no filter", "0"), None),),
    ),
    Survey(
        "Stromgren",
        ("Strömgren",),
        "mean of the responses of Bessell 2011",
        (
            ("stromgrenu", 0.34506, ("u",), None),
            ("stromgrenv", 0.41079, ("v",), None),
            ("stromgrenb", 0.46691, ("b",), None),
            ("stromgreny", 0.54783, ("y",), None),
        ),
    ),
    Survey(
        "Stritzinger2005",
        (),
        "mean of the responses of Stritzinger et al. 2005",
        (
            ("standard::u", 0.35758, ("U",), "standard::u"),
            ("standard::b", 0.43934, ("B",), "standard::b"),
            ("standard::v", 0.54962, ("V",), "standard::v"),
            ("standard::r", 0.65559, ("R",), "standard::r"),
            ("standard::i", 0.80381, ("I",), "standard::i"),
        ),
    ),
    Survey(
        "KAIT",
        ("LOSS", "Lick"),
        "mean of the responses of Ganeshalingam et al. 2010 (second camera)",
        (
            ("kaitU", 0.36492, ("U",), None),
            ("kaitB", 0.43884, ("B",), None),
            ("kaitV", 0.54415, ("V",), None),
            ("kaitR", 0.64225, ("R",), None),
            ("kaitI", 0.80175, ("I",), None),
        ),
    ),
    Survey(
        "KeplerCam",
        ("CfA4",),
        "mean of the responses of Hicken et al. 2012",
        (
            ("keplercam::us", 0.35298, ("U", "u"), "keplercam::us"),
            ("keplercam::b", 0.43237, ("B",), "keplercam::b"),
            ("keplercam::v", 0.54033, ("V",), "keplercam::v"),
            ("keplercam::r", 0.62321, ("r",), "keplercam::r"),
            ("keplercam::i", 0.76651, ("i",), "keplercam::i"),
        ),
    ),
    Survey(
        "4Shooter2",
        ("4Shooter",),
        "mean of the responses with Harris filters of Hicken et al. 2009",
        (
            ("4shooter2::us", 0.35240, ("U",), "4shooter2::us"),
            ("4shooter2::b", 0.43263, ("B",), "4shooter2::b"),
            ("4shooter2::v", 0.54115, ("V",), "4shooter2::v"),
            ("4shooter2::r", 0.65589, ("R",), "4shooter2::r"),
            ("4shooter2::i", 0.79969, ("I",), "4shooter2::i"),
        ),
    ),
    Survey(
        "CSP",
        (),
        "mean of the responses with atmosphere of Krisciunas et al. 2017 (Swope: V with LC-3009 "
        "and LC-9844, ys, js, hs; du Pont: yd, jd, hd)",
        (
            ("cspv3009", 0.54224, (), "cspv3009"),
            ("cspv9844", 0.53893, (), "cspv9844"),
            ("cspys", 1.03887, ("Y",), "cspys"),
            ("cspjs", 1.24525, ("J",), "cspjs"),
            ("csphs", 1.62772, ("H",), "csphs"),
            ("cspyd", 1.04660, (), "cspyd"),
            ("cspjd", 1.24464, (), "cspjd"),
            ("csphd", 1.62639, (), "csphd"),
        ),
    ),
    Survey(
        "CSP",
        (),
        "pivot wavelength of the band in sncosmo (K of the du Pont telescope); quoted",
        (("cspk", 2.1594, ("K",), "cspk"),),
    ),
    Survey(
        "CSP2",
        ("Swope2",),
        "mean of the responses with atmosphere of the second Carnegie Supernova Project",
        (
            ("swope2::u", 0.36027, ("u",), "swope2::u"),
            ("swope2::g", 0.47768, ("g",), "swope2::g"),
            ("swope2::r", 0.62366, ("r",), "swope2::r"),
            ("swope2::i", 0.76502, ("i",), "swope2::i"),
            ("swope2::b", 0.44079, ("B",), "swope2::b"),
            ("swope2::v", 0.53820, ("V",), "swope2::v"),
        ),
        labels={
            **{"V1": "cspv3009", "V2": "cspv9844"},
            **{"Y": "cspys", "J": "cspjs", "H": "csphs"},
        },
    ),
    Survey(
        "HSC",
        (),
        "mean of the responses of Kawanomoto et al. 2018 (the filters of 2016)",
        (("hscr2", 0.62281, ("r2",), "hsc::r2"), ("hsci2", 0.77467, ("i2",), "hsc::i2")),
    ),
    Survey(
        "GOTO",
        (),
        f"{SVO} (GOTO/GOTO.L)",
        (("gotol", 0.55692, ("L",), "gotol"),),
    ),
    Survey(
        "GOTO",
        (),
        "pivot wavelength of the band in sncosmo; quoted",
        (
            ("gotob", 0.46229, ("B",), "gotob"),
            ("gotog", 0.53745, ("G",), "gotog"),
            ("gotor", 0.64268, ("R",), "gotor"),
        ),
    ),
    Survey(
        "WFCAM",
        ("UKIDSS", "UHS"),
        "effective wavelength, Hewett et al. 2006; quoted",
        (  # MNRAS 367, 454 (astro-ph/0601592), tables of the filters: 0.83 to 2.37 micrometre
            ("wfcamZ", 0.8817, ("Z",), None),
            ("wfcamY", 1.0305, ("Y",), None),
            ("wfcamJ", 1.2483, ("J",), None),
            ("wfcamH", 1.6313, ("H",), None),
            ("wfcamK", 2.2010, ("K",), None),
        ),
    ),
    Survey(
        "VISTA",
        ("VIRCAM", "VHS", "VVV", "VIKING"),
        "mean of the transmission curves of ESO, with atmosphere",
        (
            ("vistaZ", 0.88127, ("Z",), None),
            ("vistaY", 1.02242, ("Y",), None),
            ("vistaJ", 1.25387, ("J",), None),
            ("vistaH", 1.64550, ("H",), None),
            ("vistaKs", 2.15273, ("Ks",), None),
        ),
    ),
)

# The standard filter that a follow-up telescope's label stands for.
STANDARD: dict[str, str] = {
    "u": "sdssu", "g": "sdssg", "r": "sdssr", "i": "sdssi", "z": "sdssz", "w": "ps1w",
    "U": "bessellux", "B": "bessellb", "V": "bessellv", "R": "bessellr", "I": "besselli",
    "J": "2massj", "H": "2massh", "K": "2massks", "Ks": "2massks",
}  # fmt: skip

# Telescopes of published follow-up photometry whose own transmission curves are not used: their
# other names, and the filters that occur. "LT_r" is Sloan r as mounted on the Liverpool Telescope;
# UKIRT is spelled both ways in published tables; R of PTF is a Mould filter. The last two are
# surveys, for which a few published points have a filter that the survey itself does not have.
FOLLOW_UP: dict[str, tuple[tuple[str, ...], Sequence[str]]] = {
    "generic": (("--",), "ugrizw"), "C28Wise": ((), "gr"), "CPCS": ((), "gri"),
    "Copernico": ((), "ugrizBV"), "DCT": ((), "gri"), "EKAR": ((), "BV"), "FLWO": ((), "gri"),
    "FTN": ((), "ugrizV"), "FTS": ((), "griz"), "GN": ((), "griz"), "GS": ((), "griz"),
    "Helmos": ((), "iBV"), "INT": ((), "gri"), "Keck": ((), "gr"), "LBT": ((), "griz"),
    "LCO": (("LCOGT", "Las Cumbres"), "grizUBVRI"), "LOT": ((), "griz"), "LSQ": ((), "r"),
    "LT": (("IO:O",), "ugrizBV"), "Lijiang": ((), "gri"), "MDM": ((), "ri"), "MMT": ((), "gri"),
    "Magellan": ((), "grizJ"), "NOT": ((), "ugrizBVJHK"), "NTT": ((), "ugrizBV"),
    "OSIRIS": ((), "r"), "P200": ((), "gri"), "P48": ((), "grR"), "P60": ((), "ugrizB"),
    "PS2": ((), "rizw"), "PTF": (("iPTF",), "griR"), "Post": ((), "riBV"), "QUEST": ((), "r"),
    "SLT": ((), "BVR"), "SOFI": ((), ("J", "H", "Ks")), "Schmidt": ((), "ugriBV"),
    "TNG": ((), "grizJHK"), "TNT": ((), "griUBVRI"), "Tsinghua": ((), "gri"),
    "UKIRT": (("UKRIT",), "J"), "UltraVISTA": ((), ("J", "H", "Ks")), "WHT": ((), "griz"),
    "CRTS": ((), "gr"), "Gaia": ((), "i"),
}  # fmt: skip
