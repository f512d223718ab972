"""Who is asked for a model, in which order, and whom routes and workspaces let stand in."""

from __future__ import annotations

from typing import Any

import pytest
from tollway_dialects.dialect import Dialect
from tollway_provider_dispatch.bootstrap import PROVIDERS, models_of
from tollway_provider_dispatch.bootstrap import chain_of as providers_of
from tollway_provider_dispatch.domain.policy import Fallback, Policies, Policy, Rules
from tollway_provider_dispatch.domain.route import Chain
from tollway_provider_dispatch.settings import Endpoint, Model, ProviderSettings, Settings
from tollway_servicekit.errors import NotFound

MESSAGES, CHAT = Dialect.ANTHROPIC_MESSAGES, Dialect.OPENAI_CHAT
MODELS = {
    "opus": Model({"openrouter": "anthropic/opus", "anthropic": "opus"}),
    "haiku": Model(["anthropic"]),
    "gpt": Model({"openai": "gpt", "openrouter": "openai/gpt", "azure": "my-deployment"}),
    "gpt-mini": Model(["openai"]),
    "llama": Model(["vllm"]),
    "embed": Model(["openai"], embeds=True),
}
ENDPOINTS = {
    "azure": Endpoint("https://me.openai.azure.com/openai/v1/", key_header="api-key", query="api-version=2026-10-21"),
    "vllm": Endpoint("http://vllm:8000/v1", needs_key=False),
}


def chain(*names: str, **more: Any) -> Chain:
    keyed = {name: ProviderSettings(("sk-1",), "") for name in names or [kind.name for kind in PROVIDERS]}
    settings = Settings(models=MODELS, endpoints=ENDPOINTS, providers={**keyed, **more.pop("providers", {})}, **more)
    return models_of(settings, providers_of(settings))


ALL = [kind.name for kind in PROVIDERS] + ["azure", "vllm"]


def asked(found: Chain, *models: str, dialect: Dialect = CHAT, **policy: Any) -> list[str]:
    return [f"{each}={each.upstream_name}" for each in found.candidates(models, dialect, Policy(**policy))]


def test_the_chain_is_the_demanded_one_with_endpoints_behind():
    assert [kind.name for kind in PROVIDERS] == [
        *("openrouter", "anthropic", "openai", "google", "deepseek", "huggingface"),
    ]
    assert chain(*reversed(ALL)).provider_names == ALL


def test_a_provider_without_a_key_is_not_in_the_chain_unless_it_needs_none():
    assert chain("openai", providers={"vllm": ProviderSettings((), "")}).provider_names == ["openai", "vllm"]


def test_a_named_model_goes_to_every_provider_that_serves_it_in_chain_order_under_their_names_for_it():
    assert asked(chain(*ALL), "opus", dialect=MESSAGES) == ["openrouter/opus=anthropic/opus", "anthropic/opus=opus"]
    assert asked(chain(*ALL), "gpt") == ["openrouter/gpt=openai/gpt", "openai/gpt=gpt", "azure/gpt=my-deployment"]


def test_a_provider_can_be_pinned_for_known_and_unknown_models():
    assert asked(chain(*ALL), "openai/gpt") == ["openai/gpt=gpt"]
    assert asked(chain(*ALL), "azure/gpt") == ["azure/gpt=my-deployment"]
    assert asked(chain(*ALL), "vllm/mistral") == ["vllm/mistral=mistral"]
    assert asked(chain(*ALL), "openrouter/meta/llama-9") == ["openrouter/meta/llama-9=meta/llama-9"]
    assert asked(chain(*ALL), "azure/gpt", dialect=MESSAGES) == ["azure/gpt=my-deployment"]
    with pytest.raises(NotFound):
        chain(*ALL).candidates(["azure/gpt"], Dialect.ANTHROPIC_COUNT_TOKENS)


def test_a_tier_is_all_its_models_with_all_their_providers_each_once():
    assert asked(chain("openrouter", "openai"), "gpt", "gpt-mini", "gpt") == [
        *("openrouter/gpt=openai/gpt", "openai/gpt=gpt", "openai/gpt-mini=gpt-mini"),
    ]


def test_substitutes_are_asked_only_where_that_is_allowed():
    both = chain("anthropic", "deepseek", providers={"deepseek": ProviderSettings(("k",), "", ("v4-pro", "flash"))})
    names = {
        fallback: [each.partition("=")[0] for each in asked(both, "opus", dialect=MESSAGES, fallback=fallback)]
        for fallback in Fallback
    }
    assert names == {
        Fallback.SAME_MODEL: ["anthropic/opus"],
        Fallback.CASCADE: ["anthropic/opus", "anthropic/haiku"],
        Fallback.ANY: ["anthropic/opus", "anthropic/haiku", "deepseek/v4-pro", "deepseek/flash"],
    }


