"""Offsets from Vega to AB magnitudes, one per passband: m_AB = m_Vega + offset.

Those of passbands whose transmission curve was integrated are sncosmo's: its magnitude system
"vega" (alpha_lyr_stis of CALSPEC, magnitude 0 in every band) against its system "ab". The others
are quoted: UVOT from Breeveld et al. 2011, 2MASS from Blanton & Roweis 2007, WISE from Jarrett et
al. 2011, Gaia from the zero points of Riello et al. 2021, WFCAM from Hewett et al. 2006. Nominal
passbands have the offset of the standard band whose wavelength they have.
"""

from __future__ import annotations

__all__ = ["AB_MINUS_VEGA"]

AB_MINUS_VEGA: dict[str, float] = {
    # surveys and standard systems
    "ztfg": -0.096, "ztfr": 0.184, "ztfi": 0.422,
    "lsstu": 0.656, "lsstg": -0.087, "lsstr": 0.150, "lssti": 0.369, "lsstz": 0.513,
    "lssty": 0.549,
    "ps1g": -0.083, "ps1r": 0.149, "ps1i": 0.368, "ps1z": 0.512, "ps1y": 0.544, "ps1w": 0.131,
    "ps1open": 0.204,
    "desu": 0.337, "desg": -0.086, "desr": 0.187, "desi": 0.414, "desz": 0.524, "desy": 0.572,
    "sdssu": 0.891, "sdssg": -0.097, "sdssr": 0.148, "sdssi": 0.362, "sdssz": 0.522,
    "atlasc": -0.008, "atlaso": 0.244,
    "bessellux": 0.812, "bessellb": -0.102, "bessellv": 0.010, "bessellr": 0.193,
    "besselli": 0.441,
    "crtsV": 0.010, "asasV": 0.010, "asasI": 0.441, "asassng": -0.097, "asassnV": 0.010,
    "hscg": -0.091, "hscr": 0.149, "hscr2": 0.149, "hsci": 0.392, "hsci2": 0.399,
    "hscz": 0.518, "hscy": 0.554,
    "megacamu": 0.316, "megacamg": -0.083, "megacamr": 0.159, "megacami": 0.390,
    "megacamz": 0.520,
    "2massj": 0.91, "2massh": 1.39, "2massks": 1.85,
    "wfcamZ": 0.528, "wfcamY": 0.634, "wfcamJ": 0.938, "wfcamH": 1.379, "wfcamK": 1.900,
    "vistaZ": 0.518, "vistaY": 0.605, "vistaJ": 0.921, "vistaH": 1.365, "vistaKs": 1.828,
    # space
    "gaia_g": 0.1136, "gaia_bp": 0.0155, "gaia_rp": 0.3561,
    "kepler": 0.128, "tess": 0.369,
    "uvotuvw2": 1.73, "uvotuvm2": 1.69, "uvotuvw1": 1.51, "uvotu": 1.02, "uvotb": -0.13,
    "uvotv": -0.01, "uvotwhite": 0.80,
    "wiseW1": 2.699, "wiseW2": 3.339, "wiseW3": 5.174, "wiseW4": 6.620,
    "galexFUV": 2.117, "galexNUV": 1.661,
    "irac1": 2.787, "irac2": 3.261, "irac3": 3.749, "irac4": 4.389,
    "euclidvis": 0.285, "euclidy": 0.686, "euclidj": 1.044, "euclidh": 1.476,
    "hipHp": 0.000, "tychoV": -0.008,
    "F225W": 1.656, "F275W": 1.498, "F336W": 1.186, "F390W": 0.220, "F435W": -0.099,
    "F475W": -0.093, "uvf475w": -0.093, "F555W": -0.019, "F606W": 0.088,
    "acswf::f606w": 0.092, "F625W": 0.169, "F775W": 0.393, "acswf::f775w": 0.393,
    "F814W": 0.423, "F850LP": 0.525, "acswf::f850lp": 0.525, "F098M": 0.567, "F105W": 0.651,
    "F110W": 0.765, "F125W": 0.906, "F140W": 1.082, "F160W": 1.257,
    "F070W": 0.293, "F090W": 0.517, "F115W": 0.782, "F140M": 1.108, "F150W": 1.211,
    "F162M": 1.357, "F182M": 1.563, "F200W": 1.680, "F210M": 1.786, "F250M": 2.122,
    "F277W": 2.304, "F300M": 2.463, "F335M": 2.687, "F356W": 2.790, "F360M": 2.836,
    "F410M": 3.078, "F430M": 3.176, "F444W": 3.213, "F460M": 3.339, "F480M": 3.413,
    "F560W": 3.722, "F770W": 4.342, "F1000W": 4.912, "F1130W": 5.195, "F1280W": 5.447,
    "F1500W": 5.792, "F1800W": 6.178, "F2100W": 6.482, "F2550W": 6.916,
    # variability surveys, amateurs, follow-up
    "aavsoVis": 0.010, "aavsoCV": 0.010, "aavsoCR": 0.193, "aavsoTG": 0.010,
    "aavsoTB": -0.102, "aavsoTR": 0.193, "ogleI": 0.441, "ogleV": 0.010,
    "stromgrenu": 1.148, "stromgrenv": -0.127, "stromgrenb": -0.145, "stromgreny": 0.011,
    "standard::u": 0.844, "standard::b": -0.104, "standard::v": 0.011, "standard::r": 0.198,
    "standard::i": 0.442,
    "kaitU": 0.758, "kaitB": -0.083, "kaitV": 0.000, "kaitR": 0.177, "kaitI": 0.441,
    "keplercam::us": 0.987, "keplercam::b": -0.050, "keplercam::v": 0.000,
    "keplercam::r": 0.149, "keplercam::i": 0.386,
    "4shooter2::us": 0.888, "4shooter2::b": -0.052, "4shooter2::v": 0.001,
    "4shooter2::r": 0.197, "4shooter2::i": 0.436,
    "cspu": 0.846, "cspb": -0.091, "cspg": -0.089, "cspv": -0.001, "cspr": 0.154,
    "cspi": 0.382, "cspv3009": 0.001, "cspv9844": -0.006, "cspys": 0.634, "cspjs": 0.908,
    "csphs": 1.349, "cspyd": 0.647, "cspjd": 0.907, "csphd": 1.347,
    "swope2::u": 0.870, "swope2::g": -0.091, "swope2::r": 0.154, "swope2::i": 0.385,
    "swope2::b": -0.093, "swope2::v": -0.007, "gotol": 0.020,
}  # fmt: skip
