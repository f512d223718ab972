"""What goes wrong on the way: retries, cut and stalled answers, time-outs, connections that are used again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from checklist import SIMULATOR, check, named, told_until_the_end
from connect import WITH_USAGE, client, new_client, request


def _retried(status: int) -> Callable[[], Any]:
    def once_then_success() -> Any:
        SIMULATOR.script(status=status, times=1)
        return new_client(max_retries=2).chat.completions.create(**request("hello"))

    return once_then_success


for _status in (409, 429, 500, 529):
    named(f"retry_after_{_status}")(_retried(_status))


def _not_retried(status: int) -> Callable[[], Any]:
    def fails_at_once() -> Any:
        SIMULATOR.script(status=status, times=1)
        try:
            return new_client(max_retries=2).chat.completions.create(**request("hello"))
        except Exception as error:
            return error

    return fails_at_once


for _status in (400, 401, 402, 403, 404, 413, 422):
    named(f"no_retry_after_{_status}")(_not_retried(_status))


@check
def retries_run_out() -> Any:
    SIMULATOR.script(status=500, times=3)
    try:
        return new_client(max_retries=2).chat.completions.create(**request("hello"))
    except Exception as error:
        return error


@check
def retry_before_a_stream() -> Any:
    SIMULATOR.script(status=529, times=1)
    return list(new_client(max_retries=2).chat.completions.create(**request("hello"), stream=True, **WITH_USAGE))


@check
def cut_answer() -> Any:
    try:
        return client().chat.completions.create(**request("hello [words=60] [cut=30]"))
    except Exception as error:
        return error


@check
def cut_stream() -> Any:
    return _streamed("hello [words=60] [cut=30]")


@check
def cut_stream_before_its_first_word() -> Any:
    return _streamed("hello [words=60] [cut=0]")


@check
def stalled_stream() -> Any:
    return _streamed("hello [words=60] [stall=5]", timeout=1.0)


@check
def timeout_of_a_whole_answer() -> Any:
    began = time.monotonic()
    try:
        return new_client(timeout=0.5).chat.completions.create(**request("hello [delay=20]"))
    except Exception as error:
        return {"error": error, "is_in_time": time.monotonic() - began < 3}


@check
def a_slow_answer_is_waited_for() -> Any:
    return new_client(timeout=10).chat.completions.create(**request("hello [delay=0.7]"))


@check
def one_connection_for_several_requests() -> Any:
    with new_client() as one:
        ports = []
        for _ in range(4):
            raw = one.chat.completions.with_raw_response.create(**request("hello"))
            stream = raw.http_response.extensions["network_stream"]
            ports.append(stream.get_extra_info("client_addr")[1])
            with one.chat.completions.create(**request("hello"), stream=True, **WITH_USAGE) as streamed:
                ports.append(streamed.response.extensions["network_stream"].get_extra_info("client_addr")[1])
                list(streamed)
    return {"connections": len(set(ports))}


@check
def one_connection_after_errors() -> Any:
    with new_client() as one:
        ports = []
        for status in (400, 429, 529):
            try:
                one.chat.completions.create(**request(f"hello [status={status}]"))
            except Exception as error:
                extensions = error.response.extensions  # type: ignore[attr-defined]
                ports.append(extensions["network_stream"].get_extra_info("client_addr")[1])
    return {"connections": len(set(ports))}


def _streamed(text: str, **options: Any) -> Any:
    one = new_client(**options).chat.completions
    return told_until_the_end(
        lambda: one.create(**request(text), stream=True, **WITH_USAGE), lambda chunk: chunk.object
    )
