"""A long request is taken apart as it was put together, and anything else is left alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tollway.provider_dispatch.v1 import provider_dispatch_pb2 as pb
from tollway_servicekit.link.long_field import without_field
from tollway_servicekit.stubs import LongRequest

BODY = (pb.CompleteChatRequest.CALL_FIELD_NUMBER, pb.ChatCall.BODY_FIELD_NUMBER)


def request_with(call_id: str, query: str) -> pb.CompleteChatRequest:
    return pb.CompleteChatRequest(call=pb.ChatCall(call_id=call_id, query=query, thinks=True))


@given(st.binary(max_size=70_000), st.text(max_size=300), st.text(max_size=300))
def test_a_message_and_the_field_beside_it_come_out_as_they_went_in(body: bytes, call_id: str, query: str) -> None:
    message = request_with(call_id, query)
    sent = LongRequest(message, BODY, body).begun() + body
    rest, field = without_field(sent, BODY)
    assert (pb.CompleteChatRequest.FromString(rest), field) == (message, body)
    rest, field = without_field(memoryview(sent), BODY)
    assert (bytes(rest), field) == (message.SerializeToString(), body)


def test_nothing_is_copied() -> None:
    sent = LongRequest(request_with("c", "q"), BODY, b"body").begun() + b"body"
    assert without_field(memoryview(sent), BODY)[1].obj is sent


@given(st.binary(max_size=60))
def test_any_bytes_mean_the_same_to_a_reader_of_messages_afterwards(data: bytes) -> None:
    rest, field = without_field(data, BODY)
    assert data.startswith(rest)
    assert (rest == data) if field is None else data.endswith(field)


def test_a_message_that_has_its_field_within_is_left_whole() -> None:
    for call in (pb.ChatCall(body=b"body", query="after it"), pb.ChatCall(call_id="1", body=b"body"), pb.ChatCall()):
        sent = pb.CompleteChatRequest(call=call).SerializeToString()
        assert without_field(sent, BODY) == (sent, None)


def test_one_that_is_cut_is_left_whole() -> None:
    sent = LongRequest(request_with("c", "q"), BODY, b"body" * 100).begun() + b"body" * 100
    for end in range(len(sent)):
        rest, field = without_field(sent[:end], BODY)
        assert (rest, field) == (sent[:end], None)


def test_another_field_at_the_end_is_left_in_its_message() -> None:
    for numbers in ((1, 5), (2, 4), (4,)):
        sent = LongRequest(request_with("c", "q"), numbers, b"body").begun() + b"body"
        assert without_field(sent, BODY) == (sent, None)
