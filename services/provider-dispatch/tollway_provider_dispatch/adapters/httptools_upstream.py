"""HTTP towards providers on tollway-httpclient, the default: a fraction of what aiohttp costs for a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.header_lines import to_lines
from tollway_httpclient import (
    ConnectFailed,
    HttpClient,
    HttpClientError,
    InvalidRequest,
    MalformedResponse,
    TimedOut,
    Timeouts,
    environment_proxy,
)

from tollway_provider_dispatch.adapters.content_decoder import ContentDecoder, UndecodableContent
from tollway_provider_dispatch.domain.ports import UpstreamBroken

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tollway_httpclient import Response

# framing belongs to a connection, not to an answer; what is compressed is decoded here
_DROPPED = frozenset(
    {b"connection", b"keep-alive", b"transfer-encoding", b"content-length", b"content-encoding", b"trailer"}
    | {b"upgrade", b"proxy-authenticate", b"set-cookie", b"date", b"server"}
)
# the first that fits; what is left is a reset
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (TimedOut, "timeout"),
    (ConnectFailed, "connect_failed"),
    (InvalidRequest, "connect_failed"),  # nothing was sent
    (MalformedResponse, "malformed_response"),
    (UndecodableContent, "malformed_response"),
)
_FAULTS = (HttpClientError, UndecodableContent)


class HttptoolsUpstream:
    """
    An `UpstreamClient`; proxies are those of the environment.

    Args:
        connect_timeout: Seconds until a connection stands.
        read_timeout: Seconds without a byte before the answer counts as broken.
        ca_file: PEM file of the CA certificates that are trusted instead of the system's; raises OSError.
    """

    def __init__(self, connect_timeout: float, read_timeout: float, ca_file: str | None = None) -> None:
        timeouts = Timeouts(connect_timeout, first_byte=read_timeout, stall=read_timeout)
        self._client = HttpClient(timeouts, ca_file=ca_file, proxy_of=environment_proxy)

    async def post(self, url: str, header_lines: bytes, body: bytes) -> HttptoolsAnswer:
        try:
            response = await self._client.request("POST", url, header_lines, body)
        except HttpClientError as error:
            raise _broken(error) from error
        try:
            return HttptoolsAnswer(response)
        except UndecodableContent as error:
            response.close()
            raise _broken(error) from error

    async def aclose(self) -> None:
        await self._client.aclose()


class HttptoolsAnswer:
    """An `UpstreamAnswer`."""

    def __init__(self, response: Response) -> None:
        self._response = response
        self._decoder: ContentDecoder | None = None
        self.status = response.status
        kept = []
        for header in response.raw_headers:
            if header[0] not in _DROPPED:
                kept.append(header)
            elif header[0] == b"content-encoding":
                self._decoder = ContentDecoder(header[1].decode("latin-1"), self._decoder)
        self.header_lines = to_lines(kept)

    async def read(self) -> bytes:
        if self._decoder is not None:
            return b"".join([piece async for piece in self.pieces()])
        try:
            return await self._response.read()
        except HttpClientError as error:
            raise _broken(error) from error

    async def pieces(self) -> AsyncIterator[bytes]:
        decoder = self._decoder
        try:
            while piece := await self._response.piece():
                if decoder is None:
                    yield piece
                else:
                    for part in decoder.decode(piece):
                        yield part
            if decoder is not None:
                decoder.end()
        except _FAULTS as error:
            self._response.close()
            raise _broken(error) from error

    def close(self) -> None:
        self._response.close()


def _broken(error: Exception) -> UpstreamBroken:
    reason = next((reason for kind, reason in _REASONS if isinstance(error, kind)), "reset")
    return UpstreamBroken(reason, str(error))
