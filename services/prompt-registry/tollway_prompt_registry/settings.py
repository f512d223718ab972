"""What the prompt registry reads from its environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tollway_servicekit.settings import Environment

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the prompt registry."""

    prompts_dir: Path = Path("prompts")
    """PROMPTS_DIR: folder whose `<name>/v<N>.txt` are published at start."""
    store_path: Path = Path(".tollway/prompts.sqlite3")
    """PROMPT_STORE_PATH: SQLite file of published versions, made where it is missing."""
    listen: str = "127.0.0.1:50055"
    """LISTEN_ADDRESS: host:port of the gRPC server."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        env = Environment(environ)
        return cls(
            prompts_dir=Path(env.text("PROMPTS_DIR", "prompts")),
            store_path=Path(env.text("PROMPT_STORE_PATH", ".tollway/prompts.sqlite3")),
            listen=env.text("LISTEN_ADDRESS", "127.0.0.1:50055"),
        )
