"""Which of Gemini's methods a path names; asked by the simulator's own `routes`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from tollway_simulator.entrypoints.dialect import Route
from tollway_simulator.entrypoints.google.dialect import GenerateContent
from tollway_simulator.entrypoints.google.models import CountTokens, GoogleModels
from tollway_simulator.entrypoints.google.provider import Google

if TYPE_CHECKING:
    from tollway_simulator.entrypoints.connection.exchange import Exchange

GENERATE = "/v1beta/models/{model}:generateContent"
COUNT = "/v1beta/models/{model}:countTokens"

_METHOD = re.compile(r"/v1(?:beta|alpha)?/models/.+:(\w+)")
_MODELS = re.compile(r"/v1(?:beta|alpha)?/models(/[^:]*)?")


class GoogleRoutes:
    """Finds the route of a request to Google's API, which names its methods behind a colon."""

    def __init__(self, models: tuple[str, ...]) -> None:
        google, lists = Google(), Google(is_list=True)
        events = GenerateContent(is_stream=True)
        array = GenerateContent(is_stream=True, is_array=True)
        self._methods = {
            "generateContent": Route(google, ("POST",), GenerateContent(), path=GENERATE),
            "streamGenerateContent": Route(google, ("POST",), events, path=GENERATE),
            "countTokens": Route(google, ("POST",), endpoint=CountTokens(), path=COUNT),
        }
        self._array = Route(lists, ("POST",), array, path=GENERATE)
        self._models = Route(google, ("GET",), endpoint=GoogleModels(models), path="/v1/models")
        self._nowhere = Route(google, ())

    def find(self, exchange: Exchange) -> Route:
        if found := _METHOD.fullmatch(exchange.path):
            if found[1] == "streamGenerateContent" and parse_qs(exchange.query).get(b"alt") != [b"sse"]:
                return self._array
            return self._methods.get(found[1], self._nowhere)
        return self._models if _MODELS.fullmatch(exchange.path) else self._nowhere
