"""Requests adapted to one model: what it refuses is left out, put otherwise, or refused; all of it is listed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tollway_dialects.translation.errors import Untranslatable
from tollway_dialects.translation.models.capabilities import EFFORTS, ModelCapabilities

NONE: frozenset[str] = frozenset()
ENABLED, ADAPTIVE = frozenset({"enabled", "disabled"}), frozenset({"adaptive"})
USER = {"role": "user", "content": "?"}
CHAT = {"model": "m", "messages": [USER], "max_tokens": 9000}
MESSAGES = {"model": "m", "max_tokens": 9000, "messages": [USER]}
CALL = {"id": "c", "type": "function", "function": {"name": "t", "arguments": ""}}
TOOLS = {"tools": [{"type": "function", "function": {"name": "t"}}]}


def said(part: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [part]}]}


def asked(ask: Any, source: str, target: str, said: dict[str, Any], **model: Any) -> tuple[dict[str, Any], Any]:
    translated = ask(source, target, (CHAT if source == "chat" else MESSAGES) | said, **model)
    return json.loads(translated.body), translated


def test_sampling_that_a_model_refuses_is_left_out(ask: Any) -> None:
    said = {"temperature": 0.5, "top_p": 0.5, "seed": 7}
    body, translated = asked(ask, "chat", "responses", said, takes_sampling=False)
    assert not {"temperature", "top_p"} & body.keys()
    assert set(translated.dropped) == {"temperature", "top_p", "seed"}
    body, translated = asked(ask, "chat", "anthropic", said, takes_top_p_with_temperature=False)
    assert (body["temperature"], "top_p" in body) == (0.5, False)
    assert "top_p" in translated.dropped


def test_a_temperature_beyond_anthropics_is_its_highest(ask: Any) -> None:
    body, translated = asked(ask, "chat", "anthropic", {"temperature": 1.5})
    assert (body["temperature"], translated.adapted) == (1.0, ("temperature",))


@pytest.mark.parametrize(
    ("limit", "most", "written", "adapted"),
    [(None, None, 4096, True), (500, None, 500, False), (9000, 8000, 8000, True), (8000, 8000, 8000, False)],
)
def test_a_limit_is_made_up_where_it_must_be_and_never_beyond_the_models(
    ask: Any, limit: int | None, most: int | None, written: int, adapted: bool
) -> None:
    body, translated = asked(ask, "chat", "anthropic", {"max_tokens": limit}, max_output=most)
    assert (body["max_tokens"], translated.adapted) == (written, ("max_tokens",) if adapted else ())
    body, translated = asked(ask, "chat", "gemini", {"max_tokens": limit}, max_output=most)
    assert body.get("generationConfig", {}).get("maxOutputTokens") == (written if limit else None)


def test_older_servers_get_the_limit_under_its_older_name(ask: Any) -> None:
    body, _ = asked(ask, "anthropic", "chat", {}, names_limit="max_tokens")
    assert (body["max_tokens"], "max_completion_tokens" in body) == (9000, False)


def test_a_prefill_is_refused_where_the_model_continues_no_turn(ask: Any) -> None:
    said = {"messages": [USER, {"role": "assistant", "content": "{"}]}
    for target in ("anthropic", "responses", "gemini"):
        with pytest.raises(Untranslatable, match="messages: must end with the user's turn"):
            asked(ask, "chat", target, said, takes_prefill=False)
    assert asked(ask, "chat", "anthropic", said)[0]["messages"][-1] == {"role": "assistant", "content": "{"}


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "t"}}])
def test_a_demand_for_tools_is_refused_where_the_model_takes_none(ask: Any, choice: Any) -> None:
    said = TOOLS | {"tool_choice": choice}
    with pytest.raises(Untranslatable, match="tool_choice: must be auto or none"):
        asked(ask, "chat", "anthropic", said, takes_forced_tools=False)
    asked(ask, "chat", "anthropic", said | {"tool_choice": "none"}, takes_forced_tools=False)


@pytest.mark.parametrize(
    ("asks", "model", "why"),
    [
        ({"response_format": {"type": "json_object"}}, {"formats": NONE}, "response_format: the model holds"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}},
            {"formats": frozenset({"object"})},
            "response_format: the model holds no answer to a JSON schema",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:;base64,A"}}]}
                ]
            },
            {"takes_images": False},
            "messages: the model takes no images",
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "file", "file": {"file_data": "data:text/plain;base64,YQ=="}}],
                    }
                ]
            },
            {"takes_documents": False},
            "messages: the model takes no documents",
        ),
    ],
)
def test_what_only_other_models_take_is_refused(ask: Any, asks: Any, model: Any, why: str) -> None:
    with pytest.raises(Untranslatable, match=why):
        asked(ask, "chat", "responses", asks, **model)


def test_where_the_system_speaks_at_the_beginning_alone_it_does(ask: Any) -> None:
    said = {"messages": [USER, {"role": "system", "content": "Later."}, USER]}
    body, translated = asked(ask, "chat", "anthropic", said, takes_late_system=False)
    assert (body["system"], translated.dropped) == ("Later.", ("position of system",))
    assert [message["role"] for message in body["messages"]] == ["user"]


# what a client asks, what the model knows, what it is asked, and whether that is something else
WISHES: list[tuple[str, Any, str, Any, tuple[str, ...], Any, bool]] = [
    ("chat", "high", "anthropic", ENABLED, (), {"type": "enabled", "budget_tokens": 4500}, True),
    ("chat", "low", "anthropic", ENABLED, (), {"type": "enabled", "budget_tokens": 2048}, True),
    ("chat", "none", "anthropic", ENABLED, (), {"type": "disabled"}, False),
    ("chat", "none", "anthropic", ADAPTIVE, ("low", "high"), "low", True),
    ("chat", "none", "anthropic", NONE, (), None, False),
    ("chat", "high", "anthropic", NONE, (), None, True),
    ("chat", "xhigh", "anthropic", ADAPTIVE, ("low", "high"), "high", True),
    ("chat", "minimal", "anthropic", ADAPTIVE, ("low", "high"), "low", True),
    ("chat", "low", "anthropic", NONE, ("low",), "low", False),
    ("chat", "high", "gemini", ADAPTIVE, ("minimal", "low"), {"thinkingLevel": "LOW"}, True),
    ("chat", "low", "gemini", ENABLED, (), {"includeThoughts": True, "thinkingBudget": 2048}, True),
    ("chat", "none", "gemini", ENABLED, (), {"thinkingBudget": 0}, False),
    ("chat", "none", "gemini", ADAPTIVE, ("minimal", "low"), {"thinkingLevel": "MINIMAL"}, True),
    ("anthropic", {"type": "enabled", "budget_tokens": 8192}, "chat", ADAPTIVE, ("low", "medium"), "medium", True),
    ("anthropic", {"type": "enabled", "budget_tokens": 8191}, "chat", ADAPTIVE, ("low", "medium"), "low", True),
    ("anthropic", {"type": "enabled", "budget_tokens": 1024}, "chat", ADAPTIVE, ("low", "medium"), "low", True),
    (
        "anthropic",
        {"type": "enabled", "budget_tokens": 99},
        "gemini",
        ENABLED,
        (),
        {"includeThoughts": True, "thinkingBudget": 99},
        False,
    ),
    ("anthropic", {"type": "disabled"}, "chat", ADAPTIVE, ("none", "low"), "none", False),
    ("anthropic", {"type": "disabled"}, "chat", ADAPTIVE, ("low", "high"), "low", True),
    ("anthropic", {"type": "adaptive"}, "chat", ADAPTIVE, ("low", "high"), None, False),
    ("anthropic", {"type": "between_tools"}, "chat", NONE, (), None, True),
]


@pytest.mark.parametrize(("source", "wish", "target", "kinds", "efforts", "written", "is_changed"), WISHES)
def test_a_wish_for_thinking_is_put_into_words_that_the_model_knows(
    ask: Any, source: str, wish: Any, target: str, kinds: Any, efforts: tuple[str, ...], written: Any, is_changed: bool
) -> None:
    said = {"reasoning_effort" if source == "chat" else "thinking": wish}
    body, translated = asked(ask, source, target, said, thinking=kinds, efforts=efforts)
    found = body.get("reasoning_effort") or body.get("generationConfig", {}).get("thinkingConfig")
    if target == "anthropic":
        found = body.get("output_config", {}).get("effort") or body.get("thinking")
    assert found == written
    assert bool(translated.adapted or translated.dropped) is is_changed


@pytest.mark.parametrize(
    "said",
    [
        {"max_tokens": 2047},
        TOOLS | {"tool_choice": "required"},
        {
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "tool_calls": [{"id": "c", "type": "function", "function": {"name": "t", "arguments": ""}}],
                },
                {"role": "tool", "tool_call_id": "c", "content": "x"},
            ]
        },
    ],
    ids=["no room", "forced tool", "amid tools without a thought"],
)
def test_a_budget_that_would_be_refused_is_left_out(ask: Any, said: dict[str, Any]) -> None:
    body, translated = asked(ask, "chat", "anthropic", said | {"reasoning_effort": "low"}, thinking=ENABLED, efforts=())
    assert "thinking" not in body
    assert (translated.dropped, translated.adapted) == (("reasoning_effort",), ())


def test_where_thinking_has_a_switch_of_its_own_it_is_used(ask: Any) -> None:
    body, translated = asked(ask, "anthropic", "chat", {"thinking": {"type": "disabled"}}, names_thinking=True)
    assert (body["thinking"], "reasoning_effort" in body) == ({"type": "disabled"}, False)
    assert (translated.dropped, translated.adapted) == ((), ())


@pytest.mark.parametrize("target", ["chat", "responses", "gemini"])
def test_a_turn_of_which_nothing_is_left_is_not_sent(ask: Any, target: str) -> None:
    thought = {"type": "thinking", "thinking": "x", "signature": "s"}
    said = {"messages": [USER, {"role": "assistant", "content": [thought]}, USER]}
    body, translated = asked(ask, "anthropic", target, said)
    turns = body.get("messages") or body.get("input") or body.get("contents")
    assert {turn["role"] for turn in turns} == {"user"}
    assert translated.dropped == ("thinking of Anthropic",)


def test_a_turn_of_thoughts_alone_is_not_sent_to_anthropic_either(ask: Any) -> None:
    said = {"messages": [USER, {"role": "assistant", "content": "", "reasoning_content": "x"}, USER]}
    body, translated = asked(ask, "chat", "anthropic", said)
    assert [message["role"] for message in body["messages"]] == ["user", "user"]
    assert translated.dropped == ("reasoning_content",)


def test_with_a_budget_only_the_default_sampling_goes(ask: Any) -> None:
    said = {"reasoning_effort": "low", "temperature": 0.5}
    body, translated = asked(ask, "chat", "anthropic", said, thinking=ENABLED, efforts=())
    assert "temperature" not in body
    assert translated.dropped == ("temperature",)


def test_an_adaptive_model_is_told_an_effort_and_to_think(ask: Any) -> None:
    body, _ = asked(ask, "chat", "anthropic", {"reasoning_effort": "low"}, thinking=ADAPTIVE, efforts=("low",))
    assert (body["thinking"], body["output_config"]) == ({"type": "adaptive"}, {"effort": "low"})


def test_a_model_that_refuses_nothing_is_the_default_and_unknown_names_are_not_taken() -> None:
    model = ModelCapabilities()
    assert model.takes_prefill
    assert set(model.efforts) | set(model.budgets) <= set(EFFORTS)
    assert ModelCapabilities().budgets is not model.budgets
