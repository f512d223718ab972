"""Which header lines are handed on and how they are written, compared with a reading header by header."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tollway_httpclient import HeaderSieve, header_sieve
from tollway_httpclient.header_sieve import pairs_of

NAMES = (
    *(
        "content-type",
        "x-request-id",
        "x",
        "te",
        "tex",
        "date",
        "dat",
        "server",
        "connection",
        "connections",
        "upgrade",
    ),
    *("keep-alive", "keep", "content-length", "content-lengths", "content-encoding", "transfer-encoding", "trailer"),
    *("proxy-connection", "proxy-authenticate", "x_y", "!#$%&'*+.^`|~", "close", "x-connection"),
)
STAY = frozenset(
    {"te", "date", "connection", "upgrade", "keep-alive", "content-length", "content-encoding", "transfer-encoding"}
    | {"trailer", "proxy-connection", "proxy-authenticate"}
)
TOLD = frozenset({"connection", "keep-alive", "content-encoding", "transfer-encoding"})
SIEVE = HeaderSieve(["date"])

CASES = st.sampled_from([str.lower, str.title, str.upper])
VALUE = st.one_of(
    st.sampled_from(["", "keep-alive", "Keep-Alive", "close", "x", "X-Request-Id, tex", "a: b", ":", "chunked"]),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_categories=["Cc"]), max_size=20),
)
LINES = st.lists(
    st.builds(
        lambda name, case, before, value, after: (case(name), before, value.strip(" \t"), after),
        *(st.sampled_from(NAMES), CASES, st.sampled_from([" ", " ", " ", "", "\t", "  "]), VALUE),
        st.sampled_from(["", "", "", " ", "\t "]),
    ),
    max_size=8,
)


def one_by_one(headers: list[tuple[str, str]]) -> tuple[bytes, list[tuple[str, str]]]:
    """Return what is handed on and what is told, found by looking at every header."""
    told = [(name, value) for name, value in headers if name in TOLD]
    values = [value for name, value in told if name == "connection"]
    named = {
        name.strip(" \t").lower() for value in values if value.lower() != "keep-alive" for name in value.split(",")
    }
    kept = [header for header in headers if header[0] not in STAY | named]
    return "".join(f"{name}: {value}\r\n" for name, value in kept).encode("latin-1"), told


@settings(max_examples=1000, deadline=None)
@given(LINES)
def test_lines_are_sifted_as_if_each_header_was_looked_at(written):
    raw = "".join(f"{name}:{before}{value}{after}\r\n" for name, before, value, after in written).encode("latin-1")
    headers = [(name.lower(), value) for name, _, value, _ in written]
    lines, told = SIEVE.sift(raw)
    wanted_lines, wanted_told = one_by_one(headers)
    assert lines == wanted_lines
    ordinary = ("connection", "keep-alive")
    assert [each for each in _text(told) if _lowered(each) != ordinary] == [
        each for each in wanted_told if _lowered(each) != ordinary
    ]
    assert _text(pairs_of(raw)) == headers
    assert SIEVE.sift(lines) == (lines, [])


def _text(headers):
    return [(name.decode(), value.decode("latin-1")) for name, value in headers]


def _lowered(header):
    return header[0], header[1].lower()


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        (b"", b""),
        (b"Date: now\r\n", b""),
        (b"content-type: a\r\nDATE:now\r\n", b"content-type: a\r\n"),
        (b"X-A:\r\nX-B: \r\n", b"x-a: \r\nx-b: \r\n"),
        (b"x-a:b \t\r\nX-C:\t d e \r\n", b"x-a: b\r\nx-c: d e\r\n"),
        (b"x: date: now\r\n", b"x: date: now\r\n"),
    ],
)
def test_lines_are_handed_on_in_one_way_of_writing(raw, lines):
    assert SIEVE.sift(raw) == (lines, [])


def test_names_that_a_server_invents_do_not_fill_the_memory():
    for number in range(5000):
        name = b"X-%d" % number
        assert SIEVE.sift(name + b": 1\r\n") == (name.lower() + b": 1\r\n", [])
        assert SIEVE.sift(name * 20 + b": 1\r\n") == (name.lower() * 20 + b": 1\r\n", [])
    assert len(header_sieve._PREFIXES) <= header_sieve._MAX_NAMES
