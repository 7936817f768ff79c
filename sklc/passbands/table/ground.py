"""The passbands of surveys from the ground, and the standard systems."""

from __future__ import annotations

from sklc.passbands.table.survey import CURVE, SVO, Survey

__all__ = ["GROUND"]

GROUND: tuple[Survey, ...] = (
    Survey(
        "ZTF",
        ("BTS", "ZTFBTS", "ZTFDR"),
        f"{CURVE} (ztf/P48_*.dat)",
        (  # 1, 2, 3 are the filter ids (fid) of the ZTF alerts, zg is of IRSA, R of ANTARES
            ("ztfg", 0.48140, ("g", "1", "zg"), "ztfg"),
            ("ztfr", 0.64218, ("r", "2", "zr", "R"), "ztfr"),
            ("ztfi", 0.78830, ("i", "3", "zi"), "ztfi"),
        ),
    ),
    Survey(
        "LSST",
        (
            *("Rubin", "LSSTCam", "LSSTComCam", "ComCam", "DP0", "DP0.2", "DP1", "DP2", "DC2"),
            *("PLAsTiCC", "ELAsTiCC", "ELAsTiCC2"),
        ),
        f"{CURVE} (lsst/total_*.dat)",
        # These are the total throughputs of github.com/lsst/throughputs (baseline). ComCam's own
        # curves are published on the Rubin Science Platform alone, and taken to be the same.
        (  # 0 to 5 are the passband ids of PLAsTiCC, u_02 is of ComCam, u_24 of LSSTCam
            ("lsstu", 0.36707, ("u", "0", "u_02", "u_24"), "lsstu"),
            ("lsstg", 0.48269, ("g", "1", "g_01", "g_6"), "lsstg"),
            ("lsstr", 0.62232, ("r", "2", "r_03", "r_57"), "lsstr"),
            ("lssti", 0.75460, ("i", "3", "i_06", "i_39"), "lssti"),
            ("lsstz", 0.86909, ("z", "4", "z_03", "z_20"), "lsstz"),
            ("lssty", 0.97103, ("y", "5", "Y", "y_04", "y_10"), "lssty"),
        ),
    ),
    Survey(
        "PS1",
        ("PanSTARRS", "PanSTARRS1", "PS", "P1", "GPC1", "Foundation", "MDS", "PSST"),
        f"{CURVE} (ps1/ps1_*.dat, Tonry et al. 2012)",
        (
            ("ps1g", 0.48665, ("g", "psg", "gP1"), "ps1::g"),
            ("ps1r", 0.62146, ("r", "psr", "rP1"), "ps1::r"),
            ("ps1i", 0.75446, ("i", "psi", "iP1"), "ps1::i"),
            ("ps1z", 0.86795, ("z", "psz", "zP1"), "ps1::z"),
            ("ps1y", 0.96333, ("y", "psy", "yP1"), "ps1::y"),
            ("ps1w", 0.63894, ("w", "psw", "wP1"), "ps1::w"),
            ("ps1open", 0.71269, ("open",), "ps1::open"),
        ),
    ),
    Survey(  # the light curves of data release 1 combine two telescopes (Aleo et al. 2023)
        "YSE",
        (),
        "passbands of PS1 and ZTF",
        labels={
            **{letter: f"ps1{letter}" for letter in "grizy"},
            "X": "ztfg",
            "Y": "ztfr",
        },
    ),
    Survey(
        "DES",
        ("DECam", "Blanco", "DELVE", "SNPCC"),
        f"{CURVE} (des/des_*.dat, DECam)",
        (
            ("desu", 0.38168, ("u",), "desu"),
            ("desg", 0.48281, ("g",), "desg"),
            ("desr", 0.64338, ("r",), "desr"),
            ("desi", 0.78290, ("i",), "desi"),
            ("desz", 0.91772, ("z",), "desz"),
            ("desy", 0.99156, ("y", "Y"), "desy"),
        ),
    ),
    Survey(
        "SDSS",
        ("Sloan",),
        f"{CURVE} (sdss/sdss_*.dat, Doi et al. 2010)",
        (
            ("sdssu", 0.35943, ("u", "u'", "up"), "sdssu"),
            ("sdssg", 0.47176, ("g", "g'", "gp"), "sdssg"),
            ("sdssr", 0.61868, ("r", "r'", "rp"), "sdssr"),
            ("sdssi", 0.75062, ("i", "i'", "ip"), "sdssi"),
            ("sdssz", 0.89183, ("z", "z'", "zp"), "sdssz"),
        ),
    ),
    Survey(
        "ATLAS",
        (),
        f"{SVO} (Misc/Atlas.cyan and Misc/Atlas.orange)",
        (
            ("atlasc", 0.54087, ("c", "cyan"), "atlasc"),
            ("atlaso", 0.68663, ("o", "orange"), "atlaso"),
        ),
    ),
    Survey(
        "Bessell",
        ("Johnson", "Cousins", "JohnsonCousins", "Landolt", "UBVRI"),
        f"{CURVE} (Bessell 1990)",
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
        ("TwoMASS", "PAIRITEL"),
        "isophotal wavelength, Cohen et al. 2003; quoted",
        (
            ("2massj", 1.235, ("J",), "2massj"),
            ("2massh", 1.662, ("H",), "2massh"),
            ("2massks", 2.159, ("Ks", "K"), "2massks"),
        ),
    ),
)
