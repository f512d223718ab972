"""Makes the environment of a client, apart from all others, and the command that runs its checks in it."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from comparing.clients import HERE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from comparing.clients import Client

UV = HERE.parents[2] / ".tools" / "bin" / "uv"
JAVASCRIPT = HERE / "js"
PYTHON = HERE / ".venv"  # a folder of environments; git, ruff and pytest pass over the name
NPM = ("npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
OLDEST_NODE = 20
INSTALL_SECONDS = 300
SHOWN = 200


class Unavailable(Exception):
    """This machine lacks a program that the environment needs; says which."""


class InstallFailed(Exception):
    """The programs are there, and what is locked could not be installed: a fault of the lock, or no registry."""


def command_for(client: Client) -> list[str]:
    """Return the command that runs all checks of `client`, with everything that it needs installed."""
    if client.is_javascript:
        return [_node(), str(JAVASCRIPT / "run.mjs"), client.checks]
    return [_python(client.lock) if client.lock else sys.executable, str(HERE / "checks" / "run.py"), client.checks]


def _python(name: str) -> str:
    uv = str(UV) if UV.exists() else shutil.which("uv")
    if uv is None:
        raise Unavailable("uv is missing: `make setup` installs it into .tools")
    folder, lock = PYTHON / name, HERE / "locks" / f"{name}.txt"
    python = str(folder / "bin" / "python")
    with _not_installed_yet(folder, lock) as is_missing:
        if is_missing:
            _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)])
            _run([uv, "pip", "sync", "--quiet", "--require-hashes", "--python", python, str(lock)])
    return python


def _node() -> str:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        raise Unavailable(f"node and npm are missing: install Node.js {OLDEST_NODE} or newer, https://nodejs.org")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        raise Unavailable(f"node is {version}: install Node.js {OLDEST_NODE} or newer, https://nodejs.org")
    with _not_installed_yet(JAVASCRIPT / "node_modules", JAVASCRIPT / "package-lock.json") as is_missing:
        if is_missing:
            _run(NPM)
    return node


@contextmanager
def _not_installed_yet(folder: Path, lock: Path) -> Iterator[bool]:
    """Say whether `folder` lacks what `lock` pins, and note that it has it when the block is through."""
    note = folder / ".installed"
    wanted = sha256(lock.read_bytes() + f"{sys.executable} {sys.version}".encode()).hexdigest()
    with lock.open() as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)  # several workers come here at once
        is_missing = not (note.exists() and note.read_text() == wanted)
        yield is_missing
        if is_missing:
            note.write_text(wanted)


def _run(command: Sequence[str]) -> None:
    told = f"`{Path(command[0]).name} {' '.join(command[1:])}` in {JAVASCRIPT}"
    try:
        tried = subprocess.run(command, cwd=JAVASCRIPT, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        raise InstallFailed(f"{told} took more than {INSTALL_SECONDS} s") from None
    if tried.returncode:
        raise InstallFailed(f"{told} failed, are PyPI and npm in reach? {' '.join(tried.stderr.split())[:SHOWN]}")
