"""For tests: a redis-server of their own, which they may stop and start."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NOTHING_ON_DISK = ("--save", "", "--appendonly", "no")


class RedisProcess:
    """A redis-server with these settings, on a unix socket in `folder`, whose path may have some 90 characters."""

    def __init__(self, folder: Path, settings: Sequence[str] = NOTHING_ON_DISK) -> None:
        self._settings = settings
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self._process: subprocess.Popen[str] | None = None

    @staticmethod
    def is_installed() -> bool:
        return shutil.which("redis-server") is not None

    def start(self) -> None:
        """Return once it takes connections; raises RuntimeError with what it said where it does not start."""
        binary = shutil.which("redis-server") or "redis-server"
        command = (binary, *self._settings, "--port", "0", "--unixsocket", str(self.socket))
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - as found
        said = []
        for line in self._process.stdout or ():
            said.append(line)
            if "eady to accept connections" in line:
                return
        raise RuntimeError("redis-server did not start: " + "".join(said))

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None


@contextmanager
def running_redis() -> Iterator[RedisProcess]:
    """Yield one that runs, in a folder of its own: a unix socket's path may be shorter than those of pytest's."""
    with tempfile.TemporaryDirectory(prefix="tollway-redis-") as folder:
        process = RedisProcess(Path(folder))
        process.start()
        try:
            yield process
        finally:
            process.stop()
