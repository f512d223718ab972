"""
Puts a wish for thinking into words that a model knows: a budget, an effort, or neither.

No vendor documents which budget stands for which effort, so the table is configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.dialect import Dialect
from tollway_dialects.translation.form.parts import Thought, ToolCall
from tollway_dialects.translation.form.request import Role, Thinking
from tollway_dialects.translation.models.capabilities import EFFORTS

if TYPE_CHECKING:
    from tollway_dialects.translation.form.request import Request
    from tollway_dialects.translation.models.capabilities import ModelCapabilities
    from tollway_dialects.translation.models.changes import Changes

# Anthropic takes no smaller budget, and the answer must have room beside it
_LEAST_BUDGET = 1024


def adapt_thinking(request: Request, target: Dialect, model: ModelCapabilities, changes: Changes) -> Thinking:
    wish = request.thinking
    if wish == Thinking():
        return wish
    if wish.mode == "off":
        return _off(wish, target, model, changes)
    if not model.thinking and not model.efforts:
        changes.drop("thinking")
        return Thinking()
    if target is Dialect.ANTHROPIC_MESSAGES:
        return _for_anthropic(request, model, changes)
    if target is Dialect.GEMINI and "enabled" in model.thinking:
        return _with_budget(wish, model, changes)
    return Thinking(effort=_effort(wish, model, changes), shown=wish.shown)


def _off(wish: Thinking, target: Dialect, model: ModelCapabilities, changes: Changes) -> Thinking:
    """Return what stops a model from thinking: nothing where it never does, its least effort where it always does."""
    if target in (Dialect.ANTHROPIC_MESSAGES, Dialect.GEMINI):
        if "disabled" in model.thinking:
            return wish
    elif "none" in model.efforts or (target is Dialect.OPENAI_CHAT and model.names_thinking):
        return wish
    if not model.thinking and not model.efforts:
        return Thinking()
    changes.adapt("thinking")
    return Thinking(effort=model.efforts[0] if model.efforts else None, shown=wish.shown)


def _for_anthropic(request: Request, model: ModelCapabilities, changes: Changes) -> Thinking:
    wish = request.thinking
    if wish.mode == "between_tools" and "between_tools" in model.thinking:
        return Thinking("between_tools", effort=_effort(wish, model, changes), shown=wish.shown)
    wants_budget = wish.budget is not None or "adaptive" not in model.thinking
    if wants_budget and "enabled" in model.thinking:
        return _with_room(request, _with_budget(wish, model, changes), changes)
    if wish.mode is None and wish.effort is None:
        changes.drop("thinking.display")
        return Thinking()
    if "adaptive" not in model.thinking:  # it takes an effort, and does not think
        changes.drop_if(wish.mode is not None, "thinking")
        return Thinking(effort=_effort(wish, model, changes))
    return Thinking("on", effort=_effort(wish, model, changes), shown=wish.shown)


def _with_budget(wish: Thinking, model: ModelCapabilities, changes: Changes) -> Thinking:
    if wish.budget is not None or wish.effort is None:
        changes.drop_if(wish.budget is not None and wish.effort is not None and not model.efforts, "effort")
        return wish
    changes.adapt("effort")
    known = [level for level in EFFORTS if level in model.budgets]
    level = _at_most(wish.effort, known)
    return Thinking("on", model.budgets[level] if level else None, shown=wish.shown)


def _with_room(request: Request, thinking: Thinking, changes: Changes) -> Thinking:
    """Return a budget that leaves the answer half of its limit; none where that or the history forbids it."""
    limit = request.max_tokens or 0
    is_forced = request.tool_choice is not None and request.tool_choice.is_forced
    if thinking.budget is None:
        return thinking
    if limit < 2 * _LEAST_BUDGET or is_forced or _is_amid_tools_without_thought(request):
        changes.drop("thinking")
        return Thinking()
    budget = max(_LEAST_BUDGET, min(thinking.budget, limit // 2))
    if budget != thinking.budget:
        changes.adapt("budget")
    return Thinking("on", budget, thinking.effort, thinking.shown)


def _is_amid_tools_without_thought(request: Request) -> bool:
    """Say whether the last turn of the model's called tools and carries no thought: with a budget that is refused."""
    for turn in reversed(request.turns):
        if turn.role is Role.ASSISTANT:
            thoughts = [part for part in turn.parts if isinstance(part, Thought)]
            own = any(part.origin is Dialect.ANTHROPIC_MESSAGES for part in thoughts)
            return not own and any(isinstance(part, ToolCall) for part in turn.parts)
    return False


def _effort(wish: Thinking, model: ModelCapabilities, changes: Changes) -> str | None:
    """Return the level of the same name, the next lower one, or the least."""
    wanted = wish.effort
    if wanted is None and wish.budget is not None:
        below = [level for level in EFFORTS if model.budgets.get(level, wish.budget + 1) <= wish.budget]
        wanted = below[-1] if below else EFFORTS[1]
        changes.adapt("budget")
    elif wanted is not None and wish.budget is not None:
        changes.drop("budget")
    if wanted is None:
        return None
    level = _at_most(wanted, model.efforts)
    if level is None:
        changes.drop("effort")
    elif level != wanted:
        changes.adapt("effort")
    return level


def _at_most(wanted: str, known: tuple[str, ...] | list[str]) -> str | None:
    """Return the deepest known level that is not deeper than the wanted one; the least where all are."""
    if wanted in known or wanted not in EFFORTS:
        return wanted if wanted in known else None
    depth = EFFORTS.index(wanted)
    thinking = [level for level in known if level != "none"]
    below = [level for level in thinking if level in EFFORTS and EFFORTS.index(level) <= depth]
    return below[-1] if below else next(iter(thinking), None)
