"""Models as the golden transcripts assume them, and what an answer says that no provider told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tollway_dialects.dialect import Dialect
from tollway_dialects.translation.answers import AnswerTranslator
from tollway_dialects.translation.encoder import AnswerContext
from tollway_dialects.translation.models.capabilities import ModelCapabilities
from tollway_dialects.translation.translate import Translated, translate_request

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = Path(__file__).parent / "golden"
# the names of the golden files
DIALECTS = {
    "anthropic": Dialect.ANTHROPIC_MESSAGES,
    "chat": Dialect.OPENAI_CHAT,
    "responses": Dialect.OPENAI_RESPONSES,
    "gemini": Dialect.GEMINI,
}
_EFFORTS = ("low", "medium", "high")
_BUDGETS, _LEVELS = frozenset({"enabled", "disabled"}), frozenset({"adaptive"})
_MODELS = {
    "anthropic": ModelCapabilities(max_output=64000, thinking=_BUDGETS, efforts=()),
    "chat": ModelCapabilities(efforts=_EFFORTS),
    "responses": ModelCapabilities(efforts=_EFFORTS),
    "gemini": ModelCapabilities(thinking=_LEVELS, efforts=("minimal", *_EFFORTS), wants_call_signatures=True),
}
CONTEXT = AnswerContext(model="asked-for", input_estimate=7, created=1790000000, request_id="req_1")


@pytest.fixture(scope="session")
def golden() -> Path:
    return GOLDEN


@pytest.fixture(scope="session")
def ask() -> Callable[..., Translated]:
    """Translates a request to a dialect, for a model that may be given as what differs from the golden one."""

    def translate(source: str, target: str, body: Any, **model: Any) -> Translated:
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        capabilities = msgspec.structs.replace(_MODELS[target], **model)
        return translate_request(DIALECTS[source], DIALECTS[target], raw, capabilities, name=f"{target}-model")

    return translate


@pytest.fixture(scope="session")
def answer() -> Callable[..., AnswerTranslator]:
    """Begins to translate an answer."""

    def translator(upstream: str, client: str, **context: Any) -> AnswerTranslator:
        return AnswerTranslator(DIALECTS[upstream], DIALECTS[client], msgspec.structs.replace(CONTEXT, **context))

    return translator
