"""The tables from dialect to its wire; edge and provider-dispatch look here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.anthropic import AnthropicCountTokensWire, AnthropicWire
from tollway_dialects.gemini import GeminiWire
from tollway_dialects.openai import OpenAIChatWire, OpenAIEmbeddingsWire
from tollway_dialects.responses import OpenAIInputTokensWire, OpenAIResponsesWire

if TYPE_CHECKING:
    from tollway_dialects.dialect import Dialect, Wire

_WIRES: tuple[Wire, ...] = (
    AnthropicWire(),
    AnthropicCountTokensWire(),
    OpenAIChatWire(),
    OpenAIResponsesWire(),
    OpenAIInputTokensWire(),
    OpenAIEmbeddingsWire(),
)
WIRES: dict[Dialect, Wire] = {wire.dialect: wire for wire in _WIRES}
"""Those in which clients ask."""
UPSTREAM_WIRES: dict[Dialect, Wire] = WIRES | {GeminiWire.dialect: GeminiWire()}
"""Those in which providers answer: clients' and, through translation, others."""
