"""How to get the same again: what differs from the defaults, which data, which versions."""

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from lookbook.foundation.params import Params
from lookbook.foundation.versions import VERSIONS

# A copy, because a params.yaml that people change cannot say what it was, and Git's history would
# make the page of one run differ from commit to commit.
DEFAULTS = Path(__file__).with_name("defaults.yaml")


class Changed(NamedTuple):
    """A parameter that is not as Lookbook comes."""

    name: str
    value: Any
    default: Any


def flattened(content: dict, prefix: str = "") -> dict[str, Any]:
    """Return the values of nested sections by their dotted names."""
    found: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            found |= flattened(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found


def changed(params: Params) -> list[Changed]:
    """Return the parameters that differ from the defaults."""
    defaults = flattened(yaml.safe_load(DEFAULTS.read_text(encoding="utf-8")))
    values = flattened(params.model_dump())
    return [
        Changed(name, value, defaults.get(name))
        for name, value in values.items()
        if value != defaults.get(name)
    ]


def versions() -> dict[str, str]:
    """Return what ran, by name."""
    return {"Python": platform.python_version()} | {name: version(name) for name in VERSIONS}
