"""The classifier service as the pipeline's `Classifier`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tollway.classifier.v1 import classifier_pb2 as pb
from tollway_servicekit.context import call_metadata
from tollway_servicekit.errors import ServiceError

from tollway_edge.domain.answer import TierChoice
from tollway_edge.domain.tiers import MIDDLE_TIER

if TYPE_CHECKING:
    from tollway.classifier.v1.classifier_pb2_grpc import ClassifierServiceAsyncStub
    from tollway_dialects.prompt import PromptFeatures

    from tollway_edge.domain.call import Call

log = logging.getLogger(__name__)

CLASSIFY_SECONDS = 1.0
_TIERS = {
    pb.TIER_SIMPLE: "simple",
    pb.TIER_STANDARD: "standard",
    pb.TIER_COMPLEX: "complex",
    pb.TIER_CRITICAL: "critical",
}
_LAYERS = {
    pb.CLASSIFIER_LAYER_HEURISTIC: "heuristic",
    pb.CLASSIFIER_LAYER_EMBEDDING: "embedding",
    pb.CLASSIFIER_LAYER_HAIKU: "haiku",
}


class ClassifierClient:
    """Asks for a tier; the middle one where nobody answers in time."""

    def __init__(self, stub: ClassifierServiceAsyncStub) -> None:
        self._stub = stub

    async def classify(self, call: Call, features: PromptFeatures) -> TierChoice:
        request = pb.ClassifyPromptRequest(
            last_user_text=features.last_user_text,
            request_bytes=len(call.body.raw) if call.body else 0,
            turn_count=features.turn_count,
            tool_count=features.tool_count,
            has_images=features.has_images,
            wants_thinking=features.wants_thinking,
        )
        metadata = call_metadata(call.workspace.name if call.workspace else "", call.traceparent)
        try:
            choice = await self._stub.ClassifyPrompt(request, timeout=CLASSIFY_SECONDS, metadata=metadata)
        except ServiceError as error:
            log.warning("the classifier did not answer, taking the middle tier (%s)", error.reason)
            return TierChoice(MIDDLE_TIER, "n/a")
        return TierChoice(_TIERS.get(choice.tier, MIDDLE_TIER), _LAYERS.get(choice.layer, "n/a"))
