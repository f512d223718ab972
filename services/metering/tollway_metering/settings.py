"""What metering reads from its environment."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tollway_servicekit.settings import Environment, SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_PREFIX = "tw_"
_SHORTEST_SECRET = 16
_HOW_TO_MAKE_ONE = "make one with: python -c \"import secrets; print('tw_' + secrets.token_urlsafe(32))\""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the metering service."""

    default_key_digest: bytes
    """SHA-256 of DEFAULT_WORKSPACE_KEY, the virtual key of workspace `default`; the key itself is not kept."""
    ledger_path: Path = Path(".tollway/ledger.sqlite3")
    """LEDGER_PATH: the ledger's SQLite file, made where it is missing."""
    monthly_token_cap: int = 0
    """LLM_MONTHLY_TOKEN_CAP_PER_WORKSPACE: tokens a workspace may use in a calendar month (UTC); 0 is no cap."""
    listen: str = "127.0.0.1:50054"
    """LISTEN_ADDRESS: host:port of the gRPC server."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        env = Environment(environ)
        cap = env.integer("LLM_MONTHLY_TOKEN_CAP_PER_WORKSPACE", 0)
        if cap < 0:
            raise SettingError("LLM_MONTHLY_TOKEN_CAP_PER_WORKSPACE must be 0 (no cap) or more")
        return cls(
            default_key_digest=_digest(
                env.required("DEFAULT_WORKSPACE_KEY", f"the virtual key of workspace default; {_HOW_TO_MAKE_ONE}")
            ),
            ledger_path=Path(env.text("LEDGER_PATH", ".tollway/ledger.sqlite3")),
            monthly_token_cap=cap,
            listen=env.text("LISTEN_ADDRESS", "127.0.0.1:50054"),
        )


def _digest(key: str) -> bytes:
    if not key.startswith(KEY_PREFIX) or len(key) < len(KEY_PREFIX) + _SHORTEST_SECRET:
        raise SettingError(
            f"DEFAULT_WORKSPACE_KEY must be {KEY_PREFIX} and at least {_SHORTEST_SECRET} characters; {_HOW_TO_MAKE_ONE}"
        )
    return hashlib.sha256(key.encode()).digest()
