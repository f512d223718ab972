"""What a test asks of the simulator: read from `[directives]` in the prompt or posted to the control API."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec

from tollway_simulator.domain.error_names import ErrorName

MAX_WORDS = 100_000
MAX_SECONDS = 3600
MAX_BYTES = 64 * 1024 * 1024
DEFAULT_THINKING_WORDS = 6
NO_RETRY_AFTER = "none"
SEED_OF_ITS_OWN = 0
"""The seed that is another for every request."""

Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_WORDS)]
Words = Annotated[int, msgspec.Meta(ge=1, le=MAX_WORDS)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=MAX_SECONDS)]
Interval = Annotated[float, msgspec.Meta(ge=0.001, le=MAX_SECONDS)]
Tokens = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Bytes = Annotated[int, msgspec.Meta(ge=1, le=MAX_BYTES)]
HeaderValue = Annotated[str, msgspec.Meta(pattern=r"^[!-~]([ -~]{0,198}[!-~])?$")]
Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_]{1,100}$")]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Stop = Literal["refusal", "content_filter", "pause_turn", "model_context_window_exceeded"]


class UsageOverride(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Token counts to report in place of the true ones; `input` is uncached input only."""

    input: Tokens | None = msgspec.field(default=None, name="in")
    output: Tokens | None = msgspec.field(default=None, name="out")
    read: Tokens | None = None
    write: Tokens | None = None


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How one request is to be answered; a field that is absent changes nothing. The README tells what each does."""

    # what is answered
    words: Words | None = None
    echo: bool | None = None
    unicode: bool | None = None
    huge: Bytes | None = None
    tool: bool | None = None
    tools: Annotated[int, msgspec.Meta(ge=1, le=64)] | None = None
    think: Count | None = None
    redacted: bool | None = None
    stop: Stop | None = None
    usage: UsageOverride | None = None
    sampled: Annotated[int, msgspec.Meta(ge=0, le=2**32)] | None = None
    strict: bool | None = None
    refuse_prefill: bool | None = None
    # errors in place of an answer
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    error: ErrorName | None = None
    code: Code | None = None
    reason: Reason | None = None
    retry_after: HeaderValue | None = None
    should_retry: bool | None = None
    html: bool | None = None
    empty: bool | None = None
    # when it comes
    delay: Seconds | None = None
    pace: Seconds | None = None
    first_token: Seconds | None = None
    beat: Interval | None = None
    # where it breaks
    silent: bool | None = None
    reset: bool | None = None
    cut: Count | None = None
    stall: Count | None = None
    fail: Count | None = None
    end: Count | None = None
    unfinished: bool | None = None
    garbage: Count | None = None
    # how it looks on the wire
    limits: Count | None = None
    obfuscation: bool | None = None
    ping: bool | None = None
    comments: bool | None = None
    crlf: bool | None = None
    gzip: bool | None = None
    split: Bytes | None = None
    content_type: HeaderValue | None = None

    def overridden_by(self, other: Script) -> Script:
        """Return a script with the other's fields where it has them."""
        chosen = {
            name: theirs if (theirs := getattr(other, name)) is not None else getattr(self, name)
            for name in Script.__struct_fields__
        }
        return Script(**chosen)


NO_SCRIPT = Script()
_FLAGS = frozenset(
    "echo unicode tool redacted strict refuse_prefill html empty silent reset unfinished "  # noqa: SIM905
    "obfuscation ping comments crlf gzip".split()
)
_WITHOUT_VALUE: dict[str, Any] = {
    **dict.fromkeys(_FLAGS, True),
    "should_retry": True,
    "think": DEFAULT_THINKING_WORDS,
    "sampled": SEED_OF_ITS_OWN,
}
_DIRECTIVE = re.compile(r"\[([a-z_]+)(?:=([^\[\]\s]+))?\]")


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


@lru_cache(maxsize=256)
def _value(name: str, raw: str | None) -> Any:
    if name not in Script.__struct_fields__ or (raw is not None and name in _FLAGS):
        return None
    if raw is None:
        return _WITHOUT_VALUE.get(name)
    try:
        value: Any = dict(pair.split(":") for pair in raw.split(",")) if name == "usage" else raw
        return getattr(msgspec.convert({name: value}, Script, strict=False), name)
    except ValueError:  # msgspec.ValidationError is one
        return None
