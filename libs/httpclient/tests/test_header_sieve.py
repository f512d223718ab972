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
    raw = _raw(written)
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


@settings(max_examples=1000, deadline=None)
@given(LINES, st.data())
def test_a_head_that_is_like_an_earlier_one_is_sifted_like_any_other(earlier, data):
    sieve = HeaderSieve(["date"])
    sieve.sift(_raw(earlier))
    again = [
        (name, *data.draw(st.sampled_from([line, (before, "x", after), (before, "", after), (" ", value, "")])))
        for name, *line in earlier
        for before, value, after in [line]
    ]
    for raw in (_raw(again), _raw(again[1:]), _raw(again * 2), _raw(earlier)):
        assert sieve.sift(raw) == HeaderSieve(["date"]).sift(raw)


LIKE = b"Server: %b\r\nX-100%%b: %b\r\na: %b\r\nb: %b\r\nTransfer-Encoding: %b\r\ndate:%b\r\nc-c: %b\r\n"
VALUES = (b"1", b"2", b"3", b"4", b"chunked", b" 5", b"6")


def test_a_head_with_nothing_but_other_values_is_known():
    sieve = HeaderSieve(["date", "server"])
    told = sieve.sift(LIKE % VALUES)[1]
    lines, told_again = sieve.sift(LIKE % (b"", b"%b", b"\xff y", b"a: b", b"chunked", b"", b":"))
    assert lines == b"x-100%b: %b\r\na: \xff y\r\nb: a: b\r\nc-c: :\r\n"
    assert told_again is told


@pytest.mark.parametrize(
    ("position", "value"),
    [(1, b""), (2, b" 3"), (2, b"\t3"), (3, b"4 "), (6, b"6\t"), (4, b"identity"), (4, b"chunked "), (4, b"")],
)
def test_a_head_with_other_blanks_or_another_framing_is_not_known(position, value):
    sieve, values = HeaderSieve(["date", "server"]), [*VALUES]
    told = sieve.sift(LIKE % VALUES)[1]
    values[position] = value
    sifted = sieve.sift(LIKE % tuple(values))
    assert sifted[1] is not told
    assert sifted == HeaderSieve(["date", "server"]).sift(LIKE % tuple(values))


def test_what_becomes_frequent_is_learned_in_place_of_what_was():
    sieve, heads = HeaderSieve(), [b"x-%d: 1\r\nconnection: close\r\n" % number for number in range(9)]
    for head in heads:
        for _ in range(header_sieve._LEARNED_EVERY):
            told = sieve.sift(head)[1]
        assert sieve.sift(head)[1] is told
    assert len(sieve._shapes) == header_sieve._MAX_SHAPES


def test_a_head_of_very_long_names_is_not_learned():
    sieve, head = HeaderSieve(), b"x%b: 1\r\nconnection: close\r\n" % (b"y" * 8192)
    assert sieve.sift(head) == sieve.sift(head)
    assert not sieve._shapes


def _raw(written):
    return "".join(f"{name}:{before}{value}{after}\r\n" for name, before, value, after in written).encode("latin-1")


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
