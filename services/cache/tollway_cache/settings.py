"""What the cache service is told from outside; read by `__main__` and by topologies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import msgspec
from tollway_servicekit.settings import Environment, read_config

from tollway_cache.domain.store import MAX_TTL_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping


class CacheSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section `cache` of config.yaml."""

    redis_url: str | None = None
    exact_ttl: Annotated[int, msgspec.Meta(ge=1, le=MAX_TTL_SECONDS)] = 86_400
    memory_max_bytes: Annotated[int, msgspec.Meta(ge=0)] = 268_435_456


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one process."""

    listen: str
    """`host:port` to serve on."""
    redis_url: str
    """The Redis that holds the answers; empty keeps them in this process."""
    exact_ttl: int
    """Lifetime in seconds of an answer whose request names none."""
    memory_max_bytes: int
    """How much the answers in this process may take."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        env = Environment(environ)
        section = read_config(env.text("TOLLWAY_CONFIG", "config.yaml"), "cache", CacheSection)
        return cls(
            listen=env.text("LISTEN_ADDRESS", "127.0.0.1:50051"),
            redis_url=env.text("CACHE_REDIS_URL", section.redis_url or ""),
            exact_ttl=section.exact_ttl,
            memory_max_bytes=section.memory_max_bytes,
        )
