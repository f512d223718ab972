"""Runs in a pod beside Tollway, with the providers' own SDKs; prints what came back as JSON."""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from collections.abc import Mapping
from typing import Any

import anthropic
import openai

TOLD = json.load(sys.stdin)  # not in arguments, since error messages name those
URL, KEY = TOLD["url"], TOLD["key"]
MODEL, OPENAI_MODEL = "claude-haiku-5-5", "gpt-6-luna"
SOON_SECONDS = 60


def answer(text: str, headers: Mapping[str, str], tokens: int) -> dict[str, Any]:
    gateway = {name.lower(): value for name, value in headers.items() if name.lower().startswith("x-gateway-")}
    return {"text": text, "headers": gateway, "output_tokens": tokens}


def anthropic_json(prompt: str) -> dict[str, Any]:
    client = anthropic.Anthropic(base_url=URL, api_key=KEY)
    raw = client.messages.with_raw_response.create(
        model=MODEL, max_tokens=100, messages=[{"role": "user", "content": prompt}]
    )
    message = raw.parse()
    return answer(message.content[0].text, raw.headers, message.usage.output_tokens)


def anthropic_stream(prompt: str) -> dict[str, Any]:
    client = anthropic.Anthropic(base_url=URL, api_key=KEY)
    with client.messages.stream(model=MODEL, max_tokens=100, messages=[{"role": "user", "content": prompt}]) as stream:
        pieces = list(stream.text_stream)
        message = stream.get_final_message()
        found = answer("".join(pieces), stream.response.headers, message.usage.output_tokens)
    return found | {"pieces": len(pieces), "stop_reason": message.stop_reason}


def openai_json(prompt: str) -> dict[str, Any]:
    client = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY)
    raw = client.chat.completions.with_raw_response.create(
        model=OPENAI_MODEL, max_completion_tokens=100, messages=[{"role": "user", "content": prompt}]
    )
    completion = raw.parse()
    return answer(completion.choices[0].message.content, raw.headers, completion.usage.completion_tokens)


def openai_kept(prompt: str) -> dict[str, Any]:
    """An answer that the provider keeps, as it does unless told otherwise."""
    made = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY).responses.create(model=OPENAI_MODEL, input=prompt)
    return {"id": made.id, "text": made.output_text}


def read_again(response_id: str) -> dict[str, Any]:
    found = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY).responses.retrieve(response_id)
    return {"id": found.id, "text": found.output_text}


def asked_until_cached(prompt: str) -> list[dict[str, Any]]:
    """The first answer and the one that came from the cache; answers are stored after they are given."""
    first = again = anthropic_json(prompt)
    deadline = time.monotonic() + SOON_SECONDS
    while again["headers"]["x-gateway-cache"] == "none" and time.monotonic() < deadline:
        again = anthropic_json(prompt)
    return [first, again]


def wrong_key(prompt: str) -> dict[str, Any]:
    client = anthropic.Anthropic(base_url=URL, api_key="tw_not-a-key-of-this-gateway")
    try:
        client.messages.create(model=MODEL, max_tokens=10, messages=[{"role": "user", "content": prompt}])
    except anthropic.AuthenticationError as error:
        return {"status": error.status_code, "body": error.body}
    return {"status": 200}


def booked(query_id: str) -> dict[str, Any]:
    """The ledger's row of one call; rows are written after the answer, so it may take a moment."""
    deadline = time.monotonic() + SOON_SECONDS
    while True:
        request = urllib.request.Request(f"{URL}/v1/metrics/recent?n=50", headers={"x-api-key": KEY})
        with urllib.request.urlopen(request, timeout=10) as recent:
            rows = json.load(recent)["calls"]
        found: list[dict[str, Any]] = [row for row in rows if row["query_id"] == query_id]
        if found:
            return found[0]
        if time.monotonic() > deadline:
            sys.exit(f"{query_id} is not in the ledger after {SOON_SECONDS} s; it has {[r['query_id'] for r in rows]}")
        time.sleep(0.2)


FUNCTIONS = (
    anthropic_json,
    anthropic_stream,
    openai_json,
    openai_kept,
    read_again,
    asked_until_cached,
    wrong_key,
    booked,
)

if __name__ == "__main__":
    chosen = {function.__name__: function for function in FUNCTIONS}[sys.argv[1]]
    print(json.dumps(chosen(TOLD["text"])))
