"""The words that answers are made of."""

from __future__ import annotations

# three letters and a space are four bytes: one token for whoever estimates tokens as bytes / 4
WORDS = ("the", "sun", "was", "low", "and", "all", "our", "old", "men", "sat", "and", "ate", "for", "the", "day")

# what breaks parsers of lines, of events and of JSON: separators, quotes, escapes, surrogate pairs, look-alikes
AWKWARD_WORDS = (
    "line\u2028separator",
    "paragraph\u2029separator",
    "next\u0085line",
    "feed\x0bform\x0c",
    "two\r\nlines",
    'quote"d',
    "back\\slash",
    "data:",
    "[DONE]",
    "event:\tping",
    "naïve",
    "日本語",
    "🌞🏽",
    "e\u0301",
    "\ufeffmark",
    "nul\x00",
    "\u202eright",
)
