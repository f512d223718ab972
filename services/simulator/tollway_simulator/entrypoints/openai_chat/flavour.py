"""How chat completions are spoken; as OpenAI does here, and others derive from it where they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tollway_simulator.entrypoints.openai import provider, wording

if TYPE_CHECKING:
    from tollway_simulator.domain.answer import Usage
    from tollway_simulator.domain.prompt import Prompt
    from tollway_simulator.domain.refusal import Refusal
    from tollway_simulator.entrypoints.bodies import WrongField
    from tollway_simulator.entrypoints.openai_chat.schema import Request


class Flavour:
    """OpenAI's own."""

    id_prefix = "chatcmpl-"
    keep_alive = b": keep-alive\n\n"
    opening = b""
    """What comes before a stream's first chunk."""
    before_json = b""
    """What comes before a JSON answer."""
    reasoning = ""
    """The field that carries thinking; empty where only its tokens are counted."""
    has_role_in_every_delta = False
    always_says_usage = False
    """Whether a stream ends in a chunk with usage, the finish reason once more, and a choice."""

    def extras(self, prompt: Prompt) -> dict[str, Any]:
        """Return the fields of every answer and chunk besides those that all have."""
        return {"service_tier": "default", "system_fingerprint": "fp_simulator"}

    def explain(self, wrong: WrongField | None) -> Refusal:
        return wording.explain(wrong)

    def check(self, request: Request, body: bytes) -> None:
        """Raise a Refusal for what OpenAI would take and this provider does not."""

    def adapt(self, prompt: Prompt, request: Request, body: bytes) -> Prompt:
        """Return the prompt as this provider means it."""
        return prompt

    def choice_extras(self, finish: bytes) -> bytes:
        """Return what else a chunk's choice says, beginning with a comma."""
        return b""

    def usage_object(self, usage: Usage) -> dict[str, Any]:
        cache = usage.cache
        prompt_tokens = usage.input + cache.read + cache.write
        return {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": usage.output,
            "total_tokens": prompt_tokens + usage.output,
            "prompt_tokens_details": {"cached_tokens": cache.read, "cache_write_tokens": cache.write},
            "completion_tokens_details": {"reasoning_tokens": min(usage.thinking, usage.output)},
        }

    def failure(self, refusal: Refusal, envelope: dict[str, Any]) -> dict[str, Any]:
        """Return the last chunk of a stream that fails."""
        return {"error": provider.error_object(refusal)}
