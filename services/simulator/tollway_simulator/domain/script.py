"""What a test asks of the simulator: read from `[directives]` in the prompt or posted to the control API."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec

MAX_WORDS = 100_000
MAX_SECONDS = 3600

Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_WORDS)]
Words = Annotated[int, msgspec.Meta(ge=1, le=MAX_WORDS)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=MAX_SECONDS)]
Tokens = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class UsageOverride(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Token counts to report in place of the true ones; `input` is uncached input only."""

    input: Tokens | None = msgspec.field(default=None, name="in")
    output: Tokens | None = msgspec.field(default=None, name="out")
    read: Tokens | None = None
    write: Tokens | None = None


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How one request is to be answered; a field that is absent changes nothing."""

    words: Words | None = None
    delay: Seconds | None = None
    pace: Seconds | None = None
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    cut: Count | None = None
    stall: Count | None = None
    echo: bool | None = None
    tool: bool | None = None
    usage: UsageOverride | None = None

    def overridden_by(self, other: Script) -> Script:
        """Return a script with the other's fields where it has them."""
        chosen = {
            name: theirs if (theirs := getattr(other, name)) is not None else getattr(self, name)
            for name in Script.__struct_fields__
        }
        return Script(**chosen)


NO_SCRIPT = Script()
_FLAGS = {"echo", "tool"}
_DIRECTIVE = re.compile(r"\[([a-z]+)(?:=([^\[\]\s]+))?\]")


def read_script(text: str) -> tuple[Script, str]:
    """Return what the directives in a text ask for, and the text without them; what is no directive stays text."""
    if "[" not in text:
        return NO_SCRIPT, text
    found: dict[str, Any] = {}

    def take(match: re.Match[str]) -> str:
        value = _value(match[1], match[2])
        if value is None:
            return match[0]
        found[match[1]] = value
        return ""

    rest = _DIRECTIVE.sub(take, text)
    return (Script(**found), rest.strip()) if found else (NO_SCRIPT, text)


def _value(name: str, raw: str | None) -> Any:
    if name not in Script.__struct_fields__ or (raw is None) != (name in _FLAGS):
        return None
    try:
        value: Any = dict(pair.split(":") for pair in raw.split(",")) if raw and name == "usage" else raw or True
        return getattr(msgspec.convert({name: value}, Script, strict=False), name)
    except ValueError:  # msgspec.ValidationError is one
        return None
