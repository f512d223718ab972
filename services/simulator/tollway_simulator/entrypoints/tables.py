"""What each face serves, under the paths that its provider has; built once by `routes`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

from tollway_simulator.domain.response_store import ResponseStore
from tollway_simulator.entrypoints.anthropic import models as anthropic_models
from tollway_simulator.entrypoints.anthropic.count_tokens import CountTokens
from tollway_simulator.entrypoints.anthropic.dialect import Messages
from tollway_simulator.entrypoints.anthropic.provider import Anthropic, Lent
from tollway_simulator.entrypoints.deepseek.flavour import DeepSeekFlavour
from tollway_simulator.entrypoints.deepseek.provider import DeepSeek
from tollway_simulator.entrypoints.dialect import Reply, Route
from tollway_simulator.entrypoints.huggingface.flavour import HuggingFaceFlavour
from tollway_simulator.entrypoints.huggingface.provider import HuggingFace
from tollway_simulator.entrypoints.openai import models as openai_models
from tollway_simulator.entrypoints.openai.embeddings import Embeddings
from tollway_simulator.entrypoints.openai.provider import OpenAI
from tollway_simulator.entrypoints.openai_chat.dialect import Chat
from tollway_simulator.entrypoints.openai_chat.flavour import Flavour
from tollway_simulator.entrypoints.openai_responses.dialect import Responses
from tollway_simulator.entrypoints.openai_responses.stored import InputTokens, StoredResponses
from tollway_simulator.entrypoints.openrouter.flavour import OpenRouterFlavour
from tollway_simulator.entrypoints.openrouter.provider import OpenRouter, error_type

if TYPE_CHECKING:
    from tollway_simulator.entrypoints.connection.exchange import Exchange
    from tollway_simulator.entrypoints.dialect import Provider

MESSAGES = "/v1/messages"
CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"


class Table(NamedTuple):
    """The paths of one face."""

    exact: dict[str, Route]
    models: Route
    nowhere: Route
    stored: Route | None = None


def anthropic(models: tuple[str, ...]) -> Table:
    provider = Anthropic()
    exact = {
        MESSAGES: Route(provider, ("POST",), Messages()),
        f"{MESSAGES}/count_tokens": Route(provider, ("POST",), endpoint=CountTokens()),
        "/": Route(provider, ("HEAD",), endpoint=Hello(), needs_key=False),
        "/api/hello": Route(provider, ("HEAD", "GET"), endpoint=Hello(), needs_key=False),
    }
    return _table(provider, exact, models)


def openai(models: tuple[str, ...]) -> Table:
    provider, store = OpenAI(), ResponseStore()
    exact = {
        CHAT: Route(provider, ("POST",), Chat(Flavour())),
        RESPONSES: Route(provider, ("POST",), Responses(store)),
        f"{RESPONSES}/input_tokens": Route(provider, ("POST",), endpoint=InputTokens(store)),
        "/v1/embeddings": Route(provider, ("POST",), endpoint=Embeddings()),
    }
    stored = Route(provider, ("GET", "POST", "DELETE"), endpoint=StoredResponses(store))
    return _table(provider, exact, models)._replace(stored=stored)


def deepseek(models: tuple[str, ...]) -> Table:
    provider = DeepSeek()
    chat = Route(provider, ("POST",), Chat(DeepSeekFlavour()), path=CHAT)
    lent = Route(Lent(provider), ("POST",), Messages(), path=MESSAGES)
    exact = {
        **dict.fromkeys((CHAT, "/chat/completions", "/beta/chat/completions"), chat),
        f"/anthropic{MESSAGES}": lent,
    }
    table = _table(provider, exact, models)
    table.exact["/models"] = table.models
    return table


def huggingface(models: tuple[str, ...]) -> Table:
    provider = HuggingFace()
    exact = {
        CHAT: Route(provider, ("POST",), Chat(HuggingFaceFlavour())),
        RESPONSES: Route(provider, ("POST",), Responses(ResponseStore())),
        MESSAGES: Route(Lent(provider), ("POST",), Messages()),
    }
    return _table(provider, exact, models)


def openrouter(models: tuple[str, ...]) -> Table:
    provider = OpenRouter()
    exact = {
        CHAT: Route(provider, ("POST",), Chat(OpenRouterFlavour())),
        RESPONSES: Route(provider, ("POST",), Responses(ResponseStore())),
        MESSAGES: Route(Lent(provider, error_type), ("POST",), Messages()),
    }
    return _table(provider, exact, models)


def _table(provider: Provider, exact: dict[str, Route], models: tuple[str, ...]) -> Table:
    named = {path: replace(route, path=route.path or path) for path, route in exact.items()}
    listed = Route(provider, ("GET",), endpoint=Models(models, provider.name), path="/v1/models")
    return Table(named, listed, Route(provider, ()))


class Models:
    """Lists the models, or shows one; implements `Endpoint`."""

    def __init__(self, names: tuple[str, ...], provider: str) -> None:
        self._names = names
        self._is_anthropic = provider == "anthropic"

    def reply(self, exchange: Exchange, body: bytes) -> Reply:
        name = exchange.path.removeprefix("/v1").removeprefix("/models").removeprefix("/")
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
