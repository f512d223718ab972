"""What the classifier is told from outside; read by `__main__` and by topologies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tollway_servicekit.settings import Environment

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one process."""

    listen: str
    """`host:port` to serve on."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        return cls(listen=Environment(environ).text("LISTEN_ADDRESS", "127.0.0.1:50052"))
