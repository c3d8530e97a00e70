"""The OpenAPI document's examples: each app writes its own, and they are put where they belong here."""

from __future__ import annotations

from typing import Any, Final

import announcements.examples
import authentication.examples
import chat.examples
import core.examples
import events.examples
import groups.examples
import resources.examples
import users.examples
from core.examples import page_of

JSON: Final = "application/json"
TRENDS: Final = {
    "weeks": [{"week": "2027-01-11", "signIns": 212, "newUsers": 14, "messages": 389, "registrations": 41}]
}
EXAMPLES: Final[dict[str, Any]] = {
    "Trends": TRENDS,
    **core.examples.EXAMPLES,
    **users.examples.EXAMPLES,
    **authentication.examples.EXAMPLES,
    **announcements.examples.EXAMPLES,
    **events.examples.EXAMPLES,
    **resources.examples.EXAMPLES,
    **groups.examples.EXAMPLES,
    **chat.examples.EXAMPLES,
}


def add_examples(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Give each JSON body and each JSON answer that is no refusal its example."""
    for operations in result["paths"].values():
        for operation in operations.values():
            if "operationId" in operation:
                exemplify(operation)
    return result


def exemplify(operation: dict[str, Any]) -> None:
    body = operation.get("requestBody", {}).get("content", {}).get(JSON)
    attach(body, EXAMPLES.get(operation["operationId"]))
    for status, answer in operation["responses"].items():
        if status < "300":
            attach(answer.get("content", {}).get(JSON), None)


def attach(content: dict[str, Any] | None, known: Any) -> None:
    """Write an example beside a schema: that of the operation, or that of the component."""
    if content is None:
        return
    value = known or example_of(content["schema"].get("$ref", "").rpartition("/")[2])
    if value is not None:
        content["examples"] = {"Example": {"value": value}}


def example_of(component: str) -> Any:
    row = EXAMPLES.get(component.removeprefix("Paginated").removesuffix("List"))
    is_page = component.startswith("Paginated") and component not in EXAMPLES
    return page_of(row) if is_page and row is not None else EXAMPLES.get(component)
