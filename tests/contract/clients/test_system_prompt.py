"""A route's system prompt reaches providers from the one file that all services read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest
from gateway import Gateway, config_with, running

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKED = {"messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture(scope="module")
def prompted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("prompted")
    config = config_with(folder, routes={"gpt-6-luna": {"fallback": "any", "system_prompt": "Be kind. " * 50}})
    with running("local", folder, TOLLWAY_CONFIG=config) as gateway:
        yield gateway


@pytest.mark.xdist_group("prompted")
@pytest.mark.parametrize(
    ("path", "limit"), [("/v1/chat/completions", "max_completion_tokens"), ("/v1/messages", "max_tokens")]
)
def test_the_route_that_has_one_sends_it_and_the_others_do_not(prompted: Gateway, path: str, limit: str) -> None:
    headers = {"authorization": f"Bearer {prompted.key}"}
    told = {}
    for model in ("gpt-6-luna", "gpt-6-astra"):
        answer = httpx2.post(f"{prompted.url}{path}", json=ASKED | {"model": model, limit: 9}, headers=headers)
        assert answer.status_code == 200
        usage = answer.json()["usage"]
        changes = answer.headers.get("x-gateway-body-changes", "")
        told[model] = "system_prompt" in changes, usage.get("prompt_tokens") or usage["input_tokens"]
    assert [sent for sent, _ in told.values()] == [True, False]
    assert told["gpt-6-luna"][1] >= told["gpt-6-astra"][1] + 100
