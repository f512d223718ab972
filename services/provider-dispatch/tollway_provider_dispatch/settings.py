"""Settings of provider-dispatch: keys and addresses from the environment, models from config.yaml."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import msgspec
from tollway_dialects.translation.models.capabilities import ModelCapabilities
from tollway_servicekit.settings import Environment, SettingError, read_config

from tollway_provider_dispatch.domain.policy import RouteRules, Rules

if TYPE_CHECKING:
    from collections.abc import Mapping

# it is part of the names of variables
_NAME = re.compile(r"[a-z][a-z0-9-]*")


class Model(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One entry of config.yaml's `models`."""

    providers: list[str] | dict[str, str]
    """Who serves it; as a mapping also what each of them calls it."""
    embeds: bool = False
    """It turns input into vectors, and does nothing else."""
    context: int = 0
    """Tokens of its window; 0 where that is not known."""
    prefill: bool = False
    """It goes on from an assistant's text at the end of a request."""
    first_token_timeout: float | None = None
    """Seconds until a stream's first token; None takes provider_dispatch.first_token_timeout."""
    capabilities: ModelCapabilities = ModelCapabilities()
    """What it takes, for requests that are translated from another dialect."""
    stall_timeout: float | None = None
    """Seconds without a byte of a stream that has begun; None takes provider_dispatch.stall_timeout."""

    @property
    def names(self) -> dict[str, str]:
        return self.providers if isinstance(self.providers, dict) else {}


class Endpoint(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One entry of config.yaml's `endpoints`: a server that speaks a known dialect."""

    base_url: str
    """/v1 included, where it has one."""
    speaks: tuple[Literal["chat", "responses", "embeddings", "messages"], ...] = ("chat",)
    key_header: str = "authorization"
    """What carries the key, as a bearer token where it is `authorization`."""
    needs_key: bool = True
    """False: it is asked without one, where the environment has none."""
    query: str = ""
    """Put before a request's own, e.g. api-version=2026-10-21."""


class DispatchConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """config.yaml's section `provider_dispatch`."""

    connect_timeout: float = 5.0
    """Seconds until a connection to a provider stands."""
    read_timeout: float = 60.0
    """Seconds without a byte before an answer counts as broken."""
    whole_timeout: float = 300.0
    """The same for the first byte of an answer that is not streamed: it comes once all of the answer is there."""
    retries: int = 3
    """Tries of one provider's model and key beyond the first."""
    cooldowns: tuple[float, ...] = (5.0, 10.0, 20.0, 20.0, 60.0)
    """Seconds that a provider's model and key is left alone, each longer one after a probe that failed."""
    first_token_timeout: float = 12.0
    """Seconds until a stream's first token, for models that say nothing else."""
    stall_timeout: float = 30.0
    """Seconds without a byte of a stream that has begun, for models that say nothing else; signs of life count."""
    thinking_timeout: float = 120.0
    """Seconds until a stream's first token where the model thinks before it speaks."""
    http_client: Literal["httptools", "aiohttp"] = "httptools"
    """What carries the calls: Tollway's own client, or aiohttp, which costs more and does the same."""
    ca_file: str | None = None
    """PEM file of the CA certificates that are trusted instead of the system's."""


@dataclass(frozen=True)
class ProviderSettings:
    """What the environment says of one provider."""

    keys: tuple[str, ...] = field(repr=False)
    base_url: str
    """Empty: the provider's own."""
    cascade: tuple[str, ...] = ()
    """LLM_MODEL_<P>: its models, in the order in which they stand in for one another"""


@dataclass(frozen=True)
class Settings:
    """Everything provider-dispatch is told from outside."""

    listen: str = "127.0.0.1:50053"
    """LISTEN_ADDRESS"""
    providers: Mapping[str, ProviderSettings] = field(default_factory=dict)
    """<P>_API_KEY, <P>_API_KEY_2 … _5 and <P>_BASE_URL, by provider name"""
    openai_organization: str = ""
    """OPENAI_ORG_ID"""
    state_redis_url: str = ""
    """STATE_REDIS_URL: the Redis that remembers which account made what; empty: this process's memory does"""
    simulator_url: str = ""
    """SIMULATOR_URL; empty: the simulator is no provider"""
    models: Mapping[str, Model] = field(default_factory=dict)
    """config.yaml, section models"""
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    """config.yaml, section endpoints"""
    routes: Mapping[str, Rules] = field(default_factory=dict)
    """config.yaml, section routes"""
    workspaces: Mapping[str, Rules] = field(default_factory=dict)
    """config.yaml, section workspaces"""
    config: DispatchConfig = field(default_factory=DispatchConfig)
    """config.yaml, section provider_dispatch"""

    @classmethod
    def from_env(cls, environ: Mapping[str, str], provider_names: tuple[str, ...]) -> Settings:
        env = Environment(environ)
        path = env.text("TOLLWAY_CONFIG", "config.yaml")
        models = read_config(path, "models", dict[str, Model])
        endpoints = read_config(path, "endpoints", dict[str, Endpoint])
        if clash := {name for name in endpoints if name in provider_names or not _NAME.fullmatch(name)}:
            raise SettingError(
                f"{path}, section endpoints: {clash.pop()!r} is no name for one: [a-z0-9-], and not taken"
            )
        provider_names = (*provider_names, *endpoints)
        for name, model in models.items():
            if unknown := set(model.providers) - set(provider_names):
                known = ", ".join(provider_names)
                raise SettingError(f"{path}, section models, {name}: no provider {unknown.pop()!r}; there are {known}")
        return cls(
            listen=env.text("LISTEN_ADDRESS", cls.listen),
            providers={
                name: ProviderSettings(
                    env.numbered(f"{name.upper().replace('-', '_')}_API_KEY"),
                    env.text(f"{name.upper().replace('-', '_')}_BASE_URL").rstrip("/"),
                    _names(env.text(f"LLM_MODEL_{name.upper().replace('-', '_')}")),
                )
                for name in provider_names
            },
            openai_organization=env.text("OPENAI_ORG_ID"),
            state_redis_url=env.text("STATE_REDIS_URL"),
            simulator_url=env.text("SIMULATOR_URL").rstrip("/"),
            models=models,
            endpoints=endpoints,
            routes=read_config(path, "routes", dict[str, RouteRules]),
            workspaces=read_config(path, "workspaces", dict[str, Rules]),
            config=read_config(path, "provider_dispatch", DispatchConfig),
        )


def _names(listed: str) -> tuple[str, ...]:
    """Return names with a comma between them."""
    return tuple(name for name in map(str.strip, listed.split(",")) if name)
