"""Errors keep kind, reason, message and metadata on their way through gRPC trailers."""

from __future__ import annotations

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc.aio import AioRpcError, Metadata
from tollway_servicekit.errors import ERROR_TYPES, MAX_MESSAGE_CHARACTERS, InternalError, NotFound, ServiceError
from tollway_servicekit.status import from_rpc_error, to_trailers


def rpc_error(code: grpc.StatusCode, trailers: Metadata | None = None, details: str | None = "") -> AioRpcError:
    return AioRpcError(code, Metadata(), trailers or Metadata(), details)


@pytest.mark.parametrize("kind", ERROR_TYPES.values(), ids=lambda kind: kind.__name__)
def test_every_kind_comes_back_as_itself(kind: type[ServiceError]) -> None:
    error = kind("SOME_REASON", "what happened, “quoted”\nand what to do", {"cap": "1000", "used": "1001"})
    back = from_rpc_error(rpc_error(grpc.StatusCode[kind.code], Metadata(*to_trailers(error)), error.message))
    assert type(back) is kind
    assert (back.reason, back.message, back.metadata) == (error.reason, error.message, error.metadata)


def test_every_kind_has_a_code_of_its_own() -> None:
    assert set(ERROR_TYPES.values()) == set(ServiceError.__subclasses__())
    assert all(hasattr(grpc.StatusCode, code) for code in ERROR_TYPES)


def test_any_grpc_client_can_read_the_details() -> None:
    ((key, value),) = to_trailers(NotFound("PROMPT_NOT_FOUND", "there is none", {"name": "greeting"}))
    assert key == "grpc-status-details-bin"
    status = status_pb2.Status.FromString(value)
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (status.code, status.message) == (grpc.StatusCode.NOT_FOUND.value[0], "there is none")
    assert (info.reason, info.domain, dict(info.metadata)) == ("PROMPT_NOT_FOUND", "tollway", {"name": "greeting"})


def test_a_failure_of_grpc_itself_takes_its_code_as_reason() -> None:
    back = from_rpc_error(rpc_error(grpc.StatusCode.UNAVAILABLE, details="connection refused"))
    assert (type(back).__name__, back.reason, back.message) == ("Unavailable", "UNAVAILABLE", "connection refused")


def test_a_code_that_no_service_raises_is_an_internal_error() -> None:
    back = from_rpc_error(rpc_error(grpc.StatusCode.UNIMPLEMENTED, details=None))
    assert isinstance(back, InternalError)
    assert back.reason == "UNIMPLEMENTED"
    assert back.message


def test_an_error_tells_its_reason_and_message() -> None:
    assert str(NotFound("PROMPT_NOT_FOUND", "there is none")) == "PROMPT_NOT_FOUND: there is none"
    assert NotFound("X", "y").metadata == {}


def test_a_message_too_long_for_trailers_is_cut() -> None:
    error = NotFound("X", "y" * 100_000)
    assert len(error.message) == MAX_MESSAGE_CHARACTERS
    assert error.message.endswith("y…")
    assert NotFound("X", "y" * MAX_MESSAGE_CHARACTERS).message == "y" * MAX_MESSAGE_CHARACTERS
