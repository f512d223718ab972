"""What is told once calls can be served: to people on the terminal, to programs in a file."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from tollway_servicekit.settings import Environment

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Ready:
    """A running Tollway."""

    url: str
    key: str
    """Virtual key of workspace `default`."""
    simulator_url: str
    """Empty where the simulator does not run."""
    processes: Mapping[str, int]
    """Process ids by name; our own processes only, not the simulator's or Redis'."""


def local_key(environ: Mapping[str, str]) -> str:
    """Return DEFAULT_WORKSPACE_KEY, or a key made once and kept in .tollway/key."""
    given = Environment(environ).text("DEFAULT_WORKSPACE_KEY")
    if given:
        return given
    file = Path(".tollway/key")
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        # whole or not at all: a start that breaks off here must not leave an empty key
        partial = file.with_suffix(".partial")
        partial.touch(mode=0o600)
        partial.write_text(f"tw_{secrets.token_urlsafe(24)}\n")
        partial.replace(file)
    return file.read_text().strip()


def welcome(ready: Ready, how: str, ready_file: Path | None) -> None:
    """Write `ready_file` where one is wanted, then print how to make a first call."""
    if ready_file:
        partial = ready_file.with_suffix(".partial")
        partial.write_bytes(msgspec.json.encode(asdict(ready)))
        partial.rename(ready_file)
    print(_WELCOME.format(url=ready.url, key=ready.key, how=how, upstream=_upstream(ready)), flush=True)  # noqa: T201


def _upstream(ready: Ready) -> str:
    if ready.simulator_url:
        return "the simulator answers, since no provider key is set (see .env.example)"
    return "calls go to the providers whose keys are set"


_WELCOME = """
Tollway is ready at {url} ({how}); {upstream}.

  curl {url}/v1/messages -H "x-api-key: {key}" \\
    -H "anthropic-version: 2023-06-01" -H "content-type: application/json" \\
    -d '{{"model": "auto", "max_tokens": 64, "messages": [{{"role": "user", "content": "Hello"}}]}}'

Or in Python, with .venv/bin/python:

  from anthropic import Anthropic
  client = Anthropic(base_url="{url}", api_key="{key}")
  print(client.messages.create(model="auto", max_tokens=64, messages=[{{"role": "user", "content": "Hello"}}]).content[0].text)

What it did:  curl {url}/v1/metrics/recent -H "x-api-key: {key}"
"""  # noqa: E501 - a line that is typed as it stands
