"""What a result was made with, written beside it, so that no other model is mixed in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sklc._version import __version__
from sklc.distributed.predictor import Predictor
from sklc.errors import WeightsError

__all__ = ["NAME", "Stamp"]

#: The file in the folder of a result, and the key in properties and in Parquet files.
NAME = "sklc_model"
_INFORMATION = ("sklc", "parameters", "catalog")  # what may differ between two parts of a result


@dataclass(frozen=True)
class Stamp:
    """The model, the method and the settings of a result.

    Parameters
    ----------
    text : str
        JSON.
    """

    text: str

    @classmethod
    def of(cls, predictor: Predictor) -> Stamp:
        """Return the stamp of what a predictor computes."""
        estimator, outputs = predictor.estimator, predictor.outputs
        parameters = estimator.get_params(deep=False) if hasattr(estimator, "get_params") else {}
        facts = {
            "sklc": __version__,
            "method": predictor.method,
            "model": {
                "kind": predictor.model.kind,
                "name": predictor.model.name,
                "digest": predictor.model.digest,
            },
            "parameters": {name: _text(value) for name, value in parameters.items()},
            "columns": list(predictor.columns),
            "results": list(outputs.names),
            "on_error": predictor.on_error,
            "options": {name: _text(value) for name, value in sorted(predictor.options.items())},
        }
        return cls(json.dumps(facts))

    def also(self, **more: Any) -> Stamp:
        """Return a stamp with further information."""
        return Stamp(json.dumps({**json.loads(self.text), **more}))

    def require(self, found: str | None, where: Any) -> None:
        """Refuse to go on with a result that was made with something else.

        Parameters
        ----------
        found : str or None
            The stamp of the result.
        where : path
            Where the result is.

        Raises
        ------
        WeightsError
            If it is another one, or there is none.
        """
        if found is None:
            raise WeightsError(
                f"{where} holds a result of which it is not known what it was made with: write to "
                "another place, or remove it first."
            )
        own, other = self._essence(self.text), self._essence(found)
        differ = [name for name in own if own[name] != other.get(name)]
        if "model" in differ:
            now, then = own["model"], other.get("model", {})
            raise WeightsError(
                f"{where} was begun with the model {then.get('name')} ({_short(then)}), and cannot "
                f"be resumed with {now['name']} ({_short(now)}): use the former model, or write to "
                "another place."
            )
        if differ:
            name = differ[0]
            raise WeightsError(
                f"{where} was begun with {name}={other.get(name)!r:.80}, and cannot be resumed "
                f"with {name}={own[name]!r:.80}: use the former, or write to another place."
            )

    @staticmethod
    def _essence(text: str) -> dict[str, Any]:
        try:
            facts = json.loads(text)
        except ValueError:
            return {}
        return {name: value for name, value in facts.items() if name not in _INFORMATION}


def _short(model: dict[str, Any]) -> str:
    return f"{model.get('kind')}, checksum {str(model.get('digest'))[:12]}"


def _text(value: Any) -> str:
    """Return a setting as text that is the same in every process."""
    return str(getattr(value, "__qualname__", None) or repr(value))[:200]
