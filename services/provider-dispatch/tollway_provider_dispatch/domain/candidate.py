"""Who can be asked for a model: a provider that serves it, and the routes to it; found by `route`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from tollway_dialects.translation.models.capabilities import ModelCapabilities

from tollway_provider_dispatch.domain.ports import StreamLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tollway_dialects.dialect import Dialect

    from tollway_provider_dispatch.domain.provider import Provider, ProviderKey


class Traits(msgspec.Struct, frozen=True):
    """What the configuration says of a model beside who serves it."""

    names: Mapping[str, str] = {}
    """What a provider calls it, where that is not the gateway's name."""
    limits: StreamLimits | None = None
    """For its streams; None leaves it to the client."""
    context: int = 0
    """Tokens of its window; 0 where the configuration does not tell."""
    takes_prefill: bool = False
    """It goes on from a text that the request says it has begun with."""
    capabilities: ModelCapabilities = ModelCapabilities()
    """What it takes, for requests that are translated."""


class Candidate(msgspec.Struct, frozen=True, eq=False):
    """One provider that can serve one model."""

    provider: Provider
    model: str
    upstream_name: str
    """What the provider calls the model."""
    limits: StreamLimits | None
    context: int
    takes_prefill: bool
    capabilities: ModelCapabilities
    speaks: Dialect | None = None
    """What it is asked in, where a client is understood only through translation; None: the client's dialect."""
    routes: tuple[Route, ...] = ()
    """One for each of the provider's keys, made with it."""

    @classmethod
    def of(
        cls, provider: Provider, model: str, traits: Traits | None = None, speaks: Dialect | None = None
    ) -> Candidate:
        traits = traits or Traits()
        name = traits.names.get(provider.name, model)
        return cls(
            provider, model, name, traits.limits, traits.context, traits.takes_prefill, traits.capabilities, speaks
        )

    def __post_init__(self) -> None:
        provider = self.provider
        routes = tuple(Route(self, key, provider.lines_with(key)) for key in provider.keys)
        msgspec.structs.force_setattr(self, "routes", routes)

    def routes_for(self, conversation: Callable[[], bytes]) -> Sequence[Route]:
        """Return the routes in this conversation's own order, that of `Provider.keys_for`."""
        if len(self.routes) == 1:
            return self.routes
        by_secret = {route.key.secret: route for route in self.routes}
        return [by_secret[key.secret] for key in self.provider.keys_for(conversation)]

    def spoken_to(self, dialect: Dialect) -> Dialect:
        """Return the dialect in which it is asked by a client of the given one."""
        return self.speaks or dialect

    def is_larger_than(self, other: Candidate) -> bool:
        """Say whether a prompt that is too long for the other may fit into this one."""
        return self.model != other.model and (self.context > other.context or not (self.context and other.context))

    def __str__(self) -> str:
        return f"{self.provider.name}/{self.model}"


class Route(msgspec.Struct, frozen=True):
    """Whom to ask: a provider, for a model, with a key."""

    candidate: Candidate
    key: ProviderKey
    header_lines: bytes = b""
    """What the gateway adds to a request's headers, the key's among them."""

    def __repr__(self) -> str:
        return f"Route({self.candidate}, {self.key!r})"  # and nothing of the headers
