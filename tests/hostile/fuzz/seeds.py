"""Valid bodies that use what each endpoint can do: what the fuzz run starts from."""

from __future__ import annotations

from typing import Any

from hostile.asking import CHAT, COUNT_TOKENS, EMBEDDINGS, MESSAGES, RESPONSES, Endpoint

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
PROMPT = {"id": "concise-assistant", "version": 1, "variables": {"name": "value"}}

_CLAUDE: list[dict[str, Any]] = [
    {
        "system": [{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "metadata": {"user_id": '{"session_id": "5f0c"}'},
        "stop_sequences": ["end"],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "weather?"}]},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "x"}}],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "sunny"}]},
        ],
        "tools": [{"name": "weather", "description": "of a city", "input_schema": SCHEMA}],
        "tool_choice": {"type": "auto"},
    },
    {
        "thinking": {"type": "adaptive"},
        "model": "claude-opus-5-5",
        "output_config": {"effort": "low"},
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
                    {"type": "text", "text": "what is it?"},
                ],
            }
        ],
    },
    {"model": "auto", "messages": [{"role": "user", "content": "hello"}]},
    {"prompt": PROMPT, "system": "own words", "messages": [{"role": "user", "content": "hello"}]},
]
_GPT: list[dict[str, Any]] = [
    {
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": [{"type": "text", "text": "weather?"}]},
            {
                "role": "assistant",
                "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
        ],
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}],
        "tool_choice": "auto",
        "stream_options": {"include_usage": True},
        "prompt_cache_key": "k",
    },
    {
        "n": 2,
        "stop": ["end"],
        "user": "u",
        "metadata": {"a": "b"},
        "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": SCHEMA}},
        "messages": [{"role": "user", "content": "hello"}],
        "max_completion_tokens": 40,
    },
    {"model": "auto", "messages": [{"role": "user", "content": "hello"}], "reasoning_effort": "low"},
    {"prompt": PROMPT, "messages": [{"role": "user", "content": "hello"}]},
]
_RESPONSES: list[dict[str, Any]] = [
    {"instructions": "be brief", "input": "hello", "store": False, "max_output_tokens": 40},
    {
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "weather?"}]},
            {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
        ],
        "tools": [{"type": "function", "name": "weather", "parameters": SCHEMA}],
        "tool_choice": "auto",
        "reasoning": {"effort": "low"},
        "text": {"format": {"type": "json_schema", "name": "s", "schema": SCHEMA}},
    },
    {"model": "auto", "input": "hello", "conversation": {"id": "conv_1"}, "prompt_cache_key": "k"},
    {"prompt": PROMPT, "input": "hello"},
]
_EMBEDDINGS: list[dict[str, Any]] = [
    {"input": "hello", "encoding_format": "base64"},
    {"input": ["hello", "you"], "user": "u"},
    {"input": [1, 2, 3]},
    {"input": [[1, 2], [3]], "dimensions": 4},
]
SEEDS: list[tuple[Endpoint, dict[str, Any]]] = [
    (endpoint, {**endpoint.least, **fields})
    for endpoint, bodies in (
        (MESSAGES, _CLAUDE),
        (COUNT_TOKENS, _CLAUDE),
        (CHAT, _GPT),
        (RESPONSES, _RESPONSES),
        (EMBEDDINGS, _EMBEDDINGS),
    )
    for fields in bodies
]
