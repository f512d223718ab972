"""
Any bytes in any cuts, fed to a connection by hand, without a socket and without a running loop.

`CUTS=1000000 SEED=7 pytest libs/httpclient/tests/test_fuzz.py -k cuts -s` makes the run longer, and repeats it.
"""

from __future__ import annotations

import os
import random
from contextlib import suppress
from itertools import pairwise

import httptools
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tollway_httpclient import MalformedResponse, Reset
from tollway_httpclient.header_sieve import HeaderSieve
from tollway_httpclient.testing import Seen, mutate, read_answer


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[begin:end] for begin, end in pairwise(edges) if begin < end]


def chunked(parts: list[bytes], extension: bytes = b"", trailer: bytes = b"") -> bytes:
    chunks = b"".join(b"%x%b\r\n%b\r\n" % (len(part), extension, part) for part in parts if part)
    return chunks + b"0\r\n" + trailer + b"\r\n"


def answer(
    status: int, headers: list[tuple[str, str]], framing: str, parts: list[bytes], noise: int
) -> tuple[bytes, Seen]:
    """Return an answer's bytes and what is to be read of them."""
    body = b"".join(parts)
    headers = list(headers)
    if status in {204, 304} and framing == "end":
        framing = "none"
    told = {"length": ("content-length", str(len(body))), "chunks": ("transfer-encoding", "chunked")}.get(framing)
    if told:
        headers.insert(noise % (len(headers) + 1), told)
    informational = (b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n")[noise % 3]
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers).encode("latin-1")
    head = informational + b"HTTP/1.1 %d Reason\r\n%b\r\n" % (status, lines)
    wanted = Seen(status, headers, body, None, framing != "end")
    if status in {204, 304} or framing == "none":
        wanted.body = b""
        wanted.is_kept = status in {204, 304}
        return head, wanted
    if framing == "chunks":
        return head + chunked(parts, (b"", b";a=b", b';q="x"')[noise % 3], (b"", b"x-t: 1\r\n")[noise % 2]), wanted
    return head + body, wanted


NAMES = st.sampled_from(["content-type", "x-request-id", "retry-after", "set-cookie", "date", "x"])
# no space: the edges of a value are trimmed
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_categories=["Cc"]), max_size=30)
ANSWERS = st.builds(
    answer,
    st.sampled_from([200, 201, 204, 304, 400, 429, 500, 529, 599]),
    st.lists(st.tuples(NAMES, VALUES), max_size=6),
    st.sampled_from(["length", "chunks", "end"]),
    st.lists(st.binary(max_size=60), max_size=6),
    st.integers(0, 1000),
)
QUICK = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(ANSWERS, st.lists(st.integers(0, 2000), max_size=12))
def test_a_valid_answer_is_read_the_same_however_it_is_cut(given_answer, places):
    stream, wanted = given_answer
    assert read_answer(cut(stream, places)) == wanted


@QUICK
@given(ANSWERS)
def test_a_valid_answer_is_read_the_same_byte_by_byte(given_answer):
    stream, wanted = given_answer
    assert read_answer([stream[at : at + 1] for at in range(len(stream))]) == wanted


@QUICK
@given(ANSWERS, st.integers(0, 2000))
def test_an_answer_that_is_cut_short_is_a_reset_and_its_body_the_beginning_of_the_whole(given_answer, at):
    stream, wanted = given_answer
    short = stream[: at % max(len(stream), 1)]
    seen = read_answer([short])
    if seen.error is None:  # it has no end but the connection's
        assert seen.status == wanted.status
        assert "content-length" not in dict(seen.headers)
        assert "transfer-encoding" not in dict(seen.headers)
    else:
        assert seen.error is Reset
    assert wanted.body.startswith(seen.body)
    assert not seen.is_kept


