"""Spoils valid bodies: one to three changes anywhere in the tree, then a spelling that JSON allows or does not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

# three changes of a body may each add as many, and Python's stack has to hold them
MOST_LEVELS = 250

TEXTS = [
    *("", " ", "\x00", "\r\n", "\ud800", "💥", "ü" * 50, "\u2028", "\u202e", "\ufeff", "\x7f", "\\", '"', "a" * 4096),
    *("null", "NaN", "true", "-1", "0" * 40, "2026-11-21", "../..", "%s%n%x", "{{}}", "' OR '1'='1", "<b>", "${env}"),
]
NUMBERS = [
    *(0, -0.0, -1, 1, 0.5, 2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 10**30),
    *(1e308, -1e308, 5e-324),
]
WORDS = [
    *("auto", "standard", "premium", "claude-haiku-5-5", "gpt-6-luna", "text-embedding-3-small", "concise-assistant"),
    *("user", "assistant", "system", "tool", "developer", "text", "tool_use", "tool_result", "image", "thinking"),
    *("function", "input_text", "message", "reasoning", "json_schema", "ephemeral", "enabled", "adaptive", "required"),
]
NAMES = [
    *("model", "messages", "input", "stream", "max_tokens", "max_completion_tokens", "max_output_tokens", "prompt"),
    *("system", "tools", "tool_choice", "thinking", "temperature", "metadata", "content", "role", "type", "text"),
    *("stream_options", "conversation", "previous_response_id", "store", "dimensions", "user", "stop", "reasoning"),
    *("n", "id", "é"),
]
BYTES = [b"\x00", b"\xff", b"\r\n", b"\n", b'"', b"\\", b"{", b"]", b": ", b"\xed\xa0\x80"]


def scalar(chance: random.Random) -> Any:
    return chance.choice(
        [None, True, False, chance.choice(NUMBERS), chance.choice(TEXTS), chance.choice(WORDS), chance.randint(-9, 99)]
    )


def value(chance: random.Random, depth: int = 2) -> Any:
    kind = chance.random()
    if depth == 0 or kind < 0.6:
        return scalar(chance)
    size = chance.choice([0, 1, 1, 2, 3, 20])
    if kind < 0.8:
        return [value(chance, depth - 1) for _ in range(size)]
    return {chance.choice(NAMES + TEXTS): value(chance, depth - 1) for _ in range(size)}


def paths(tree: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return where something stands, the root left out."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    found = []
    for key, child in inner:
        found += [(*here, key), *paths(child, (*here, key))]
    return found


def _parent(tree: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        tree = tree[key]
    return tree


def _copy(tree: Any) -> Any:
    # copy.deepcopy takes three frames of the stack for each level
    return json.loads(json.dumps(tree))


def _nested(inner: Any, chance: random.Random) -> Any:
    for _ in range(chance.choice([1, 3, 50, MOST_LEVELS])):
        inner = [inner] if chance.random() < 0.5 else {"a": inner}
    return inner


def spoil(body: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Return a changed copy."""
    tree = _copy(body)
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        known = paths(tree)
        if not known:
            break
        path = chance.choice(known)
        parent, key = _parent(tree, path), path[-1]
        match chance.randrange(8):
            case 0:
                del parent[key]
            case 1 | 2 | 3:
                parent[key] = value(chance)
            case 4:
                parent[key] = _nested(parent[key], chance)
            case 5:
                other = chance.choice(known)
                parent[key] = _copy(_parent(tree, other)[other[-1]])
            case 6:
                parent[key] = [_copy(parent[key]) for _ in range(chance.choice([2, 5, 40]))]
            case _ if isinstance(parent, dict):
                parent[chance.choice(NAMES)] = value(chance)
            case _:
                parent.insert(chance.randint(0, len(parent)), value(chance))
    return tree


def spell(tree: Any, chance: random.Random) -> bytes:
    """Return JSON in one of its many spellings, or nearly JSON."""
    style = chance.randrange(10)
    text = json.dumps(tree, ensure_ascii=style < 6, indent=chance.choice([None, None, None, 0, 3, "\t"]))
    raw = text.encode("utf-8", "surrogatepass")
    if style == 0 and raw[:1] == b"{":  # the first name twice
        return b'{"model":"claude-haiku-5-5",' + raw[1:]
    if style == 1:
        return b" \r\n\t" * chance.randint(1, 9) + raw + b"\n" * chance.randint(0, 9)
    return raw


def corrupt(raw: bytes, chance: random.Random) -> bytes:
    """Return bytes with a few of them changed, taken out, doubled or cut off."""
    spoilt = bytearray(raw)
    for _ in range(chance.choice([1, 1, 2, 5])):
        at = chance.randrange(len(spoilt) + 1)
        match chance.randrange(6):
            case 0:
                spoilt[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del spoilt[at : at + chance.choice([1, 2, 10])]
            case 2:
                spoilt[at:at] = spoilt[at : at + chance.choice([1, 10, 100])]
            case 3:
                spoilt[at:at] = chance.choice(BYTES)
            case 4:
                del spoilt[at:]
            case _:
                spoilt[at : at + 1] = bytes([(spoilt[at] if at < len(spoilt) else 0) ^ (1 << chance.randrange(8))])
    return bytes(spoilt)
