"""Gemini's `GET models` and `models/{m}`, and `countTokens`; built by `routes`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from tollway_simulator.domain.models import traits_of
from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.domain.tokens import input_tokens
from tollway_simulator.entrypoints.dialect import Reply
from tollway_simulator.entrypoints.google.schema import CountRequest, Request
from tollway_simulator.entrypoints.google.spelling import decode_spelled
from tollway_simulator.entrypoints.google.validation import prompt_of

if TYPE_CHECKING:
    from tollway_simulator.entrypoints.connection.exchange import Exchange

_NAME = re.compile(r"/v1(?:beta|alpha)?/models/?(.*)")


class GoogleModels:
    """Lists the models, or shows one; implements `Endpoint`."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def reply(self, exchange: Exchange, body: bytes) -> Reply:
        found = _NAME.fullmatch(exchange.path)
        name = found[1] if found else ""
        if not name:
            return Reply(msgspec.json.encode({"models": [_model(one) for one in self._names]}))
        if name not in self._names:
            raise Refusal(404, f"Model is not found: models/{name} for api version v1beta")
        return Reply(msgspec.json.encode(_model(name)))


class CountTokens:
    """Counts as an answer to the same contents would be counted; implements `Endpoint`."""

    def reply(self, exchange: Exchange, body: bytes) -> Reply:
        given = decode_spelled(CountRequest, body)
        if given.contents is not None and given.generate_content_request is not None:
            raise Refusal(400, "contents and generate_content_request are mutually exclusive.")
        request = given.generate_content_request or Request(contents=given.contents or [])
        prompt = prompt_of(exchange, request, stream=False)
        tokens = input_tokens(prompt.text_bytes)
        details = [{"modality": "TEXT", "tokenCount": tokens}]
        counted = msgspec.json.encode({"totalTokens": tokens, "promptTokensDetails": details})
        return Reply(counted, prompt.text, prompt.model, tokens)


def _model(name: str) -> dict[str, Any]:
    traits = traits_of(name)
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name,
        "inputTokenLimit": traits.context or 1_048_576,
        "outputTokenLimit": traits.max_output or 65_536,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
        "thinking": traits.has("T"),
    }
