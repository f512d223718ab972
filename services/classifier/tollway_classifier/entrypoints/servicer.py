"""ClassifierService: contract messages to domain values and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway.classifier.v1 import classifier_pb2
from tollway_servicekit.contract import Contract

from tollway_classifier.domain.choose_tier import Features, Tier, choose_tier

if TYPE_CHECKING:
    from tollway_servicekit.context import CallContext

CONTRACT = Contract.of(classifier_pb2, "ClassifierService")

_TO_WIRE = {
    Tier.SIMPLE: classifier_pb2.TIER_SIMPLE,
    Tier.STANDARD: classifier_pb2.TIER_STANDARD,
    Tier.COMPLEX: classifier_pb2.TIER_COMPLEX,
    Tier.CRITICAL: classifier_pb2.TIER_CRITICAL,
}


class ClassifierServicer:
    """Serves ClassifierService; holds no state."""

    async def ClassifyPrompt(
        self, request: classifier_pb2.ClassifyPromptRequest, context: CallContext
    ) -> classifier_pb2.ClassifyPromptResponse:
        features = Features(
            last_user_text=request.last_user_text,
            request_bytes=request.request_bytes,
            turn_count=request.turn_count,
            tool_count=request.tool_count,
            has_images=request.has_images,
            wants_thinking=request.wants_thinking,
        )
        choice = choose_tier(features)
        return classifier_pb2.ClassifyPromptResponse(
            tier=_TO_WIRE[choice.tier],
            layer=classifier_pb2.CLASSIFIER_LAYER_HEURISTIC,
            score=choice.score,
            rule=choice.rule,
        )
