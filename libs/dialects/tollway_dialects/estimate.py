"""Token counts where no provider told them: a rule of thumb over UTF-8 bytes, always marked as an estimate."""

from __future__ import annotations

BYTES_PER_TOKEN = 4


def tokens_of_text(text: str) -> int:
    """Estimate one streamed piece: providers send at least one token an event, about four bytes each."""
    if not text:
        return 0
    return tokens_of_piece(len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass")))


def tokens_of_piece(size: int) -> int:
    """Do so for a piece of so many bytes, at least one."""
    return (size + BYTES_PER_TOKEN // 2) // BYTES_PER_TOKEN or 1


def tokens_of_bytes(size: int) -> int:
    """Estimate a request from the size of its body."""
    return max(1, size // BYTES_PER_TOKEN)
