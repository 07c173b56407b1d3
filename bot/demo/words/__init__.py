"""Word lists of the demo district: real street and road names, all others made up."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def words(name: str) -> Any:
    """Return the word list with this name, as its JSON file holds it."""
    return json.loads(files(__package__).joinpath(f"{name}.json").read_text("utf-8"))
