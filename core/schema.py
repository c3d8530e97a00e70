"""What every operation of the OpenAPI document shares: its refusals, and on what conditions it is done."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.permissions import SAFE_METHODS

from core.conditional import EDITS, MADE_OR_CHANGED, Conditional, Tagged
from core.idempotency import KEY_HEADER, REPLAYED_HEADER
from core.permissions import AdminWrites, IsPlatformAdmin
from core.refusals import Refused


class HouseSchema(AutoSchema):
    """Tells of operations that refuse people (403): those for admins, and where a view ``refuses_some``."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        is_for_admins = any(self.is_for_admins(one) for one in self.view.get_permissions())
        if operation is not None and (is_for_admins or getattr(self.view, "refuses_some", False)):
            operation["responses"].setdefault("403", {"description": WORDS["403"]})
        if operation is not None:
            self.tell_conditions(operation)
        return operation

    def tell_conditions(self, operation: dict[str, Any]) -> None:
        responses = operation["responses"]
        answer = responses.get("200", {})
        is_edit = self.method in EDITS and isinstance(self.view, Conditional)
        is_read = self.method == "GET" and {} not in operation.get("security", [{}])
        if is_edit:
            operation.setdefault("parameters", []).append(IF_MATCH)
            responses.setdefault("412", {"description": WORDS["412"]})
        if is_read and KEPT & set(answer.get("content", {})):
            operation.setdefault("parameters", []).append(IF_NONE_MATCH)
            operation["parameters"].append(IF_MATCH_READ)
            responses["304"] = {"description": "The copy is still good.", "headers": always(ETAG)}
            responses.setdefault("412", {"description": WORDS["412"]})
            answer.setdefault("headers", {}).update(always(ETAG))
        if isinstance(self.view, Tagged) and self.method in self.view.tagged:
            for status in map(str, MADE_OR_CHANGED):
                if status in responses:
                    responses[status].setdefault("headers", {}).update(ETAG)

    def is_for_admins(self, permission: Any) -> bool:
        if isinstance(permission, AdminWrites):
            return self.method not in SAFE_METHODS
        return isinstance(permission, IsPlatformAdmin)


# What has an ETag where it is read with a token: documents, and calendar files.
KEPT: Final = {"application/json", "text/calendar"}
METHODS: Final = {"get", "post", "put", "patch", "delete"}
WORDS: Final = {
    "400": "A field is missing or not valid, and is named; or a rule says no.",
    "401": "No token, or one that is no longer good.",
    "403": "The person may not do this.",
    "404": "There is no such thing, or none that the person may know of.",
    "409": "Somebody else has just changed or deleted something that it names (`conflict`). Read it again.",
    "412": "It has been changed since it had the ETag in `If-Match`.",
    "413": "The body is larger than 2.5 MB.",
    "415": "The body is neither JSON nor a form.",
    "422": "The `Idempotency-Key` stood for another request before.",
    "429": "A budget is used up; `Retry-After` says for how many seconds.",
    "503": "Something that we depend on does not answer; `Retry-After` says when to try again.",
}
PROPERTIES: Final[dict[str, Any]] = {
    "error": {"type": "string", "description": "One sentence for the user."},
    "detail": {"type": "string", "description": "The same sentence."},
    "code": {
        "type": "string",
        "description": "A stable slug for programs.",
    },
    "requestId": {
        "type": "string",
        "description": "Also in the header X-Request-ID; tell it to support.",
    },
}
ENVELOPE: Final = {
    "type": "object",
    "description": "The error envelope. A validation error also holds one list of sentences for each field.",
    "required": ["error", "detail", "code", "requestId"],
    "properties": PROPERTIES,
    "additionalProperties": True,
}
# Of what the framework and the edge refuse, by status; those of our own rules are read from their classes.
FRAMEWORK_CODES: Final[dict[int, set[str]]] = {
    400: {"bad_request", "invalid", "parse_error", "validation_error"},
    401: {"authentication_failed", "not_authenticated"},
    405: {"method_not_allowed"},
    406: {"not_acceptable"},
    409: {"conflict"},
    415: {"unsupported_media_type"},
    500: {"server_error"},
}

TOO_MANY_EXPORTS: Final = OpenApiResponse(description="More exports than one person may have in an hour.")


def retry_safe(description: str, *, replays: list[int]) -> list[OpenApiParameter]:
    """Return the header by which a request is known again, and the one that says so in the answer."""
    return [
        OpenApiParameter(KEY_HEADER, location=OpenApiParameter.HEADER, description=description),
        OpenApiParameter(
            REPLAYED_HEADER,
            location=OpenApiParameter.HEADER,
            response=replays,
            enum=["true"],
            description="Only where the request came before: the body is what it made then, as it is now.",
        ),
    ]


