"""The simulator's rule for counting tokens: input by bytes, output by words; `README.md` tells it to test writers."""

from __future__ import annotations

BYTES_PER_TOKEN = 4


def text_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def input_tokens(total_bytes: int) -> int:
    return max(1, total_bytes // BYTES_PER_TOKEN)
