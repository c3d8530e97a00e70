"""What bodies and answers of the OpenAPI document look like, where the library says less or otherwise."""

from __future__ import annotations

from typing import Any, Final

# Keys that an answer does not always have, by its component.
SOMETIMES: Final = {"Services": {"channels"}}


def document_whole_answers(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Say of answers that they have all their keys: what may be left out of a body has a default there."""
    for name, schema in result["components"]["schemas"].items():
        if "properties" in schema and not name.endswith("Request"):
            schema["required"] = [one for one in schema["properties"] if one not in SOMETIMES.get(name, ())]
    tell_binaries(result)
    return result


def write_out_blanks(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Say of a choice that may be left blank that it may be ``""``, and not by a component of that name."""
    if result["components"]["schemas"].pop("BlankEnum", None):
        replaced(result, {"$ref": "#/components/schemas/BlankEnum"}, {"const": ""})
    return result


def replaced(part: Any, old: dict[str, Any], new: dict[str, Any]) -> None:
    below = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in list(below):
        if value == old:
            part[key] = new
        else:
            replaced(value, old, new)


def tell_binaries(part: Any, kind: str = "application/octet-stream") -> None:
    """Say of what is binary that it is, as OpenAPI 3.1 does; its ``format`` is what tools look at."""
    if isinstance(part, dict):
        if part.get("format") == "binary":
            part["contentMediaType"] = kind
        for name, below in part.items():
            tell_binaries(below, name if name.startswith("application/") else kind)
