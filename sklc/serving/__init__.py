"""Run exported models without torch."""

from sklc.serving.model import FORMAT_VERSION, METADATA_KEY, OnnxModel

__all__ = ["FORMAT_VERSION", "METADATA_KEY", "OnnxModel"]
