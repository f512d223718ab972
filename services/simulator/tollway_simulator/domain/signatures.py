"""Signatures of thinking blocks: they hold for the text they were made for, and for some models nowhere else."""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import sha256

_MAGIC = b"simulator-thought:"


def sign(text: str, binding: str) -> str:
    """Return the signature of a text; the binding says for whom it holds, and is empty where it holds for all."""
    return b64encode(_MAGIC + _digest(text, binding)).decode()


def is_forged(signature: str, text: str, binding: str) -> bool:
    """Return whether a signature is one of the simulator's own, but not of this text or not for this binding."""
    try:
        made = b64decode(signature, validate=True)
    except ValueError:
        return False
    if not made.startswith(_MAGIC):
        return False
    return made[len(_MAGIC) :] != _digest(text, binding)


def _digest(text: str, binding: str) -> bytes:
    return sha256(f"{binding}\n{text}".encode("utf-8", "surrogatepass")).digest()
