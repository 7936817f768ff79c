"""Classes of objects: their light sources, how often they occur, and how to add one."""

from sklc.simulate.classes.populations import CLASSES, COMMON_CLASSES, RARE_CLASSES, TWELVE_CLASSES
from sklc.simulate.classes.registry import get_class, list_classes, register_class
from sklc.simulate.classes.source_class import SourceClass
from sklc.simulate.classes.variables import VARIABLE_CLASSES

__all__ = [
    "CLASSES",
    "COMMON_CLASSES",
    "RARE_CLASSES",
    "TWELVE_CLASSES",
    "VARIABLE_CLASSES",
    "SourceClass",
    "get_class",
    "list_classes",
    "register_class",
]