class Told:
    """What httptools tells of the first answer's head, header by header; the client reads heads in a quicker way."""

    def __init__(self, stream: bytes) -> None:
        self.headers: list[tuple[str, str]] | None = None
        self._lines: list[tuple[str, str]] = []
        self._parser = httptools.HttpResponseParser(self)
        with suppress(httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._parser.feed_data(stream)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._lines.append((name.decode().lower(), value.decode("latin-1").rstrip(" \t")))

    def on_headers_complete(self) -> None:
        if self.headers is None and self._parser.get_status_code() >= 200:
            self.headers = self._lines
        self._lines = []


def assert_as_told(stream: bytes, seen: Seen) -> None:
    """What is taken of a head is what httptools tells of it, and nothing is taken that it refuses."""
    if seen.status:
        assert seen.headers == Told(stream).headers
        rewritten = "".join(f"{name}: {value}\r\n" for name, value in seen.headers).encode("latin-1")
        assert seen.lines == HeaderSieve().sift(rewritten)[0]


def assert_sound(stream: bytes, places: list[int]) -> None:
    """Whatever came: it ends, in one of two errors or none, the same for all cuts, and no byte of it is invented."""
    whole, parts = read_answer([stream]), read_answer(cut(stream, places))
    for seen in (whole, parts):
        assert_as_told(stream, seen)
        assert seen.error in {None, Reset, MalformedResponse}
        rest = iter(stream)
        assert all(byte in rest for byte in seen.body), "a byte of the body is not of the stream, or not in its place"
    assert (whole.status, whole.headers, whole.body, whole.error) == (
        parts.status,
        parts.headers,
        parts.body,
        parts.error,
    )


@QUICK
@given(ANSWERS, st.randoms(use_true_random=False), st.lists(st.integers(0, 2000), max_size=8))
def test_a_broken_answer_ends_in_an_error_of_this_client_and_invents_nothing(given_answer, source, places):
    assert_sound(mutate(given_answer[0], source), places)


@QUICK
@given(st.binary(max_size=200), st.lists(st.integers(0, 300), max_size=8))
def test_noise_ends_in_an_error_of_this_client_and_invents_nothing(stream, places):
    assert_sound(stream, places)
    assert_sound(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + stream, places)


def test_whatever_is_put_into_a_head_anywhere_is_read_as_httptools_tells_it_or_refused():
    head = b"HTTP/1.1 100 A\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\nc:\r\nConnection: a\r\nContent-Length: 1\r\n\r\n"
    taken = 0
    for at in range(len(head) + 1):
        for code in range(256):
            for stream in (head[:at] + bytes([code]) + head[at:] + b"x", head[:at] + bytes([code]) + head[at + 1 :]):
                seen = read_answer([stream])
                assert_as_told(stream, seen)
                taken += seen.status > 0
    assert taken > 1000


def random_answer(source: random.Random) -> tuple[bytes, Seen]:
    names = ["content-type", "x-request-id", "retry-after", "set-cookie", "connection"]
    headers = [(source.choice(names), "v" * source.randrange(20)) for _ in range(source.randrange(5))]
    parts = [source.randbytes(source.randrange(60)) for _ in range(source.randrange(6))]
    status = source.choice([200, 200, 200, 204, 304, 400, 429, 529])
    return answer(status, headers, source.choice(["length", "chunks", "end"]), parts, source.randrange(1000))


def test_many_random_cuts_change_nothing():
    """Half of the answers are whole, half are broken."""
    cuts, seed = int(os.environ.get("CUTS", "20000")), int(os.environ.get("SEED", "1"))
    source = random.Random(seed)
    made = answers = 0
    while made < cuts:
        stream, wanted = random_answer(source)
        for _ in range(8):
            places = [source.randrange(len(stream) + 1) for _ in range(source.randint(1, 6))]
            assert read_answer(cut(stream, places)) == wanted, (seed, stream, places)
            assert_sound(mutate(stream, source), places)
            made += 2 * len(places)
            answers += 3
    print(f"\n{made} cuts, {answers} answers, seed {seed}")  # noqa: T201 - for whoever asked for a long run
