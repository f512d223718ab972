"""Why something is not translated: the request asks for what the target lacks, or the answer cannot be read."""

from __future__ import annotations

from tollway_dialects.request import MalformedRequest


class Untranslatable(MalformedRequest):
    """
    The request cannot be asked of this target without changing what it means: a 400.

    The message begins with the field, in the client's words; it never holds what the field says.
    """

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field


class MalformedAnswer(Exception):
    """What the provider sent is no answer of its dialect; the message never quotes it."""
