"""OpenAI's stored responses, `/v1/responses/{id}` and what is under it, and the count of input tokens; see `routes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.domain.tokens import input_tokens
from tollway_simulator.entrypoints.dialect import Reply
from tollway_simulator.entrypoints.openai_responses.validation import checked_prompt

if TYPE_CHECKING:
    from tollway_simulator.domain.response_store import ResponseStore
    from tollway_simulator.entrypoints.connection.exchange import Exchange


class StoredResponses:
    """Reads, lists the input of, and deletes; implements `Endpoint`."""

    def __init__(self, store: ResponseStore) -> None:
        self._store = store

    def reply(self, exchange: Exchange, body: bytes) -> Reply:
        name, _, what = exchange.path.removeprefix("/v1/responses/").partition("/")
        stored = self._store.get(name)
        if stored is None:
            raise Refusal(404, f"Response with id '{name}' not found.", name="not_found")
        match exchange.method, what:
            case "GET", "":
                return Reply(stored.body)
            case "DELETE", "":
                self._store.delete(name)
                return _reply({"id": name, "object": "response", "deleted": True})
            case "GET", "input_items":
                items = stored.items[::-1]
                first, last = (items[0].get("id"), items[-1].get("id")) if items else (None, None)
                page = {"object": "list", "data": items, "has_more": False, "first_id": first, "last_id": last}
                return _reply(page)
            case "POST", "cancel":
                raise Refusal(400, "Cannot cancel a synchronous response.")
        raise Refusal(405, "Method Not Allowed")


class InputTokens:
    """Counts as a response to the same body would be counted; implements `Endpoint`."""

    def __init__(self, store: ResponseStore) -> None:
        self._store = store

    def reply(self, exchange: Exchange, body: bytes) -> Reply:
        prompt = checked_prompt(self._store, body)
        tokens = input_tokens(prompt.text_bytes)
        counted = msgspec.json.encode({"object": "response.input_tokens", "input_tokens": tokens})
        return Reply(counted, prompt.text, prompt.model, tokens)


def _reply(answer: dict[str, Any]) -> Reply:
    return Reply(msgspec.json.encode(answer))
