"""Frames come out as they went in, and what is no frame is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tollway_servicekit.link.frames import (
    ANSWER,
    CALL,
    CREDIT,
    DRAIN,
    PART,
    BrokenFrames,
    call_frame,
    credit_frame,
    frame,
    read_call,
    read_credit,
    read_frames,
    read_head,
)

numbers = st.integers(0, 2**32 - 1)
texts = st.text(st.characters(exclude_characters="\0", codec="utf-8"))
any_frames = st.lists(st.tuples(numbers, st.integers(0, 255), st.binary(max_size=200)))


@given(any_frames)
def test_frames_come_out_as_they_went_in(frames: list[tuple[int, int, bytes]]) -> None:
    data = b"".join(frame(*each) for each in frames)
    assert list(read_frames(data)) == frames


def test_a_part_is_left_where_it_was_read() -> None:
    data = frame(1, PART, b"long") + frame(1, ANSWER, b"last")
    (_, _, part), (_, _, last) = read_frames(data)
    assert (part, last) == (b"long", b"last")
    assert memoryview(part).obj is data


@given(any_frames.filter(bool), st.data())
def test_a_message_that_is_cut_anywhere_but_between_frames_is_refused(
    frames: list[tuple[int, int, bytes]], data: st.DataObject
) -> None:
    pieces = [frame(*each) for each in frames]
    cut = data.draw(st.integers(1, len(pieces[-1]) - 1))
    got = []
    with pytest.raises(BrokenFrames):
        got.extend(read_frames(b"".join(pieces[:-1]) + pieces[-1][:cut]))


@given(numbers, texts, st.lists(st.tuples(texts, texts)), st.binary())
def test_a_call_comes_out_as_it_went_in(
    number: int, path: str, metadata: list[tuple[str, str]], request: bytes
) -> None:
    ((got, kind, body),) = read_frames(call_frame(number, path, tuple(metadata), 1.5, request))
    assert (got, kind) == (number, CALL)
    head, timeout, got = read_call(body)
    assert (read_head(head), timeout, got) == ((path, metadata), 1.5, request)


@pytest.mark.parametrize(
    ("timeout", "arrives"),
    [(None, None), (0.0, 0.001), (-5.0, 0.001), (0.0001, 0.001), (0.25, 0.25), (10**9, (2**32 - 1) / 1000)],
)
def test_a_timeout_is_kept_to_the_millisecond_and_never_becomes_none(
    timeout: float | None, arrives: float | None
) -> None:
    ((_, _, body),) = read_frames(call_frame(1, "/a/b", (), timeout, b""))
    assert read_call(body)[1] == arrives


@pytest.mark.parametrize("metadata", [[], [("workspace", "acme")], [("workspace", "acme"), ("trace", "1-2")]])
def test_a_head_that_was_made_before_comes_out_as_it_went_in(metadata: list[tuple[str, str]]) -> None:
    for path, timeout in [("/a/b", 1.5), ("/a/c", 1.5), ("/a/b", 3.0), ("/a/b", None)] * 2:
        ((_, _, body),) = read_frames(call_frame(1, path, tuple(metadata), timeout, b"asked"))
        head, left, asked = read_call(body)
        assert (read_head(head), left, asked) == ((path, metadata), timeout, b"asked")


@given(st.binary())
def test_any_bytes_are_a_call_or_are_refused(body: bytes) -> None:
    try:
        head, _, request = read_call(body)
        read_head(head)
    except BrokenFrames:
        return
    assert body.endswith(head + request)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0\0\0\0",
        b"\0\0\0\0\x09\0\0\0/a/b",
        b"\0\0\0\0\x02\0\0\0\xff\xff",
        b"\0\0\0\0\x05\0\0\0/a/b\0",
    ],
    ids=["empty", "cut", "head too long", "no UTF-8", "key without value"],
)
def test_what_is_no_call_is_refused(body: bytes) -> None:
    with pytest.raises(BrokenFrames):
        read_head(read_call(body)[0])


def test_credit_comes_out_as_it_went_in_and_anything_else_is_refused() -> None:
    ((number, kind, body),) = read_frames(credit_frame(7, 2**32 - 1))
    assert (number, kind, read_credit(body)) == (7, CREDIT, 2**32 - 1)
    with pytest.raises(BrokenFrames):
        read_credit(b"abc")


def test_the_numbers_of_the_kinds_stay_as_they_are() -> None:
    assert (CALL, CREDIT, ANSWER, DRAIN) == (1, 3, 6, 9)
