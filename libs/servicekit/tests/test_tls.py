"""What a process is told of TLS, and which files it does not start with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from tollway_servicekit.settings import SettingError
from tollway_servicekit.tls import Tls

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("TLS_CERT_FILE", "TLS_KEY_FILE", "TLS_CA_FILE")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Variables that name usable files."""
    authority = trustme.CA()
    issued = authority.issue_cert("cache")
    files = dict(zip(NAMES, ("tls.crt", "tls.key", "ca.crt"), strict=True))
    blobs = (issued.cert_chain_pems[0], issued.private_key_pem, authority.cert_pem)
    for name, blob in zip(files.values(), blobs, strict=True):
        blob.write_to_path(str(tmp_path / name))
    return {variable: str(tmp_path / name) for variable, name in files.items()}


def read(environ: dict[str, str]) -> None:
    tls = Tls.from_env(environ)
    assert tls is not None
    tls.read()


def test_there_is_no_tls_without_the_variables() -> None:
    assert Tls.from_env({}) is None


def test_files_that_belong_together_are_read(environ: dict[str, str]) -> None:
    read(environ)


@pytest.mark.parametrize("missing", NAMES)
def test_all_three_are_needed(environ: dict[str, str], missing: str) -> None:
    with pytest.raises(SettingError, match="belong together"):
        Tls.from_env(environ | {missing: ""})


def test_a_health_address_without_tls_is_refused() -> None:
    with pytest.raises(SettingError, match="HEALTH_LISTEN_ADDRESS is for services with TLS"):
        Tls.from_env({"HEALTH_LISTEN_ADDRESS": "0.0.0.0:50060"})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", [None, "nonsense", ""])
def test_a_file_that_cannot_be_used_is_refused(
    environ: dict[str, str], name: str, content: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "other.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingError, match="TLS_CERT_FILE, TLS_KEY_FILE and TLS_CA_FILE cannot be used"):
        read(environ | {name: str(file)})


def test_the_key_of_another_certificate_is_refused(environ: dict[str, str], tmp_path: Path) -> None:
    trustme.CA().issue_cert("cache").private_key_pem.write_to_path(str(tmp_path / "other.key"))
    with pytest.raises(SettingError, match="KEY_VALUES_MISMATCH"):
        read(environ | {"TLS_KEY_FILE": str(tmp_path / "other.key")})


def test_a_key_with_a_password_is_refused(environ: dict[str, str], tmp_path: Path) -> None:
    key = serialization.load_pem_private_key((tmp_path / "tls.key").read_bytes(), None)
    encryption = serialization.BestAvailableEncryption(b"secret")
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    (tmp_path / "tls.key").write_bytes(key.private_bytes(*form))
    with pytest.raises(SettingError, match="the key is encrypted; keep it without a password"):
        read(environ)
