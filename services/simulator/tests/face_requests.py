"""The same prompt as each face takes it, and what its answers look like."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Asking:
    """How one face is asked."""

    face: str
    chat_path: str = ""
    final: bytes = b"data: [DONE]"

    def path(self, model: str = "m", *, stream: bool = False) -> str:
        if self.face == "google":
            method = "streamGenerateContent?alt=sse" if stream else "generateContent"
            return f"/google/v1beta/models/{model}:{method}"
        return self.chat_path

    def body(self, *turns: str, model: str = "m", stream: bool = False) -> dict[str, Any]:
        """Return a body whose turns are the user's and the assistant's by turns."""
        if self.face == "google":
            return {
                "contents": [{"role": ("user", "model")[i % 2], "parts": [{"text": t}]} for i, t in enumerate(turns)],
                "generationConfig": {"thinkingConfig": {"thinkingBudget": 0}},
            }
        messages = [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(turns)]
        body = {"model": model, "messages": messages, "stream": stream}
        if self.face == "deepseek":
            body["thinking"] = {"type": "disabled"}
        return body | ({"max_tokens": 5000} if self.face == "anthropic" else {})

    def text_of(self, raw: bytes) -> str:
        """Return the text of a JSON answer."""
        answer = json.loads(raw)
        match self.face:
            case "anthropic":
                return "".join(block["text"] for block in answer["content"])
            case "google":
                [candidate] = answer["candidates"]
                return "".join(part["text"] for part in candidate["content"].get("parts", ()))
        return str(answer["choices"][0]["message"]["content"])

    def words_in(self, raw: bytes) -> str:
        """Return the text that a stream of events has brought."""
        name = b'"text"' if self.face in ("anthropic", "google") else b'"content"'
        pieces = re.findall(name + rb':("(?:[^"\\]|\\.)*")', raw)
        return "".join(json.loads(piece) for piece in pieces)


FACES = {
    asking.face: asking
    for asking in (
        Asking("anthropic", "/anthropic/v1/messages", b'"type":"message_stop"'),
        Asking("openai", "/openai/v1/chat/completions"),
        Asking("google", final=b'"finishReason":"STOP"'),
        Asking("deepseek", "/deepseek/chat/completions"),
        Asking("huggingface", "/huggingface/v1/chat/completions"),
        Asking("openrouter", "/openrouter/api/v1/chat/completions"),
    )
}
