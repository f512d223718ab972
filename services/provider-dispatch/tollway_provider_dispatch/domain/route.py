"""Which provider and model a call goes to; asked once for each call by `dispatch`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tollway_dialects.dialect import Dialect
from tollway_servicekit.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tollway_provider_dispatch.domain.provider import Provider

# a model that the configuration does not know goes to the provider that the dialect comes from
NATIVE = {Dialect.ANTHROPIC_MESSAGES: "anthropic", Dialect.OPENAI_CHAT: "openai"}
_ENDPOINTS = {Dialect.ANTHROPIC_MESSAGES: "POST /v1/messages", Dialect.OPENAI_CHAT: "POST /v1/chat/completions"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One provider that can serve one model."""

    provider: Provider
    model: str


class Chain:
    """
    The providers that have keys, in order, and what they serve.

    Args:
        providers: In the order in which they are preferred.
        models: Names of the providers that serve each known model.
    """

    def __init__(self, providers: Sequence[Provider], models: Mapping[str, Sequence[str]]) -> None:
        self._providers = tuple(providers)
        self._models = models

    @property
    def provider_names(self) -> list[str]:
        return [provider.name for provider in self._providers]

    def choose(self, models: Sequence[str], dialect: Dialect) -> Candidate:
        """
        Return the first model's first provider that speaks the dialect.

        Raises:
            Unavailable: No provider is configured at all.
            NotFound: None of the models is served in this dialect.
        """
        for model in models:
            for provider in self._serving(model, dialect):
                if dialect in provider.kind.paths:
                    return Candidate(provider, model)
        raise self._refusal(models[0], dialect)

    def served(self) -> Iterator[tuple[str, Provider]]:
        """Known models with the provider that each would go to."""
        for model in self._models:
            for provider in self._providers:
                if self._serves(provider, self._models[model]):
                    yield model, provider
                    break

    def _serving(self, model: str, dialect: Dialect) -> Iterator[Provider]:
        names = self._models.get(model) or (NATIVE[dialect],)
        return (provider for provider in self._providers if self._serves(provider, names))

    @staticmethod
    def _serves(provider: Provider, names: Sequence[str]) -> bool:
        return provider.serves_any_model or provider.name in names

    def _refusal(self, model: str, dialect: Dialect) -> NotFound | Unavailable:
        if not self._providers:
            return Unavailable("NO_PROVIDER", "no provider has a key: set one, e.g. ANTHROPIC_API_KEY, and restart")
        elsewhere = [
            f"{_ENDPOINTS[other]} ({provider.name})"
            for provider in self._providers
            for other in provider.kind.paths
            if other != dialect and self._serves(provider, self._models.get(model, ()))
        ]
        if elsewhere:
            return NotFound("MODEL_NOT_SERVED", f"model {model!r} is served at {' and '.join(elsewhere)} only")
        names = self._models.get(model) or (NATIVE[dialect],)
        variables = " or ".join(f"{name.upper()}_API_KEY" for name in names)
        return NotFound("MODEL_NOT_SERVED", f"no provider with a key serves model {model!r}: set {variables}")
