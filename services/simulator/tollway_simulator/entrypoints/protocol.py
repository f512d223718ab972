"""An HTTP connection that the application may close in the middle of an answer, which ASGI has no word for."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

CLOSE_EXTENSION = "tollway.close"


class CuttableProtocol(HttpToolsProtocol):
    """uvicorn's protocol with the extension `tollway.close` in each request's scope."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {CLOSE_EXTENSION: {"close": self.transport.close}}
