"""OpenRouter's chat completions: who served, what it cost, comments, and errors after 200."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from tollway_simulator.domain.refusal import Refusal
from tollway_simulator.entrypoints.openai_chat.flavour import Flavour
from tollway_simulator.entrypoints.openrouter.provider import UPSTREAM, WORDS, metadata_of

if TYPE_CHECKING:
    from tollway_simulator.domain.answer import Usage
    from tollway_simulator.domain.prompt import Prompt
    from tollway_simulator.entrypoints.openai_chat.schema import Request

DOLLARS_PER_INPUT_TOKEN = 1e-6
DOLLARS_PER_OUTPUT_TOKEN = 2e-6


class Reasoning(msgspec.Struct):
    """How much is thought, and whether it is shown."""

    effort: str | None = None
    max_tokens: int | None = None
    enabled: bool | None = None
    exclude: bool | None = None

    @property
    def wanted(self) -> Literal["", "shown", "hidden"]:
        if self.enabled is False or self.effort == "none":
            return ""
        return "hidden" if self.exclude else "shown"


class Additions(msgspec.Struct):
    """What OpenRouter reads of a body and OpenAI does not."""

    reasoning: Reasoning | None = None


_additions = msgspec.json.Decoder(Additions)


class OpenRouterFlavour(Flavour):
    """Chat completions as OpenRouter speaks them."""

    id_prefix = "gen-"
    keep_alive = b": OPENROUTER PROCESSING\n\n"
    opening = b": OPENROUTER PROCESSING\n\n"
    reasoning = "reasoning"
    has_role_in_every_delta = True
    always_says_usage = True

    def extras(self, prompt: Prompt) -> dict[str, Any]:
        return {"provider": UPSTREAM, "system_fingerprint": None}

    def adapt(self, prompt: Prompt, request: Request, body: bytes) -> Prompt:
        try:
            asked = _additions.decode(body).reasoning
        except msgspec.ValidationError as error:
            raise Refusal(400, str(error)) from error
        thinking = prompt.thinking and "shown" if asked is None else asked.wanted
        return msgspec.structs.replace(prompt, thinking=thinking)

    def choice_extras(self, finish: bytes) -> bytes:
        return b',"native_finish_reason":' + finish

    def usage_object(self, usage: Usage) -> dict[str, Any]:
        counted = super().usage_object(usage)
        input_cost = counted["prompt_tokens"] * DOLLARS_PER_INPUT_TOKEN
        output_cost = counted["completion_tokens"] * DOLLARS_PER_OUTPUT_TOKEN
        counted["cost"] = round(input_cost + output_cost, 9)
        counted["is_byok"] = False
        counted["cost_details"] = {
            "upstream_inference_cost": None,
            "upstream_inference_prompt_cost": round(input_cost, 9),
            "upstream_inference_completions_cost": round(output_cost, 9),
        }
        return counted

    def failure(self, refusal: Refusal, envelope: dict[str, Any]) -> dict[str, Any]:
        code = refusal.code or refusal.name or refusal.status
        error = {"code": code, "message": refusal.worded(WORDS), "metadata": metadata_of(refusal)}
        choice = {"index": 0, "delta": {"content": ""}, "finish_reason": "error", "native_finish_reason": "error"}
        return {**envelope, "error": error, "choices": [choice]}