IF_MATCH: Final = {
    "in": "header",
    "name": "If-Match",
    "schema": {"type": "string"},
    "description": "The ETag of what one has read: change it only where it is still so.",
}
IF_MATCH_READ: Final = {**IF_MATCH, "description": "An ETag: read it only where it is still so."}
IF_NONE_MATCH: Final = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string"},
    "description": "The ETag of a copy that one has kept: 304 where it is still good.",
}
ETAG: Final = {
    "ETag": {
        "schema": {"type": "string"},
        "description": "Stands for the document as this person reads it.",
    }
}

IN_SECONDS: Final = "In seconds (RFC 9110, 10.2.3)."
RETRY_AFTER: Final = {
    "Retry-After": {
        "schema": {"type": "integer", "minimum": 1},
        "description": IN_SECONDS,
    }
}

# What the ids after a part of a path are of, where that is not its singular.
THINGS: Final = {
    "message-reports": "report",
    "milestone-templates": "template",
    "student-supervisors": "link",
    "supervisors": "link",
    "template-runs": "run",
    "users": "person",
}

# ``@extend_schema(parameters=RETRY_SAFE)``: of an operation that creates by ``core.idempotency.once``.
RETRY_SAFE: Final = retry_safe(
    "Makes the request safe to send again for 24 hours, such as a UUID made for it.", replays=[201, 202]
)


def always(headers: dict[str, Any]) -> dict[str, Any]:
    """Return headers that an answer has each time."""
    return {name: {**header, "required": True} for name, header in headers.items()}


WAITS: Final = {status: always(RETRY_AFTER) for status in ("429", "503")}


def waits(*statuses: int) -> OpenApiParameter:
    """Return the header that says when to ask again, of answers that always have it."""
    shown = {"type": "integer", "minimum": 1}
    return OpenApiParameter(
        "Retry-After",
        shown,
        OpenApiParameter.HEADER,
        required=True,
        description=IN_SECONDS,
        response=list(statuses),
    )


def envelope(status: int | None = None) -> dict[str, Any]:
    """Return the schema of every refusal, with all codes that there are, or that go with a status."""
    code = {**PROPERTIES["code"], "enum": sorted(codes(status))}
    return {**ENVELOPE, "properties": {**PROPERTIES, "code": code}}


def codes(status: int | None = None) -> set[str]:
    framework = [those for of, those in FRAMEWORK_CODES.items() if status in {of, None}]
    return {one.code for one in kin_of(Refused) if status in {one.status, None}}.union(*framework)


def kin_of(kind: type[Refused]) -> list[type[Refused]]:
    """Return a refusal and its kin, wherever in the product they are raised."""
    kin = [one for one in kind.__subclasses__() if ".tests." not in one.__module__]
    return [kind, *(below for one in kin for below in kin_of(one))]


def document_refusals(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Give each operation the refusals that its shape implies, in the one envelope."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas["Refusal"] = envelope()
    schemas.update({f"Refusal{status}": envelope(int(status)) for status in WORDS})
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            if method in METHODS:
                for status in implied(path, method, operation):
                    operation["responses"].setdefault(status, {"description": WORDS[status]})
                for status, response in operation["responses"].items():
                    if status >= "400" and "content" not in response:
                        reference = {"$ref": f"#/components/schemas/Refusal{status}"}
                        response["content"] = {"application/json": {"schema": reference}}
                        if status in WAITS:
                            response.setdefault("headers", {}).update(WAITS[status])
    return result


def describe_path_parts(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Say what each part of a path names: `{id}` is of what stands before it, the others bear its name."""
    for path, operations in result["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path":
                    parameter.setdefault("description", words_for(path, parameter["name"]))
    return result


def words_for(path: str, name: str) -> str:
    before = path.partition(f"/{{{name}}}")[0].rpartition("/")[2]
    thing = THINGS.get(before, before.rstrip("s")) if name == "id" else name.removesuffix("_id")
    return f"Names the {thing}."


def implied(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    signed_in = {} not in operation.get("security", [{}])
    parameters = operation.get("parameters", [])
    asks = any(parameter["in"] == "query" for parameter in parameters)
    retry_safe = any(parameter["name"] == KEY_HEADER for parameter in parameters)
    paged = any(parameter["name"] == "page" for parameter in parameters)
    conditional = any(parameter["name"] == "If-Match" for parameter in parameters)
    statuses = ["400"] if "requestBody" in operation or asks or retry_safe or conditional else []
    statuses += ["413", "415"] if "requestBody" in operation else []
    statuses += ["401"] if signed_in else []
    statuses += ["404"] if "{" in path or retry_safe or paged else []
    statuses += ["422"] if retry_safe else []
    statuses += ["409", "429"] if signed_in and method != "get" else []
    return [*statuses, "503"] if statuses else []
