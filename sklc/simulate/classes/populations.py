"""The built-in classes: rates, luminosity functions and light sources.

`CLASSES` holds the eight classes of Gupta, Muthukrishna & Audenaert (2025), the subtypes of
Gupta, Muthukrishna, Rehemtulla & Shah (2025), and rare ones for tests of anomaly detection.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sklc.simulate.classes.rates import (
    ScaledRate,
    constant_rate,
    snia_rate,
    star_formation,
    tde_rate,
)
from sklc.simulate.classes.registry import REGISTRY
from sklc.simulate.classes.source_class import SourceClass
from sklc.simulate.sources import (
    ChromaticScatter,
    DampedRandomWalk,
    FallbackTDE,
    Kilonova,
    Kind,
    Magnetar,
    Microlensing,
    Nickel,
    Normal,
    PeriodicStar,
    SALTSource,
    SpectralSource,
    SubtractionArtefact,
    ThermalPulse,
)
from sklc.simulate.spectra import like_2005hk
from sklc.simulate.spectra.templates import Template, TemplateFile

__all__ = ["CLASSES", "COMMON_CLASSES", "RARE_CLASSES", "TWELVE_CLASSES"]


def _v19(names: str, **settings: Any) -> tuple[Template, ...]:
    return tuple(Template(f"v19-{name}-corr", **settings) for name in names.split())


def _snana(names: str, **settings: Any) -> tuple[Template, ...]:
    return tuple(Template(f"snana-{name}", "2.0", **settings) for name in names.split())


_HYDROGEN = {"rise": 2.0}
_PLATEAU = {"rise": 2.0, "plateau_end": 120.0}
# Templates of Vincenzi et al. (2019, MNRAS 489, 5802), corrected for host extinction, and of SNANA
# (Kessler et al. 2010, PASP 122, 1415); without the SNANA ones of 2007iz, og, ny and nv, whose
# shapes or colours are those of bad fits, and without SN 2006aj, whose spectra have gaps.
_II_FAST = _v19("2013fs", **_HYDROGEN) + _snana(
    "2004hx 2005gi 2006jl 2006iw 2006kv 2007kw 2007ld 2007lz 2007pg", **_PLATEAU
)
_II_PLATEAU = _v19("2009n 2009kr", **_HYDROGEN) + _snana(
    "2006gq 2006kn 2006ns 2007ky 2007lb 2007lj 2007ll 2007lx 2007md 2007nr 2007nw", **_PLATEAU
)
_IIN_FAST = _v19("2009ip 2010al", **_HYDROGEN)
_IIN_SLOW = _v19("2006aa 2008fq", **_HYDROGEN)
_IIB = _v19("2006t 2011ei")
_IB = _v19("2004gv 2005bf 2007y") + _snana("2004ib 2005hm 2006jo 2007nc")
_IC = _v19("2004fe 2013ge") + _snana("2004gq sdss004012 2006fo sdss014475 2006lc 04d1la")
_IC_BL = _v19("1998bw 2009bb 2012ap")

# Luminosity functions of volume-limited samples: Li et al. (2011, MNRAS 412, 1441), Drout et al.
# (2011, ApJ 741, 97), Taddia et al. (2015, A&A 574, A60) and Kiewe et al. (2012, ApJ 744, 10), the
# means shifted by tenths of a magnitude so that a flux-limited sample peaks as bright as that of
# the ZTF Bright Transient Survey.
_KIND_IB = Kind(0.36, Normal(-17.15, 0.6), _IB)
_KIND_IC = Kind(0.28, Normal(-17.3, 0.7), _IC)
_KIND_IC_BL = Kind(0.10, Normal(-17.95, 0.8), _IC_BL)
_KIND_IIB = Kind(0.26, Normal(-16.8, 0.75), _IIB)
# Brighter SNe II are bluer at maximum and fade faster (Anderson et al. 2014, ApJ 786, 67).
_KINDS_II = (
    Kind(0.45, Normal(-17.2, 0.85), _II_FAST),
    Kind(0.48, Normal(-16.6, 0.85), _II_PLATEAU),
)
_KINDS_IIN = (
    Kind(0.015, Normal(-18.0, 0.9), _IIN_FAST),
    Kind(0.055, Normal(-18.0, 0.9), _IIN_SLOW),
)

_STRIPPED_SCATTER = ChromaticScatter(colour=0.08, shape=0.08)
_STRETCH = Normal(1.0, 0.1, low=0.7)


def _stripped(*kinds: Kind) -> SpectralSource:
    return SpectralSource(kinds, _STRETCH, host_ebv=0.10, scatter=_STRIPPED_SCATTER)


def _hydrogen(*kinds: Kind) -> SpectralSource:
    return SpectralSource(kinds, _STRETCH, host_ebv=0.07, scatter=_STRIPPED_SCATTER)


# Subluminous SNe Ia: Nugent's template, and four of SNooPy's with the reddest maxima.
_91BG = (TemplateFile("91bg"),) + tuple(
    TemplateFile(f"91bg-sequence-{k}", rise=9.0) for k in (3, 4, 5, 6)
)
_IAX = (
    TemplateFile("91bg", warp=like_2005hk),
    Template("hsiao", "3.0", warp=like_2005hk),
    Template("v19-2004fe-corr", warp=like_2005hk),
)

# Outbursts: E(B-V) of the host, cutoff in Angstrom, days of cooling; then means and standard
# deviations of the magnitude and of log10 of rise (d), decline (mag/d), hot and cool temperature.
_PULSES: dict[str, tuple[float, ...]] = {
    "SLSN-II": (0.05, 0.0, 40.0, -20.5, 0.6, 1.2, 0.15, -1.75, 0.15, 4.12, 0.06, 3.82, 0.03),
    "SNIbn": (0.08, 0.0, 12.0, -19.2, 0.7, 0.55, 0.12, -1.05, 0.12, 4.15, 0.08, 3.85, 0.05),
    "SNIa-CSM": (0.10, 4000.0, 25.0, -19.7, 0.6, 1.1, 0.1, -1.7, 0.12, 4.0, 0.05, 3.76, 0.03),
    "dwarf-nova": (0.0, 0.0, 6.0, 18.0, 1.8, -0.2, 0.15, -0.25, 0.2, 4.15, 0.06, 3.95, 0.06),
    "ILOT": (0.15, 5000.0, 25.0, -12.5, 1.2, 0.6, 0.2, -1.7, 0.2, 3.85, 0.04, 3.58, 0.04),
}  # fmt: skip


def _pulse(name: str, **settings: Any) -> ThermalPulse:
    host_ebv, cutoff, cooling, *moments = _PULSES[name]
    mag, rise, decline, hot, cool = map(Normal, moments[::2], moments[1::2])
    settings |= {"cooling": cooling, "name": name.lower()}
    return ThermalPulse(host_ebv, cutoff, mag, rise, decline, hot, cool, **settings)


COMMON_CLASSES = ("SNIa", "SNIa-91bg", "SNIax", "SNIb/c", "SNII", "SLSN-I", "TDE", "AGN")
RARE_CLASSES = (
    "KN",
    "Ca-rich",
    "SLSN-II",
    "SNIbn",
    "SNIa-CSM",
    "dwarf-nova",
    "uLens",
    "variable-star",
    "artefact",
    "PISN",
    "ILOT",
)

for _source_class in (
    SourceClass("SNIa", SALTSource(), snia_rate, bright=-20.0, z_cap=1.4),
    SourceClass(
        # colour, stretch and their correlation as in PLAsTiCC (Kessler et al. 2019, PASP 131,
        # 094501), the stretch longer and the colour bluer, as ZTF's objects have them
        "SNIa-91bg",
        SpectralSource(
            (Kind(1.0, Normal(-17.15, 0.5), _91BG),),
            Normal(1.07, 0.096, low=0.8),
            colour=Normal(0.44, 0.175),
            colour_stretch=-0.656,
            scatter=ChromaticScatter(0.05, 0.05),
            reference="bessellb",
        ),
        ScaledRate(0.12, snia_rate),
        bright=-18.3,
        z_cap=0.9,
    ),
    SourceClass(
        # fainter ones fade faster (Foley et al. 2013, ApJ 767, 57; Jha 2017)
        "SNIax",
        SpectralSource(
            (Kind(1.0, Normal(-17.0, 1.1, low=-19.0, high=-13.5), _IAX),),
            Normal(1.2, 0.15, low=0.7),
            stretch_slope=-0.10,
            host_ebv=0.08,
            scatter=ChromaticScatter(0.10, 0.08),
            reference="bessellv",
        ),
        ScaledRate(6e-6, star_formation),
        bright=-19.0,
        z_cap=1.0,
    ),
    SourceClass(
        "SNIb/c",
        _stripped(_KIND_IB, _KIND_IC, _KIND_IC_BL, _KIND_IIB),
        ScaledRate(2.6e-5, star_formation),
        bright=-19.5,
        z_cap=1.0,
    ),
    SourceClass(
        "SNII",
        _hydrogen(*_KINDS_II, *_KINDS_IIN),
        ScaledRate(4.5e-5, star_formation),
        bright=-19.5,
        z_cap=1.2,
    ),
    SourceClass("SLSN-I", Magnetar(), ScaledRate(2e-8, star_formation), bright=-22.5, z_cap=3.0),
    SourceClass("TDE", FallbackTDE(), tde_rate, bright=-21.5, z_cap=2.0),
    SourceClass("AGN", DampedRandomWalk(), None, bright=-26.0, z_cap=3.2, z_min=0.02),
    # -- the subtypes of the twelve classes
    SourceClass("SNIb", _stripped(_KIND_IB), star_formation, bright=-18.7, z_cap=1.0),
    SourceClass("SNIc", _stripped(_KIND_IC), star_formation, bright=-19.0, z_cap=1.0),
    SourceClass("SNIc-BL", _stripped(_KIND_IC_BL), star_formation, bright=-19.8, z_cap=1.0),
    SourceClass("SNIIb", _stripped(_KIND_IIB), star_formation, bright=-18.7, z_cap=1.0),
    SourceClass("SNIIP/L", _hydrogen(*_KINDS_II), star_formation, bright=-18.9, z_cap=1.2),
    SourceClass("SNIIn", _hydrogen(*_KINDS_IIN), star_formation, bright=-20.2, z_cap=1.2),
    # -- rare ones
    SourceClass("KN", Kilonova(), constant_rate, bright=-16.5, z_cap=0.3),
    SourceClass(
        # Perets et al. 2010, Nature 465, 322; De et al. 2020, ApJ 905, 58: faint, fast, red
        "Ca-rich",
        SpectralSource(
            (Kind(1.0, Normal(-16.0, 0.6), _v19("2004gv 2007y")),),
            Normal(0.65, 0.08, low=0.4),
            host_ebv=0.02,
            colour=Normal(0.75, 0.15),
            scatter=ChromaticScatter(0.08, 0.08),
        ),
        constant_rate,
        bright=-17.5,
        z_cap=0.4,
    ),
    SourceClass(
        # Kangas et al. 2022, MNRAS 516, 1193: broad range of slow, blue light curves
        "SLSN-II",
        _pulse("SLSN-II"),
        ScaledRate(2e-8, star_formation),
        bright=-22.0,
        z_cap=2.0,
    ),
    SourceClass(
        # Hosseinzadeh et al. 2017, ApJ 836, 158: fast, uniform declines of .1 mag/d
        "SNIbn",
        _pulse("SNIbn"),
        ScaledRate(2e-7, star_formation),
        bright=-20.8,
        z_cap=1.0,
    ),
    SourceClass(
        # Silverman et al. 2013, ApJS 207, 3: -21.3 < M_R < -19, slow
        "SNIa-CSM",
        _pulse("SNIa-CSM"),
        ScaledRate(1e-7, star_formation),
        bright=-21.0,
        z_cap=1.0,
    ),
    SourceClass(
        # outbursts of some days; Coppejans et al. 2016, MNRAS 456, 4441
        "dwarf-nova",
        _pulse("dwarf-nova", plateau=Normal(5.0, 4.0), galactic=True),
        None,
    ),
    SourceClass("uLens", Microlensing(), None),
    SourceClass("variable-star", PeriodicStar(), None),
    SourceClass("artefact", SubtractionArtefact(), None),
    SourceClass("PISN", Nickel(), ScaledRate(2e-9, star_formation), bright=-21.5, z_cap=2.5),
    SourceClass(
        # luminous red novae and their kin; Pastorello et al. 2019, A&A 630, A75
        "ILOT",
        _pulse("ILOT", plateau=Normal(60.0, 25.0)),
        star_formation,
        bright=-15.0,
        z_cap=0.1,
        z_min=0.001,
    ),
):
    REGISTRY.register(_source_class.name, _source_class)

CLASSES = REGISTRY.entries

# The classes of Gupta, Muthukrishna, Rehemtulla & Shah (2025), with the subtypes apart: SNII is
# here without SNIIn, SNIb/c and SNIIb are not one class.
_TWELVE = "SNIa SNIa-91bg SNIax SNIb SNIc SNIc-BL SNIIP/L SNIIn SNIIb TDE SLSN-I AGN"
TWELVE_CLASSES: tuple[SourceClass, ...] = tuple(
    replace(CLASSES[name], name="SNII" if name == "SNIIP/L" else name) for name in _TWELVE.split()
)
