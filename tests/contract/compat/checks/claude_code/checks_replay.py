"""What Claude Code 2.1.329 puts on the wire, replayed byte for byte without any SDK."""

from __future__ import annotations

import hashlib
import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from checklist import BASE_URL, CLIENT, KEY, SIMULATOR, ask, check

RECORDED = json.loads(Path(__file__).with_name("request.json").read_text())
SESSION = "0f1e2d3c-4b5a-4968-8776-655443322110"
ADDRESS = urlsplit(BASE_URL).netloc


def body_of(text: str, **fields: Any) -> bytes:
    """Make the recorded body about a text; keys keep their order, text beyond ASCII its bytes."""
    body = json.loads(json.dumps(RECORDED["body"]))
    body["messages"][0]["content"][-1]["text"] = ask(text)
    return json.dumps(body | fields, ensure_ascii=False, separators=(",", ":")).encode()


def send(connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None) -> Any:
    """Send the recorded headers in their recorded order and case; return status, headers and body."""
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in [*RECORDED["headers"].items(), ("Host", ADDRESS), ("x-api-key", KEY)]:
        connection.putheader(name, value.replace("<session>", SESSION))
    connection.putheader("Content-Length", str(len(body or b"")))
    connection.endheaders(body)
    answer = connection.getresponse()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    return {"status": answer.status, "headers": headers, "body": answer.read().decode()}


def once(method: str, path: str, body: bytes | None = None) -> Any:
    connection = http.client.HTTPConnection(ADDRESS, timeout=30)
    try:
        return send(connection, method, path, body)
    finally:
        connection.close()


def asked(body: bytes) -> Any:
    """Send a message and see that it reached the simulator as it was sent."""
    since = SIMULATOR.log_end()
    answer = once("POST", "/v1/messages?beta=true", body)
    entry = SIMULATOR.received(since)[-1]
    assert entry["body_sha256"] == hashlib.sha256(body).hexdigest(), "the body was changed on its way"
    sent = {name.lower(): value for name, value in RECORDED["headers"].items()}
    for name in ("anthropic-beta", "anthropic-version", "user-agent"):
        assert entry["headers"][name] == sent[name], f"{name} was changed on its way"
    return answer


@check
def hello_before_the_first_message() -> Any:
    """It may be refused, but not fail: 2.1.197 asks for /, 2.1.329 for /api/hello."""
    answers = [once("HEAD", path) for path in ("/", "/api/hello")]
    assert all(answer["status"] < 500 and not answer["body"] for answer in answers)
    return [answer["status"] < 500 for answer in answers]


@check
def a_turn() -> Any:
    answer = asked(body_of("hello [words=20]"))
    assert answer["status"] == 200
    assert answer["body"].count("event: message_stop") == 1
    return answer


@check
def a_turn_with_a_tool_call() -> Any:
    return asked(body_of("list the files [tool]"))


@check
def a_turn_with_thinking() -> Any:
    return asked(body_of("hello [think=5] [ping]"))


@check
def a_whole_answer() -> Any:
    return asked(body_of("a title please", stream=False))


@check
def a_large_turn() -> Any:
    return asked(body_of("größer 漢字 👍 \u2028 " * 6_000 + "[words=5]"))


@check
def the_errors_that_it_shows() -> Any:
    return [asked(body_of(f"hello [status={status}]")) for status in (400, 401, 403, 413, 429, 500, 529)]


@check
def an_error_in_the_middle() -> Any:
    return asked(body_of("hello [words=20] [fail=9]"))


@check
def counting_tokens() -> Any:
    body = {name: RECORDED["body"][name] for name in ("model", "messages", "system", "tools")}
    text = json.dumps(body, ensure_ascii=False).replace('"hello"', json.dumps(ask("hello"))).encode()
    return once("POST", "/v1/messages/count_tokens?beta=true", text)


@check
def several_turns_on_one_connection() -> Any:
    connection = http.client.HTTPConnection(ADDRESS, timeout=30)
    answers = []
    for number in range(4):
        answers.append(send(connection, "POST", "/v1/messages?beta=true", body_of(f"turn {number} of {CLIENT}")))
        assert connection.sock is not None, "the connection was closed"
    connection.close()
    return answers


@check
def models_for_its_menu() -> Any:
    answer = once("GET", "/v1/models?limit=1000")
    listed = json.loads(answer["body"])
    wanted = ("id", "type", "display_name", "created_at")
    assert all(isinstance(model[name], str) for model in listed["data"] for name in wanted)
    return {"status": answer["status"], "page": sorted(listed), "more": listed["has_more"]}
