"""An answer as Gemini's response object; used by `dialect` and `streams`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_simulator.domain.models import traits_of
from tollway_simulator.domain.signatures import sign

if TYPE_CHECKING:
    from tollway_simulator.domain.answer import Answer, Block, Usage
    from tollway_simulator.domain.prompt import Prompt

FINISH_REASONS = {
    "end": "STOP",
    "limit": "MAX_TOKENS",
    "tool": "STOP",
    "sequence": "STOP",
    "filter": "SAFETY",
    "pause": "OTHER",
    "window": "MAX_TOKENS",
}
BLOCKED = {"blockReason": "PROHIBITED_CONTENT"}
"""What a refusal is: feedback on the prompt, and no candidates."""


def response(prompt: Prompt, answer: Answer, request_id: str) -> dict[str, Any]:
    around = envelope(prompt, request_id)
    if answer.stop == "refusal":
        return {"promptFeedback": BLOCKED, "usageMetadata": usage_metadata(answer.usage), **around}
    parts = [part for index, block in enumerate(answer.blocks) if (part := part_of(prompt, answer, block, index))]
    if parts and signature_of(prompt, answer) and answer.stop != "tool":
        parts[-1]["thoughtSignature"] = signature_of(prompt, answer)
    candidates = [candidate(index, parts, FINISH_REASONS[answer.stop]) for index in range(prompt.choices)]
    return {"candidates": candidates, "usageMetadata": usage_metadata(answer.usage), **around}


def envelope(prompt: Prompt, request_id: str) -> dict[str, Any]:
    return {"modelVersion": prompt.model, "responseId": request_id.replace("req_", "")}


def candidate(index: int, parts: list[dict[str, Any]], finish: str | None = None) -> dict[str, Any]:
    content = {"parts": parts, "role": "model"} if parts else {"role": "model"}
    ending = {"finishReason": finish} if finish else {}
    return {"content": content, **ending, "index": index}


def part_of(prompt: Prompt, answer: Answer, block: Block, index: int) -> dict[str, Any]:
    """Return the part that shows a block; an empty one where nothing of it is shown."""
    match block.kind:
        case "text" if block.pieces:
            return {"text": block.text}
        case "thinking" if block.pieces:
            return {"text": block.text, "thought": True}
        case "tool":
            return _call(prompt, answer, block, index)
    return {}


def _call(prompt: Prompt, answer: Answer, block: Block, index: int) -> dict[str, Any]:
    name = block.tool.name if block.tool is not None else ""
    call: dict[str, Any] = {"name": name, "args": msgspec.Raw(block.text.encode())}
    signature = signature_of(prompt, answer)
    is_first = not any(one.kind == "tool" for one in answer.blocks[:index])
    return {"functionCall": call, **({"thoughtSignature": signature} if signature and is_first else {})}


def signature_of(prompt: Prompt, answer: Answer) -> str:
    """Return what vouches for the thinking behind an answer; empty where there was none."""
    if not answer.usage.thinking and not traits_of(prompt.model).has("G"):
        return ""
    return sign("", prompt.binding)


def usage_metadata(usage: Usage) -> dict[str, Any]:
    prompt_tokens = usage.input + usage.cache.read + usage.cache.write
    thoughts = min(usage.thinking, usage.output)
    counted: dict[str, Any] = {
        "promptTokenCount": prompt_tokens,
        "candidatesTokenCount": usage.output - thoughts,
        "totalTokenCount": prompt_tokens + usage.output,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt_tokens}],
    }
    if usage.cache.read:
        counted["cachedContentTokenCount"] = usage.cache.read
        counted["cacheTokensDetails"] = [{"modality": "TEXT", "tokenCount": usage.cache.read}]
    if thoughts:
        counted["thoughtsTokenCount"] = thoughts
    return counted
