"""Collects a client's checks, runs them one by one and prints what came of each; imported by every check script."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any

from plain import plain
from simulator import Simulator

Check = Callable[[], Any]

# separators that only some take for line breaks, joined emoji, a combining accent, a turned direction
UNUSUAL_TEXT = (
    'U+2028 \u2028 U+2029 \u2029 NUL \x00 BOM \ufeff "quotes" \\back\\ \r\n tab\t '
    "👩‍👩‍👧 e\u0301 \u202e\u05e2\u05d1\u05e8\u05d9\u05ea 漢字 \x7f"
)

BASE_URL = os.environ["COMPAT_BASE_URL"]
KEY = os.environ["COMPAT_KEY"]
CLIENT = os.environ["COMPAT_CLIENT"]
ONLY = os.environ.get("COMPAT_ONLY", "")
SIMULATOR = Simulator(os.environ["COMPAT_SIMULATOR_URL"])

_checks: dict[str, Check] = {}
_in_any_order: set[str] = set()
_asked = 0
_current = ""


def check(function: Check) -> Check:
    """Register a check under its function's name; what it returns is compared."""
    return named(function.__name__)(function)


def named(name: str, in_any_order: bool = False) -> Callable[[Check], Check]:
    """Register a check under another name, for those that are made in a loop; its requests may be sent at once."""

    def register(function: Check) -> Check:
        assert name not in _checks, f"two checks are called {name}"
        _checks[name] = function
        if in_any_order:
            _in_any_order.add(name)
        return function

    return register


def ask(text: str) -> str:
    """Make a prompt that no cache has seen, and that is the same in every run of this client."""
    global _asked
    _asked += 1
    return f"{text} ({CLIENT}, {_current}, {_asked})"


def raised(call: Callable[[], Any]) -> Exception:
    """Return what the call raises."""
    try:
        result = call()
    except Exception as error:
        return error
    raise AssertionError(f"nothing was raised, but {type(result).__name__} returned")


def told_until_the_end(stream: Callable[[], Iterable[Any]], tell: Callable[[Any], Any]) -> dict[str, Any]:
    """Return what there is to tell of each item of a stream, and the error that it ends in."""
    seen: list[Any] = []
    try:
        for item in stream():
            told = tell(item)
            seen.append(told)
    except Exception as error:
        return {"error": error, "seen": seen}
    return {"error": None, "seen": seen}


def run() -> None:
    """Run every check that was registered; a line of JSON each on standard output."""
    global _asked, _current
    for name, function in _checks.items():
        if ONLY and ONLY not in name:
            continue
        _current, _asked = name, 0
        since = SIMULATOR.log_end()
        line = {"check": name, **_outcome(function), "received": SIMULATOR.received(since)}
        if name in _in_any_order:
            line["received"].sort(key=itemgetter("body_sha256"))
        print(json.dumps(line), flush=True)
        SIMULATOR.withdraw_scripts()


def _outcome(function: Check) -> dict[str, Any]:
    try:
        result = function()
        if inspect.iscoroutine(result):
            result = asyncio.run(result)
        return {"outcome": plain(result)}
    except Exception as error:
        traceback.print_exc(limit=-4, file=sys.stderr)
        return {"failed": f"{type(error).__name__}: {error}"}
