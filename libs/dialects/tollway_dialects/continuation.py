"""
A stream that broke off, and another one that goes on from it: whether their texts agree, and what is left to send.

provider-dispatch asks where a stream broke after something of it had been delivered. Only plain text is ever gone on
from: a tool's call or a thought that was delivered cannot be made again by somebody else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import msgspec

from tollway_dialects.dialect import Dialect
from tollway_dialects.sse import EventSplitter, event_data, format_event

if TYPE_CHECKING:
    from collections.abc import Iterable

Json = dict[str, Any]


class CannotGoOn(Exception):
    """What was delivered is not such that another stream could go on from it, or this one says something else."""


class Delivered(ABC):
    """
    What a client got of a stream.

    Raises:
        CannotGoOn: It is more than the beginning of one text.
    """

    def __init__(self, events: Iterable[bytes]) -> None:
        self.text = ""
        self.is_begun = False
        """The block of text, or the message, has begun."""
        self.first: Json | None = None
        """The first event, whose ids hold for the whole stream."""
        for event in EventSplitter().feed(b"".join(events)):
            if data := event_data(event):
                self.note(_decoded(data))

    def note(self, seen: Json) -> None:
        """Take an event of a stream."""
        self.first = self.first or seen
        self._note(seen)

    @abstractmethod
    def _note(self, seen: Json) -> None:
        """Take an event in its dialect; raises `CannotGoOn`."""


class Continuation(ABC):
    """
    Turns another stream into the rest of the first.

    Args:
        delivered: What the client got.
        is_prefilled: The other stream was asked to go on from the delivered text, rather than to say it again.
    """

    def __init__(self, delivered: Delivered, *, is_prefilled: bool = False) -> None:
        self._delivered = delivered
        # a text that ends in spaces is refused as a prefill, so they are left out of it, and may come again
        self._expected = delivered.text[len(delivered.text.rstrip()) :] if is_prefilled else delivered.text
        self._is_prefilled = is_prefilled
        self._has_agreed = False

    def feed(self, events: bytes) -> bytes:
        """Return what of whole events is news to the client; raises `CannotGoOn`."""
        return b"".join(self._rest_of(event) for event in EventSplitter().feed(events))

    def _rest_of(self, event: bytes) -> bytes:
        data = event_data(event)
        if not data or data == b"[DONE]":
            if data and not self._has_agreed and self._expected:
                raise CannotGoOn("the other text is shorter")
            return event
        seen = _decoded(data)
        return self._kept(event, seen) if self._has_agreed else self._compared(event, seen)

    def _news(self, text: str) -> str | None:
        """Take a piece of the other text; return what lies beyond the delivered one, None where nothing does."""
        expected = self._expected
        if expected.startswith(text):
            self._expected = expected[len(text) :]
            self._has_agreed = not self._expected
            return None
        if not text.startswith(expected) and not self._is_prefilled:
            raise CannotGoOn("the other text differs")
        self._has_agreed = True
        return text.removeprefix(expected)

    @abstractmethod
    def _compared(self, event: bytes, seen: Json) -> bytes:
        """Return what of an event is news, as long as the texts have not agreed; raises `CannotGoOn`."""

    def _kept(self, event: bytes, seen: Json) -> bytes:
        return event


def _decoded(data: bytes) -> Json:
    if data == b"[DONE]":
        return {}
    try:
        seen = msgspec.json.decode(data)
    except (ValueError, RecursionError) as error:
        raise CannotGoOn("an event cannot be read") from error
    if not isinstance(seen, dict):
        raise CannotGoOn("an event is no object")
    return seen


class _AnthropicDelivered(Delivered):
    def _note(self, seen: Json) -> None:
        kind = seen.get("type")
        if kind == "content_block_start" and seen.get("index") == 0 and _is_text(seen.get("content_block")):
            self.is_begun = True
        elif kind == "content_block_delta" and seen.get("index") == 0 and seen["delta"].get("type") == "text_delta":
            self.text += seen["delta"]["text"]
        elif kind not in {"message_start", "ping"}:
            raise CannotGoOn(f"more than text was delivered ({kind})")


class _AnthropicContinuation(Continuation):
    def _compared(self, event: bytes, seen: Json) -> bytes:
        kind = seen.get("type")
        if kind == "ping":
            return event
        if kind == "message_start":
            return b""
        if not self._delivered.is_begun:  # the client has had nothing of the content
            self._has_agreed = True
            return event
        if kind == "content_block_start" and _is_text(seen.get("content_block")) and seen.get("index") == 0:
            self._has_agreed = not self._expected
            return b""
        if kind == "content_block_delta" and seen["delta"].get("type") == "text_delta" and seen.get("index") == 0:
            news = self._news(seen["delta"]["text"])
            if news is None:
                return b""
            return format_event(msgspec.json.encode(seen | {"delta": seen["delta"] | {"text": news}}), kind)
        if kind == "content_block_stop" and self._is_prefilled:
            self._has_agreed = True
            return event
        raise CannotGoOn("the other answer is another one")


class _ChatDelivered(Delivered):
    def _note(self, seen: Json) -> None:
        for choice in seen.get("choices") or ():
            delta = choice.get("delta") or {}
            beyond = {name for name, value in delta.items() if value and name not in {"role", "content"}}
            if beyond or choice.get("index") or choice.get("finish_reason"):
                raise CannotGoOn("more than text was delivered")
            self.is_begun = True
            self.text += delta.get("content") or ""


class _ChatContinuation(Continuation):
    def _compared(self, event: bytes, seen: Json) -> bytes:
        if not self._delivered.is_begun:
            self._has_agreed = True
            return self._kept(event, seen)
        if not self._expected and not self._is_prefilled:  # its opening alone was delivered
            self._has_agreed = True
        choices = seen.get("choices") or []
        if not choices:
            return b""
        delta = choices[0].get("delta") or {}
        beyond = {name for name, value in delta.items() if value and name not in {"role", "content"}}
        is_over = bool(beyond or choices[0].get("finish_reason"))
        if len(choices) > 1 or (is_over and self._expected and not self._is_prefilled):
            raise CannotGoOn("the other answer is another one")
        if not delta.get("content"):
            self._has_agreed = self._has_agreed or is_over
            return b"" if "role" in delta and not is_over else self._kept(event, seen)
        news = self._news(delta["content"])
        if news is None:
            return b""
        choices[0]["delta"] = {"content": news}
        return self._kept(event, seen)

    def _kept(self, event: bytes, seen: Json) -> bytes:
        """Return a chunk under the ids of the first stream: a client may tell answers apart by them."""
        first = self._delivered.first or {}
        ids = {name: first[name] for name in ("id", "created", "model", "system_fingerprint") if name in first}
        return format_event(msgspec.json.encode(seen | ids))


def _is_text(block: Any) -> bool:
    return isinstance(block, dict) and block.get("type") == "text" and not block.get("text")


# not Responses, whose events repeat what came before and are counted
_KINDS: dict[Dialect, tuple[type[Delivered], type[Continuation]]] = {
    Dialect.ANTHROPIC_MESSAGES: (_AnthropicDelivered, _AnthropicContinuation),
    Dialect.OPENAI_CHAT: (_ChatDelivered, _ChatContinuation),
}


def delivered_of(dialect: Dialect, events: Iterable[bytes]) -> Delivered:
    """Return what a client got; raises `CannotGoOn`."""
    if dialect not in _KINDS:
        raise CannotGoOn("this dialect's streams are not gone on from")
    return _KINDS[dialect][0](events)


def continuation_of(dialect: Dialect, delivered: Delivered, *, is_prefilled: bool = False) -> Continuation:
    return _KINDS[dialect][1](delivered, is_prefilled=is_prefilled)
