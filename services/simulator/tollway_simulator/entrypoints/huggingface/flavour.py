"""HuggingFace's chat completions: OpenAI's with less in them, and the thinking of open models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_simulator.entrypoints.openai_chat.flavour import Flavour

if TYPE_CHECKING:
    from tollway_simulator.domain.answer import Usage
    from tollway_simulator.domain.prompt import Prompt
    from tollway_simulator.entrypoints.openai_chat.schema import Request


class HuggingFaceFlavour(Flavour):
    """Chat completions as the router hands them on."""

    reasoning = "reasoning_content"

    def extras(self, prompt: Prompt) -> dict[str, Any]:
        return {"system_fingerprint": ""}

    def adapt(self, prompt: Prompt, request: Request, body: bytes) -> Prompt:
        return msgspec.structs.replace(prompt, thinking=prompt.thinking and "shown")

    def usage_object(self, usage: Usage) -> dict[str, Any]:
        counted = super().usage_object(usage)
        return {name: counted[name] for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
