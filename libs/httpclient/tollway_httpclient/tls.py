"""
TLS towards origins: certificates and host names are checked, sessions are resumed; one context for each client.

asyncio and uvloop have no parameter for a session, yet both make their TLS object by `SSLContext.wrap_bio`, which
has one; so the context itself puts in the last session of the host.
"""

from __future__ import annotations

import ssl

_MAX_SESSIONS = 1024


class ResumingContext(ssl.SSLContext):
    """An `SSLContext` that resumes the last session it was told of."""

    _sessions: dict[str, ssl.SSLSession]

    @classmethod
    def create(cls, ca_file: str | None = None) -> ResumingContext:
        """Trust the CA certificates in a PEM file, or without one the system's; raises OSError."""
        context = cls(ssl.PROTOCOL_TLS_CLIENT)  # checks certificates and host names
        context._sessions = {}
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        if ca_file:
            context.load_verify_locations(ca_file)
        else:
            context.load_default_certs()
        return context

    def remember(self, connection: ssl.SSLObject) -> None:
        """Keep the session for the next connection; with TLS 1.3 it is there from the first answer on."""
        host, session = connection.server_hostname, connection.session
        if host and session is not None and len(self._sessions) < _MAX_SESSIONS:
            self._sessions[host] = session

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        if session is None and isinstance(server_hostname, str):
            session = self._sessions.get(server_hostname)
        return super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)
