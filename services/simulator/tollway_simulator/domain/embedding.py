"""Embeddings that mean nothing: unit vectors from a hash, so that equal inputs have equal vectors."""

from __future__ import annotations

import math
from array import array
from hashlib import shake_128

MAX_DIMENSIONS = 16_384

_DEFAULT_DIMENSIONS = {"text-embedding-3-large": 3072}


def default_dimensions(model: str) -> int:
    return _DEFAULT_DIMENSIONS.get(model, 1536)


def embed(content: bytes, dimensions: int) -> array[float]:
    """Return a vector of length 1 as float32."""
    digest = array("h", shake_128(content).digest(2 * dimensions))
    length = math.sqrt(sum([value * value for value in digest])) or 1.0
    return array("f", [value / length for value in digest])
