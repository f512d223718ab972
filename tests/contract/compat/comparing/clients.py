"""The clients that are compared, and what each needs to run; one line adds one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Client:
    """A client as its users install it, and the folder of checks that drives it."""

    name: str
    checks: str
    """A folder of `checks/`, or of `js/` where it is JavaScript's."""
    lock: str = ""
    """Its Python packages, pinned in `locks/<lock>.txt`; empty where the standard library is enough."""
    is_javascript: bool = False


CLIENTS = (
    Client("anthropic 0.125", "anthropic_sdk", "sdks-old"),
    Client("anthropic 2", "anthropic_sdk", "sdks-new"),
    Client("openai 1", "openai_sdk", "sdks-old"),
    Client("openai 3", "openai_sdk", "sdks-new"),
    Client("langchain 1", "langchain", "langchain"),
    Client("pydantic-ai 2", "pydantic_ai_models", "pydantic-ai"),
    Client("claude code 2.1.329", "claude_code"),
    Client("js anthropic 1", "anthropic_sdk", is_javascript=True),
    Client("js openai 6", "openai_sdk", is_javascript=True),
    Client("js ai 6", "ai_sdk", is_javascript=True),
)
