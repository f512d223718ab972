"""mTLS between services: a certificate, its key and the CA that both ends trust, in files that may be replaced."""

from __future__ import annotations

import logging
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import grpc

from tollway_servicekit.settings import Environment, SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)

VARIABLES = "TLS_CERT_FILE, TLS_KEY_FILE and TLS_CA_FILE"


class Pem(NamedTuple):
    """What the files hold."""

    certificate: bytes
    key: bytes
    authorities: bytes


class Usable(NamedTuple):
    """The same, as it is used."""

    pem: Pem
    caller: ssl.SSLContext
    server: ssl.SSLContext


@dataclass(frozen=True, slots=True)
class Tls:
    """Where a process finds what it shows to its peers and what it checks theirs with."""

    certificate: Path
    """TLS_CERT_FILE: certificate chain, good for servers and clients, for the name that callers have of the service."""
    key: Path
    """TLS_KEY_FILE"""
    authorities: Path
    """TLS_CA_FILE: whose certificate is signed by one of these is a peer."""
    health_address: str = ""
    """HEALTH_LISTEN_ADDRESS: `host:port` where health alone is served, and without TLS, for probes that speak none."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Tls | None:
        """Return None where none of the variables is set; raises SettingError where only some are."""
        env = Environment(environ)
        files = [env.text("TLS_CERT_FILE"), env.text("TLS_KEY_FILE"), env.text("TLS_CA_FILE")]
        health_address = env.text("HEALTH_LISTEN_ADDRESS")
        if not any(files):
            if health_address:
                raise SettingError(f"HEALTH_LISTEN_ADDRESS is for services with TLS; set {VARIABLES}, or leave it out")
            return None
        if not all(files):
            raise SettingError(f"{VARIABLES} belong together; set all of them, or none for no TLS")
        certificate, key, authorities = map(Path, files)
        return cls(certificate, key, authorities, health_address)

    def read(self) -> Usable:
        """Read all files; raises SettingError where they are missing or do not belong together."""
        try:
            pem = Pem(self.certificate.read_bytes(), self.key.read_bytes(), self.authorities.read_bytes())
            server = self._context(ssl.PROTOCOL_TLS_SERVER)
            server.verify_mode = ssl.CERT_REQUIRED
            return Usable(pem, self._context(ssl.PROTOCOL_TLS_CLIENT), server)
        except (OSError, ValueError) as error:  # an SSLError is an OSError
            raise SettingError(f"{VARIABLES} cannot be used: {_told(error)}") from error

    def _context(self, protocol: int) -> ssl.SSLContext:
        context = ssl.SSLContext(protocol)
        context.load_cert_chain(self.certificate, self.key, password=_no_password)
        context.load_verify_locations(self.authorities)
        context.set_alpn_protocols(["h2"])
        return context

    def stamps(self) -> tuple[object, ...]:
        """Return something that changes when a file is replaced."""
        try:
            found = [path.stat() for path in (self.certificate, self.key, self.authorities)]
        except OSError:
            return ()
        return tuple((file.st_ino, file.st_mtime_ns, file.st_size) for file in found)


class Credentials:
    """The files as they were last usable. Raises SettingError if they are not at the start."""

    def __init__(self, tls: Tls) -> None:
        self._tls = tls
        self._stamps = tls.stamps()
        self._usable = tls.read()

    def renew(self) -> bool:
        """Read files that have been replaced; say whether that gave new ones. Unusable ones are logged and left."""
        stamps = self._tls.stamps()
        if stamps == self._stamps:
            return False
        try:
            usable = self._tls.read()
        except SettingError as error:
            log.error("the former certificate stays in use: %s", error)
            usable = self._usable
        if stamps == self._tls.stamps():  # otherwise they are being replaced right now
            self._stamps = stamps
        has_changed, self._usable = usable.pem != self._usable.pem, usable
        return has_changed

    def of_channel(self) -> grpc.ChannelCredentials:
        pem = self._usable.pem
        return grpc.ssl_channel_credentials(pem.authorities, pem.key, pem.certificate)

    def of_caller(self) -> ssl.SSLContext:
        """Return what a link is opened with: the peer's certificate must be of our CA and name the peer."""
        return self._usable.caller

    def of_server(self) -> ssl.SSLContext:
        """Return what a new connection is served with, by the files as they are; callers must show a certificate."""
        self.renew()
        return self._usable.server


def _no_password() -> str:
    raise ValueError("the key is encrypted; keep it without a password")


def _told(error: Exception) -> str:
    """Say what is wrong without OpenSSL's source lines."""
    name = getattr(error, "filename", None)
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
    return f"{name}: {reason}" if name else str(reason)
