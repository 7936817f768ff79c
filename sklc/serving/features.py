"""Features of light curves in an exported model: which they are, as text."""

from __future__ import annotations

from typing import Any

from sklc.features import LightCurveFeatures
from sklc.passbands import Passband

__all__ = ["export_features", "import_features"]

_PARAMETERS = ("statistics", "parametric_fit", "colors", "binned_flux", "period")


def export_features(features: Any) -> dict[str, Any]:
    """Return parameters and passbands of a fitted `LightCurveFeatures`, for JSON.

    Raises
    ------
    NotImplementedError
        If the features are computed by something else, which a file cannot hold.
    """
    if type(features) is not LightCurveFeatures:
        raise NotImplementedError(
            f"The features of a {type(features).__name__} cannot be exported, since the file would "
            "have to hold its code: fit with features='core', or with features=None."
        )
    parameters = {name: getattr(features, name) for name in _PARAMETERS}
    if not isinstance(parameters["binned_flux"], bool):
        parameters["binned_flux"] = [float(edge) for edge in parameters["binned_flux"]]
    return {
        "parameters": parameters,
        "passbands": [(p.name, p.survey, p.wavelength) for p in features.passbands_],
    }


def import_features(stored: dict[str, Any]) -> LightCurveFeatures:
    """Return the fitted `LightCurveFeatures` that `export_features` described."""
    passbands = [Passband(*band) for band in stored["passbands"]]
    return LightCurveFeatures(**stored["parameters"])._of_passbands(passbands)
