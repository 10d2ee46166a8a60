"""JSON objects with a checksum, so that a damaged file is not taken for another.

Two of the keys say that there is a checksum, the first and the last: no single hole,
cut or flipped byte removes both and leaves other content behind.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

FORMAT = 2
_FORMAT_KEY, _CHECKSUM_KEY = "format", "checksum"


def dumps(values: Mapping[str, Any], indent: int | None = None) -> str:
    """The text of an object, with its checksum.

    Args:
        values: A JSON-ready object without the keys "format" and "checksum".
        indent: As in `json.dumps`.
    """
    plain = json.loads(json.dumps(values))  # keys are strings from here on
    sealed = {_FORMAT_KEY: FORMAT, **plain, _CHECKSUM_KEY: _checksum(plain)}
    return json.dumps(sealed, indent=indent)


def loads(text: str | bytes) -> dict[str, Any]:
    """The object of a text that `dumps` wrote, or of an older one without a checksum.

    Raises:
        ValueError: The text is damaged, or no JSON object.
    """
    try:
        values = json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    if not isinstance(values, dict):
        raise ValueError(f"it must be a JSON object, got {type(values).__name__}")
    if _FORMAT_KEY not in values and _CHECKSUM_KEY not in values:
        return values
    number, checksum = (values.pop(key, None) for key in (_FORMAT_KEY, _CHECKSUM_KEY))
    if number != FORMAT or checksum != _checksum(values):
        raise ValueError("its checksum is wrong")
    return values


def _checksum(values: dict[str, Any]) -> str:
    """Sixteen hexadecimal digits of the SHA-256."""
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
