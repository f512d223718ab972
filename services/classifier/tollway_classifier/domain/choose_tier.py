"""Chooses the tier of model that a prompt needs, from its words and a few facts; called by the servicer."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from math import log2

from tollway_classifier.domain.signals import SIGNALS, Signal

# of a longer text only its start and its end are read: instructions stand there, and the time stays bounded
HEAD_CHARACTERS = 4_096
TAIL_CHARACTERS = 4_096
EDGE_WORDS = 14
# scripts without spaces would else be one long word
MAX_BYTES_A_WORD = 12

BASE = 0.15
COMPLEX_FROM = 0.60
STANDARD_FROM = 0.30
CRITICAL_FROM = 0.75


class Tier(StrEnum):
    """Classes of models, cheapest first."""

    SIMPLE = "simple"
    STANDARD = "standard"
    COMPLEX = "complex"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Features:
    """What is known of a request without reading more than its last turn."""

    last_user_text: str
    request_bytes: int = 0
    turn_count: int = 0
    tool_count: int = 0
    has_images: bool = False
    wants_thinking: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A tier, how hard the prompt looks (0 to 1), and what decided."""

    tier: Tier
    score: float
    rule: str


def choose_tier(features: Features) -> Choice:
    """Add up the base, the length, the facts and the signals; never looks at more than 8,192 characters."""
    text = features.last_user_text
    seen = text if len(text) <= HEAD_CHARACTERS + TAIL_CHARACTERS else text[:HEAD_CHARACTERS] + text[-TAIL_CHARACTERS:]
    folded = seen.encode("utf-8", "replace").translate(_FOLD)
    words = folded.split()
    seen_count = max(len(words), len(folded) // MAX_BYTES_A_WORD)
    word_count = seen_count * len(text) // max(1, len(seen))
    moves = {"length": _length(word_count), **_facts(features), **_shape(seen, len(folded) / max(1, seen_count))}
    found = _sightings(words, word_count)
    moves.update((signal.name, signal.weight * min(count, signal.most)) for signal, count in found.items())
    score = min(1.0, max(0.0, BASE + sum(moves.values())))
    tier = _tier(score, any(signal.is_critical for signal in found))
    return Choice(tier, round(score, 4), _rule(tier, moves))


def _length(word_count: int) -> float:
    """From 0 at 4 words to 0.5 at 1,024; each doubling adds the same."""
    return 0.5 * min(1.0, max(0.0, (log2(max(1, word_count)) - 2) / 8))


def _facts(features: Features) -> dict[str, float]:
    return {
        "thinking_requested": 0.30 * features.wants_thinking,
        "tools": min(0.20, 0.10 * (features.tool_count > 0) + 0.01 * features.tool_count),
        "images": 0.10 * features.has_images,
        "long_conversation": 0.10 * (features.turn_count > 10) + 0.10 * (features.request_bytes > 50_000),
    }


def _shape(text: str, bytes_per_word: float) -> dict[str, float]:
    """What the form tells: code, lists of steps, and short words, since situations to reason about use them."""
    steps = ("\n2." in text or "\n2)" in text) and ("\n3." in text or "\n3)" in text)
    bullets = text.count("\n- ") + text.count("\n* ") >= 3
    return {
        "code_block": 0.20 * ("```" in text),
        "clauses": 0.01 * min(text.count(","), 12),
        "short_words": 0.02 * max(-2.0, min(2.0, 6.0 - bytes_per_word)),
        "list_of_steps": 0.15 * (steps or bullets),
    }


def _sightings(words: list[bytes], word_count: int) -> dict[Signal, int]:
    known = list(filter(_KNOWN, words))
    edges = words if len(words) <= 2 * EDGE_WORDS else words[:EDGE_WORDS] + words[-EDGE_WORDS:]
    found = [*filter(None, map(_ANYWHERE.get, known)), *filter(None, map(_AT_EDGES.get, edges))]
    phrase_words = _PHRASES.keys() & known
    if phrase_words:
        joined = b" %b " % b" ".join(words)
        found += [signal for word in phrase_words for phrase, signal in _PHRASES[word] if phrase in joined]
    return {
        signal: count
        for signal, count in Counter(found).items()
        if count >= signal.least and (not signal.within_words or word_count <= signal.within_words)
    }


def _tier(score: float, is_critical: bool) -> Tier:
    if is_critical and score >= CRITICAL_FROM:
        return Tier.CRITICAL
    if score >= COMPLEX_FROM:
        return Tier.COMPLEX
    return Tier.STANDARD if score >= STANDARD_FROM else Tier.SIMPLE


def _rule(tier: Tier, moves: dict[str, float]) -> str:
    """The strongest reason for the tier: what lowered the score where it is simple, else what raised it."""
    name = min(moves, key=moves.__getitem__) if tier is Tier.SIMPLE else max(moves, key=moves.__getitem__)
    return name if moves[name] else "length"


def _fold_table() -> bytes:
    """Upper case to lower, ASCII punctuation to spaces; bytes of other alphabets stay."""
    table = bytearray(range(256))
    for code in range(128):
        table[code] = ord(chr(code).lower()) if chr(code).isalnum() else ord(" ")
    return bytes(table)


def _index(at_edges: bool) -> dict[bytes, Signal]:
    return {word.encode(): signal for signal in SIGNALS if signal.at_edges is at_edges for word in signal.words.split()}


def _phrases() -> dict[bytes, list[tuple[bytes, Signal]]]:
    """Each phrase under its longest word: only where that word was seen is the phrase looked for."""
    index: dict[bytes, list[tuple[bytes, Signal]]] = {}
    for signal in SIGNALS:
        for phrase in signal.phrases:
            index.setdefault(max(phrase.split(), key=len).encode(), []).append((f" {phrase} ".encode(), signal))
    return index


_FOLD = _fold_table()
_ANYWHERE = _index(at_edges=False)
_AT_EDGES = _index(at_edges=True)
_PHRASES = _phrases()
_KNOWN = frozenset(_ANYWHERE.keys() | _PHRASES.keys()).__contains__
