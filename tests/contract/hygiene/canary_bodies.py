"""Requests of both dialects with a canary in every part of them, and bodies that are no request; used by `traffic`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contract.hygiene.canaries import Canaries

MESSAGES = "/v1/messages"
COUNT_TOKENS = "/v1/messages/count_tokens"
CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"
INPUT_TOKENS = "/v1/responses/input_tokens"
EMBEDDINGS = "/v1/embeddings"
STREAMING = (MESSAGES, CHAT, RESPONSES)
ENDPOINTS = (*STREAMING, COUNT_TOKENS, INPUT_TOKENS, EMBEDDINGS)
MODELS = dict.fromkeys((MESSAGES, COUNT_TOKENS), "claude-haiku-5-5")
MODELS |= dict.fromkeys((CHAT, RESPONSES, INPUT_TOKENS), "gpt-6-luna") | {EMBEDDINGS: "text-embedding-3-small"}


def request(canaries: Canaries, path: str, text: str, **fields: Any) -> dict[str, Any]:
    """Return a long conversation that ends in `text`."""
    make = {MESSAGES: _messages, COUNT_TOKENS: _counted, CHAT: _chat, RESPONSES: _responses, EMBEDDINGS: _embedded}
    make[INPUT_TOKENS] = _counted_input
    return {"model": MODELS[path], **make[path](canaries, text), **fields}


def plain(path: str, text: str, **fields: Any) -> dict[str, Any]:
    """Return one question."""
    if path == INPUT_TOKENS:
        return {"model": MODELS[path], "input": text, **fields}
    if path == RESPONSES:
        return {"model": MODELS[path], "max_output_tokens": 64, "input": text, **fields}
    if path == EMBEDDINGS:
        return {"model": MODELS[path], "input": text, **fields}
    limit = {MESSAGES: {"max_tokens": 64}, CHAT: {"max_completion_tokens": 64}}.get(path, {})
    return {"model": MODELS[path], **limit, "messages": [{"role": "user", "content": text}], **fields}


def _counted(canaries: Canaries, text: str) -> dict[str, Any]:
    return {name: value for name, value in _messages(canaries, text).items() if name in ("system", "tools", "messages")}


def _counted_input(canaries: Canaries, text: str) -> dict[str, Any]:
    counted = ("instructions", "tools", "input")
    return {name: value for name, value in _responses(canaries, text).items() if name in counted}


def _embedded(canaries: Canaries, text: str) -> dict[str, Any]:
    return {"input": [canaries.prompt, text], "user": canaries.user_id}


def _responses(canaries: Canaries, text: str) -> dict[str, Any]:
    picture = {"type": "input_image", "image_url": f"data:image/png;base64,{canaries.image}"}
    arguments = json.dumps({"city": canaries.argument})
    return {
        "max_output_tokens": 512,
        "instructions": canaries.system,
        "user": canaries.user_id,
        "metadata": {"about": canaries.user_id},
        "store": False,
        "tools": [
            {"type": "function", "name": "weather", "description": canaries.tool, "parameters": _schema(canaries)}
        ],
        "input": [
            {"role": "user", "content": [picture, {"type": "input_text", "text": canaries.prompt}]},
            {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": arguments},
            {"type": "function_call_output", "call_id": "call_1", "output": canaries.tool_result},
            {"role": "assistant", "content": "ok"},
            {"role": "user", "content": text},
        ],
    }


def _messages(canaries: Canaries, text: str) -> dict[str, Any]:
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": canaries.image}}
    call = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": canaries.argument}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": canaries.tool_result}
    return {
        "max_tokens": 512,
        "system": [{"type": "text", "text": canaries.system, "cache_control": {"type": "ephemeral"}}],
        "metadata": {"user_id": canaries.user_id},
        "stop_sequences": [canaries.prompt],
        "tools": [{"name": "weather", "description": canaries.tool, "input_schema": _schema(canaries)}],
        "messages": [
            {"role": "user", "content": [picture, {"type": "text", "text": canaries.prompt}]},
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [result]},
            {"role": "assistant", "content": "ok"},
            {"role": "user", "content": text},
        ],
    }


def _chat(canaries: Canaries, text: str) -> dict[str, Any]:
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{canaries.image}"}}
    function = {"name": "weather", "arguments": json.dumps({"city": canaries.argument})}
    return {
        "max_completion_tokens": 512,
        "user": canaries.user_id,
        "metadata": {"about": canaries.user_id},
        "stop": [canaries.prompt],
        "tools": [
            {
                "type": "function",
                "function": {"name": "weather", "description": canaries.tool, "parameters": _schema(canaries)},
            }
        ],
        "messages": [
            {"role": "system", "content": canaries.system},
            {"role": "user", "content": [picture, {"type": "text", "text": canaries.prompt}]},
            {"role": "assistant", "tool_calls": [{"id": "call_1", "type": "function", "function": function}]},
            {"role": "tool", "tool_call_id": "call_1", "content": canaries.tool_result},
            {"role": "assistant", "content": "ok"},
            {"role": "user", "content": text},
        ],
    }


def _schema(canaries: Canaries) -> dict[str, Any]:
    described = {"type": "string", "description": canaries.tool}
    return {"type": "object", "properties": {canaries.argument_name: described}, "required": [canaries.argument_name]}


def not_a_request(path: str, canary: str) -> list[bytes]:
    """Return bodies of all the ways to be wrong, each with the canary where it is wrong."""
    # those that are text may hold any text
    texts = ("model", "system", "input")
    others = ("messages", "max_tokens", "stream", "prompt", "stream_options", "n", "tools")
    wrong: list[dict[str, Any]] = [
        {name: value}
        for name in (*texts, *others)
        for value in (canary, [canary], {canary: canary}, [[canary]])
        if not (name in texts and value is canary)
    ]
    wrong += [
        {"prompt": {"id": 7, "variables": {canary: canary}}},
        {"prompt": {"id": "canary", "version": canary}},
        {"prompt": {"id": "canary", "variables": {canary: [canary]}}},
        {"prompt": {"id": "canary", "variables": {canary: canary}}},
        {"model": "auto", "messages": [{"role": canary, "content": {canary: canary}}]},
        {"model": "auto", "messages": [canary]},
        {"model": "auto", "thinking": {"type": [canary]}},
        {"model": 2**70, "temperature": canary},
        {"messages": [{"role": canary, "content": [{"type": canary}]}]},
        {"max_tokens": 10**30, "metadata": canary},
    ]
    bodies = [json.dumps(plain(path, canary) | fields).encode() for fields in wrong]
    text = canary.encode()
    whole = json.dumps(plain(path, canary)).encode()
    return [
        *bodies,
        text,
        b'"%s"' % text,
        b'["%s"]' % text,
        b'{"%s"' % text,
        b'{"model": "%s' % text,
        b'{"model": "%s", "model": %s}' % (text, text),
        whole.replace(text, text + b"\xff\xfe"),
        whole.replace(text, text + b"\x00"),
        whole.replace(text, text + rb"\ud800"),
        whole.replace(text, text + rb"\q"),
        whole.replace(b'"model": "', rb'"model": "\ud800' + text),
        whole.replace(b'"model": "', b'"model": "\xff' + text),
        whole[:-1],
        whole + text,
        b'{"%s":' % text + b"[" * 5000,
        whole[:-1] + b', "prompt": {"id": "%s\\ud800"}}' % text,
        whole[:-1] + b', "prompt": {"id": "canary", "variables": {"tone": "%s\\ud800"}}}' % text,
        whole[:-1] + b', "prompt": {"id": "canary", "version": 99999999999999}, "a": "%s"}' % text,
    ]
