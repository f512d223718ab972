"""OpenAI's `POST /v1/chat/completions`; built by `routes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tollway_simulator.entrypoints.bodies import unknown_fields
from tollway_simulator.entrypoints.openai.provider import error_object
from tollway_simulator.entrypoints.openai.wording import unknown
from tollway_simulator.entrypoints.openai_chat.answers import completion
from tollway_simulator.entrypoints.openai_chat.streams import render_stream
from tollway_simulator.entrypoints.openai_chat.validation import checked_prompt

if TYPE_CHECKING:
    from tollway_simulator.domain.answer import Answer
    from tollway_simulator.domain.prompt import Prompt
    from tollway_simulator.domain.refusal import Refusal
    from tollway_simulator.entrypoints.dialect import Stream
    from tollway_simulator.entrypoints.exchange import Exchange


FIELDS = frozenset(
    [
        *(
            "model",
            "messages",
            "max_tokens",
            "max_completion_tokens",
            "stream",
            "stream_options",
            "tools",
            "tool_choice",
        ),
        *("stop", "n", "logprobs", "top_logprobs", "response_format", "reasoning_effort", "temperature", "top_p"),
        *("frequency_penalty", "presence_penalty", "metadata", "prompt_cache_key", "parallel_tool_calls", "audio"),
        *("function_call", "functions", "logit_bias", "modalities", "moderation", "prediction", "prompt_cache_options"),
        *("prompt_cache_retention", "safety_identifier", "seed", "service_tier", "store", "user", "verbosity"),
        *("tool_choice", "web_search_options"),
    ]
)


class Chat:
    """Implements `Dialect`."""

    keep_alive = b": keep-alive\n\n"
    garbage = b'data: {"id":"chatcmpl-0","object":"chat.completion.chunk","cho\n\n'

    def read_prompt(self, exchange: Exchange, body: bytes) -> Prompt:
        return checked_prompt(body)

    def check_strictly(self, body: bytes) -> None:
        for name in unknown_fields(body, FIELDS):
            raise unknown(name)

    def render_json(self, prompt: Prompt, answer: Answer, request_id: str) -> bytes:
        return msgspec.json.encode(completion(prompt, answer, request_id))

    def render_stream(self, prompt: Prompt, answer: Answer, request_id: str, *, is_padded: bool) -> Stream:
        return render_stream(prompt, answer, request_id, is_padded=is_padded)

    def render_failure(self, prompt: Prompt, refusal: Refusal, request_id: str, sent_events: int) -> bytes:
        return b"data: %b\n\n" % msgspec.json.encode({"error": error_object(refusal)})
