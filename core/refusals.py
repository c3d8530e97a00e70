"""Refusals that rules raise: what is said to the user, which status it has. No web framework here."""

from typing import ClassVar


class Refused(Exception):
    """A rule said no. ``core.exceptions`` turns it into the error envelope."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "refused"
    sentence: ClassVar[str] = "This is not possible."

    def __init__(self, sentence: str | None = None, *, field: str | None = None) -> None:
        self.message = sentence or self.sentence
        self.field = field
        super().__init__(self.message)


class SignedOut(Refused):
    """Whoever asks is not, or not any more, somebody we let in (401)."""

    status = 401
    code = "token_not_valid"
    sentence = "The token is invalid or has expired. Please sign in again."


class Forbidden(Refused):
    """The person is known, and may not (403)."""

    status = 403
    code = "permission_denied"
    sentence = "You do not have permission to perform this action."


class Missing(Refused):
    """There is no such thing, or none that this person may know of (404)."""

    status = 404
    code = "not_found"
    sentence = "Not found."


class TooLarge(Refused):
    """A body above what we take (413; RFC 9110, 15.5.14)."""

    status = 413
    code = "payload_too_large"
    sentence = "The request is too large."


class TooMany(Refused):
    """A budget is used up (429). ``retry_after`` in whole seconds."""

    status = 429
    code = "throttled"
    sentence = "Too many requests. Please wait and try again."

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__()


class Unavailable(Refused):
    """Something that we depend on does not answer (503)."""

    status = 503
    code = "service_unavailable"
    sentence = "This is not available right now. Please try again in a moment."
    retry_after = 5
