"""Which path is served by what; built once by `app`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from tollway_simulator.domain.response_store import ResponseStore
from tollway_simulator.entrypoints.anthropic import models as anthropic_models
from tollway_simulator.entrypoints.anthropic.count_tokens import CountTokens
from tollway_simulator.entrypoints.anthropic.dialect import Messages
from tollway_simulator.entrypoints.anthropic.provider import Anthropic
from tollway_simulator.entrypoints.dialect import Reply
from tollway_simulator.entrypoints.openai import models as openai_models
from tollway_simulator.entrypoints.openai.embeddings import Embeddings
from tollway_simulator.entrypoints.openai.provider import OpenAI
from tollway_simulator.entrypoints.openai_chat.dialect import Chat
from tollway_simulator.entrypoints.openai_responses.dialect import Responses
from tollway_simulator.entrypoints.openai_responses.stored import InputTokens, StoredResponses

if TYPE_CHECKING:
    from tollway_simulator.entrypoints.dialect import Dialect, Endpoint, Provider
    from tollway_simulator.entrypoints.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Route:
    """What serves a path: a dialect where it generates, an endpoint where it does not."""

    provider: Provider
    methods: tuple[str, ...]
    dialect: Dialect | None = None
    endpoint: Endpoint | None = None
    needs_key: bool = True


class Routes:
    """Finds the route of a request."""

    def __init__(self, models: tuple[str, ...]) -> None:
        anthropic, openai, store = Anthropic(), OpenAI(), ResponseStore()
        self._exact: dict[str, Route] = {
            "/v1/messages": Route(anthropic, ("POST",), Messages()),
            "/v1/messages/count_tokens": Route(anthropic, ("POST",), endpoint=CountTokens()),
            "/v1/chat/completions": Route(openai, ("POST",), Chat()),
            "/v1/responses": Route(openai, ("POST",), Responses(store)),
            "/v1/responses/input_tokens": Route(openai, ("POST",), endpoint=InputTokens(store)),
            "/v1/embeddings": Route(openai, ("POST",), endpoint=Embeddings()),
            "/": Route(anthropic, ("HEAD",), endpoint=Hello(), needs_key=False),
            "/api/hello": Route(anthropic, ("HEAD", "GET"), endpoint=Hello(), needs_key=False),
        }
        self._stored = Route(openai, ("GET", "POST", "DELETE"), endpoint=StoredResponses(store))
        self._models = {
            provider.name: Route(provider, ("GET",), endpoint=Models(models, provider.name))
            for provider in (anthropic, openai)
        }
        self._nowhere = {provider.name: Route(provider, ()) for provider in (anthropic, openai)}

    def find(self, exchange: Exchange) -> Route:
        """Return the route; one without dialect and endpoint where there is nothing under the path."""
        path = exchange.path
        if route := self._exact.get(path):
            return route
        provider = "anthropic" if b"anthropic-version" in exchange.headers else "openai"
        if path == "/v1/models" or path.startswith("/v1/models/"):
            return self._models[provider]
        if path.startswith("/v1/responses/"):
            return self._stored
        return self._nowhere[provider]


class Models:
    """Lists the models, or shows one; implements `Endpoint`."""

    def __init__(self, names: tuple[str, ...], provider: str) -> None:
        self._names = names
        self._is_anthropic = provider == "anthropic"

    def reply(self, exchange: Exchange, body: bytes) -> Reply:
        name = exchange.path.removeprefix("/v1/models").removeprefix("/")
        if self._is_anthropic:
            if name:
                return Reply(anthropic_models.render_model(self._names, name))
            query = dict(parse_qsl(exchange.query.decode("latin-1")))
            return Reply(anthropic_models.render_models(self._names, query))
        if name:
            return Reply(openai_models.render_model(self._names, name))
        return Reply(openai_models.render_models(self._names))


class Hello:
    """Says that somebody is there; implements `Endpoint`."""

    def reply(self, exchange: Exchange, body: bytes) -> Reply:
        return Reply(b'{"message":"hello"}')
