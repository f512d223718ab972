"""What one model takes, as configuration says; passed in by whoever knows which model is asked."""

from __future__ import annotations

import msgspec

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""Every dialect's levels, from the least to the most."""
_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 32768, "max": 65536}


class ModelCapabilities(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    What a model takes beyond its dialect's shapes.

    The defaults are those of a model that refuses nothing; a model's row names what it refuses.
    """

    max_output: int | None = None
    default_max_tokens: int = 4096
    """Limit of an answer where the client named none and the dialect demands one."""
    takes_prefill: bool = True
    """The last turn may be the assistant's, to be continued."""
    takes_sampling: bool = True
    """Temperature and its like."""
    takes_top_p_with_temperature: bool = True
    takes_forced_tools: bool = True
    """A request may demand that a tool is called."""
    takes_late_system: bool = True
    """The system may speak in mid-conversation; else it does at the beginning alone."""
    takes_images: bool = True
    takes_documents: bool = True
    formats: frozenset[str] = frozenset({"schema", "object"})
    """Shapes of answer that may be demanded."""
    thinking: frozenset[str] = frozenset({"adaptive", "disabled"})
    """How thinking is asked for: `enabled` (a budget), `adaptive` (an effort), `disabled`, `between_tools`."""
    efforts: tuple[str, ...] = ("low", "medium", "high")
    """Levels that it knows, from the least to the most."""
    budgets: dict[str, int] = msgspec.field(default_factory=_BUDGETS.copy)
    """Tokens of thinking that stand for a level where a model knows the one and not the other."""
    names_limit: str = "max_completion_tokens"
    """How chat calls the limit of an answer; older servers know `max_tokens` alone."""
    names_thinking: bool = False
    """Chat switches its thinking off with a field of its own, `thinking`, and not with an effort of none (DeepSeek)."""
    wants_reasoning_content: bool = False
    """A turn with tool calls must give back what was thought, in `reasoning_content`, even nothing (DeepSeek)."""
    wants_call_signatures: bool = False
    """Calls in the history must be signed; those that another model made get the documented stand-in (Gemini 3)."""
