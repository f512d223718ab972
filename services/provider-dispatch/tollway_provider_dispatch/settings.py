"""Settings of provider-dispatch: keys and addresses from the environment, models from config.yaml."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import msgspec
from tollway_servicekit.settings import Environment, SettingError, read_config

if TYPE_CHECKING:
    from collections.abc import Mapping


class Model(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One entry of config.yaml's `models`."""

    providers: list[str]
    embeds: bool = False
    """It turns input into vectors, and does nothing else."""


class DispatchConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """config.yaml's section `provider_dispatch`."""

    connect_timeout: float = 5.0
    """Seconds until a connection to a provider stands."""
    read_timeout: float = 120.0
    """Seconds without a byte before an answer counts as broken."""
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
    config: DispatchConfig = field(default_factory=DispatchConfig)
    """config.yaml, section provider_dispatch"""

    @classmethod
    def from_env(cls, environ: Mapping[str, str], provider_names: tuple[str, ...]) -> Settings:
        env = Environment(environ)
        path = env.text("TOLLWAY_CONFIG", "config.yaml")
        models = read_config(path, "models", dict[str, Model])
        for name, model in models.items():
            if unknown := set(model.providers) - set(provider_names):
                known = ", ".join(provider_names)
                raise SettingError(f"{path}, section models, {name}: no provider {unknown.pop()!r}; there are {known}")
        return cls(
            listen=env.text("LISTEN_ADDRESS", cls.listen),
            providers={
                name: ProviderSettings(
                    env.numbered(f"{name.upper()}_API_KEY"), env.text(f"{name.upper()}_BASE_URL").rstrip("/")
                )
                for name in provider_names
            },
            openai_organization=env.text("OPENAI_ORG_ID"),
            state_redis_url=env.text("STATE_REDIS_URL"),
            simulator_url=env.text("SIMULATOR_URL").rstrip("/"),
            models=models,
            config=read_config(path, "provider_dispatch", DispatchConfig),
        )
