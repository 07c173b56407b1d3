"""Model versions: one immutable JSON document each, named after its version.

A change of a weight, point or cut is a new document; history keeps the version it was scored with.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from core.risk.documents import parse_version
from core.risk.rules import ModelVersion

CURRENT = "xh-2020.1"


@cache
def get_version(name: str = CURRENT) -> ModelVersion:
    """Return the model version with this name.

    Raises:
        InvalidVersionError: the document breaks a rule of the model.
        LookupError: there is no such document.
    """
    version = find_version(name)
    if version is None:
        raise LookupError(f"no model version {name}")
    return version


@cache
def find_version(name: str) -> ModelVersion | None:
    """Return the model version with this name, or None for one that is not on this machine.

    Raises:
        InvalidVersionError: the document breaks a rule of the model.
    """
    document = files(__package__).joinpath(f"{name}.json")
    return parse_version(json.loads(document.read_text("utf-8"))) if document.is_file() else None
