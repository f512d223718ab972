"""HTTP towards one provider on aiohttp: the twin of `httptools_upstream`, for whoever would rather have it."""

from __future__ import annotations

import io
import ssl
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from multidict import CIMultiDict
from tollway_dialects.header_lines import HARMLESS, from_lines, to_lines
from tollway_httpclient import HeaderSieve
from yarl import URL

from tollway_provider_dispatch.adapters.end_to_end_headers import LEFT_OUT
from tollway_provider_dispatch.adapters.whole_body import joined
from tollway_provider_dispatch.domain.ports import TimeLimits, UpstreamAnswer, UpstreamBroken

if TYPE_CHECKING:
    pass

# above this aiohttp wants a file, which it writes in pieces
_LARGE_BODY = 1 << 20
# nothing was sent, save to a proxy
_NOT_CONNECTED = (
    *(aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError),
    *(aiohttp.ClientHttpProxyError, aiohttp.InvalidURL),
)
# headers that aiohttp would add on its own
_NOT_ADDED = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
_SIEVE = HeaderSieve(LEFT_OUT)


@lru_cache(maxsize=256)
def _parsed(url: str) -> URL:
    return URL(url, encoded=True)


def proxy_of(url: str) -> str | None:
    """
    Return the proxy that the environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY) names for an address.

    Asked once for each provider: aiohttp's `trust_env` reads the environment and netrc for every request.
    """
    parts = urlsplit(url)
    if not parts.hostname or proxy_bypass(parts.netloc):
        return None
    return getproxies().get(parts.scheme)


class AiohttpUpstream:
    """
    An `UpstreamClient`.

    Args:
        connect_timeout: Seconds until a connection stands.
        read_timeout: Seconds without a byte before the answer counts as broken.
        proxy: Address of a proxy; None goes straight.
        ca_file: PEM file of the CA certificates that are trusted instead of the system's; raises OSError.
    """

    def __init__(
        self, connect_timeout: float, read_timeout: float, proxy: str | None = None, ca_file: str | None = None
    ) -> None:
        self._connect_timeout = connect_timeout
        self._limits = TimeLimits(read_timeout, read_timeout)
        tls = ssl.create_default_context(cafile=ca_file) if ca_file else True
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60, ssl=tls),
            skip_auto_headers=_NOT_ADDED,
            auto_decompress=True,
            read_bufsize=1 << 18,
            cookie_jar=aiohttp.DummyCookieJar(),
            proxy=proxy,
        )

    async def request(
        self, method: str, url: str, header_lines: bytes, body: bytes | memoryview, limits: TimeLimits | None = None
    ) -> AiohttpAnswer:
        limits = limits or self._limits
        headers = ((name.decode(), value.decode("latin-1")) for name, value in from_lines(header_lines))
        with _TRANSLATED:
            response = await self._session.request(
                method,
                _parsed(url),
                data=body if len(body) <= _LARGE_BODY else io.BytesIO(body),
                headers=CIMultiDict(headers),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=self._connect_timeout, sock_read=limits.first_byte
                ),
            )
        return AiohttpAnswer(response, limits.stall)

    async def aclose(self) -> None:
        await self._session.close()


class AiohttpAnswer(UpstreamAnswer):
    """An `UpstreamAnswer`."""

    def __init__(self, response: aiohttp.ClientResponse, stall: float) -> None:
        self._response = response
        self.limit_stall(stall)
        self.status = response.status
        # aiohttp lets control characters through, which no head of ours may hold
        harmless = (each for each in response.raw_headers if not b"".join(each).translate(None, HARMLESS))
        headers = ((name.lower(), value) for name, value in harmless)
        self.header_lines = _SIEVE.sift(to_lines(headers))[0]

    @property
    def has_ended(self) -> bool:
        return self._response.content.is_eof()

    async def read(self) -> bytes:
        try:
            return await joined(self)
        except BaseException:
            self._response.close()
            raise

    async def piece(self) -> bytes:
        content = self._response.content
        with _TRANSLATED:
            try:
                return await content.readany()
            except aiohttp.ClientError:
                # aiohttp breaks off before it hands out what came just before; it was sent, paid for, and is passed on
                if rest := content._read_nowait(-1):  # noqa: SLF001 - there is no public way to it
                    return rest
                raise

    def limit_stall(self, seconds: float) -> None:
        connection = self._response.connection
        if connection is not None and connection.protocol is not None:
            connection.protocol.read_timeout = seconds
            connection.protocol.start_timeout()

    def close(self) -> None:
        self._response.release()


class _Translated:
    """Turns aiohttp's errors into the port's; a class, since it is entered twice for every call."""

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        if isinstance(error, _NOT_CONNECTED):
            raise UpstreamBroken("connect_failed", str(error), is_sent=False) from error
        if isinstance(error, TimeoutError):
            raise UpstreamBroken("timeout", "no byte came in time") from error
        if isinstance(error, (aiohttp.ClientPayloadError, aiohttp.ClientConnectionError)):
            raise UpstreamBroken("reset", str(error)) from error
        if isinstance(error, aiohttp.ClientError):
            raise UpstreamBroken("malformed_response", str(error)) from error


_TRANSLATED = _Translated()
