"""Surveys: where and when they look, how deep, and in which passbands."""

from sklc.simulate.surveys.drawn import draw_survey
from sklc.simulate.surveys.survey import Survey, get_survey, list_surveys, register_survey
from sklc.simulate.surveys.total_flux import TotalFlux

__all__ = ["Survey", "TotalFlux", "draw_survey", "get_survey", "list_surveys", "register_survey"]