def test_a_cascade_goes_on_from_the_named_model_and_is_the_environments_where_it_lists_one():
    assert asked(chain("anthropic"), "haiku", dialect=MESSAGES, fallback=Fallback.CASCADE) == ["anthropic/haiku=haiku"]
    listed = chain(providers={"openai": ProviderSettings(("k",), "", ("gpt-mini", "gpt", "gpt-next"))})
    assert asked(listed, "gpt-mini", fallback=Fallback.CASCADE) == [
        *("openai/gpt-mini=gpt-mini", "openai/gpt=gpt", "openai/gpt-next=gpt-next"),
    ]
    # what it lists is served there although `models` does not know it
    assert asked(listed, "gpt-next") == ["openai/gpt-next=gpt-next"]


def test_providers_that_are_not_allowed_are_left_out_and_a_model_of_theirs_alone_is_refused():
    kept = asked(chain(*ALL), "gpt", allowed_providers=frozenset({"azure", "openai"}))
    assert kept == ["openai/gpt=gpt", "azure/gpt=my-deployment"]
    with pytest.raises(NotFound, match=r"served by anthropic, which this workspace does not allow") as refused:
        chain("anthropic", "openai").candidates(
            ["haiku"], MESSAGES, Policy(Fallback.SAME_MODEL, allowed_providers=frozenset({"openai"}))
        )
    assert refused.value.reason == "PROVIDER_NOT_ALLOWED"


def test_an_embedding_has_no_substitute_that_talks():
    found = chain("openai").candidates(["embed"], Dialect.OPENAI_EMBEDDINGS, Policy(Fallback.ANY))
    assert [str(each) for each in found] == ["openai/embed"]


def test_an_endpoint_is_asked_at_its_address_with_its_header():
    (azure, vllm) = providers_of(
        Settings(
            endpoints=ENDPOINTS,
            providers={"azure": ProviderSettings(("sk-azure",), ""), "vllm": ProviderSettings((), "http://other/v1")},
        )
    )
    assert azure.url(CHAT, "x=1") == (
        "https://me.openai.azure.com/openai/v1/chat/completions?api-version=2026-10-21&x=1"
    )
    assert azure.lines_with(azure.keys[0]) == b"api-key: sk-azure\r\n"
    assert (vllm.url(CHAT, ""), vllm.lines_with(vllm.keys[0])) == ("http://other/v1/chat/completions", b"")


ROUTES = {"default": Rules(fallback=Fallback.CASCADE), "opus": Rules(fallback=Fallback.ANY, delivery="buffered")}
WORKSPACES = {
    "strict": Rules(fallback=Fallback.SAME_MODEL, allowed_providers=("anthropic",)),
    "eu": Rules(allowed_providers=("azure", "vllm")),
}


@pytest.mark.parametrize(
    ("workspace", "model", "expected"),
    [
        ("acme", "gpt", (Fallback.CASCADE, None, False)),
        ("acme", "opus", (Fallback.ANY, None, True)),
        ("strict", "opus", (Fallback.SAME_MODEL, {"anthropic"}, True)),
        ("eu", "gpt", (Fallback.CASCADE, {"azure", "vllm"}, False)),
    ],
)
def test_what_a_workspace_says_comes_before_what_its_route_says(workspace, model, expected):
    policies = Policies(ROUTES, WORKSPACES)
    policy = policies.of(workspace, model)
    assert (policy.fallback, policy.allowed_providers, policy.is_buffered) == expected
    assert policies.of(workspace, model) is policy


def test_a_route_cannot_allow_what_the_workspace_forbids():
    policies = Policies({"opus": Rules(allowed_providers=("openai", "azure"))}, WORKSPACES)
    assert policies.of("eu", "opus").allowed_providers == {"azure"}


def test_names_that_clients_invent_take_no_room():
    policies = Policies(ROUTES, WORKSPACES)
    for number in range(100):
        policies.of("eu", f"invented-{number}")
        policies.of(f"invented-{number}", "opus")
    assert len(policies._found) <= 2


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        ("gpt", {"openrouter"}),
        ("openai/gpt", {"openrouter"}),
        ("OpenAI/GPT", {"openrouter"}),
        ("openrouter/openai/gpt", {"openrouter"}),
        ("Sonnet", {"anthropic"}),
        ("openai/sonnet", {"openai"}),
        ("unknown/gpt", None),
        ("openai/default", None),
        ("openai/other", None),
    ],
)
def test_a_route_holds_however_its_name_is_spelled_and_whoever_is_named_before_it(asked, allowed):
    routes = {
        "gpt": Rules(allowed_providers=("openrouter",)),
        "sonnet": Rules(allowed_providers=("anthropic",)),
        "openai/sonnet": Rules(allowed_providers=("openai",)),
    }
    policies = Policies(routes, providers=["openai", "openrouter"])
    assert policies.of("acme", asked).allowed_providers == allowed
