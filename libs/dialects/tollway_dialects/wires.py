"""The one table from dialect to its wire; edge and provider-dispatch look here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollway_dialects.anthropic import AnthropicWire
from tollway_dialects.dialect import Dialect
from tollway_dialects.openai import OpenAIChatWire

if TYPE_CHECKING:
    from tollway_dialects.dialect import Wire

WIRES: dict[Dialect, Wire] = {
    Dialect.ANTHROPIC_MESSAGES: AnthropicWire(),
    Dialect.OPENAI_CHAT: OpenAIChatWire(),
}
