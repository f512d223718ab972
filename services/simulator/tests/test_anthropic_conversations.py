"""Which conversations Anthropic's API refuses, and which it does not."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest
from anthropic_blocks import CALL, HI, OTHER_CALL, OTHER_RESULT, PIXEL, RESULT, assistant, image, text, user

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no user first": ({"messages": [assistant(text("hi")), HI]}, 'first message must use the "user" role'),
    "empty text": ({"messages": [user(text(""))]}, "text content blocks must be non-empty"),
    "blank text": ({"messages": [{"role": "user", "content": " \n"}]}, "must contain non-whitespace text"),
    "empty content": ({"messages": [user()]}, "messages.0: user messages must have non-empty content"),
    "empty string": (
        {"messages": [HI, {"role": "assistant", "content": ""}, HI]},
        "messages.1: all messages must have non-empty content except for the optional final assistant message",
    ),
    "empty system text": ({"system": [text("")]}, "system: text content blocks must be non-empty"),
    "text without text": ({"messages": [user({"type": "text"})]}, "messages.0.content.0.text.text: Field required"),
    "a foreign block": ({"messages": [user({"type": "input_text"})]}, "messages.0.content.0: Input tag 'input_text'"),
    "text of another type": (
        {"messages": [user(text(3))]},
        "messages.0.content.0.text: Input should be a valid string",
    ),
    "content of another type": ({"messages": [{"role": "user", "content": 3}]}, "messages.0.content: Input should be"),
    "a call by the user": ({"messages": [user(CALL)]}, "`tool_use` blocks can only be specified in `assistant`"),
    "a result by the assistant": ({"messages": [HI, assistant(RESULT)]}, "`tool_result` blocks can only be specified"),
    "a call without result": (
        {"messages": [HI, assistant(CALL), HI]},
        "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1.",
    ),
    "a call at the end": ({"messages": [HI, assistant(CALL)]}, "immediately after: toolu_1."),
    "one of two results": (
        {"messages": [HI, assistant(CALL, OTHER_CALL), user(RESULT)]},
        "immediately after: toolu_2.",
    ),
    "text before the result": ({"messages": [HI, assistant(CALL), user(text("well"), RESULT)]}, "immediately after"),
    "a result without call": (
        {"messages": [user(RESULT)]},
        "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1.",
    ),
    "a result twice": ({"messages": [HI, assistant(CALL), user(RESULT, RESULT)]}, "must have a single result"),
    "a result too late": (
        {"messages": [HI, assistant(CALL), user(RESULT), assistant(text("ok")), user(RESULT)]},
        "unexpected `tool_use_id`",
    ),
    "a call's id twice": ({"messages": [HI, assistant(CALL, CALL), user(RESULT)]}, "`tool_use` ids must be unique"),
    "a call's id of other characters": (
        {"messages": [HI, assistant({**CALL, "id": "a.b"}), user({**RESULT, "tool_use_id": "a.b"})]},
        "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
    ),
    "a call's input as text": (
        {"messages": [HI, assistant({**CALL, "input": "{}"}), user(RESULT)]},
        "messages.1.content.0.tool_use.input: Input should be a valid dictionary",
    ),
    "an empty block in a result": (
        {"messages": [HI, assistant(CALL), user({**RESULT, "content": [text("")]})]},
        "text content blocks must be non-empty",
    ),
    "thinking without signature": (
        {"messages": [HI, assistant({"type": "thinking", "thinking": "hm"}, text("ok")), HI]},
        "messages.1.content.0.thinking.signature: Field required",
    ),
    "an image of another type": (
        {"messages": [user(image({"type": "base64", "media_type": "image/tiff", "data": PIXEL}))]},
        "messages.0.content.0.image.source.base64.media_type: Input should be 'image/jpeg'",
    ),
    "an image that is no base64": (
        {"messages": [user(image({"type": "base64", "media_type": "image/png", "data": "@@@"}))]},
        "invalid base64 data",
    ),
    "an image in OpenAI's shape": (
        {"messages": [user({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}})]},
        "Input tag 'image_url'",
    ),
    "an image without source": ({"messages": [user({"type": "image"})]}, "messages.0.content.0.image.source: Field"),
    "a document of another type": (
        {"messages": [user({"type": "document", "source": {"type": "base64", "media_type": "a/b", "data": PIXEL}})]},
        "media_type: Input should be 'application/pdf'",
    ),
}

ACCEPTED: dict[str, dict[str, Any]] = {
    "two of the user in a row": {"messages": [HI, HI]},
    "system in the middle": {"messages": [HI, {"role": "system", "content": "be brief"}, HI]},
    "a prefill": {"messages": [HI, assistant(text("The answer is"))]},
    "nothing as a prefill": {"messages": [HI, {"role": "assistant", "content": ""}]},
    "results, then text": {"messages": [HI, assistant(CALL, OTHER_CALL), user(OTHER_RESULT, RESULT, text("so?"))]},
    "results in two messages": {"messages": [HI, assistant(CALL, OTHER_CALL), user(RESULT), user(OTHER_RESULT)]},
    "a result without content": {
        "messages": [HI, assistant(CALL), user({"type": "tool_result", "tool_use_id": "toolu_1"})]
    },
    "thinking of somebody else": {
        "messages": [HI, assistant({"type": "thinking", "thinking": "", "signature": "c2ln"}, text("ok")), HI]
    },
    "redacted thinking": {"messages": [HI, assistant({"type": "redacted_thinking", "data": "eA=="}, text("ok")), HI]},
    "images": {
        "messages": [
            user(
                image({"type": "base64", "media_type": "image/png", "data": PIXEL}),
                image({"type": "url", "url": "https://example.com/a.png"}),
                image({"type": "file", "file_id": "file_1"}),
            )
        ]
    },
    "documents": {
        "messages": [
            user(
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "hello"}},
                {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}, "title": "t"},
                {"type": "search_result", "source": "s", "title": "t", "content": [text("x")]},
            )
        ]
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


async def test_counting_checks_as_well(simulator):
    status, _ = await simulator.ask({"messages": [user(RESULT)]}, path="/v1/messages/count_tokens")
    assert status == 400


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"temperature": 1}, "temperature: Extra inputs are not permitted"),
        ({"top_k": None}, "top_k: Extra inputs are not permitted"),
        (
            {
                "messages": [
                    HI,
                    assistant({"type": "document", "source": {"type": "url", "url": "https://example.com"}}),
                    HI,
                ]
            },
            "`document` blocks can only be specified in `user` messages",
        ),
        ({"messages": [user(text("x", citations=[{"type": "char_location"}]))]}, "citations: Extra inputs"),
    ],
)
async def test_the_newest_version_refuses_more(simulator, fields, message):
    before, _ = await simulator.ask(fields)
    status, answer = await simulator.ask(fields, version="2026-10-21")
    assert (before, status) == (200, 400)
    assert message in answer["error"]["message"]


async def test_signatures_hold_for_their_text_and_for_some_models_nowhere_else(simulator):
    create = simulator.anthropic.messages.create
    asked: dict[str, Any] = {"max_tokens": 5000, "messages": [HI], "thinking": {"type": "adaptive"}}
    first = await create(model="claude-opus-5-5", **asked)
    history = [HI, {"role": "assistant", "content": [block.model_dump() for block in first.content]}, HI]
    await create(model="claude-opus-5-5", **(asked | {"messages": history}))
    with pytest.raises(anthropic.BadRequestError, match="Invalid `signature` in `thinking` block"):
        await create(model="claude-sonnet-5-5", **(asked | {"messages": history}))
    history[1]["content"][0]["thinking"] = "changed"
    with pytest.raises(anthropic.BadRequestError, match="Invalid `signature`"):
        await create(model="claude-opus-5-5", **(asked | {"messages": history}))


async def test_a_body_may_be_thirty_two_megabytes(simulator):
    message = await simulator.anthropic.messages.create(
        model="m", max_tokens=9, messages=[{"role": "user", "content": "x" * (31 * 1024 * 1024)}]
    )
    assert message.usage.input_tokens == 31 * 1024 * 1024 // 4
    with pytest.raises(anthropic.APIStatusError) as raised:
        await simulator.anthropic.messages.create(
            model="m", max_tokens=9, messages=[{"role": "user", "content": "x" * (33 * 1024 * 1024)}]
        )
    assert raised.value.body["error"]["type"] == "request_too_large"
