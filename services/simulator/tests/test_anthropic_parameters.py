"""Which parameters Anthropic's API refuses, and for which models."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic_blocks import CALL, HI, MARK, RESULT, TOOL, assistant, text, user

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "max_tokens of another type": ({"max_tokens": "5"}, "max_tokens: Input should be a valid integer"),
    "max_tokens below zero": ({"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0"),
    "max_tokens beyond the model": (
        {"model": "claude-haiku-4-5", "max_tokens": 64_001},
        "max_tokens: 64001 > 64000, which is the maximum allowed number of output tokens for claude-haiku-4-5",
    ),
    "nothing to say in a stream": ({"max_tokens": 0, "stream": True}, "max_tokens: 0 cannot be combined"),
    "a budget that is too small": (
        {"thinking": {"type": "enabled", "budget_tokens": 1023}},
        "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
    ),
    "no budget": ({"thinking": {"type": "enabled"}}, "thinking.enabled.budget_tokens: Field required"),
    "a budget above max_tokens": (
        {"thinking": {"type": "enabled", "budget_tokens": 5000}},
        "`max_tokens` must be greater than `thinking.budget_tokens`",
    ),
    "thinking at another temperature": (
        {"thinking": {"type": "enabled", "budget_tokens": 1024}, "temperature": 0.5},
        "`temperature` may only be set to 1 when thinking is enabled",
    ),
    "thinking and a forced tool": (
        {"thinking": {"type": "enabled", "budget_tokens": 1024}, "tools": [TOOL], "tool_choice": {"type": "any"}},
        "Thinking may not be enabled when tool_choice forces tool use.",
    ),
    "A: a budget": (
        {"model": "claude-opus-5-5", "thinking": {"type": "enabled", "budget_tokens": 1024}},
        '"thinking.type.enabled" is not supported for this model',
    ),
    "D: no thinking": (
        {"model": "claude-sonnet-5-5", "thinking": {"type": "disabled"}},
        '"thinking.type.disabled" is not supported for this model. Use "thinking.type.adaptive"',
    ),
    "no thinking at a high effort": (
        {"model": "claude-opus-5", "thinking": {"type": "disabled"}, "output_config": {"effort": "max"}},
        '"thinking.type.disabled" is not supported',
    ),
    "S: sampling": ({"model": "claude-opus-5-5-20260901", "temperature": 0.5}, "temperature: this model accepts only"),
    "P: prefill": (
        {"model": "claude-sonnet-4-6", "messages": [HI, assistant(text("The answer"))]},
        "This model does not support assistant message prefill.",
    ),
    "F: a forced tool": (
        {"model": "claude-fable-5-1", "tools": [TOOL], "tool_choice": {"type": "any"}},
        "tool_choice: type `any` is not supported for this model",
    ),
    "a prefill that ends in a space": (
        {"messages": [HI, {"role": "assistant", "content": "So "}]},
        "final assistant content cannot end with trailing whitespace",
    ),
    "a temperature above one": ({"temperature": 1.1}, "temperature: Input should be between 0 and 1"),
    "a temperature that is no number": ({"temperature": "hot"}, "temperature: Input should be a valid number"),
    "a tool's name": ({"tools": [{**TOOL, "name": "a.b"}]}, "tools.0.custom.name: String should match pattern"),
    "a tool without schema": ({"tools": [{"name": "a"}]}, "tools.0.custom.input_schema: Field required"),
    "a tool's schema without type": (
        {"tools": [{"name": "a", "input_schema": {}}]},
        "input_schema.type: Field required",
    ),
    "two tools of a name": ({"tools": [TOOL, TOOL]}, "tools: Tool names must be unique."),
    "a forced tool that is not there": ({"tool_choice": {"type": "any"}}, "only be specified while providing `tools`"),
    "five marks": (
        {"system": [text("a", **MARK)] * 4, "tools": [{**TOOL, **MARK}]},
        "A maximum of 4 blocks with cache_control may be provided. Found 5.",
    ),
    "a mark in a result is one, too": (
        {
            "system": [text("a", **MARK)] * 4,
            "messages": [HI, assistant(CALL), user({**RESULT, "content": [text("x", **MARK)]})],
        },
        "Found 5.",
    ),
    "a long mark after a short one": (
        {"system": [text("a", **MARK), text("b", cache_control={"type": "ephemeral", "ttl": "1h"})]},
        "must not come after a ttl='5m'",
    ),
    "a blank stop sequence": ({"stop_sequences": [" "]}, "each stop sequence must contain non-whitespace"),
}

ACCEPTED: dict[str, dict[str, Any]] = {
    "a budget with interleaved tools": {"thinking": {"type": "enabled", "budget_tokens": 1024}, "temperature": 1},
    "adaptive thinking": {"model": "claude-opus-5-5", "thinking": {"type": "adaptive"}},
    "between tools": {"model": "claude-sonnet-5-5", "thinking": {"type": "between_tools"}},
    "sampling on an old model": {"model": "claude-haiku-4-5", "temperature": 0.3, "top_p": 0.9, "top_k": 40},
    "the default temperature": {"model": "claude-opus-5-5", "temperature": 1},
    "a forced tool": {"tools": [TOOL], "tool_choice": {"type": "any"}},
    "four marks": {"system": [text("a", **MARK)] * 4},
    "a provider's own tool": {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
    "betas and what nobody knows": {
        "context_management": {"edits": []},
        "mcp_servers": [],
        "container": "c",
        "service_tier": "auto",
        "metadata": {"user_id": "u"},
        "a_new_field": {"x": 1},
    },
    "warming the cache": {"max_tokens": 0},
    "Claude Code": {
        "model": "claude-sonnet-5-5",
        "max_tokens": 128_000,
        "thinking": {"type": "adaptive", "display": "omitted"},
        "output_config": {"effort": "medium"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "metadata": {"user_id": '{"device_id":"d","account_uuid":"","session_id":"s"}'},
        "system": [text("x-anthropic-billing-header: cc_version=2.1.329.e8c;"), text("a", **MARK), text("b", **MARK)],
        "messages": [
            {"role": "user", "content": [text("reminder"), text("hello")]},
            {"role": "system", "content": [text("more", **MARK)]},
        ],
        "tools": [{**TOOL, "description": "d", "defer_loading": True}],
    },
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_the_provider_refuses_is_refused(simulator, case):
    fields, message = REFUSED[case]
    status, answer = await simulator.ask(fields)
    assert (status, answer["error"]["type"]) == (400, "invalid_request_error")
    assert message in answer["error"]["message"]


@pytest.mark.parametrize("case", ACCEPTED)
async def test_what_the_provider_takes_is_taken(simulator, case):
    status, answer = await simulator.ask(ACCEPTED[case])
    assert status == 200, answer


async def test_unknown_fields_are_refused_only_where_that_is_asked_for(simulator):
    assert (await simulator.ask({"colour": "red"}))[0] == 200
    strict = {"messages": [{"role": "user", "content": "[strict] hi"}]}
    assert (await simulator.ask({**strict, "mcp_servers": []}))[0] == 200
    status, answer = await simulator.ask({**strict, "colour": "red"})
    assert (status, answer["error"]["message"]) == (400, "colour: Extra inputs are not permitted")
