"""What Claude Code sends is translated to every other dialect, and what is lost on the way is listed."""

from __future__ import annotations

import json
from typing import Any

import pytest

EPHEMERAL = {"type": "ephemeral"}
USER = {"device_id": "d", "account_uuid": "", "session_id": "0a1b"}
ASKED = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 128000,
    "stream": True,
    "thinking": {"type": "adaptive", "display": "omitted"},
    "output_config": {"effort": "medium"},
    "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    "metadata": {"user_id": json.dumps(USER)},
    "system": [
        {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.329.e8c; cc_entrypoint=sdk-cli;"},
        {"type": "text", "text": "You are a coder.", "cache_control": EPHEMERAL},
        {"type": "text", "text": "Use tools.", "cache_control": EPHEMERAL},
    ],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "<files/>"}, {"type": "text", "text": "hello"}]},
        {"role": "system", "content": [{"type": "text", "text": "A date.", "cache_control": EPHEMERAL}]},
    ],
    "tools": [{"name": "Read", "description": "Reads", "input_schema": {"type": "object"}, "defer_loading": True}],
}
LOST = {"context_management", "tools.defer_loading", "cache_control", "x-anthropic-billing-header"}


@pytest.mark.parametrize(
    ("target", "also_lost"),
    [
        ("chat", {"thinking.display"}),
        ("responses", set[str]()),
        ("gemini", {"metadata.user_id", "position of system"}),
    ],
)
def test_it_is_translated(ask: Any, target: str, also_lost: set[str]) -> None:
    asked = ask("anthropic", target, ASKED, max_output=65536)
    assert set(asked.dropped) == LOST | also_lost
    assert asked.adapted == ("max_tokens",)
    assert asked.is_stream
    body = asked.body.decode()
    assert "billing" not in body
    for text in ("You are a coder.", "Use tools.", "<files/>", "hello", "A date.", "Read", "65536"):
        assert text in body
    depth = {"chat": '"reasoning_effort":"medium"', "responses": '"effort":"medium"', "gemini": '"MEDIUM"'}
    assert depth[target] in body
