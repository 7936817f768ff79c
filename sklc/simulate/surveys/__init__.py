"""Surveys: where and when they look, how deep, and in which passbands."""

from sklc.simulate.surveys.drawn import draw_survey
from sklc.simulate.surveys.survey import (
    StatedErrors,
    Survey,
    get_survey,
    list_surveys,
    register_survey,
)

__all__ = ["StatedErrors", "Survey", "draw_survey", "get_survey", "list_surveys", "register_survey"]
