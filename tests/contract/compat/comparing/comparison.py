"""Finds what differs between two outcomes of a check, apart from what differs between any two calls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

_PREFIXES = "req|msg|toolu|chatcmpl|call|resp|fc|rs|msg_bdrk|run|lc_run-"
# ids and times are never the same twice, and what a provider signs is of one account
_UNLIKE = (
    (re.compile(rf"\b({_PREFIXES})_?-?[0-9a-f]{{12,}}(?:[-_][0-9a-z]+)*"), r"<\1>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\bc2ltdWxhdG9y[A-Za-z0-9+/]{20,}={0,2}"), "<signature>"),  # "simulator…"; of one account
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"), "<time>"),
    (re.compile(r'"(created|created_at|completed_at)":\s?\d+'), r'"\1":<time>'),
)
ABSENT = object()
SHOWN = 160
_TIMES = frozenset({"created", "created_at", "completed_at", "openai-processing-ms"})
# of one connection, not of the answer
_HOP_HEADERS = frozenset({"date", "server", "connection", "keep-alive", "transfer-encoding"})


@dataclass(frozen=True)
class Difference:
    """One value that is not the same; `ABSENT` where there is none at all."""

    path: str
    straight: Any
    through: Any

    def __str__(self) -> str:
        alike = takewhile(lambda pair: pair[0] == pair[1], zip(str(self.straight), str(self.through), strict=False))
        begin = max(0, sum(1 for _ in alike) - 40)
        return f"{self.path}: {_short(self.straight, begin)} straight, {_short(self.through, begin)} through"


def differences(straight: Any, through: Any) -> list[Difference]:
    """Return every leaf that differs, by its path."""
    ours, theirs = dict(_leaves(straight)), dict(_leaves(through))
    both = [(path, ours.get(path, ABSENT), theirs.get(path, ABSENT)) for path in dict.fromkeys([*ours, *theirs])]
    return [Difference(path, one, other) for path, one, other in both if one != other]


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        if not value:
            yield path, "{}"
        for name, item in value.items():
            if name in _HOP_HEADERS or name.startswith("x-gateway-"):
                continue
            if name in _TIMES and re.fullmatch(r"[0-9.]+", str(item)):
                item = "<time>"
            yield from _leaves(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        yield path, f"{len(value)} items"
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}.{index}")
    else:
        yield path, _alike(value) if isinstance(value, str) else value


def _alike(text: str) -> str:
    for pattern, name in _UNLIKE:
        text = pattern.sub(name, text)
    return text


def _short(value: Any, begin: int) -> str:
    """Tell a value from where it begins to differ."""
    if value is ABSENT:
        return "nothing"
    if not isinstance(value, str):
        return repr(value)
    return ("… " if begin else "") + repr(value[begin : begin + SHOWN]) + (" …" if len(value) > begin + SHOWN else "")
