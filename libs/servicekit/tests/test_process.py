"""A service's process: says why it cannot start, stops cleanly when told to."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

SERVES = """
import asyncio
from tollway_servicekit.process import run

async def main(stop):
    print("up", flush=True)
    await stop.wait()
    print("down", flush=True)
    {after}

run(main)
"""


def start(source: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", source]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_process_end_in_order(number: signal.Signals) -> None:
    process = start(SERVES.format(after=""))
    assert process.stdout
    assert process.stdout.readline() == "up\n"
    process.send_signal(number)
    assert process.communicate(timeout=10) == ("down\n", "")
    assert process.returncode == 0


def test_a_second_signal_ends_a_process_that_does_not_stop() -> None:
    process = start(SERVES.format(after="await asyncio.Event().wait()"))
    assert process.stdout
    assert process.stdout.readline() == "up\n"
    process.terminate()
    assert process.stdout.readline() == "down\n"
    process.terminate()
    process.communicate(timeout=10)
    assert process.returncode == -signal.SIGTERM


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("from tollway_servicekit.settings import SettingError as E", "X is missing"),
        ("E = OSError", "X is missing"),
    ],
)
def test_what_keeps_it_from_starting_is_told_in_one_line(error: str, told: str) -> None:
    source = f"""
from tollway_servicekit.process import run
{error}

async def main(stop):
    raise E("{told}")

run(main)
"""
    process = start(source)
    _, said = process.communicate(timeout=10)
    assert said == f"cannot start: {told}\n"
    assert process.returncode == 1


def test_a_process_keeps_what_large_blocks_were_in() -> None:
    source = """
import ctypes, sys
from tollway_servicekit.process import KEPT_BYTES, keep_freed_memory

keep_freed_memory()
libc = ctypes.CDLL(None)
libc.sbrk.restype = ctypes.c_void_p

def top() -> int:
    return libc.sbrk(ctypes.c_long(0))

before = top()
block = bytearray(KEPT_BYTES // 8)
grown = top() - before
del block
print(grown >= KEPT_BYTES // 8, top() - before == grown)
"""
    told, errors = start(source).communicate(timeout=10)
    assert (told, errors) == ("True True\n", "")
