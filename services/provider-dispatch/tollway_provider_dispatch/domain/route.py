"""Which provider and model a call goes to; asked once for each call by `dispatch`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from tollway_dialects.dialect import Dialect
from tollway_dialects.wires import WIRES
from tollway_servicekit.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tollway_provider_dispatch.domain.provider import Provider, ProviderKind

# a model that the configuration does not know goes to the provider that the dialect comes from
NATIVE = {
    Dialect.ANTHROPIC_MESSAGES: "anthropic",
    Dialect.ANTHROPIC_COUNT_TOKENS: "anthropic",
    Dialect.OPENAI_CHAT: "openai",
    Dialect.OPENAI_RESPONSES: "openai",
    Dialect.OPENAI_EMBEDDINGS: "openai",
    Dialect.OPENAI_INPUT_TOKENS: "openai",
}


MOST_REMEMBERED = 1024


class Candidate(msgspec.Struct, frozen=True):
    """One provider that can serve one model."""

    provider: Provider
    model: str


class Chain:
    """
    The providers that have keys, in order, and what they serve.

    Args:
        providers: In the order in which they are preferred.
        models: The kinds of provider that serve each known model.
        embedders: Those of the known models that turn input into vectors; they do nothing else, and no other does.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        models: Mapping[str, Sequence[ProviderKind]],
        embedders: Collection[str] = (),
    ) -> None:
        self._providers = tuple(providers)
        self._models = models
        self._embedders = frozenset(embedders)
        self._chosen: dict[tuple[str, Dialect], Candidate] = {}
        """What was found before; clients invent names, so it begins anew where it is full."""

    @property
    def provider_names(self) -> list[str]:
        return [provider.name for provider in self._providers]

    def provider(self, name: str) -> Provider | None:
        """Return the provider of a name; None where it has no key any more."""
        return next((provider for provider in self._providers if provider.name == name), None)

    def choose(self, models: Sequence[str], dialect: Dialect) -> Candidate:
        """
        Return the first model's first provider that speaks the dialect.

        Raises:
            Unavailable: No provider is configured at all.
            NotFound: None of the models is served in this dialect.
        """
        for model in models:
            if candidate := self._chosen.get((model, dialect)) or self._find(model, dialect):
                return candidate
        raise self._refusal(models[0], dialect)

    def _find(self, model: str, dialect: Dialect) -> Candidate | None:
        for provider in self._providers:
            if dialect in self._dialects(provider, model, dialect):
                candidate = Candidate(provider, model)
                if len(self._chosen) >= MOST_REMEMBERED:
                    self._chosen.clear()
                self._chosen[model, dialect] = candidate
                return candidate
        return None

    def served(self) -> Iterator[tuple[str, Provider, list[Dialect]]]:
        """Known models, each with the provider that it would go to and the dialects in which it can be asked."""
        for model in self._models:
            for provider in self._providers:
                if dialects := self._dialects(provider, model):
                    yield model, provider, dialects
                    break

    def _dialects(self, provider: Provider, model: str, asked: Dialect | None = None) -> list[Dialect]:
        """
        Return the dialects in which a provider serves a model.

        A model that is not known goes to the provider that the dialect comes from. The simulator stands in for every
        provider, so it serves a known model as that model's own providers would.
        """
        kinds = self._models.get(model)
        if kinds is None:
            serves = asked is not None and (provider.serves_any_model or provider.name == NATIVE[asked])
            return [dialect for dialect in provider.kind.paths if serves and dialect == asked]
        if provider.serves_any_model:
            spoken = [dialect for dialect in provider.kind.paths if any(dialect in kind.paths for kind in kinds)]
        else:
            spoken = list(provider.kind.paths) if provider.kind in kinds else []
        embeds = model in self._embedders
        return [dialect for dialect in spoken if (dialect is Dialect.OPENAI_EMBEDDINGS) == embeds]

    def _refusal(self, model: str, dialect: Dialect) -> NotFound | Unavailable:
        if not self._providers:
            return Unavailable("NO_PROVIDER", "no provider has a key: set one, e.g. ANTHROPIC_API_KEY, and restart")
        elsewhere = [
            f"{', '.join(f'POST {WIRES[other].path}' for other in others)} ({provider.name})"
            for provider in self._providers
            if (others := self._dialects(provider, model))
        ]
        if elsewhere:
            return NotFound("MODEL_NOT_SERVED", f"model {model!r} is served at {' and '.join(elsewhere)} only")
        names = [kind.name for kind in self._models.get(model, ())] or [NATIVE[dialect]]
        variables = " or ".join(f"{name.upper()}_API_KEY" for name in names)
        return NotFound("MODEL_NOT_SERVED", f"no provider with a key serves model {model!r}: set {variables}")
