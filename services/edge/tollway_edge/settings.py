"""Settings of edge: addresses from the environment, behaviour from config.yaml."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
from tollway_servicekit.settings import Environment, SettingError, read_config
from tollway_servicekit.tls import Tls

from tollway_edge.domain.tiers import MIDDLE_TIER, Tier

if TYPE_CHECKING:
    from collections.abc import Mapping


class EdgeConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """config.yaml's section `edge`."""

    max_body_bytes: int = 32 * 1024 * 1024
    """Bodies above this are refused before they are read."""
    max_header_bytes: int = 64 * 1024
    """Request line and headers above this are refused."""
    max_pipelined: int = 16
    """Requests of one connection that may wait for their turn before no more is read from it."""
    head_timeout: float = 10.0
    """Seconds in which request line and headers must arrive."""
    body_timeout: float = 30.0
    """Seconds in which a body must arrive; for each KiB that came it gets one more."""
    write_timeout: float = 60.0
    """Seconds after which a client that takes nothing of its answer is given up."""
    idle_timeout: float = 300.0
    """Seconds that a connection is kept between two requests."""
    request_timeout: float = 600.0
    """Seconds that a whole call may take."""
    default_max_tokens: int = 4096
    """What a request without a token limit is reserved for under a cap, and then told as its limit."""
    kept_input_tokens: int = 1_050_000
    """Input that is reserved on top for a request that goes on from what a provider keeps."""
    use_exact_cache: bool = True
    """Look for an exact earlier answer, and keep new ones."""
    max_cached_bytes: int = 1024 * 1024
    """Answers above this are not kept."""
    max_kept_bytes: int = 4 * 1024 * 1024
    """What answers that are kept may hold in memory, all together, until they are stored; the largest go first."""


class TierConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One entry of config.yaml's `tiers`."""

    named: list[str]
    aliases: list[str] = []
    classified: list[str] = []
    """Empty: as `named`."""


class RouteConfig(msgspec.Struct, frozen=True):
    """One entry of config.yaml's `routes`; provider-dispatch reads the rest of it, and refuses what nobody knows."""

    system_prompt: str = ""
    """Put before the client's own."""
    last_resort: str = ""
    """Said to the client where nobody could answer."""


@dataclass(frozen=True)
class Addresses:
    """Where the other services are: host:port of each."""

    cache: str
    classifier: str
    provider_dispatch: str
    metering: str
    prompt_registry: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Addresses:
        env = Environment(environ)
        return cls(
            cache=env.required("CACHE_ADDRESS", "host:port of the cache service"),
            classifier=env.required("CLASSIFIER_ADDRESS", "host:port of the classifier service"),
            provider_dispatch=env.required("PROVIDER_DISPATCH_ADDRESS", "host:port of the provider-dispatch service"),
            metering=env.required("METERING_ADDRESS", "host:port of the metering service"),
            prompt_registry=env.required("PROMPT_REGISTRY_ADDRESS", "host:port of the prompt-registry service"),
        )


@dataclass(frozen=True)
class Calling:
    """How services elsewhere are called."""

    use_links: bool = True
    """USE_LINKS: many calls on one stream, or a gRPC call each"""
    tls: Tls | None = None
    """TLS_CERT_FILE, TLS_KEY_FILE, TLS_CA_FILE"""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Calling:
        return cls(Environment(environ).flag("USE_LINKS", cls.use_links), Tls.from_env(environ))


@dataclass(frozen=True)
class Settings:
    """Everything edge is told from outside, addresses of other services aside."""

    listen: str = "127.0.0.1:8000"
    """LISTEN_ADDRESS"""
    admin_key: str = field(default="", repr=False)
    """ADMIN_KEY; empty: the routes under /admin are off"""
    config: EdgeConfig = field(default_factory=EdgeConfig)
    """config.yaml, section edge"""
    tiers: tuple[Tier, ...] = ()
    """config.yaml, section tiers"""
    system_prompts: Mapping[str, str] = field(default_factory=dict)
    last_resorts: Mapping[str, str] = field(default_factory=dict)
    """config.yaml, section routes: both by route"""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        env = Environment(environ)
        path = env.text("TOLLWAY_CONFIG", "config.yaml")
        tiers = read_config(path, "tiers", dict[str, TierConfig])
        routes = read_config(path, "routes", dict[str, RouteConfig])
        if MIDDLE_TIER not in tiers:
            raise SettingError(f"{path}, section tiers: the tier {MIDDLE_TIER} is missing; it is the fallback of auto")
        return cls(
            listen=env.text("LISTEN_ADDRESS", cls.listen),
            admin_key=env.text("ADMIN_KEY"),
            config=read_config(path, "edge", EdgeConfig),
            tiers=tuple(
                Tier(name, tuple(tier.aliases), tuple(tier.named), tuple(tier.classified or tier.named))
                for name, tier in tiers.items()
            ),
            system_prompts={name: route.system_prompt for name, route in routes.items()},
            last_resorts={name: route.last_resort for name, route in routes.items()},
        )
