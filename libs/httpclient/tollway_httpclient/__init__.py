"""An HTTP/1.1 client for hot paths, on httptools; provider-dispatch calls providers with it."""

from tollway_httpclient.client import HttpClient
from tollway_httpclient.errors import (
    ClientClosed,
    ConnectFailed,
    ConnectTimeout,
    FirstByteTimeout,
    HttpClientError,
    InvalidRequest,
    MalformedResponse,
    Reset,
    Stalled,
    TimedOut,
    TotalTimeout,
)
from tollway_httpclient.header_sieve import HeaderSieve
from tollway_httpclient.limits import Limits, Timeouts
from tollway_httpclient.proxy import Proxy, environment_proxy
from tollway_httpclient.response import Response

__all__ = [
    "ClientClosed",
    "ConnectFailed",
    "ConnectTimeout",
    "FirstByteTimeout",
    "HeaderSieve",
    "HttpClient",
    "HttpClientError",
    "InvalidRequest",
    "Limits",
    "MalformedResponse",
    "Proxy",
    "Reset",
    "Response",
    "Stalled",
    "TimedOut",
    "Timeouts",
    "TotalTimeout",
    "environment_proxy",
]
