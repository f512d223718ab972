"""What every refusal must be: the dialect's shape, a message that helps, and nothing that leaks."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

    from hostile.connection import Answer, Connection

# in the events that end a whole stream
_WHOLE = (b'"message_stop"}', b"data: [DONE]", b'"type":"response.completed"', b'"type":"response.incomplete"')
CLIENT_ERRORS = range(400, 500)
SECRET = "tw_contract-suite"
# words of the inside: a trace, a class, a file, a library
_INSIDE = re.compile(
    rb"Traceback|Exception|[A-Z]\w+Error\b|\.py\b|site-packages|msgspec|httptools|aiohttp|grpc|asyncio|NoneType|<class|0x[0-9a-f]{6}"
)


def error_of(answer: Answer, dialect: str | None = None) -> dict[str, str]:
    """Return the error that an answer tells; fails where it has not the shape of the dialect, or of any of them."""
    assert answer.header("content-type").startswith("application/json"), answer
    body = json.loads(answer.body)
    assert isinstance(body, dict), body
    error = body["error"]
    spoken = "anthropic" if body.get("type") == "error" else "openai"
    assert dialect in (None, spoken), body
    expected = {"type", "message"} if spoken == "anthropic" else {"type", "message", "param", "code"}
    assert expected <= error.keys(), body
    assert isinstance(error["type"], str)
    assert error["type"]
    return error


def is_whole(stream: bytes) -> bool:
    return any(word in stream for word in _WHOLE)


def assert_refused(answer: Answer, dialect: str | None = None, statuses: Container[int] = CLIENT_ERRORS) -> str:
    """Check a refusal and return its message."""
    assert answer.status in statuses, answer
    message = error_of(answer, dialect)["message"]
    assert len(message) >= 10, f"a message that says nothing: {message!r}"
    assert_no_leak(answer)
    return message


def assert_no_leak(answer: Answer) -> None:
    told = b"\n".join([answer.body, *(f"{name}: {value}".encode() for name, value in answer.headers)])
    found = _INSIDE.search(told)
    assert found is None, f"the answer tells of the inside: {found and found[0]!r} in {answer}"
    assert SECRET.encode() not in told, "the answer holds the key"


def assert_end(connection: Connection, statuses: Container[int], dialect: str | None = None) -> None:
    """Check that the connection ends, with a refusal as its last word or without one."""
    if last := connection.answer_or_end():
        assert_refused(last, dialect, statuses)
        assert last.says_close
    assert connection.rest() == b""
