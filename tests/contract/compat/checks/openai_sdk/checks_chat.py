"""A whole chat completion: every way to ask for one, and everything that comes with it."""

from __future__ import annotations

import base64
import json
from typing import Any

from checklist import UNUSUAL_TEXT, ask, check
from connect import MODEL, async_client, client, new_client, request, user
from plain import plain_headers
from pydantic import BaseModel

PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


class City(BaseModel):
    """What structured outputs are parsed into."""

    city: str


@check
def create() -> Any:
    completion = client().chat.completions.create(**request("hello [words=7]"))
    assert len(completion.choices[0].message.content.split()) == 7
    return completion


@check
async def create_with_the_async_client() -> Any:
    async with async_client() as asynchronous:
        return await asynchronous.chat.completions.create(**request("hello [words=7]"))


@check
def create_with_stream_false_and_nulls() -> Any:
    body = {"stop": None, "temperature": None, "user": None}
    return client().chat.completions.create(**request("hello"), stream=False, extra_body=body)


@check
def raw_response() -> Any:
    raw = client().chat.completions.with_raw_response.create(**request("hello"))
    return {"status": raw.status_code, "headers": plain_headers(raw.headers), "completion": raw.parse()}


@check
def raw_bytes() -> Any:
    return client().chat.completions.with_raw_response.create(**request("hello")).http_response.content


@check
def request_id_is_on_the_completion() -> Any:
    completion = client().chat.completions.create(**request("hello"))
    assert completion._request_id, "the SDK found no x-request-id header"
    return completion._request_id


@check
def organization_and_project_reach_the_provider() -> Any:
    ours = new_client(organization="org-ours", project="proj_ours")
    return plain_headers(ours.chat.completions.with_raw_response.create(**request("hello")).headers)


@check
def system_and_developer_messages() -> Any:
    return [
        client().chat.completions.create(model=MODEL, messages=[{"role": role, "content": "Be brief."}, user("hello")])
        for role in ("system", "developer")
    ]


@check
def several_turns_with_names_and_refusals() -> Any:
    turns = [
        {"role": "user", "content": ask("hello"), "name": "ann"},
        {"role": "assistant", "content": None, "refusal": "no"},
        user("why?"),
    ]
    return client().chat.completions.create(model=MODEL, messages=turns)


@check
def both_token_limits() -> Any:
    limits = ({"max_tokens": 5}, {"max_completion_tokens": 5})
    completions = [client().chat.completions.create(**request("hello [words=50]"), **limit) for limit in limits]
    assert {one.choices[0].finish_reason for one in completions} == {"length"}
    return completions


@check
def sampling_parameters() -> Any:
    fields = {"temperature": 0.5, "top_p": 0.9, "seed": 7, "frequency_penalty": 0.1, "logit_bias": {"50256": -100}}
    return client().chat.completions.create(**request("hello"), **fields)


@check
def several_choices() -> Any:
    return client().chat.completions.create(**request("hello [words=4]"), n=3)


@check
def log_probabilities() -> Any:
    return client().chat.completions.create(**request("hello [words=4]"), logprobs=True, top_logprobs=2)


@check
def stop_sequences() -> Any:
    return [client().chat.completions.create(**request("hello"), stop=stop) for stop in ("the", ["the", "END"])]


@check
def metadata_and_other_labels() -> Any:
    fields = {"metadata": {"run": "7"}, "user": "ann", "service_tier": "flex", "store": True, "prompt_cache_key": "k"}
    return client().chat.completions.create(**request("hello"), **fields)


@check
def reasoning_effort() -> Any:
    return client().chat.completions.create(**request("hello"), reasoning_effort="high")


@check
def unknown_fields_reach_the_provider() -> Any:
    body = {"not_invented_yet": {"deep": [1, 2.50, None, "x"]}}
    headers = {"OpenAI-Beta": "not-invented-yet=v9"}
    return client().chat.completions.create(**request("hello"), extra_body=body, extra_headers=headers)


@check
def extra_query_reaches_the_provider() -> Any:
    return client().chat.completions.create(**request("hello"), extra_query={"api-version": "2027-01-01"})


@check
def structured_output_is_parsed() -> Any:
    asked = _echo('{"city":"Paris"}')
    parse = getattr(client().chat.completions, "parse", None) or client().beta.chat.completions.parse
    completion = parse(**asked, response_format=City)
    assert completion.choices[0].message.parsed == City(city="Paris")
    return completion


@check
def json_mode() -> Any:
    asked = _echo('{"json":[1,2]}')
    completion = client().chat.completions.create(**asked, response_format={"type": "json_object"})
    assert json.loads(completion.choices[0].message.content) == {"json": [1, 2]}
    return completion


@check
def images_as_data_and_by_url() -> Any:
    return [
        _about({"type": "image_url", "image_url": {"url": url, "detail": "low"}})
        for url in (PIXEL, "https://example.com/a%20picture.png?x=1&y=2")
    ]


@check
def file_and_audio() -> Any:
    pdf = base64.b64encode(b"%PDF-1.4\n%%EOF\n").decode()
    return [
        _about({"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{pdf}"}}),
        _about({"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}),
    ]


@check
def cached_tokens() -> Any:
    completion = client().chat.completions.create(**request("hello [usage=in:100,out:50,read:20,write:5]"))
    assert completion.usage.prompt_tokens_details.cached_tokens == 20
    return completion


@check
def unusual_text_comes_back_unharmed() -> Any:
    return client().chat.completions.create(**request(f"[echo] {UNUSUAL_TEXT}"))


@check
def a_long_text_comes_back_unharmed() -> Any:
    completion = client().chat.completions.create(**request("[echo] " + "größer 漢字 👍 " * 6_000))
    assert len(completion.choices[0].message.content) > 70_000
    return completion


@check
def empty_content() -> Any:
    outcomes: list[Any] = []
    for content in ("", [], None):
        turns = [{"role": "system", "content": ask("Be brief.")}, {"role": "user", "content": content}]
        try:
            outcomes.append(client().chat.completions.create(model=MODEL, messages=turns))
        except Exception as error:
            outcomes.append(error)
    return outcomes


def _echo(text: str) -> dict[str, Any]:
    system = {"role": "system", "content": ask("Answer in JSON.")}
    return {"model": MODEL, "messages": [system, {"role": "user", "content": f"[echo]{text}"}]}


def _about(part: dict[str, Any]) -> Any:
    content = [part, {"type": "text", "text": ask("what is this?")}]
    return client().chat.completions.create(model=MODEL, messages=[{"role": "user", "content": content}])
