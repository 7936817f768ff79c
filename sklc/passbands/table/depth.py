"""Between which limits single exposures of a survey reach, as AB magnitudes.

A photometric zero point that is wrong by the 3.6 mag between microjansky and SNANA's FLUXCAL moves
a survey beyond these limits, while weather, nightly averages and deep fields do not. The ranges
are the published 5-sigma depths, widened by two to three magnitudes: ZTF (Bellm et al. 2019), LSST
(Ivezic et al. 2019), PS1 (Chambers et al. 2016), DES (Kessler et al. 2015), ATLAS (Tonry et al.
2018), ASAS-SN (Shappee et al. 2014), GOTO (Steeghs et al. 2022), SkyMapper (Onken et al. 2019),
MegaCam (Astier et al. 2006), CRTS (Drake et al. 2009), NEOWISE (Mainzer et al. 2014). Saturation
is where the images saturate, less one to two magnitudes.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["DEPTHS", "Depth"]


class Depth(NamedTuple):
    """The brightest source that is measured, and the range of the 5-sigma depth of an exposure."""

    saturation: float
    shallowest: float
    deepest: float

    def is_usual(self, magnitude: float) -> bool:
        """Whether many exposures have this depth, or many sources this peak."""
        return self.shallowest + 1.5 <= magnitude <= self.deepest - 1.0


DEPTHS: dict[str, Depth] = {
    "ZTF": Depth(11.0, 17.0, 22.7),
    "LSST": Depth(14.0, 20.2, 28.0),
    "PS1": Depth(11.0, 17.5, 25.7),
    "DES": Depth(13.0, 20.2, 27.0),
    "ATLAS": Depth(10.5, 16.7, 22.3),
    "ASAS-SN": Depth(8.0, 13.0, 20.0),
    "GOTO": Depth(11.0, 16.0, 23.0),
    "SkyMapper": Depth(8.0, 15.0, 23.0),
    "MegaCam": Depth(13.0, 21.3, 28.0),
    "CRTS": Depth(6.0, 8.0, 22.3),
    "WISE": Depth(6.0, 15.5, 22.5),
}
