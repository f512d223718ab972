"""DeepSeek's chat completions: thinking that is shown and sent back, a prompt cache for all, keep-alives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.entrypoints.deepseek.provider import error_object
from tollway_simulator.entrypoints.openai_chat.flavour import Flavour
from tollway_simulator.entrypoints.openai_chat.requests import segments_of

if TYPE_CHECKING:
    from tollway_simulator.domain.answer import Usage
    from tollway_simulator.domain.prompt import Prompt
    from tollway_simulator.entrypoints.bodies import WrongField
    from tollway_simulator.entrypoints.openai_chat.schema import Request


class Thinking(msgspec.Struct):
    """Whether the model thinks."""

    type: Literal["enabled", "disabled"] = "enabled"


class Message(msgspec.Struct):
    """What DeepSeek reads of a message and OpenAI does not."""

    reasoning_content: str | msgspec.UnsetType | None = msgspec.UNSET


class Additions(msgspec.Struct):
    """What DeepSeek reads of a body and OpenAI does not."""

    messages: list[Message]
    thinking: Thinking | None = None

    @property
    def thinks(self) -> bool:
        return self.thinking is None or self.thinking.type == "enabled"


_additions = msgspec.json.Decoder(Additions)


class DeepSeekFlavour(Flavour):
    """Chat completions as DeepSeek speaks them."""

    opening = b": keep-alive\n\n"
    before_json = b"\n\n"
    reasoning = "reasoning_content"

    def extras(self, prompt: Prompt) -> dict[str, Any]:
        return {"system_fingerprint": "fp_simulator"}

    def explain(self, wrong: WrongField | None) -> Refusal:
        before = "Failed to deserialize the JSON body into the target type"
        if wrong is None:
            return Refusal(400, f"{before}: not valid JSON")
        return Refusal(422, f"{before}: {wrong.path}: {wrong.message}")

    def check(self, request: Request, body: bytes) -> None:
        if request.response_format is not None and request.response_format.type == "json_schema":
            raise Refusal(400, "This response_format type is unavailable now")
        given = self._additions(body)
        for message, added in zip(request.messages, given.messages, strict=True):
            if message.tool_calls and given.thinks and not isinstance(added.reasoning_content, str):
                raise Refusal(400, "The reasoning_content in the thinking mode must be passed back to the API.")

    def adapt(self, prompt: Prompt, request: Request, body: bytes) -> Prompt:
        thinking: Literal["", "shown"] = "shown" if self._additions(body).thinks else ""
        return msgspec.structs.replace(prompt, thinking=thinking, segments=segments_of(request))

    def usage_object(self, usage: Usage) -> dict[str, Any]:
        counted = super().usage_object(usage)
        read = counted["prompt_tokens_details"] = {"cached_tokens": usage.cache.read}
        counted["prompt_cache_hit_tokens"] = read["cached_tokens"]
        counted["prompt_cache_miss_tokens"] = counted["prompt_tokens"] - usage.cache.read
        return counted

    def failure(self, refusal: Refusal, envelope: dict[str, Any]) -> dict[str, Any]:
        return {"error": error_object(refusal)}

    def _additions(self, body: bytes) -> Additions:
        try:
            return _additions.decode(body)
        except msgspec.ValidationError as error:
            raise Refusal(422, f"Failed to deserialize the JSON body into the target type: {error}") from error
