"""HTTP towards providers on tollway-httpclient, the default: a fraction of what aiohttp costs for a call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec
from tollway_httpclient import (
    ConnectFailed,
    HttpClient,
    HttpClientError,
    InvalidRequest,
    Limits,
    MalformedResponse,
    TimedOut,
    Timeouts,
    environment_proxy,
)

from tollway_provider_dispatch.adapters.content_decoder import ContentDecoder, UndecodableContent
from tollway_provider_dispatch.adapters.end_to_end_headers import LEFT_OUT
from tollway_provider_dispatch.adapters.whole_body import MAX_BODY, joined
from tollway_provider_dispatch.domain.ports import UpstreamAnswer, UpstreamBroken

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tollway_httpclient import Response

    from tollway_provider_dispatch.domain.ports import TimeLimits

# the first that fits; what is left is a reset
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (TimedOut, "timeout"),
    (ConnectFailed, "connect_failed"),
    (InvalidRequest, "connect_failed"),  # nothing was sent
    (MalformedResponse, "malformed_response"),
    (UndecodableContent, "malformed_response"),
)
_FAULTS = (HttpClientError, UndecodableContent)
_NOTHING: Iterator[bytes] = iter(())


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
        limits = Limits(max_body=MAX_BODY)
        self._client = HttpClient(timeouts, limits, ca_file=ca_file, proxy_of=environment_proxy, left_out=LEFT_OUT)
        self._connect_timeout = connect_timeout
        # as many as there are models
        self._timeouts: dict[TimeLimits | None, Timeouts] = {None: timeouts}

    async def request(
        self, method: str, url: str, header_lines: bytes, body: bytes | memoryview, limits: TimeLimits | None = None
    ) -> HttptoolsAnswer:
        timeouts = self._timeouts.get(limits)
        if timeouts is None and limits is not None:
            timeouts = self._timeouts[limits] = Timeouts(self._connect_timeout, limits.first_byte, limits.stall)
        try:
            response = await self._client.request(method, url, header_lines, body, timeouts)
        except HttpClientError as error:
            raise _broken(error) from error
        try:
            decoder = _decoder_for(response.told) if response.told else None
        except UndecodableContent as error:
            response.close()
            raise _broken(error) from error
        return HttptoolsAnswer(response, response.status, response.lines, decoder)

    async def aclose(self) -> None:
        await self._client.aclose()


class HttptoolsAnswer(msgspec.Struct, eq=False):
    """An `UpstreamAnswer`; a struct, since each call makes one."""

    _response: Response
    status: int
    header_lines: bytes
    _decoder: ContentDecoder | None
    _parts: Iterator[bytes] = _NOTHING
    """Of what is decoded and was not taken yet."""

    @property
    def has_ended(self) -> bool:
        return self._response.has_ended

    def at_hand(self) -> bytes | None:
        return self._response.at_hand() if self._decoder is None else None

    async def read(self) -> bytes:
        try:
            return await (self._response.read() if self._decoder is None else joined(self))
        except HttpClientError as error:
            raise _broken(error) from error
        except UpstreamBroken:
            self.close()
            raise

    async def piece(self) -> bytes:
        try:
            if self._decoder is None:
                return await self._response.piece()
            return await self._decoded(self._decoder)
        except _FAULTS as error:
            self._response.close()
            raise _broken(error) from error

    async def pass_on(self, take: Callable[[bytes], bool]) -> bool:
        if self._decoder is not None:
            return await UpstreamAnswer.pass_on(self, take)
        try:
            return await self._response.pass_on(take)
        except HttpClientError as error:
            raise _broken(error) from error

    async def _decoded(self, decoder: ContentDecoder) -> bytes:
        while (part := next(self._parts, b"")) == b"":
            piece = await self._response.piece()
            if not piece:
                decoder.end()
                return b""
            self._parts = iter(decoder.decode(piece))
        return part

    def limit_stall(self, seconds: float) -> None:
        self._response.limit_stall(seconds)

    def close(self) -> None:
        self._response.close()


def _decoder_for(told: Sequence[tuple[bytes, bytes]]) -> ContentDecoder | None:
    decoder = None
    for name, value in told:
        if name == b"content-encoding":
            decoder = ContentDecoder(value.decode("latin-1"), decoder)
    return decoder


def _broken(error: Exception) -> UpstreamBroken:
    reason = next((reason for kind, reason in _REASONS if isinstance(error, kind)), "reset")
    return UpstreamBroken(reason, str(error), is_sent=getattr(error, "is_sent", True))
