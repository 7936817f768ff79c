"""The one place that builds, fits and tidies a skorch net."""
