"""The simulator's settings, read from the environment by `__main__`; tests and topologies make their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tollway_servicekit.settings import Environment, SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be chosen from outside."""

    listen: str = "127.0.0.1:8090"
    """`host:port` to listen on; port 0 takes a free one."""

    models: tuple[str, ...] = ("simulator",)
    """Names that `GET /v1/models` lists; requests may name any model."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        env = Environment(environ)
        listen = env.text("LISTEN_ADDRESS", "127.0.0.1:8090")
        host, _, port = listen.rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65535:
            raise SettingError(f"LISTEN_ADDRESS must be host:port, e.g. 127.0.0.1:8090, not {listen!r}")
        names = [name.strip() for name in env.text("SIMULATOR_MODELS", "simulator").split(",")]
        if not all(names):
            raise SettingError("SIMULATOR_MODELS must be model names with a comma between them")
        return cls(listen, tuple(names))
