"""Values of the wrong type or size in every field that the gateway reads: a 400 that names the field, never a 5xx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hostile.asking import CHAT, COUNT_TOKENS, ENDPOINTS, MESSAGES, RESPONSES, Endpoint
from hostile.verdict import assert_refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway import Gateway
    from hostile.connection import Connection

VALUES: dict[str, list[Any]] = {
    "text": [
        "",
        "x",
        "0",
        "true",
        "\x00",
        "\r\n",
        "ü" * 300,
        "💥",
        "../../etc/passwd",
        "' OR 1=1 --",
        "{{7*7}}",
        "%s%n",
    ],
    "flag": [True, False],
    "number": [-1, 2**31, 2**53, 2**63, 2**64, 10**400],
    "fraction": [0.5, -0.5, 1e308, 5e-324],
    "list": [[], [[]], [None], [1, "a"], [[[[[]]]]]],
    "object": [{}, {"a": 1}, {"": {}}, {"__class__": "x", "__proto__": {}}],
}
# what may stand in a field; null counts as absent everywhere
TAKEN: dict[str, set[str]] = {
    "model": {"text"},
    "stream": {"flag"},
    "max_tokens": set(),
    "max_completion_tokens": set(),
    "prompt": {"object"},
    "prompt.id": {"text"},
    "prompt.version": {"number"},
    "prompt.variables": {"object"},
    "temperature": {"number", "fraction"},
}
LIMITS = {"max_tokens", "max_completion_tokens"}
# what a provider alone judges
UNREAD = {
    "/v1/messages": {"max_completion_tokens"},
    "/v1/messages/count_tokens": {*LIMITS, "stream"},
    "/v1/responses": LIMITS,
    "/v1/responses/input_tokens": {*LIMITS, "stream"},
    "/v1/embeddings": {*LIMITS, "stream", "prompt", "prompt.id", "prompt.version", "prompt.variables"},
}
READ = [(endpoint, name) for endpoint in ENDPOINTS for name in TAKEN if name not in UNREAD.get(endpoint.path, ())]
READ_BY_AUTO = [
    *[(endpoint, "messages", ("list",)) for endpoint in (MESSAGES, COUNT_TOKENS, CHAT)],
    *[(endpoint, "tools", ("list",)) for endpoint in (MESSAGES, COUNT_TOKENS, CHAT, RESPONSES)],
    *[(endpoint, "thinking", ("object",)) for endpoint in (MESSAGES, COUNT_TOKENS)],
    (RESPONSES, "input", ("text", "list")),
    (RESPONSES, "reasoning", ("object",)),
    (CHAT, "reasoning_effort", ("text",)),
]
NAMES = sorted(
    {*TAKEN, *(name for _, name, _ in READ_BY_AUTO), "system", "instructions", "stream_options", "n", "user"}
)
NO_MESSAGES = [
    *(None, 1, "text", [], {}, {"role": 1}, {"role": "root", "content": "hello"}),
    *({"role": "user", "content": content} for content in (1, [1], {"type": "text"}, [{"type": 1}])),
    {"role": "user", "content": [{"type": "text", "text": 1}]},
]


def body_with(endpoint: Endpoint, name: str, value: Any, **fields: Any) -> dict[str, Any]:
    outer, _, inner = name.partition(".")
    if inner:
        value = {"id": "concise-assistant", "version": 1} | {inner: value}
    return endpoint.body(**fields) | {outer: value}


@pytest.mark.parametrize(("endpoint", "name"), READ, ids=str)
def test_a_value_of_another_type_is_a_400_that_names_the_field(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, name: str
) -> None:
    connection = connect()
    for kind in [kind for kind in VALUES if kind not in TAKEN[name]]:
        for value in VALUES[kind]:
            answer = connection.ask(endpoint.request(gateway.key, body_with(endpoint, name, value)))
            assert name.partition(".")[0] in assert_refused(answer, endpoint.dialect, {400}), (name, value)


@pytest.mark.parametrize(("endpoint", "name", "taken"), READ_BY_AUTO, ids=str)
def test_what_the_choice_of_a_tier_reads_is_checked_first(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, name: str, taken: tuple[str, ...]
) -> None:
    connection = connect()
    for kind in [kind for kind in VALUES if kind not in taken]:
        for value in VALUES[kind]:
            answer = connection.ask(endpoint.request(gateway.key, body_with(endpoint, name, value, model="auto")))
            assert name in assert_refused(answer, endpoint.dialect, {400}), (name, value)


@pytest.mark.parametrize("name", NAMES)
def test_no_value_of_any_field_makes_the_gateway_fail(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, name: str
) -> None:
    connection = connect()
    every = [value for values in VALUES.values() for value in values]
    for number, value in enumerate(every):
        fields = {"stream": bool(number & 1)} | ({"model": "auto"} if number & 2 else {})
        answer = connection.ask(endpoint.request(gateway.key, body_with(endpoint, name, value, **fields)))
        if answer.status != 200:
            assert_refused(answer, endpoint.dialect)


@pytest.mark.parametrize("fields", [{}, {"model": "auto"}, {"prompt": {"id": "concise-assistant"}}], ids=repr)
@pytest.mark.parametrize("endpoint", [MESSAGES, COUNT_TOKENS, CHAT, RESPONSES], ids=str)
def test_a_message_that_is_none_is_a_400_that_says_where_it_stands(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, fields: dict[str, Any]
) -> None:
    connection = connect()
    for number, message in enumerate(NO_MESSAGES):
        body = endpoint.body(**fields) | {endpoint.asks_in: [message]}
        if endpoint.streams:
            body["stream"] = bool(number & 1)
        answer = connection.ask(endpoint.request(gateway.key, body))
        assert_refused(answer, endpoint.dialect, {400})
        assert endpoint.asks_in.encode() in answer.body, (message, answer)


@pytest.mark.parametrize("system", [1, True, {}, {"type": "text", "text": "x"}])
def test_a_system_text_that_is_none_is_a_400_also_behind_a_prompt(
    connect: Callable[[], Connection], gateway: Gateway, system: Any
) -> None:
    for fields in ({}, {"prompt": {"id": "concise-assistant"}}):
        answer = connect().ask(MESSAGES.request(gateway.key, MESSAGES.body(system=system, **fields)))
        assert "system" in assert_refused(answer, "anthropic", {400})


@pytest.mark.parametrize(
    "model", ["no-such-model", "x" * 257, "x" * 100_000, "claude-haiku-5-5\x00", "../secrets", "ü"]
)
def test_an_unknown_model_is_refused_or_the_providers_to_judge(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, model: str
) -> None:
    answer = connect().ask(endpoint.request(gateway.key, endpoint.body(model=model)))
    if answer.status == 200:  # the simulator knows every name
        assert answer.header("x-gateway-provider") == "simulator"
        return
    message = assert_refused(answer, endpoint.dialect, {400, 404})
    assert len(message) < 500


@pytest.mark.parametrize("variables", [{"name": 1}, {"name": None}, {"name": ["x"]}, ["name"], "name"], ids=repr)
def test_variables_of_a_prompt_are_texts(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint, variables: Any
) -> None:
    body = endpoint.body(prompt={"id": "concise-assistant", "variables": variables})
    assert "prompt" in assert_refused(connect().ask(endpoint.request(gateway.key, body)), endpoint.dialect, {400})


def test_the_text_of_a_prompt_is_not_in_a_refusal(
    connect: Callable[[], Connection], gateway: Gateway, endpoint: Endpoint
) -> None:
    secret = "only-between-us-4711"
    for fields in ({endpoint.limit or "model": [secret]}, {"temperature": secret}, {"model": [secret]}):
        answer = connect().ask(endpoint.request(gateway.key, endpoint.body(secret, **fields)))
        assert_refused(answer, endpoint.dialect, {400})
        assert secret.encode() not in answer.body
    assert secret not in gateway.log.read_text()
