"""Classes of variable stars and quasars in total flux, named as in the GCVS and the VSX.

Periods, amplitudes and Fourier parameters are those of the surveys and papers that each class
names; magnitudes refer to V, phases to cosine series. Amplitudes in other bands scale with a power
of the wavelength: A_B : A_V : A_I = 1.29 : 1 : .63 for RR Lyrae stars and Cepheids (Klagyivik &
Szabados 2009, A&A 504, 959; Soszynski et al. 2016, AcA 66, 131).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sklc.simulate.classes.registry import REGISTRY
from sklc.simulate.classes.source_class import SourceClass
from sklc.simulate.sources import (
    ContactBinary,
    EclipsingBinary,
    EllipsoidalStar,
    EruptiveKind,
    EruptiveStar,
    FlareStar,
    Mixture,
    Modulation,
    MultimodeStar,
    Normal,
    PulsatingStar,
    Quasar,
    Relation,
    SpottedStar,
    VariableStar,
)

__all__ = ["VARIABLE_CLASSES"]


def _flat(value: float, scatter: float, low: float = -np.inf, high: float = np.inf) -> Relation:
    """A quantity that does not depend on the period."""
    return Relation(((0.0, value),), scatter, low, high)


# Period and amplitude of Oosterhoff I: A_B = -3.123 - 26.331 log P - 35.853 log P**2 (Cacciari,
# Corwin & Carney 2005, AJ 129, 267), A_V = A_B / 1.28; Oosterhoff II lies .06 dex further.
_LOG_P = np.linspace(-0.36, -0.12, 9)
_OOSTERHOFF = (-3.123 - 26.331 * _LOG_P - 35.853 * _LOG_P**2) / 1.28


def _oosterhoff(shift: float) -> Relation:
    knots = tuple(zip((_LOG_P + shift).tolist(), _OOSTERHOFF.tolist(), strict=True))
    return Relation(knots, 0.13, low=0.2, high=1.45)


_TINT = Normal(1.25, 0.12)  # of Cepheids and RR Lyrae stars
_BLAZHKO = Modulation(
    amplitude=Normal(0.2, 0.09, low=0.06),
    phase=Normal(0.02, 0.012),
    log_cycles=(1.5, 2.4),
)
# Fourier parameters of RR Lyrae stars: Jurcsik & Kovacs (1996, A&A 312, 111) and Soszynski et al.
# (2014, AcA 64, 177); the curves of long periods and low amplitudes are rounder.
_RRAB = PulsatingStar(
    log_temperature=Normal(3.815, 0.012),
    chroma=_TINT,
    name="RRab",
    periods=Mixture((0.75, -0.255, 0.05), (0.25, -0.19, 0.05)),
    amplitude=(_oosterhoff(0.0),) * 3 + (_oosterhoff(0.06),),
    ratio21=Relation(((-0.3, 0.47), (-0.2, 0.45), (-0.12, 0.38)), 0.05, low=0.2),
    phase21=Relation(((-0.35, 3.75), (-0.12, 4.25)), 0.12),
    ratio31=Relation(((-0.3, 0.35), (-0.22, 0.32), (-0.12, 0.18)), 0.05, low=0.05),
    phase31=Relation(((-0.35, 1.6), (-0.12, 2.5)), 0.2),
    temperature_slope=-0.12,
)
_RRC = PulsatingStar(
    log_temperature=Normal(3.855, 0.012),
    chroma=_TINT,
    name="RRc",
    periods=Mixture((1.0, -0.485, 0.05)),
    amplitude=(Relation(((-0.6, 0.42), (-0.48, 0.45), (-0.38, 0.36)), 0.08, low=0.12),),
    ratio21=Relation(((-0.6, 0.2), (-0.5, 0.17), (-0.4, 0.07)), 0.05, low=0.01),
    phase21=_flat(4.7, 0.3),
    ratio31=_flat(0.07, 0.03, low=0.0),
    phase31=Relation(((-0.6, 2.6), (-0.38, 4.4)), 0.4),
)
# The fundamental mode's period is that of the first overtone / .744 (Petersen diagram).
_RRD = PulsatingStar(
    log_temperature=Normal(3.835, 0.01),
    chroma=_TINT,
    name="RRd",
    periods=Mixture((1.0, -0.435, 0.03)),
    amplitude=(_flat(0.38, 0.06, low=0.2),),
    ratio21=_flat(0.14, 0.04, low=0.02),
    phase21=_flat(4.7, 0.3),
    ratio31=_flat(0.05, 0.02, low=0.0),
    phase31=_flat(3.8, 0.5),
    second=(1.0, 1 / 0.744),
    second_amplitude=Normal(0.5, 0.22, low=0.12),
)
# The Hertzsprung progression: Simon & Lee (1981, ApJ 248, 291), Soszynski et al. (2008, AcA 58,
# 163), Pejcha & Kochanek (2012, ApJ 748, 107).
_DCEP = PulsatingStar(
    log_temperature=Normal(3.755, 0.015),
    chroma=_TINT,
    name="DCEP",
    periods=Mixture((0.7, 0.62, 0.2), (0.3, 1.05, 0.25)),
    amplitude=(
        Relation(((0.3, 0.65), (0.75, 0.7), (1.0, 0.6), (1.25, 1.0), (1.7, 0.9)), 0.15, low=0.15),
    ),
    ratio21=Relation(((0.3, 0.47), (0.7, 0.38), (1.0, 0.15), (1.25, 0.38), (1.6, 0.3)), 0.05, 0.02),
    phase21=Relation(
        ((0.3, 4.2), (0.7, 4.6), (0.97, 5.3), (1.02, 4.0), (1.2, 4.3), (1.6, 4.7)), 0.15
    ),
    ratio31=Relation(((0.3, 0.25), (0.7, 0.15), (1.0, 0.08), (1.25, 0.22), (1.6, 0.15)), 0.04, 0.0),
    phase31=Relation(((0.3, 2.1), (0.7, 2.8), (0.97, 4.2), (1.05, 1.7), (1.6, 2.6)), 0.25),
    temperature_slope=-0.06,
)
_DCEPS = PulsatingStar(
    log_temperature=Normal(3.785, 0.012),
    chroma=_TINT,
    name="DCEPS",
    periods=Mixture((1.0, 0.35, 0.2)),
    amplitude=(_flat(0.34, 0.08, low=0.1),),
    ratio21=Relation(((-0.2, 0.25), (0.4, 0.17), (0.5, 0.05), (0.75, 0.12)), 0.04, low=0.01),
    phase21=Relation(((-0.2, 4.1), (0.45, 5.0), (0.52, 3.2), (0.75, 4.3)), 0.25),
    ratio31=_flat(0.05, 0.025, low=0.0),
    phase31=Relation(((-0.2, 2.0), (0.5, 4.5), (0.75, 5.5)), 0.5),
)
# Two modes: fundamental and first overtone (ratio .71), or first and second overtone (.80).
_DCEP_B = PulsatingStar(
    log_temperature=Normal(3.79, 0.012),
    chroma=_TINT,
    name="DCEP(B)",
    periods=Mixture((0.6, -0.15, 0.13), (0.4, 0.35, 0.2)),
    amplitude=(_flat(0.4, 0.09, low=0.15),),
    ratio21=_flat(0.22, 0.06, low=0.05),
    phase21=_flat(4.2, 0.3),
    ratio31=_flat(0.08, 0.03, low=0.0),
    phase31=_flat(2.4, 0.5),
    second=(1.0, 0.78),
    second_amplitude=Normal(0.35, 0.18, low=0.08),
)
# Soszynski et al. (2008, AcA 58, 293; 2018, AcA 68, 89): BL Herculis to W Virginis.
_T2CEP = PulsatingStar(
    log_temperature=Normal(3.75, 0.015),
    chroma=_TINT,
    name="T2CEP",
    periods=Mixture((0.45, 0.25, 0.13), (0.55, 1.15, 0.12)),
    amplitude=(Relation(((0.0, 0.75), (0.7, 0.7), (1.0, 0.8), (1.3, 1.0)), 0.22, low=0.2),),
    ratio21=Relation(((0.0, 0.38), (0.4, 0.25), (0.9, 0.3), (1.0, 0.1), (1.3, 0.25)), 0.1, 0.02),
    phase21=Relation(((0.0, 3.9), (0.4, 4.9), (0.9, 4.2), (1.0, 4.6), (1.3, 4.9)), 0.4),
    ratio31=Relation(((0.0, 0.2), (0.4, 0.1), (1.0, 0.05), (1.3, 0.1)), 0.05, low=0.0),
    phase31=Relation(((0.0, 1.8), (0.4, 3.5), (1.3, 3.5)), 0.6),
    temperature_slope=-0.035,
    modulation=Modulation(
        amplitude=Normal(0.07, 0.05), phase=Normal(0.02, 0.015), log_cycles=(1.0, 2.0)
    ),
)
_ACEP = PulsatingStar(
    log_temperature=Normal(3.80, 0.015),
    chroma=_TINT,
    name="ACEP",
    periods=Mixture((0.7, -0.03, 0.11), (0.3, 0.1, 0.13)),
    amplitude=(_flat(0.7, 0.2, low=0.25),),
    ratio21=_flat(0.38, 0.08, low=0.1),
    phase21=_flat(4.2, 0.25),
    ratio31=_flat(0.22, 0.07, low=0.03),
    phase31=_flat(2.2, 0.4),
)
# Deep and shallow minima take turns: the second harmonic of the formal period is the strongest.
# Pollard et al. (1996, MNRAS 279, 949); Soszynski et al. (2008).
_RV = PulsatingStar(
    log_temperature=Normal(3.70, 0.03),
    chroma=Normal(1.2, 0.15),
    name="RV",
    periods=Mixture((1.0, 1.82, 0.17)),
    amplitude=(_flat(1.1, 0.4, low=0.3),),
    ratio21=_flat(2.6, 0.8, low=1.2),
    phase21=_flat(3.2, 0.5),
    ratio31=_flat(0.45, 0.2, low=0.05),
    phase31=_flat(4.0, 1.0),
    modulation=Modulation(
        amplitude=Normal(0.2, 0.08),
        phase=Normal(0.04, 0.02),
        trend=Normal(0.12, 0.12),
        log_cycles=(0.5, 1.3),
    ),
)
# Radial modes of delta Scuti stars: Rodriguez et al. (2000, A&AS 144, 469), Petersen &
# Christensen-Dalsgaard (1996, A&A 312, 463); SX Phoenicis stars are like them.
_HADS = PulsatingStar(
    log_temperature=Normal(3.87, 0.015),
    chroma=_TINT,
    name="HADS",
    periods=Mixture((1.0, -0.89, 0.13)),
    amplitude=(_flat(0.48, 0.15, low=0.15),),
    ratio21=_flat(0.3, 0.08, low=0.05),
    phase21=_flat(4.0, 0.15),
    ratio31=_flat(0.12, 0.05, low=0.01),
    phase31=_flat(1.9, 0.4),
    second=(0.35, 0.772),
    second_amplitude=Normal(0.3, 0.2, low=0.05),
)
# Mattei (1997, JAAVSO 25, 57); Lebzelter (2011, AN 332, 140): half of the Miras rise for less than
# .45 of the period, some have humps; Whitelock et al. (2000, MNRAS 319, 728): amplitudes fall by
# four from V to K.
_MIRA = PulsatingStar(
    log_temperature=Normal(3.44, 0.025, low=3.35),
    chroma=Normal(1.25, 0.2),
    name="Mira",
    periods=Mixture((0.85, 2.44, 0.11), (0.15, 2.6, 0.09)),
    amplitude=(Relation(((2.1, 2.3), (2.4, 3.3), (2.6, 4.0)), 0.9, low=1.8, high=7.0),),
    ratio21=_flat(0.14, 0.08, low=0.0),
    phase21=_flat(4.2, 0.7),
    ratio31=_flat(0.04, 0.025, low=0.0),
    phase31=_flat(3.0, 1.5),
    temperature_slope=-0.15,
    modulation=Modulation(
        amplitude=Normal(0.1, 0.05),
        phase=Normal(0.02, 0.012),
        trend=Normal(0.06, 0.05),
        log_cycles=(0.4, 1.3),
    ),
)
# Kiss et al. (1999, A&A 346, 542): several periods, amplitudes that change from cycle to cycle;
# Soszynski et al. (2009, AcA 59, 239): long secondary periods.
_SR = PulsatingStar(
    log_temperature=Normal(3.50, 0.03, low=3.4),
    chroma=Normal(1.3, 0.25),
    name="SR",
    periods=Mixture((0.45, 2.05, 0.2), (0.25, 1.75, 0.2), (0.3, 2.42, 0.13)),
    amplitude=(Relation(((1.5, 0.4), (2.0, 0.8), (2.5, 1.6)), 0.4, low=0.1, high=2.4),),
    ratio21=_flat(0.12, 0.08, low=0.0),
    phase21=_flat(4.2, 1.0),
    ratio31=_flat(0.04, 0.03, low=0.0),
    phase31=_flat(3.0, 1.5),
    temperature_slope=-0.08,
    second=(0.6, 1.9),
    second_amplitude=Normal(0.5, 0.25, low=0.1),
    modulation=Modulation(
        amplitude=Normal(0.35, 0.12),
        phase=Normal(0.1, 0.05),
        trend=Normal(0.3, 0.2),
        log_cycles=(0.4, 1.3),
    ),
)
# Small-amplitude red giants: Soszynski et al. (2004, AcA 54, 129), Wray et al. (2004, MNRAS 349,
# 1059).
_OSARG = PulsatingStar(
    log_temperature=Normal(3.54, 0.02),
    chroma=Normal(1.2, 0.2),
    name="OSARG",
    periods=Mixture((1.0, 1.5, 0.25)),
    amplitude=(Relation(((1.0, 0.02), (1.5, 0.05), (2.0, 0.12)), 0.02, low=0.005),),
    ratio21=_flat(0.08, 0.05, low=0.0),
    phase21=_flat(4.2, 1.0),
    ratio31=_flat(0.03, 0.02, low=0.0),
    phase31=_flat(3.0, 1.5),
    temperature_slope=-0.04,
    second=(0.9, 1.6),
    second_amplitude=Normal(0.6, 0.25, low=0.1),
    modulation=Modulation(
        amplitude=Normal(0.4, 0.12),
        phase=Normal(0.1, 0.05),
        trend=Normal(0.45, 0.2),
        log_cycles=(0.5, 1.2),
    ),
)

# Cataclysmic variables: outbursts of Coppejans et al. (2016, MNRAS 456, 4441) and Otulakowska-
# Hypka et al. (2016, MNRAS 460, 2526), orbits and states of Warner (1995, Cataclysmic Variable
# Stars). Fadings have positive depths.
_CV = (
    EruptiveKind(
        "UGSS", 0.35, Normal(1.75, 0.3), Normal(-3.2, 0.8, high=-1.2),
        Normal(0.1, 0.15), Normal(0.5, 0.25), Normal(0.85, 0.15),
        Normal(-0.9, 0.2), Normal(1.0, 0.4), Normal(-1.1, 0.2),
        Normal(-0.75, 0.15), Normal(0.2, 0.12), Normal(3.9, 0.06), Normal(0.35, 0.2), 3.0,
    ),
    EruptiveKind(
        "UGSU", 0.3, Normal(2.3, 0.45), Normal(-4.5, 1.1, high=-2.0),
        Normal(-0.1, 0.15), Normal(1.0, 0.12), Normal(0.75, 0.15),
        Normal(-0.9, 0.2), Normal(1.0, 0.4), Normal(-1.0, 0.2),
        Normal(-1.18, 0.05), Normal(0.25, 0.15), Normal(3.98, 0.06), Normal(0.3, 0.2), 3.0,
    ),
    EruptiveKind(
        "UGZ", 0.1, Normal(1.3, 0.15), Normal(-2.4, 0.5, high=-1.2),
        Normal(0.2, 0.15), Normal(0.4, 0.2), Normal(0.85, 0.1),
        Normal(-0.9, 0.2), Normal(1.0, 0.4), Normal(-1.1, 0.2),
        Normal(-0.75, 0.1), Normal(0.15, 0.1), Normal(3.92, 0.06), Normal(0.3, 0.2), 4.0,
    ),
    EruptiveKind(
        "NL", 0.1, log_noise=Normal(-0.9, 0.2), log_tau=Normal(1.3, 0.5),
        log_flicker=Normal(-1.1, 0.2), log_period=Normal(-0.78, 0.1), wave=Normal(0.15, 0.12),
        log_temperature=Normal(4.05, 0.08), chroma=Normal(0.2, 0.15),
    ),
    EruptiveKind(
        "VY", 0.05, Normal(2.8, 0.3), Normal(2.8, 0.8, low=1.0),
        Normal(1.3, 0.3), Normal(1.9, 0.4), Normal(1.4, 0.3),
        Normal(-0.9, 0.2), Normal(1.3, 0.5), Normal(-1.1, 0.2),
        Normal(-0.8, 0.1), Normal(0.1, 0.08), Normal(4.05, 0.08), Normal(0.2, 0.15),
    ),
    EruptiveKind(
        "AM", 0.1, Normal(2.6, 0.3), Normal(1.8, 0.6, low=0.5),
        Normal(1.0, 0.4), Normal(2.2, 0.4), Normal(1.0, 0.4),
        Normal(-0.8, 0.2), Normal(1.0, 0.4), Normal(-0.8, 0.2),
        Normal(-1.1, 0.08), Normal(0.9, 0.35, low=0.2), Normal(3.9, 0.08), Normal(0.1, 0.2),
        periodic=True,
    ),
)  # fmt: skip
# Young stars: Cody et al. (2014, AJ 147, 82) for the mixture of dippers, bursters, stochastic and
# spotted stars; Herbst et al. (1994, AJ 108, 1906) for colours and UX Orionis stars; Fischer et al.
# (2023, PPVII, 355) for outbursts.
_YSO = (
    EruptiveKind(
        "stochastic", 0.3, log_noise=Normal(-0.75, 0.25), log_tau=Normal(1.0, 0.5),
        log_flicker=Normal(-1.6, 0.3), log_period=Normal(0.8, 0.25), wave=Normal(0.08, 0.08),
        log_temperature=Normal(3.60, 0.03), chroma=Normal(0.8, 0.25),
    ),
    EruptiveKind(
        "dipper", 0.22, Normal(0.75, 0.25), Normal(0.6, 0.35, low=0.12),
        Normal(-0.2, 0.2), Normal(-0.5, 0.4), Normal(-0.2, 0.2),
        Normal(-1.4, 0.3), Normal(1.0, 0.5), Normal(-1.8, 0.3),
        Normal(0.75, 0.25), Normal(0.08, 0.06), Normal(3.60, 0.03), Normal(0.7, 0.2), 12.0,
    ),
    EruptiveKind(
        "burster", 0.12, Normal(1.1, 0.25), Normal(-0.6, 0.3, high=-0.12),
        Normal(0.0, 0.2), Normal(-0.3, 0.4), Normal(0.3, 0.25),
        Normal(-1.2, 0.3), Normal(1.0, 0.5), Normal(-1.7, 0.3),
        Normal(0.7, 0.25), Normal(0.06, 0.05), Normal(3.60, 0.03), Normal(1.0, 0.25), 1.5,
    ),
    EruptiveKind(
        "spotted", 0.22, log_noise=Normal(-1.7, 0.3), log_tau=Normal(1.5, 0.4),
        log_flicker=Normal(-2.0, 0.3), log_period=Normal(0.55, 0.3),
        wave=Normal(0.15, 0.09, low=0.03), log_temperature=Normal(3.60, 0.04),
        chroma=Normal(0.45, 0.15), periodic=True,
    ),
    EruptiveKind(
        "UXOR", 0.1, Normal(2.0, 0.3), Normal(1.5, 0.6, low=0.4),
        Normal(1.0, 0.3), Normal(0.8, 0.4), Normal(1.2, 0.3),
        Normal(-1.1, 0.25), Normal(1.3, 0.4), Normal(-1.8, 0.3),
        Normal(0.7, 0.3), Normal(0.0, 0.0), Normal(3.9, 0.08), Normal(0.8, 0.2),
    ),
    EruptiveKind(
        "outburst", 0.04, Normal(3.3, 0.2), Normal(-3.0, 1.0, high=-1.0),
        Normal(1.8, 0.3), Normal(1.8, 0.5), Normal(2.6, 0.4),
        Normal(-0.9, 0.25), Normal(1.3, 0.4), Normal(-1.7, 0.3),
        Normal(0.7, 0.3), Normal(0.0, 0.0), Normal(3.65, 0.05), Normal(0.5, 0.3),
    ),
)  # fmt: skip
# Be stars: outbursts of weeks to years (Labadie-Bartz et al. 2017, AJ 153, 252).
_GCAS = (
    EruptiveKind(
        "Be", 1.0, Normal(2.5, 0.4), Normal(-0.2, 0.12, high=-0.03),
        Normal(1.2, 0.4), Normal(1.2, 0.5), Normal(2.1, 0.4),
        Normal(-1.7, 0.3), Normal(1.8, 0.5), Normal(-2.1, 0.3),
        Normal(0.0, 0.3), Normal(0.02, 0.015), Normal(4.25, 0.1), Normal(-0.2, 0.3),
    ),
)  # fmt: skip
# R Coronae Borealis stars fade within weeks and recover within a year (Clayton 2012, JAAVSO 40,
# 539).
_RCB = (
    EruptiveKind(
        "RCB", 1.0, Normal(2.9, 0.25), Normal(4.5, 1.5, low=1.0),
        Normal(1.4, 0.2), Normal(1.5, 0.4), Normal(2.4, 0.3),
        Normal(-1.3, 0.2), Normal(1.5, 0.2), Normal(-2.0, 0.3),
        Normal(1.65, 0.1), Normal(0.2, 0.1), Normal(3.8, 0.05), Normal(0.4, 0.2),
    ),
)  # fmt: skip
# Wolf-Rayet stars, alpha Cygni and S Doradus variables: van Genderen (2001, A&A 366, 508), Lenoir-
# Craig et al. (2022, ApJ 925, 79).
_MASSIVE = (
    EruptiveKind(
        "WR", 0.35, log_noise=Normal(-1.7, 0.2), log_tau=Normal(0.3, 0.4),
        log_flicker=Normal(-2.0, 0.3), log_period=Normal(0.6, 0.3), wave=Normal(0.03, 0.03),
        log_temperature=Normal(4.5, 0.1), chroma=Normal(0.1, 0.1),
    ),
    EruptiveKind(
        "ACYG", 0.4, log_noise=Normal(-1.6, 0.25), log_tau=Normal(1.2, 0.3),
        log_flicker=Normal(-2.2, 0.3), log_period=Normal(1.4, 0.3), wave=Normal(0.05, 0.03),
        log_temperature=Normal(4.1, 0.15), chroma=Normal(0.1, 0.1),
    ),
    EruptiveKind(
        "SDOR", 0.25, log_noise=Normal(-0.9, 0.25), log_tau=Normal(2.7, 0.3),
        log_flicker=Normal(-2.0, 0.3), log_period=Normal(1.7, 0.2), wave=Normal(0.06, 0.05),
        log_temperature=Normal(4.1, 0.12), chroma=Normal(-0.2, 0.2),
    ),
)  # fmt: skip

_SOURCES: dict[str, VariableStar | Quasar] = {
    "RRab": _RRAB,
    "RRab/BL": replace(_RRAB, name="RRab/BL", modulation=_BLAZHKO),
    "RRc": _RRC,
    "RRd": _RRD,
    "DCEP": _DCEP,
    "DCEPS": _DCEPS,
    "DCEP(B)": _DCEP_B,
    "T2CEP": _T2CEP,
    "ACEP": _ACEP,
    "RV": _RV,
    # Breger (2000, ASPC 210, 3); Balona & Dziembowski (2011, MNRAS 417, 591)
    "DSCT": MultimodeStar(
        Normal(3.88, 0.02), Normal(1.2, 0.15), name="DSCT",
        periods=Mixture((1.0, -0.98, 0.17)), log_amplitude=Normal(-1.1, 0.35), spread=0.2,
    ),
    "HADS": _HADS,
    # Kaye et al. (1999, PASP 111, 840)
    "GDOR": MultimodeStar(
        Normal(3.85, 0.012), Normal(1.1, 0.15), name="GDOR",
        periods=Mixture((1.0, -0.1, 0.15)), log_amplitude=Normal(-1.5, 0.25),
    ),
    # Stankov & Handler (2005, ApJS 158, 193)
    "BCEP": MultimodeStar(
        Normal(4.36, 0.05), Normal(0.5, 0.15), name="BCEP",
        periods=Mixture((1.0, -0.75, 0.12)), log_amplitude=Normal(-1.4, 0.3), spread=0.1, modes=4,
    ),
    # De Cat & Aerts (2002, A&A 393, 965)
    "SPB": MultimodeStar(
        Normal(4.18, 0.05), Normal(0.5, 0.15), name="SPB",
        periods=Mixture((1.0, 0.15, 0.2)), log_amplitude=Normal(-1.6, 0.25),
    ),
    "EA": EclipsingBinary(),
    "EB": EclipsingBinary(
        close=True, semidetached=0.6, periods=Mixture((0.7, -0.15, 0.15), (0.3, 0.2, 0.25)),
        log_temperature=Normal(3.84, 0.1, low=3.55),
    ),
    "EW": ContactBinary(),
    "ELL": EllipsoidalStar(),
    "Mira": _MIRA,
    "SR": _SR,
    "OSARG": _OSARG,
    # RS CVn, BY Dra and other late-type stars; Strassmeier (2009), McQuillan et al. (2014, ApJS
    # 211, 24), Drake et al. (2017, MNRAS 469, 3688)
    "ROT": SpottedStar(
        name="ROT",
        periods=Mixture((0.55, -0.42, 0.12), (0.3, 0.6, 0.35), (0.15, 1.4, 0.35)),
        log_amplitude=Normal(-0.75, 0.2),
    ),
    "RS": SpottedStar(
        name="RS", periods=Mixture((1.0, 0.75, 0.4)), log_amplitude=Normal(-0.75, 0.2),
    ),
    # Netopil et al. (2017, MNRAS 468, 2745)
    "ACV": SpottedStar(
        Normal(4.02, 0.06), Normal(0.3, 0.5), name="ACV",
        periods=Mixture((1.0, 0.45, 0.3)), log_amplitude=Normal(-1.55, 0.25),
        double=1.2, modulation=Modulation(),
    ),
    "CV": EruptiveStar(kinds_of=_CV),
    "Flare": FlareStar(),
    "YSO": EruptiveStar(kinds_of=_YSO),
    "GCAS": EruptiveStar(kinds_of=_GCAS),
    "RCB": EruptiveStar(kinds_of=_RCB),
    "massive": EruptiveStar(kinds_of=_MASSIVE),
    "QSO": Quasar(),
    # MacLeod et al. (2010) with the larger and faster variations of jets: Ruan et al. (2012, ApJ
    # 760, 51)
    "BLAZAR": Quasar(amplitude=(-0.15, -0.2, 0.0, 0.0), damping=(2.1, 0.0, 0.0, 0.0)),
}  # fmt: skip

VARIABLE_CLASSES = tuple(_SOURCES)

for _name, _source in _SOURCES.items():
    if isinstance(_source, Quasar):
        _class = SourceClass(_name, _source, None, bright=-26.0, z_cap=3.2, z_min=0.02)
    else:
        _class = SourceClass(_name, _source, None)
    REGISTRY.register(_name, _class)
