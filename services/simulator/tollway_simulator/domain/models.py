"""What is known of the providers' models, as of November 2026: sizes, and which requests each refuses."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple


class Traits(NamedTuple):
    """One model, or a family of models. The defaults are those of a model that nothing is known of."""

    flags: frozenset[str] = frozenset()
    """Letters: see `FLAGS`."""
    context: int | None = None
    max_output: int | None = None
    cache_minimum: int = 1024
    """Tokens that a prompt must have before any of it is cached."""
    created: str = "2026-01-01"
    retires: str | None = None

    def has(self, flag: str) -> bool:
        return flag in self.flags


# what is refused for each letter
FLAGS = {
    "P": "a conversation that ends with the assistant's words",
    "S": "sampling parameters other than the defaults",
    "A": "thinking with a budget",
    "D": "thinking turned off",
    "d": "thinking turned off at an effort above high",
    "F": "a forced tool choice",
    "B": "thinking blocks of another model",
    "C": "thinking blocks of another account",
    "N": "reasoning effort none",
    "n": "reasoning effort minimal",
    "W": "nothing, but reports what went into the prompt cache",
    "T": "nothing, but thinks unless it is told not to",
    "G": "Gemini's function calls without thought signatures",
    "M": "max_tokens in place of max_completion_tokens",
}

_1M = (1_000_000, 128_000)
_200K = (200_000, 64_000)
_GPT_6 = (922_000, 128_000)
_GPT_54 = (1_050_000, 128_000)
_GEMINI = (1_048_576, 65_536)
_DEEPSEEK = (1_000_000, 384_000)
_GPT_5 = (272_000, 128_000)

MODELS: dict[str, Traits] = {
    "claude-fable-5-1": Traits(frozenset("PSADFB"), *_1M, 1024, "2026-10-01"),
    "claude-mythos-5-1": Traits(frozenset("PS"), *_1M, 1024, "2026-10-01"),
    "claude-fable-5": Traits(frozenset("PSAD"), *_1M, 512, "2026-06-01"),
    "claude-mythos-5": Traits(frozenset("PS"), *_1M, 512, "2026-06-01"),
    "claude-opus-5-5": Traits(frozenset("PSADFB"), *_1M, 512, "2026-09-01"),
    "claude-sonnet-5-5": Traits(frozenset("PSADFBC"), *_1M, 512, "2026-09-01"),
    "claude-haiku-5-5": Traits(frozenset("PSABC"), *_1M, 512, "2026-10-07"),
    "claude-opus-5": Traits(frozenset("PSAd"), *_1M, 512, "2026-05-01"),
    "claude-opus-4-8": Traits(frozenset("PSA"), *_1M, 1024, "2026-03-01"),
    "claude-opus-4-7": Traits(frozenset("PSA"), *_1M, 2048, "2026-02-01"),
    "claude-opus-4-6": Traits(frozenset("P"), *_1M, 4096, "2026-01-01"),
    "claude-sonnet-5": Traits(frozenset("PSA"), *_1M, 1024, "2026-05-01"),
    "claude-sonnet-4-6": Traits(frozenset("P"), *_1M, 1024, "2026-01-01"),
    "claude-opus-4-5": Traits(frozenset(), *_200K, 4096, "2025-11-01"),
    "claude-sonnet-4-5": Traits(frozenset(), *_200K, 1024, "2025-09-29", "2026-11-30"),
    "claude-haiku-4-5": Traits(frozenset(), *_200K, 4096, "2025-10-15"),
    "gpt-6.2-sol": Traits(frozenset("MWN"), *_GPT_6, created="2026-11-17"),
    "gpt-6.1-sol": Traits(frozenset("MWNnS"), *_GPT_6, created="2026-09-29"),
    "gpt-6.1-terra": Traits(frozenset("MW"), *_GPT_6, created="2026-10-26"),
    "gpt-5.5": Traits(frozenset("M"), *_GPT_54),
    "gpt-5.4": Traits(frozenset("M"), *_GPT_54),
    "gpt-4.1": Traits(frozenset(), 1_047_576, 32_768, retires="2027-01-14"),
    "gpt-4o": Traits(frozenset(), 128_000, 16_384, retires="2027-01-14"),
    "gemini-2.5-pro": Traits(frozenset("T"), *_GEMINI, 4096),
    "gemini-2.5-flash": Traits(frozenset("T"), *_GEMINI),
    "deepseek-flash": Traits(frozenset("T"), *_DEEPSEEK, 64),
    "deepseek-v4-flash": Traits(frozenset("T"), *_DEEPSEEK, 64),
    "deepseek-v4-pro": Traits(frozenset("T"), *_DEEPSEEK, 64),
    "o3": Traits(frozenset("M"), 200_000, 100_000, retires="2026-12-11"),
}
_FAMILIES = (
    (re.compile(r"gpt-(6|5\.[6-9])"), Traits(frozenset("MW"), *_GPT_6)),
    (re.compile(r"gpt-([5-9]|\d\d)"), Traits(frozenset("M"), *_GPT_5)),
    (re.compile(r"gemini-[34]"), Traits(frozenset("TG"), *_GEMINI)),
    (re.compile(r"o\d(-|$)"), Traits(frozenset("M"))),
)
_UNKNOWN = Traits()
_DATE = re.compile(r"-(\d{8}|\d{4}-\d\d-\d\d)$")


@lru_cache(maxsize=1024)
def traits_of(model: str) -> Traits:
    """Return what is known of a model; a date at the end of its name changes nothing."""
    name = _DATE.sub("", model)
    if name in MODELS:
        return MODELS[name]
    return next((traits for pattern, traits in _FAMILIES if pattern.match(name)), _UNKNOWN)
