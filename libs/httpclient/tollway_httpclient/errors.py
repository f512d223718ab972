"""
Everything that `HttpClient` raises; the module to look at for what may be sent again.

    HttpClientError
    ├── InvalidRequest            nothing was sent: the request itself cannot be
    ├── ConnectFailed             nothing was sent: no connection came to be
    │   ├── ConnectTimeout        … in time, name look-up, proxy and TLS included, or none became free
    │   └── ClientClosed          … because the client was closed
    ├── Reset                     the connection ended before the answer did; the request may have been read
    ├── MalformedResponse         the answer breaks HTTP/1.1 or a limit
    └── TimedOut                  the connection was closed because of a time limit; the request may have been read
        ├── FirstByteTimeout      no byte of an answer
        ├── Stalled               no further byte of it, or the request's body was not taken
        └── TotalTimeout          the whole took too long

`is_sent` says whether the whole request had left, so that the server may have acted on it.
Messages tell addresses and facts, never a header or a byte of a body.
"""

from __future__ import annotations


class HttpClientError(Exception):
    """No whole answer; the class says why."""

    is_sent = True
    """The whole request had left; False where a part of it, or all, never did."""


class InvalidRequest(HttpClientError):
    """The request would not be HTTP, or would be more than one; nothing was sent."""

    is_sent = False


class ConnectFailed(HttpClientError):
    """No connection came to be; nothing was sent."""

    is_sent = False


class ConnectTimeout(ConnectFailed):
    """No connection came to be, or became free, in time; nothing was sent."""


class ClientClosed(ConnectFailed):
    """The client was closed before the request could be sent."""


class Reset(HttpClientError):
    """The connection ended before the answer did; the request may have been read."""


class MalformedResponse(HttpClientError):
    """The answer breaks HTTP/1.1 or one of the limits on it."""


class TimedOut(HttpClientError):
    """A time limit ended the exchange; the request may have been read."""


class FirstByteTimeout(TimedOut):
    """No byte of an answer came in time."""


class Stalled(TimedOut):
    """No further byte came in time, or the request's body was not taken in time."""


class TotalTimeout(TimedOut):
    """The exchange took longer than it may in all."""
