"""OpenAI's `POST /v1/responses`; built by `routes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_simulator.domain.response_store import Stored
from tollway_simulator.domain.tokens import text_bytes
from tollway_simulator.entrypoints.bodies import unknown_fields
from tollway_simulator.entrypoints.openai.provider import error_object
from tollway_simulator.entrypoints.openai.wording import unknown
from tollway_simulator.entrypoints.openai_responses.answers import empty_response, response_id, whole_response
from tollway_simulator.entrypoints.openai_responses.requests import items_of
from tollway_simulator.entrypoints.openai_responses.streams import event, render_stream
from tollway_simulator.entrypoints.openai_responses.validation import checked_prompt

if TYPE_CHECKING:
    from tollway_simulator.domain.answer import Answer
    from tollway_simulator.domain.prompt import Prompt
    from tollway_simulator.domain.refusal import Refusal
    from tollway_simulator.domain.response_store import ResponseStore
    from tollway_simulator.entrypoints.connection.exchange import Exchange
    from tollway_simulator.entrypoints.dialect import Stream
    from tollway_simulator.entrypoints.openai_responses.schema import Request


FIELDS = frozenset(
    [
        *("model", "input", "instructions", "previous_response_id", "store", "stream", "stream_options", "tools"),
        *("tool_choice", "parallel_tool_calls", "max_output_tokens", "max_tool_calls", "text", "reasoning", "include"),
        *("top_logprobs", "temperature", "top_p", "metadata", "truncation", "background", "user", "safety_identifier"),
        *("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "prompt", "conversation", "moderation"),
        *("access_programs", "context_management", "image", "prewarm", "service_tier"),
    ]
)


class Responses:
    """Implements `Dialect`; keeps what it answers where the request does not forbid it."""

    keep_alive = b": keep-alive\n\n"
    garbage = b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequ\n\n'

    def __init__(self, store: ResponseStore) -> None:
        self._store = store

    def read_prompt(self, exchange: Exchange, body: bytes) -> Prompt:
        return checked_prompt(self._store, body)

    def check_strictly(self, body: bytes) -> None:
        for name in unknown_fields(body, FIELDS):
            raise unknown(name)

    def render_json(self, prompt: Prompt, answer: Answer, request_id: str) -> bytes:
        body = msgspec.json.encode(whole_response(prompt, answer, request_id))
        self._keep(prompt, answer, request_id, body)
        return body

    def render_stream(self, prompt: Prompt, answer: Answer, request_id: str, *, is_padded: bool) -> Stream:
        if prompt.request.store is not False:
            body = msgspec.json.encode(whole_response(prompt, answer, request_id))
            self._keep(prompt, answer, request_id, body)
        return render_stream(prompt, answer, request_id, is_padded=is_padded)

    def render_failure(self, prompt: Prompt, refusal: Refusal, request_id: str, sent_events: int) -> bytes:
        error = error_object(refusal)
        failed = empty_response(prompt, request_id)
        code = error["code"] or "server_error"
        failed |= {"status": "failed", "error": {"code": code, "message": refusal.message}}
        self._store.delete(failed["id"])
        told = event("error", sent_events, code=code, message=refusal.message, param=None)
        return told + event("response.failed", sent_events + 1, response=failed)

    def _keep(self, prompt: Prompt, answer: Answer, request_id: str, body: bytes) -> None:
        request: Request = prompt.request
        if request.store is False:
            return
        name = response_id(request_id)
        answered = sum([text_bytes(block.text) for block in answer.blocks])
        calls = [item["call_id"] for item in msgspec.json.decode(body)["output"] if item["type"] == "function_call"]
        items: list[dict[str, Any]] = [
            {"id": f"{name.replace('resp_', 'msg_')}_in_{index}", **_given(item)}
            for index, item in enumerate(items_of(request))
        ]
        self._store.put(name, Stored(body, items, prompt.text_bytes + answered, tuple(calls)))


def _given(item: Any) -> dict[str, Any]:
    given = {name: value for name, value in msgspec.structs.asdict(item).items() if value is not None}
    if isinstance(given.get("content"), str):
        given["content"] = [{"type": "input_text", "text": given["content"]}]
    return given
