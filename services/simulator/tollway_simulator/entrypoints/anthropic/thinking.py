"""Which thinking a model lets itself be asked for; called by `validation`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tollway_simulator.domain.refusal import Refusal

if TYPE_CHECKING:
    from tollway_simulator.domain.models import Traits
    from tollway_simulator.entrypoints.anthropic.schema import Request

MIN_BUDGET = 1024
HIGHER_EFFORTS = ("xhigh", "max")


def check_thinking(request: Request, traits: Traits, beta: str) -> None:
    thinking = request.thinking
    if thinking is None:
        return
    effort = request.output_config.effort if request.output_config is not None else None
    match thinking.type:
        case "enabled" if traits.has("A"):
            raise _unsupported("enabled")
        case "enabled":
            _check_budget(request, thinking.budget_tokens, beta)
            _check_sampling(request)
        case "disabled" if traits.has("D") or (traits.has("d") and effort in HIGHER_EFFORTS):
            raise _unsupported("disabled")


def _unsupported(kind: str) -> Refusal:
    use = 'Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'
    return Refusal(400, f'"thinking.type.{kind}" is not supported for this model. {use}', "thinking.type")


def _check_budget(request: Request, budget: int | None, beta: str) -> None:
    name = "thinking.enabled.budget_tokens"
    if budget is None:
        raise Refusal(400, f"{name}: Field required", name)
    if budget < MIN_BUDGET:
        raise Refusal(400, f"{name}: Input should be greater than or equal to {MIN_BUDGET}", name)
    limit = request.max_tokens
    if limit is not msgspec.UNSET and budget >= limit and "interleaved-thinking" not in beta:
        raise Refusal(400, "`max_tokens` must be greater than `thinking.budget_tokens`.", "max_tokens")


def _check_sampling(request: Request) -> None:
    if request.temperature not in (msgspec.UNSET, None, 1):
        raise Refusal(400, "`temperature` may only be set to 1 when thinking is enabled.", "temperature")
    if request.top_k not in (msgspec.UNSET, None):
        raise Refusal(400, "`top_k` must be unset when thinking is enabled.", "top_k")
