"""A client's end of a socket that waits longer than a second: machines that run tests are busy."""

from __future__ import annotations

from typing import Any, Final

from channels.testing import WebsocketCommunicator

from btf_backend.tests.spoken import hold_frame

PATIENCE: Final = 10.0  # seconds


class PatientSocket(WebsocketCommunicator):  # type: ignore[misc]
    """Waits ten seconds where the library waits one; for as long as a test says, where it says so.

    What it hears is held against the AsyncAPI document.
    """

    async def connect(self, timeout: float = PATIENCE) -> Any:  # noqa: ASYNC109 - the library's
        return await super().connect(timeout)

    async def receive_output(self, timeout: float = PATIENCE) -> Any:  # noqa: ASYNC109 - the library's
        output = await super().receive_output(timeout)
        hold_frame(self.scope["path"], output)
        return output

    async def receive_from(self, timeout: float = PATIENCE) -> Any:  # noqa: ASYNC109 - the library's
        return await super().receive_from(timeout)

    async def receive_json_from(self, timeout: float = PATIENCE) -> Any:  # noqa: ASYNC109 - the library's
        return await super().receive_json_from(timeout)
