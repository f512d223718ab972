"""Streams whose provider breaks off, asked for through a gateway, and what came of each; used by `test_rescue`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx2

FIRST_KEY = "sk-first"
"""The gateway's key of the candidate that breaks off; whoever asks it straight has another."""
WORDS = 60
PACE = 0.002
_PATHS = {"messages": "/v1/messages", "chat": "/v1/chat/completions"}
_VERSION = {"anthropic-version": "2023-06-01"}
_FINISHED = {"end_turn", "stop"}
_NOT_FINISHED = {None, "error"}  # the latter in OpenRouter's error events


MOST_IN_ONE_READ = 5


class Outcome(StrEnum):
    """What a client was left with."""

    RESCUED = "rescued"
    """A whole answer that one model gave, or that one began and the other went on from."""
    ERROR = "error"
    """What was delivered before the break, and the dialect's error event."""
    WRONG = "wrong"
    """Anything else: text that neither said, a success that is cut, an error behind a whole answer."""


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    dialect: str
    fallback: str
    """How the other candidate answers, in words."""
    model: str
    first: str
    """The simulator's path to the candidate that breaks off."""
    second: str
    """The same of the one that is asked then."""
    is_sampled: bool = False
    is_prefilled: bool = False

    def __str__(self) -> str:
        return f"{self.dialect} {self.fallback}"

    def prompt(self, seed: int) -> str:
        return f"[words={WORDS}]" + (f"[sampled={seed}]" if self.is_sampled else "")

    def body(self, seed: int, begun: str = "", *, is_stream: bool = False) -> dict[str, Any]:
        messages = [{"role": "user", "content": self.prompt(seed)}]
        if begun:
            messages.append({"role": "assistant", "content": begun})
        return {"model": self.model, "max_tokens": 4096, "stream": is_stream, "messages": messages}


@dataclass
class Seen:
    """What a client saw of one answer."""

    text: str = ""
    ids: set[str] = field(default_factory=set)
    begins: int = 0
    finish: str | None = None
    has_error: bool = False
    is_done: bool = False

    @classmethod
    def of(cls, raw: str) -> Seen:
        seen = cls()
        for line in raw.splitlines():
            if line == "data: [DONE]":
                seen.is_done = True
            elif line.startswith("data: "):
                seen._note(json.loads(line[6:]))
        return seen

    def _note(self, event: dict[str, Any]) -> None:
        self.has_error = self.has_error or bool(event.get("error"))
        if event.get("type") == "message_start":
            self.begins += 1
            self.ids.add(event["message"]["id"])
        if event.get("type") == "content_block_delta":
            self.text += event["delta"]["text"]
        if event.get("type") == "message_delta":
            self.finish = event["delta"]["stop_reason"]
        self.is_done = self.is_done or event.get("type") == "message_stop"
        for choice in event.get("choices", []):
            self.ids.add(event["id"])
            self.text += choice["delta"].get("content") or ""
            self.finish = choice.get("finish_reason") or self.finish

    def outcome(self, delivered: list[str], whole: list[str]) -> Outcome:
        """Judge it by what may have been delivered before the break, and by the whole answers that are honest."""
        ending = (self.finish in _FINISHED, self.is_done, self.has_error)
        if len(self.ids) != 1 or self.begins > 1:
            return Outcome.WRONG
        if ending == (True, True, False) and self.text in whole:
            return Outcome.RESCUED
        if self.finish in _NOT_FINISHED and ending == (False, False, True) and self.text in delivered:
            return Outcome.ERROR
        return Outcome.WRONG


class Asking:
    """
    Asks the gateway, and both candidates straight.

    Args:
        client: For HTTP.
        gateway: Its URL.
        key: Its virtual key.
        simulator: The simulator's URL, which stands behind both candidates.
    """

    def __init__(self, client: httpx2.AsyncClient, gateway: str, key: str, simulator: str) -> None:
        self._client = client
        self._gateway = gateway
        self._key = key
        self._simulator = simulator

    async def outcome(self, case: Case, words: int, seed: int) -> Outcome:
        """Ask for one stream whose first provider was told to break off after so many words."""
        first, second = [await self._straight(path, case.body(seed)) for path in (case.first, case.second)]
        said = re.findall(r"\s*\S+", first)
        # words that came in one read with what broke the stream are not delivered
        delivered = ["".join(said[:count]) for count in range(max(0, words - MOST_IN_ONE_READ), words + 1)]
        whole = [second]
        if case.is_prefilled:
            whole += [text + await self._straight(case.second, case.body(seed, text)) for text in delivered if text]
        url = f"{self._gateway}{_PATHS[case.dialect]}"
        headers = {"x-api-key": self._key, **_VERSION}
        answer = await self._client.post(url, json=case.body(seed, is_stream=True), headers=headers)
        assert answer.status_code == 200, answer.text
        return Seen.of(answer.text).outcome(delivered, whole)

    async def _straight(self, path: str, body: dict[str, Any]) -> str:
        """Return what a candidate says to somebody who asks it without a gateway."""
        headers = {"authorization": "Bearer straight", "x-api-key": "straight", **_VERSION}
        answer = await self._client.post(f"{self._simulator}{path}", json=body, headers=headers)
        document = answer.raise_for_status().json()
        if "choices" in document:
            return document["choices"][0]["message"]["content"] or ""
        return "".join(block["text"] for block in document["content"])

    async def break_off(self, case: Case, fault: str, words: int, key_fingerprint: str) -> None:
        """Let the first candidate break off from now on, for the gateway alone; the fault is a script's field."""
        control = f"{self._simulator}/_simulator/script"
        (await self._client.delete(control)).raise_for_status()
        # one by one, or an error would come with the words, and nothing be delivered before it
        script = {fault: words, "pace": PACE, "always": True, "key": key_fingerprint, "model": case.model}
        (await self._client.post(control, json=script)).raise_for_status()
