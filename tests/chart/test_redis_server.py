"""A real redis-server with the settings that the chart writes; only where it listens and keeps files is the tests'."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis
from tollway_servicekit.redis_process import RedisProcess

VALUE = b"x" * 65_536
MORE_THAN_FIT = 100


class Server:
    """A redis-server, and a way in with the password of its Secret."""

    def __init__(self, folder: Path, secret: dict[str, str]) -> None:
        settings = folder / "redis.conf"
        settings.write_text(secret["redis.conf"])
        self.process = RedisProcess(folder, (str(settings), "--dir", str(folder)))
        self.process.start()
        self.client = redis.Redis(unix_socket_path=str(self.process.socket), password=secret["password"])

    def restart(self) -> None:
        """As after a node was lost: it has no time to write anything."""
        self.process.stop()
        self.process.start()

    def fill(self) -> int:
        """Write until it refuses; return how many it took."""
        for number in range(MORE_THAN_FIT):
            try:
                self.client.set(f"filling:{number}", VALUE)
            except redis.exceptions.OutOfMemoryError:
                return number
        return MORE_THAN_FIT

    def stop(self) -> None:
        self.client.close()
        self.process.stop()


Start = Callable[[str], Server]


@pytest.fixture
def start(render: Any) -> Iterator[Start]:
    if not RedisProcess.is_installed():
        pytest.skip("redis-server is not installed; install it (apt-get install redis-server) to test against it")
    manifests = render({"redis": {"maxMemory": "4mb"}, "stateRedis": {"maxMemory": "4mb"}})
    with ExitStack() as stack:

        def start_role(name: str) -> Server:
            # a unix socket's path may have 107 characters, fewer than pytest's own folders take
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="tollway-redis-"))
            server = Server(Path(folder), manifests.find("Secret", name)["stringData"])
            stack.callback(server.stop)
            return server

        yield start_role


def test_state_is_there_after_a_redis_was_killed(start: Start) -> None:
    server = start("redis-state")
    server.client.set("told", "before")
    server.restart()
    assert server.client.get("told") == b"before"


def test_answers_are_not(start: Start) -> None:
    server = start("redis-cache")
    server.client.set("told", "before")
    server.restart()
    assert server.client.get("told") is None


def test_state_that_does_not_fit_is_refused_and_none_is_dropped(start: Start) -> None:
    server = start("redis-state")
    taken = server.fill()
    assert 0 < taken < MORE_THAN_FIT
    assert server.client.dbsize() == taken


def test_answers_that_do_not_fit_take_the_place_of_others(start: Start) -> None:
    server = start("redis-cache")
    assert server.fill() == MORE_THAN_FIT
    assert 0 < server.client.dbsize() < MORE_THAN_FIT


@pytest.mark.parametrize("name", ["redis-cache", "redis-state"])
def test_nobody_gets_in_without_the_password(start: Start, name: str) -> None:
    server = start(name)
    with redis.Redis(unix_socket_path=str(server.process.socket)) as stranger:
        with pytest.raises(redis.exceptions.AuthenticationError):
            stranger.get("told")
