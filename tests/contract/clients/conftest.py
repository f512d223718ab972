"""Every test with a `gateway` runs against each topology; each topology starts once and on one worker."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import anthropic
import openai
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
from gateway import COMMANDS, Gateway, running

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(
    scope="session",
    params=[pytest.param(topology, marks=pytest.mark.xdist_group(topology)) for topology in COMMANDS],
)
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running(request.param, tmp_path_factory.mktemp(request.param)) as started:
        yield started


@pytest.fixture
def claude(gateway: Gateway) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=gateway.url, api_key=gateway.key, max_retries=0) as client:
        yield client


@pytest.fixture
def gpt(gateway: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0) as client:
        yield client
