"""A whole message: every way to ask for one, and everything that comes with it."""

from __future__ import annotations

import json
from typing import Any

from checklist import UNUSUAL_TEXT, ask, check
from connect import MODEL, async_client, client, new_client, request, user
from plain import plain_headers

VERSIONS = ("2023-06-01", "2026-10-21")


@check
def create() -> Any:
    message = client().messages.create(**request("hello [words=7]"))
    assert len(message.content[0].text.split()) == 7
    return message


@check
async def create_with_the_async_client() -> Any:
    async with async_client() as asynchronous:
        return await asynchronous.messages.create(**request("hello [words=7]"))


@check
def create_with_x_api_key() -> Any:
    return client().messages.create(**request("hello"), extra_headers={"x-api-key": client().api_key})


@check
def create_with_a_bearer_token() -> Any:
    bearer = new_client(api_key=None, auth_token=client().api_key)
    return bearer.messages.create(**request("hello"))


@check
def create_under_both_versions() -> Any:
    return [
        new_client(default_headers={"anthropic-version": version}).messages.create(**request("hello"))
        for version in VERSIONS
    ]


@check
def an_unknown_version_is_refused() -> Any:
    try:
        return new_client(default_headers={"anthropic-version": "1999-01-01"}).messages.create(**request("hello"))
    except Exception as error:
        return error


@check
def sampling_parameters_under_both_versions() -> Any:
    outcomes: list[Any] = []
    for version in VERSIONS:
        for field in ({"temperature": 0.5}, {"top_p": 0.9}, {"top_k": 5}):
            versioned = new_client(default_headers={"anthropic-version": version})
            try:
                outcomes.append(versioned.messages.create(**request("hello"), extra_body=field))
            except Exception as error:
                outcomes.append(error)
    return outcomes


@check
def raw_response() -> Any:
    raw = client().messages.with_raw_response.create(**request("hello"))
    return {"status": raw.status_code, "headers": plain_headers(raw.headers), "message": raw.parse()}


@check
def raw_bytes() -> Any:
    raw = client().messages.with_raw_response.create(**request("hello"))
    return raw.http_response.content


@check
def request_id_is_on_the_message() -> Any:
    message = client().messages.create(**request("hello"))
    assert message._request_id, "the SDK found no request-id header"
    return message._request_id


@check
def system_as_text() -> Any:
    return client().messages.create(**request("hello", system="You answer in few words."))


@check
def system_as_blocks() -> Any:
    blocks = [{"type": "text", "text": "You answer."}, {"type": "text", "text": "In few words."}]
    return client().messages.create(**request("hello", system=blocks))


@check
def several_turns_and_a_prefilled_answer() -> Any:
    turns = [
        user("hello"),
        {"role": "assistant", "content": "Hello, how can I help?"},
        user("tell me more [words=4]"),
        {"role": "assistant", "content": [{"type": "text", "text": "More is"}]},
    ]
    return client().messages.create(model=MODEL, max_tokens=64, messages=turns)


@check
def max_tokens_truncates() -> Any:
    message = client().messages.create(**request("hello [words=50]") | {"max_tokens": 5})
    assert message.stop_reason == "max_tokens"
    return message


@check
def stop_sequences() -> Any:
    return client().messages.create(**request("hello", stop_sequences=["the", "END"]))


@check
def metadata_and_service_tier() -> Any:
    fields = {"metadata": {"user_id": "user-7"}, "service_tier": "standard_only"}
    return client().messages.create(**request("hello", **fields))


@check
def unknown_fields_reach_the_provider() -> Any:
    body = {"not_invented_yet": {"deep": [1, 2.50, None, "x"]}, "speed": "fast"}
    return client().messages.create(**request("hello"), extra_body=body)


@check
def extra_headers_and_query_reach_the_provider() -> Any:
    headers = {"anthropic-beta": "not-invented-yet-2027-01-01,context-1m-2025-08-07"}
    return client().messages.create(**request("hello"), extra_headers=headers, extra_query={"beta": "true"})


@check
def beta_namespace() -> Any:
    betas = ["interleaved-thinking-2025-05-14", "not-invented-yet-2027-01-01"]
    raw = client().beta.messages.with_raw_response.create(**request("hello"), betas=betas)
    return {"headers": plain_headers(raw.headers), "message": raw.parse()}


@check
def unusual_text_comes_back_unharmed() -> Any:
    return client().messages.create(**request(f"[echo] {UNUSUAL_TEXT}"))


@check
def a_long_text_comes_back_unharmed() -> Any:
    words = "größer 漢字 👍 " * 6_000
    message = client().messages.create(**request(f"[echo] {words}") | {"max_tokens": 20_000})
    assert len(message.content[0].text) > 70_000
    return message


@check
def empty_content() -> Any:
    outcomes: list[Any] = []
    for content in ("", [], [{"type": "text", "text": ""}]):
        turns = [user("hello"), {"role": "assistant", "content": "yes"}, {"role": "user", "content": content}]
        try:
            outcomes.append(client().messages.create(model=MODEL, max_tokens=9, messages=turns))
        except Exception as error:
            outcomes.append(error)
    return outcomes


@check
def a_system_message_in_mid_conversation() -> Any:
    turns = [user("hello"), {"role": "system", "content": ask("Be brief.")}, user("go on")]
    return client().messages.create(model=MODEL, max_tokens=9, messages=turns)


@check
def structured_output() -> Any:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    fields = {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
    text = json.dumps({"city": "Paris"})
    turns = [{"role": "user", "content": f"[echo]{text}"}]
    asked = {"model": MODEL, "max_tokens": 64, "messages": turns, "system": ask("Answer in JSON.")}
    message = client().messages.create(**asked, extra_body=fields)
    assert json.loads(message.content[0].text) == {"city": "Paris"}
    return message
