"""Model versions: one immutable JSON document each, named after its version.

A change of a weight, point or cut is a new document; history keeps the version it was scored with.
Those of this folder come with the software; the district's own are rows, see `service`.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from core.risk.documents import parse_version
from core.risk.rules import ModelVersion

CURRENT = "xh-2020.1"

# Rows that this process has read. Documents never change, so a name is read once.
_learned: dict[str, ModelVersion] = {}


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


def find_version(name: str) -> ModelVersion | None:
    """Return the model version with this name, or None for one that this process does not know.

    It knows those that come with the software, and those that it has read from the database; see
    `service.find_stored_version`.

    Raises:
        InvalidVersionError: the document breaks a rule of the model.
    """
    return _learned.get(name) or find_built_in(name)


@cache
def find_built_in(name: str) -> ModelVersion | None:
    """Return the model version of this name that comes with the software, or None.

    Raises:
        InvalidVersionError: the document breaks a rule of the model.
    """
    document = files(__package__).joinpath(f"{name}.json")
    return parse_version(json.loads(document.read_text("utf-8"))) if document.is_file() else None


def learn_version(version: ModelVersion) -> ModelVersion:
    """Keep a version that was read from the database; return it."""
    _learned[version.name] = version
    return version
