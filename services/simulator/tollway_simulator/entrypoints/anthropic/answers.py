"""An answer as Anthropic's message object, whole or as it stands when a stream begins; used by `dialect`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_simulator.domain.signatures import sign

if TYPE_CHECKING:
    from tollway_simulator.domain.answer import Answer, Block, Usage
    from tollway_simulator.domain.prompt import Prompt

STOP_REASONS = {
    "end": "end_turn",
    "limit": "max_tokens",
    "tool": "tool_use",
    "sequence": "stop_sequence",
    "refusal": "refusal",
    "filter": "refusal",
    "pause": "pause_turn",
    "window": "model_context_window_exceeded",
}
REFUSED = {"type": "refusal", "category": "general_harms", "explanation": "This refusal was asked for."}


def empty_message(prompt: Prompt, request_id: str) -> dict[str, Any]:
    return {
        "id": request_id.replace("req_", "msg_"),
        "type": "message",
        "role": "assistant",
        "model": prompt.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def whole_message(prompt: Prompt, answer: Answer, request_id: str) -> dict[str, Any]:
    message = empty_message(prompt, request_id)
    blocks = [block for block in answer.blocks if block.pieces or block.kind != "text"]
    message["content"] = [block_object(prompt, block, index, request_id) for index, block in enumerate(blocks)]
    message |= stop_object(answer)
    message["usage"] = usage_object(answer.usage, answer.usage.output)
    return message


def stop_object(answer: Answer) -> dict[str, Any]:
    stop: dict[str, Any] = {"stop_reason": STOP_REASONS[answer.stop], "stop_sequence": answer.stop_sequence}
    if stop["stop_reason"] == "refusal":
        stop["stop_details"] = REFUSED
    return stop


def block_object(prompt: Prompt, block: Block, index: int, request_id: str) -> dict[str, Any]:
    match block.kind:
        case "text":
            return {"type": "text", "text": block.text}
        case "thinking":
            return {"type": "thinking", "thinking": block.text, "signature": sign(block.text, prompt.binding)}
        case "redacted":
            return {"type": "redacted_thinking", "data": sign("", prompt.binding)}
        case "tool":
            return {**tool_start(block, index, request_id), "input": msgspec.Raw(block.text.encode())}


def tool_start(block: Block, index: int, request_id: str) -> dict[str, Any]:
    name = block.tool.name if block.tool else ""
    suffix = f"_{index}" if index else ""
    return {"type": "tool_use", "id": request_id.replace("req_", "toolu_") + suffix, "name": name, "input": {}}


def usage_object(usage: Usage, output: int) -> dict[str, Any]:
    cache = usage.cache
    counts: dict[str, Any] = {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": cache.write,
        "cache_read_input_tokens": cache.read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": cache.write - cache.write_1h,
            "ephemeral_1h_input_tokens": cache.write_1h,
        },
        "output_tokens": output,
        "service_tier": "standard",
    }
    if usage.thinking:
        counts["output_tokens_details"] = {"thinking_tokens": min(output, usage.thinking)}
    return counts
