"""An answer as OpenAI's response object, at any stage of it; used by `dialect` and `streams`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from tollway_simulator.domain.signatures import sign
from tollway_simulator.entrypoints.openai.logprobs import logprobs_of

if TYPE_CHECKING:
    from tollway_simulator.domain.answer import Answer, Block, Usage
    from tollway_simulator.domain.prompt import Prompt
    from tollway_simulator.entrypoints.openai_responses.schema import Request

INCOMPLETE = {"limit": "max_output_tokens", "window": "max_output_tokens", "filter": "content_filter"}


def response_id(request_id: str) -> str:
    return request_id.replace("req_", "resp_")


def empty_response(prompt: Prompt, request_id: str) -> dict[str, Any]:
    """Return the response as it stands before anything is answered."""
    return {
        "id": response_id(request_id),
        "object": "response",
        "created_at": int(time.time()),
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": prompt.model,
        "output": [],
        "service_tier": "default",
        "usage": None,
        **_repeated(prompt.request),
    }


def _repeated(request: Request) -> dict[str, Any]:
    """Return what a response repeats of its request."""
    text = request.text
    return {
        "instructions": request.instructions,
        "max_output_tokens": request.max_output_tokens,
        "metadata": request.metadata or {},
        "parallel_tool_calls": request.parallel_tool_calls is not False,
        "previous_response_id": request.previous_response_id,
        "prompt_cache_key": request.prompt_cache_key,
        "reasoning": {"effort": None, "summary": None} if request.reasoning is None else request.reasoning,
        "safety_identifier": request.safety_identifier,
        "store": request.store is not False,
        "temperature": 1.0 if request.temperature is None else request.temperature,
        "text": {"format": {"type": "text"} if text is None or text.format is None else _format(text.format)},
        "tool_choice": request.tool_choice or "auto",
        "tools": [_tool(tool) for tool in request.tools or ()],
        "top_logprobs": request.top_logprobs or 0,
        "top_p": 1.0 if request.top_p is None else request.top_p,
        "truncation": request.truncation or "disabled",
        "user": request.user,
    }


def whole_response(prompt: Prompt, answer: Answer, request_id: str) -> dict[str, Any]:
    response = empty_response(prompt, request_id)
    reason = INCOMPLETE.get(answer.stop)
    response["status"] = "incomplete" if reason else "completed"
    if reason:
        response["incomplete_details"] = {"reason": reason}
    else:
        response["completed_at"] = response["created_at"]
    response["output"] = [
        whole_item(prompt, answer, block, index, request_id) for index, block in enumerate(items_of(answer))
    ]
    response["usage"] = usage_object(answer.usage)
    return response


def items_of(answer: Answer) -> list[Block]:
    """Return the blocks that make items; what is redacted has no item of its own."""
    return [block for block in answer.blocks if block.kind != "redacted"]


def whole_item(prompt: Prompt, answer: Answer, block: Block, index: int, request_id: str) -> dict[str, Any]:
    item = started_item(prompt, block, index, request_id)
    match block.kind:
        case "thinking":
            item["summary"] = [{"type": "summary_text", "text": block.text}] if block.pieces else []
            return item
        case "tool":
            return item | {"arguments": block.text, "status": "completed"}
    item["status"] = "incomplete" if answer.stop in INCOMPLETE else "completed"
    item["content"] = [text_part(prompt, answer, block)]
    return item


def started_item(prompt: Prompt, block: Block, index: int, request_id: str) -> dict[str, Any]:
    suffix = f"_{index}" if index else ""
    match block.kind:
        case "thinking":
            item = {"id": request_id.replace("req_", "rs_") + suffix, "type": "reasoning", "summary": []}
            if prompt.request.includes("reasoning.encrypted_content"):
                item["encrypted_content"] = sign(block.text, "")
            return item
        case "tool":
            return {
                "id": request_id.replace("req_", "fc_") + suffix,
                "type": "function_call",
                "status": "in_progress",
                "call_id": request_id.replace("req_", "call_") + suffix,
                "name": block.tool.name if block.tool else "",
                "arguments": "",
            }
    return {
        "id": request_id.replace("req_", "msg_") + suffix,
        "type": "message",
        "status": "in_progress",
        "role": "assistant",
        "phase": "final_answer",
        "content": [],
    }


def text_part(prompt: Prompt, answer: Answer, block: Block) -> dict[str, Any]:
    if answer.stop == "refusal":
        return {"type": "refusal", "refusal": block.text}
    return {"type": "output_text", "annotations": [], "logprobs": likelihoods(prompt, block.pieces), "text": block.text}


def likelihoods(prompt: Prompt, pieces: tuple[str, ...]) -> list[dict[str, Any]]:
    request: Request = prompt.request
    if request.top_logprobs or request.includes("message.output_text.logprobs"):
        return logprobs_of(pieces, request.top_logprobs or 0)
    return []


def usage_object(usage: Usage) -> dict[str, Any]:
    cache = usage.cache
    input_tokens = usage.input + cache.read + cache.write
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": cache.read, "cache_write_tokens": cache.write},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": min(usage.thinking, usage.output)},
        "total_tokens": input_tokens + usage.output,
    }


def _format(given: Any) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(given).items() if value is not None}


def _tool(tool: Any) -> dict[str, Any]:
    given = {name: value for name, value in msgspec.structs.asdict(tool).items() if value not in (None, "")}
    return {"parameters": None, "strict": True, **given} if tool.type == "function" else given
