"""Headers in one value are the headers that went in."""

from __future__ import annotations

import pytest
from tollway_dialects.header_lines import from_lines, to_lines, value_of

HEADERS = [(b"content-type", b"text/plain"), (b"x-empty", b""), (b"x-odd", b"a: b"), (b"content-type", b"again")]


def test_what_is_joined_is_split_into_the_same_headers() -> None:
    assert from_lines(to_lines(HEADERS)) == HEADERS
    assert from_lines(to_lines([])) == []


@pytest.mark.parametrize("value", [b"a\r\nx-forged: 1", b"a\nx-forged: 1", b"a\rb"])
def test_a_value_that_holds_a_line_end_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match="line end"):
        to_lines([(b"x", value)])


@pytest.mark.parametrize(
    ("name", "value"),
    [(b"content-type", b"text/plain"), (b"x-empty", b""), (b"x-odd", b"a: b"), (b"x", b""), (b"odd", b"")],
)
def test_the_first_value_under_a_name_is_found(name: bytes, value: bytes) -> None:
    assert value_of(to_lines(HEADERS), name) == value
    assert value_of(b"", name) == b""
