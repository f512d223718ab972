"""The contract, over each kind of stub."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from tollway.prompt_registry.v1 import prompt_registry_pb2 as pb
from tollway_servicekit.errors import Conflict, InvalidRequest, NotFound
from tollway_servicekit.stubs import responses

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from tollway_prompt_registry.settings import Settings

    Serve = Callable[[Settings], AbstractAsyncContextManager[Any]]


async def resolve(stub: Any, name: str = "greeter", version: int = 0) -> pb.ResolvePromptResponse:
    return await stub.ResolvePrompt(pb.ResolvePromptRequest(name=name, version=version), timeout=5)


async def publish(stub: Any, version: int, template: str, name: str = "greeter") -> pb.PromptVersion:
    request = pb.PublishPromptRequest(name=name, version=version, template=template)
    return (await stub.PublishPrompt(request, timeout=5)).version


def watch(stub: Any) -> Any:
    return responses(stub.WatchPrompts(pb.WatchPromptsRequest(), timeout=30))


async def test_a_version_is_resolved_by_number_or_as_the_latest(serve: Serve, settings: Settings) -> None:
    async with serve(settings) as stub:
        first = await resolve(stub, version=1)
        request = pb.ResolvePromptRequest(name="greeter", variables={"name": "Ada"})
        latest = await stub.ResolvePrompt(request, timeout=5)
    assert (first.name, first.version, first.text) == ("greeter", 1, "Greet everybody.")
    assert (latest.name, latest.version, latest.text) == ("greeter", 2, "Greet Ada.")


async def test_the_latest_version_is_the_highest_and_not_the_last_published(serve: Serve, settings: Settings) -> None:
    async with serve(settings) as stub:
        await publish(stub, 10, "ten")
        await publish(stub, 9, "nine")
        answer = await resolve(stub)
    assert (answer.version, answer.text) == (10, "ten")


@pytest.mark.parametrize(("name", "version"), [("nobody", 0), ("greeter", 3), ("greeter", -1), ("", 0), ("../x", 1)])
async def test_what_is_not_published_is_not_found(serve: Serve, settings: Settings, name: str, version: int) -> None:
    async with serve(settings) as stub:
        with pytest.raises(NotFound) as missing:
            await resolve(stub, name, version)
    assert missing.value.reason == "PROMPT_NOT_FOUND"


async def test_a_missing_variable_is_named(serve: Serve, settings: Settings) -> None:
    async with serve(settings) as stub:
        with pytest.raises(InvalidRequest) as refusal:
            await resolve(stub)
    assert refusal.value.reason == "PROMPT_VARIABLES_INVALID"
    assert refusal.value.metadata == {"missing": "name"}


async def test_publishing_the_same_text_again_changes_nothing(serve: Serve, settings: Settings) -> None:
    async with serve(settings) as stub:
        first = await publish(stub, 3, "three")
        assert await publish(stub, 3, "three") == first
        assert first.digest == hashlib.sha256(b"three").hexdigest()


async def test_a_published_version_is_immutable(serve: Serve, settings: Settings) -> None:
    async with serve(settings) as stub:
        with pytest.raises(Conflict, match="as version 3") as refusal:
            await publish(stub, 1, "another text")
        assert refusal.value.reason == "PROMPT_VERSION_IMMUTABLE"
        assert (await resolve(stub, version=1)).text == "Greet everybody."


@pytest.mark.parametrize(
    ("name", "version", "template", "reason"),
    [
        ("Bad", 1, "x", "PROMPT_NAME_INVALID"),
        ("a" * 64, 1, "x", "PROMPT_NAME_INVALID"),
        ("a/b", 1, "x", "PROMPT_NAME_INVALID"),
        ("a", 0, "x", "PROMPT_VERSION_INVALID"),
        ("a", -1, "x", "PROMPT_VERSION_INVALID"),
        ("a", 1, " \n", "PROMPT_TEMPLATE_INVALID"),
        ("a", 1, "x" * 65_537, "PROMPT_TEMPLATE_INVALID"),
        ("a", 1, "{{", "PROMPT_TEMPLATE_INVALID"),
    ],
)
async def test_what_is_not_valid_is_not_published(
    serve: Serve, settings: Settings, name: str, version: int, template: str, reason: str
) -> None:
    async with serve(settings) as stub:
        with pytest.raises(InvalidRequest) as refusal:
            await publish(stub, version, template, name)
        assert refusal.value.reason == reason
        with pytest.raises(NotFound):
            await resolve(stub, name, version)


async def test_published_versions_outlive_a_restart(serve: Serve, settings: Settings) -> None:
    async with serve(settings) as stub:
        await publish(stub, 3, "three")
    async with serve(settings) as stub:
        assert (await resolve(stub)).text == "three"


async def test_a_watcher_sees_all_versions_at_once_and_then_each_new_one(serve: Serve, settings: Settings) -> None:
    async with serve(settings) as stub, watch(stub) as news:
        assert [version.version for version in (await anext(news)).versions] == [1, 2]
        published = await publish(stub, 3, "three")
        await publish(stub, 3, "three")
        await publish(stub, 4, "four")
        seen = list((await anext(news)).versions)
        if len(seen) == 1:
            seen += (await anext(news)).versions
        assert seen[0] == published
        assert [version.version for version in seen] == [3, 4]


async def test_one_watcher_may_leave_while_others_go_on(serve: Serve, settings: Settings) -> None:
    async with serve(settings) as stub:
        async with watch(stub) as staying:
            await anext(staying)
            for _ in range(3):
                async with watch(stub) as leaving:
                    await anext(leaving)
            await publish(stub, 3, "three")
            assert [version.version for version in (await anext(staying)).versions] == [3]


async def test_concurrent_publishers_of_one_number_agree_on_one_text(serve: Serve, settings: Settings) -> None:
    async with serve(settings) as stub:
        results = await asyncio.gather(
            *(publish(stub, 3, f"text {number}") for number in range(10)), return_exceptions=True
        )
        (winner,) = [result for result in results if isinstance(result, pb.PromptVersion)]
        assert all(isinstance(result, (pb.PromptVersion, Conflict)) for result in results)
        assert (await resolve(stub)).text == winner.template
