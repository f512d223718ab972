"""A CA for tests, and the files of processes that it made certificates for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trustme
from tollway_servicekit.tls import Tls

if TYPE_CHECKING:
    from pathlib import Path


class Authority:
    """`tls` is what a process has that this CA signed for."""

    def __init__(self, folder: Path, *names: str) -> None:
        self._ca = trustme.CA()
        self._folder = folder
        self.tls = Tls(folder / "tls.crt", folder / "tls.key", folder / "ca.crt")
        self._ca.cert_pem.write_to_path(str(self.tls.authorities))
        self.sign(*names)

    def sign(self, *names: str) -> None:
        """Replace certificate and key, as a rotation does."""
        issued = self._ca.issue_cert(*(names or ("127.0.0.1", "localhost")))
        for path, pem in (
            (self.tls.key, issued.private_key_pem.bytes()),
            (self.tls.certificate, b"".join(blob.bytes() for blob in issued.cert_chain_pems)),
        ):
            fresh = path.with_suffix(".new")
            fresh.write_bytes(pem)
            fresh.rename(path)
