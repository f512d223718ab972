"""Everything that a piece of an answer says is in its message, and what it does not say is not."""

from __future__ import annotations

from tollway.chat.v1 import chat_pb2
from tollway.provider_dispatch.v1 import provider_dispatch_pb2 as pb
from tollway_dialects.usage import Usage
from tollway_provider_dispatch.domain.call import Attempt, End, Failure, Head, Outcome, Piece
from tollway_provider_dispatch.entrypoints.messages import kept_answer_to, piece_to, whole_to

HEAD = Head(200, b"a: b\r\n", "anthropic", "m", ("cache_marks",), "openai to anthropic: 529", ("seed", "logprobs"))
HEAD_MESSAGE = pb.AnswerHead(
    status=200,
    header_lines=b"a: b\r\n",
    provider="anthropic",
    model="m",
    body_changes=["cache_marks"],
    fallback="openai to anthropic: 529",
    dropped=["seed", "logprobs"],
)
USAGE, USAGE_MESSAGE = (
    Usage(1, 2, 3, 4, 5, 6, True),
    chat_pb2.Usage(
        uncached_input_tokens=1,
        cache_write_short_tokens=2,
        cache_write_long_tokens=3,
        cache_read_tokens=4,
        output_tokens=5,
        reasoning_tokens=6,
        estimated=True,
    ),
)
ATTEMPTS = (
    Attempt(1, "openai", "m", "0a1b", 1000, 529, Outcome.REFUSED, "overloaded", Usage(), 7),
    Attempt(2, "anthropic", "m", "2c3d", 1010, 200, Outcome.SUCCEEDED, "", USAGE, 8),
)
ATTEMPT_MESSAGES = [
    chat_pb2.Attempt(
        number=1,
        provider="openai",
        model="m",
        key_fingerprint="0a1b",
        started_unix_ms=1000,
        http_status=529,
        outcome=chat_pb2.ATTEMPT_OUTCOME_REFUSED,
        reason="overloaded",
        usage=chat_pb2.Usage(),
        duration_ms=7,
    ),
    chat_pb2.Attempt(
        number=2,
        provider="anthropic",
        model="m",
        key_fingerprint="2c3d",
        started_unix_ms=1010,
        http_status=200,
        outcome=chat_pb2.ATTEMPT_OUTCOME_SUCCEEDED,
        usage=USAGE_MESSAGE,
        duration_ms=8,
    ),
]
FAILURE, FAILURE_MESSAGE = (
    Failure("overloaded", "all are", 500),
    pb.Failure(reason="overloaded", message="all are", retry_after_ms=500),
)
END, END_MESSAGE = (
    End(True, "why", "end_turn", "google", "n"),
    pb.StreamEnd(is_complete=True, reason="why", stop_reason="end_turn", provider="google", model="n"),
)


def test_a_whole_answer_says_all_that_its_piece_does() -> None:
    piece = Piece(HEAD, b"body", USAGE, END, FAILURE, ATTEMPTS)
    assert whole_to(piece) == pb.CompleteChatResponse(
        head=HEAD_MESSAGE,
        body=b"body",
        usage=USAGE_MESSAGE,
        attempts=ATTEMPT_MESSAGES,
        failure=FAILURE_MESSAGE,
        stop_reason="end_turn",
    )


def test_a_piece_of_a_stream_says_all_that_it_has() -> None:
    piece = Piece(HEAD, b"event", USAGE, END, FAILURE, ATTEMPTS)
    assert piece_to(piece) == pb.StreamChatResponse(
        head=HEAD_MESSAGE,
        data=b"event",
        usage=USAGE_MESSAGE,
        end=END_MESSAGE,
        failure=FAILURE_MESSAGE,
        attempts=ATTEMPT_MESSAGES,
    )


def test_a_kept_answer_says_all_that_its_piece_does() -> None:
    told = kept_answer_to(Piece(head=HEAD, data=b"body", failure=FAILURE))
    assert told == pb.AskKeptAnswerResponse(head=HEAD_MESSAGE, body=b"body", failure=FAILURE_MESSAGE)


def test_what_a_piece_does_not_say_is_not_there_and_what_is_nothing_is() -> None:
    assert piece_to(Piece()) == pb.StreamChatResponse()
    assert whole_to(Piece()) == pb.CompleteChatResponse()
    told = piece_to(Piece(usage=Usage(), end=End(is_complete=False), failure=Failure("", "", 0)))
    assert [told.HasField(part) for part in ("head", "usage", "end", "failure")] == [False, True, True, True]
