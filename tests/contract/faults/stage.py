"""A gateway, a simulator whose faces stand for two providers of the same models, and what is asked of both."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2
import yaml
from gateway import ROOT, Gateway, running
from tollway_topologies.addresses import free_address

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ADMIN_KEY = "admin-key-of-the-fault-suite"
SCENARIOS = 16
FIRST, SECOND = "openai", "huggingface"


@dataclass(frozen=True)
class Lengths:
    """How long providers are waited for; full length is what config.yaml says."""

    first_token: float
    stall: float
    cooldowns: tuple[float, ...]
    outage: float
    """Seconds that a provider is down."""
    between: float
    """Seconds between two calls meanwhile."""
    slack: float
    returned: float
    """Seconds in which a provider that is well again is used."""


FULL = Lengths(12, 30, (5, 10, 20, 20, 60), outage=60, between=4, slack=3, returned=30)
# of an outage all times are a tenth: where some shrink more than others, a probe may come just before its end
SHORT = Lengths(1, 2, (0.5, 1, 2, 2, 6), outage=6, between=0.4, slack=3, returned=3)


@dataclass
class Seen:
    """What a client saw of one answer."""

    status: int
    headers: Any
    seconds: float
    raw: str
    text: str = ""
    finish: str | None = None
    error: Any = None
    usage: Any = None
    is_done: bool = False

    def note(self, event: dict[str, Any]) -> None:
        self.error = event.get("error") or self.error
        self.usage = event.get("usage") or self.usage
        for choice in event.get("choices", []):
            self.text += choice["delta"].get("content") or ""
            self.finish = choice.get("finish_reason") or self.finish
        if event.get("type") == "content_block_delta":
            self.text += event["delta"].get("text", "")
        if event.get("type") == "message_delta":
            self.finish = event["delta"]["stop_reason"]
        self.is_done = self.is_done or event.get("type") == "message_stop"


@dataclass
class Stage:
    """Both, running."""

    gateway: Gateway
    simulator: str
    lengths: Lengths

    def fail(self, model: str, face: str = FIRST, **script: Any) -> None:
        answer = httpx2.post(f"{self.simulator}/_simulator/script", json={"model": model, "face": face, **script})
        assert answer.status_code < 300, answer.text

    def log(self, model: str) -> list[dict[str, Any]]:
        """The tries of a model, in order."""
        return httpx2.get(f"{self.simulator}/_simulator/log", params={"model": model}).json()

    def faces(self, model: str) -> list[str]:
        return [entry["face"] for entry in self.log(model)]

    def providers(self) -> dict[str, Any]:
        answer = httpx2.get(f"{self.gateway.url}/admin/v1/providers", headers={"x-api-key": ADMIN_KEY})
        return {each["name"]: each for each in answer.raise_for_status().json()["providers"]}

    def scrape(self) -> str:
        return httpx2.get(f"{self.gateway.url}/metrics").raise_for_status().text

    def ask(self, model: str, words: int = 60, *, path: str = "/v1/chat/completions", **more: Any) -> Seen:
        """Ask for a stream and read it to its end, whatever that is."""
        content = f"[words={words}] {model}"
        body = {"model": model, "max_tokens": 4096, "stream": True, "messages": [{"role": "user", "content": content}]}
        if "chat" in path:
            body["stream_options"] = {"include_usage": True}
        began = time.monotonic()
        headers = {"x-api-key": self.gateway.key, "anthropic-version": "2023-06-01"}
        url = f"{self.gateway.url}{path}"
        with httpx2.stream("POST", url, json={**body, **more}, headers=headers, timeout=120) as answer:
            raw = ""
            with contextlib.suppress(httpx2.TransportError):
                for piece in answer.iter_text():
                    raw += piece
            seen = Seen(answer.status_code, answer.headers, time.monotonic() - began, raw)
        for line in raw.splitlines():
            if line == "data: [DONE]":
                seen.is_done = True
            elif line.startswith("data: {"):
                seen.note(json.loads(line[6:]))
        return seen

    def whole(self, words: int = 60) -> str:
        """What a healthy provider says."""
        return self.ask("healthy", words).text


@contextlib.contextmanager
def staged(topology: str, folder: Path, lengths: Lengths) -> Iterator[Stage]:
    address = free_address()
    command = [sys.executable, "-m", "tollway_simulator"]
    environ = {"LISTEN_ADDRESS": address, "PATH": "/usr/bin:/bin"}
    simulator = subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL)
    try:
        url = f"http://{address}"
        _await(url)
        config = folder / "config.yaml"
        config.write_text(yaml.safe_dump(configured(lengths)))
        variables = {
            "TOLLWAY_CONFIG": str(config),
            "ADMIN_KEY": ADMIN_KEY,
            "OPENAI_API_KEY": "sk-first",
            "OPENAI_BASE_URL": f"{url}/openai/v1",
            "HUGGINGFACE_API_KEY": "sk-second",
            "HUGGINGFACE_BASE_URL": f"{url}/huggingface/v1",
            "ANTHROPIC_API_KEY": "sk-third",
            "ANTHROPIC_BASE_URL": f"{url}/anthropic",
            "LLM_MODEL_OPENAI": "fault-12,fault-12-large",
        }
        with running(topology, folder, **variables) as gateway:
            yield Stage(gateway, url, lengths)
    finally:
        simulator.kill()
        simulator.wait()


def configured(lengths: Lengths) -> dict[str, Any]:
    """config.yaml with a model for each scenario, so that no breaker of one is in another's way."""
    document = yaml.safe_load((ROOT / "config.yaml").read_text())
    both = {"providers": [FIRST, SECOND]}
    models = {f"fault-{number}": both for number in range(1, SCENARIOS + 1)}
    models |= {
        "healthy": {"providers": [SECOND]},
        "fault-12": {**both, "context": 1000},
        "fault-12-large": {"providers": [FIRST], "context": 1_000_000},
        "fault-14": {"providers": ["anthropic", SECOND], "prefill": True},
    }
    document["models"] |= models
    document["routes"]["fault-12"] = {"fallback": "cascade"}
    document["edge"]["use_exact_cache"] = False
    document["provider_dispatch"] |= {
        "first_token_timeout": lengths.first_token,
        "stall_timeout": lengths.stall,
        "cooldowns": list(lengths.cooldowns),
    }
    return document


def _await(url: str) -> None:
    for _ in range(200):
        with contextlib.suppress(httpx2.TransportError):
            if httpx2.get(f"{url}/health").status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError("the simulator did not start")
