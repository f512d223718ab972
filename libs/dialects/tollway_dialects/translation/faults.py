"""Translates an upstream's error answer into the client's dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tollway_dialects.dialect import Dialect
from tollway_dialects.translation import anthropic, chat, gemini

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tollway_dialects.translation.form.faults import Fault

_READERS: Mapping[Dialect, Callable[[int, Any], Fault]] = {
    Dialect.ANTHROPIC_MESSAGES: anthropic.fault_of,
    Dialect.OPENAI_CHAT: chat.fault_of,
    Dialect.OPENAI_RESPONSES: chat.fault_of,
    Dialect.GEMINI: gemini.fault_of,
}


class TranslatedFault(msgspec.Struct, frozen=True):
    """An error answer for the client."""

    status: int
    body: bytes
    fault: Fault
    """What it says, for whoever decides on another try."""


def translate_fault(upstream: Dialect, client: Dialect, status: int, body: bytes, request_id: str) -> TranslatedFault:
    """Return an error of the provider as the client's dialect tells it; of a body that cannot be read, the status."""
    try:
        said: Any = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        said = None
    fault = _READERS[upstream](status, said)
    if client is Dialect.ANTHROPIC_MESSAGES:
        return TranslatedFault(fault.kind.anthropic_status, anthropic.fault_body(fault, request_id), fault)
    return TranslatedFault(fault.kind.openai_status, chat.fault_body(fault), fault)
