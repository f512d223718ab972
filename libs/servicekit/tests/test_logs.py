"""A log line in a container is one JSON object, whatever is logged."""

from __future__ import annotations

import io
import json
import logging
import sys

import pytest
from grpc._cython.cygrpc import ExecuteBatchError
from tollway_servicekit.logs import JsonFormatter, configure_logs, is_no_departure
from tollway_servicekit.settings import SettingError


@pytest.fixture
def root_restored() -> object:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before


def record(message: str, *args: object, exc_info: object = None) -> logging.LogRecord:
    return logging.LogRecord("tollway_cache.bootstrap", logging.WARNING, __file__, 1, message, args, exc_info)


def test_a_line_is_one_json_object_with_time_level_logger_and_message() -> None:
    line = JsonFormatter().format(record("%d lookups\nfailed “here”", 3))
    assert "\n" not in line
    told = json.loads(line)
    assert told.pop("time")
    assert told == {"level": "warning", "logger": "tollway_cache.bootstrap", "message": "3 lookups\nfailed “here”"}


def test_an_exception_brings_its_trace_on_the_same_line() -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        line = JsonFormatter().format(record("it failed", exc_info=sys.exc_info()))
    assert "\n" not in line
    assert "ValueError: broken" in json.loads(line)["trace"]


@pytest.mark.usefixtures("root_restored")
def test_what_is_logged_below_the_level_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs({"LOG_LEVEL": "warning"})
    logging.getLogger("tollway").info("quiet")
    logging.getLogger("tollway").warning("loud")
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["loud"]


def test_an_unknown_level_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingError, match="LOG_LEVEL must be one of debug"):
        configure_logs({"LOG_LEVEL": "loud"})


@pytest.mark.parametrize(("operation", "is_kept"), [("SendMessageOperation", False), ("ReceiveMessageOperation", True)])
def test_a_message_that_its_caller_did_not_wait_for_is_not_logged(operation: str, is_kept: bool) -> None:
    try:
        raise ExecuteBatchError(f'Failed "execute_batch": (<grpc._cython.cygrpc.{operation} object>,)')
    except ExecuteBatchError:
        assert is_no_departure(record("raised in core", exc_info=sys.exc_info())) is is_kept
    assert is_no_departure(record("raised in core"))
