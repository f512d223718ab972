"""An answer as a chat completion object; used by `dialect` and `streams`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tollway_simulator.entrypoints.openai.logprobs import logprobs_of

if TYPE_CHECKING:
    from tollway_simulator.domain.answer import Answer, Block
    from tollway_simulator.domain.prompt import Prompt
    from tollway_simulator.entrypoints.openai_chat.flavour import Flavour

FINISH_REASONS = {
    "end": "stop",
    "limit": "length",
    "tool": "tool_calls",
    "sequence": "stop",
    "refusal": "stop",
    "filter": "content_filter",
    "pause": "stop",
    "window": "length",
}


def envelope(flavour: Flavour, prompt: Prompt, request_id: str, kind: str) -> dict[str, Any]:
    return {
        "id": request_id.replace("req_", flavour.id_prefix),
        "object": kind,
        "created": int(time.time()),
        "model": prompt.model,
        **flavour.extras(prompt),
    }


def completion(flavour: Flavour, prompt: Prompt, answer: Answer, request_id: str) -> dict[str, Any]:
    whole = envelope(flavour, prompt, request_id, "chat.completion")
    message, logprobs = _message(prompt, answer, request_id)
    if flavour.reasoning and (thought := thought_in(answer)):
        message[flavour.reasoning] = thought
    finish = FINISH_REASONS[answer.stop]
    whole["choices"] = [
        {"index": index, "message": message, "logprobs": logprobs, "finish_reason": finish}
        for index in range(prompt.choices)
    ]
    whole["usage"] = flavour.usage_object(answer.usage)
    return whole


def thought_in(answer: Answer) -> str:
    return "".join([block.text for block in answer.blocks if block.kind == "thinking"])


def _message(prompt: Prompt, answer: Answer, request_id: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
    text = [block for block in answer.blocks if block.kind == "text"]
    content = "".join([block.text for block in text])
    message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": None, "annotations": []}
    if answer.stop == "refusal":
        message |= {"content": None, "refusal": content}
    if answer.stop == "tool":
        calls = [block for block in answer.blocks if block.kind == "tool"]
        message["content"] = None
        message["tool_calls"] = [call_object(call, index, request_id, call.text) for index, call in enumerate(calls)]
    if not prompt.request.logprobs or not text:
        return message, None
    return message, {"content": logprobs_of(text[0].pieces, prompt.request.top_logprobs or 0), "refusal": None}


def call_object(block: Block, index: int, request_id: str, arguments: str) -> dict[str, Any]:
    function = {"name": block.tool.name if block.tool else "", "arguments": arguments}
    suffix = f"_{index}" if index else ""
    return {"id": request_id.replace("req_", "call_") + suffix, "type": "function", "function": function}
