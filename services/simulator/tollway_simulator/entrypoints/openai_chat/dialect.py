"""`POST /v1/chat/completions` of OpenAI and of those who speak as it does; built by `routes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tollway_simulator.entrypoints.bodies import unknown_fields
from tollway_simulator.entrypoints.openai.wording import unknown
from tollway_simulator.entrypoints.openai_chat.answers import completion, envelope
from tollway_simulator.entrypoints.openai_chat.streams import render_stream
from tollway_simulator.entrypoints.openai_chat.validation import checked_prompt

if TYPE_CHECKING:
    from tollway_simulator.domain.answer import Answer
    from tollway_simulator.domain.prompt import Prompt
    from tollway_simulator.domain.refusal import Refusal
    from tollway_simulator.entrypoints.connection.exchange import Exchange
    from tollway_simulator.entrypoints.dialect import Stream
    from tollway_simulator.entrypoints.openai_chat.flavour import Flavour


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
    """Implements `Dialect` in the flavour of one provider."""

    garbage = b'data: {"id":"chatcmpl-0","object":"chat.completion.chunk","cho\n\n'

    def __init__(self, flavour: Flavour) -> None:
        self._flavour = flavour
        self.keep_alive = flavour.keep_alive

    def read_prompt(self, exchange: Exchange, body: bytes) -> Prompt:
        return checked_prompt(self._flavour, body)

    def check_strictly(self, body: bytes) -> None:
        for name in unknown_fields(body, FIELDS):
            raise unknown(name)

    def render_json(self, prompt: Prompt, answer: Answer, request_id: str) -> bytes:
        whole = completion(self._flavour, prompt, answer, request_id)
        return self._flavour.before_json + msgspec.json.encode(whole)

    def render_stream(self, prompt: Prompt, answer: Answer, request_id: str, *, is_padded: bool) -> Stream:
        return render_stream(self._flavour, prompt, answer, request_id, is_padded=is_padded)

    def render_failure(self, prompt: Prompt, refusal: Refusal, request_id: str, sent_events: int) -> bytes:
        around = envelope(self._flavour, prompt, request_id, "chat.completion.chunk")
        return b"data: %b\n\n" % msgspec.json.encode(self._flavour.failure(refusal, around))
