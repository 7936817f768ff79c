"""Names of weights, and the manifest that lists them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from sklc.utils.files import replace_file
from sklc.weights.catalogue import file_digest
from sklc.weights.file import WeightsFile

__all__ = [
    "add_to_manifest",
    "alias_and_version",
    "check_new_name",
    "file_name",
    "manifest_entry",
]


def _manifest(folder: Path) -> dict[str, Any]:
    file = folder / "manifest.json"
    return json.loads(file.read_text()) if file.exists() else {"aliases": {}, "weights": {}}


def alias_and_version(name: str) -> tuple[str, str]:
    """Cut a name of weights before its last "-v" and number: an alias stays with the newest.

    Parameters
    ----------
    name : str
        Such as "ztf+lsst-v1".

    Returns
    -------
    alias, version : str
        Such as "ztf+lsst" and "1"; the whole name and "" if it has no version.

    Examples
    --------
    >>> from sklc.pretrain.manifest import alias_and_version
    >>> alias_and_version("ztf+lsst-v1")
    ('ztf+lsst', '1')
    """
    alias, dash, number = name.rpartition("-v")
    return (alias, number) if dash and alias and number.isdecimal() else (name, "")


def file_name(name: str) -> str:
    """Return the name of the file of weights.

    Parameters
    ----------
    name : str
        Such as "ztf+lsst-v1".

    Returns
    -------
    str

    Examples
    --------
    >>> from sklc.pretrain.manifest import file_name
    >>> file_name("ztf+lsst-v1")
    'ztf_lsst-v1.safetensors'
    """
    return f"{name.replace('+', '_')}.safetensors"


def check_new_name(folder: Path, name: str) -> None:
    """Refuse a name of weights that cannot be given, for it must mean the same weights for ever.

    Parameters
    ----------
    folder : Path
        Where the weights and their manifest are, or will be.
    name : str
        Such as "ztf+lsst-v1": letters, digits, and ``+``, ``.``, ``_``, ``-`` between them.

    Raises
    ------
    ValueError
        If the name, its file, or its alias (the name without its version) is taken, or if the name
        has other characters.
    """
    known, alias = _manifest(folder), alias_and_version(name)[0]
    if not re.fullmatch(r"[A-Za-z0-9]+([+._-][A-Za-z0-9]+)*", name):
        raise ValueError(f"{name!r} is not a name for weights: use letters, digits, +, ., _ and -.")
    taken = name in known["weights"] or name in known["aliases"] or alias in known["weights"]
    if taken or (folder / file_name(name)).exists():
        raise ValueError(
            f"There are weights {name!r} or {alias!r} in {folder} already, and a name is never "
            "given twice: choose another version or name, or another folder."
        )


def manifest_entry(path: Path, info: dict[str, Any]) -> dict[str, Any]:
    """Return what the manifest says about a weights file.

    Parameters
    ----------
    path : Path
        The weights file.
    info : dict
        Plain values about the weights, their name among them.

    Returns
    -------
    dict

    Examples
    --------
    See ``python -m sklc.pretrain``, which uses it.
    """
    file = WeightsFile.read(path)
    return {
        "file": path.name,
        "sha256": file_digest(path),
        "format_version": file.format_version,
        "version": alias_and_version(info["name"])[1],
        "classes": list(file.classes),
        "input": file.representation.to_dict(),
        **({"context": list(file.context)} if file.context else {}),
        **{key: value for key, value in info.items() if key != "name"},
    }


def add_to_manifest(path: Path, name: str, entry: dict[str, Any]) -> None:
    """Enter a weights file into the manifest beside it.

    Parameters
    ----------
    path : Path
        The weights file.
    name : str
        Their name; its alias points to it from now on.
    entry : dict
        Plain values to enter.

    Raises
    ------
    ValueError
        If there are weights of this name, which is never given twice.
    """
    known = _manifest(path.parent)
    if name in known["weights"]:
        raise ValueError(f"There are weights {name!r} in {path.parent} already: use another name.")
    known["weights"][name] = entry
    known["aliases"][alias_and_version(name)[0]] = name
    content = json.dumps(known, indent=2, sort_keys=True) + "\n"
    replace_file(path.parent / "manifest.json", content.encode())
