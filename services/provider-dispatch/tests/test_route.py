"""Which provider and model a call goes to, and with which key."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from tollway_dialects.dialect import Dialect
from tollway_provider_dispatch.adapters.providers.anthropic import ANTHROPIC
from tollway_provider_dispatch.adapters.providers.openai import OPENAI
from tollway_provider_dispatch.adapters.providers.simulator import SIMULATOR
from tollway_provider_dispatch.domain import route
from tollway_provider_dispatch.domain.candidate import Candidate
from tollway_provider_dispatch.domain.provider import Provider, ProviderKey
from tollway_provider_dispatch.domain.route import Chain
from tollway_servicekit.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from tollway_provider_dispatch.domain.provider import ProviderKind

MESSAGES, CHAT = Dialect.ANTHROPIC_MESSAGES, Dialect.OPENAI_CHAT
COUNTING, RESPONSES, EMBEDDINGS = (
    Dialect.ANTHROPIC_COUNT_TOKENS,
    Dialect.OPENAI_RESPONSES,
    Dialect.OPENAI_EMBEDDINGS,
)
TALKS = (MESSAGES, CHAT, RESPONSES)
ANTHROPICS = "POST /v1/messages, POST /v1/messages/count_tokens, POST /v1/chat/completions, POST /v1/responses"
OPENAIS = "POST /v1/messages, POST /v1/chat/completions, POST /v1/responses, POST /v1/responses/input_tokens"
MODELS = {"claude-haiku": [ANTHROPIC], "gpt-luna": [OPENAI], "both": [ANTHROPIC, OPENAI], "embed": [OPENAI]}


def provider(kind: ProviderKind, *keys: str, **more: Any) -> Provider:
    return Provider(kind, kind.base_url, tuple(map(ProviderKey.of, keys or ("sk-1",))), **more)


A, O, S = provider(ANTHROPIC), provider(OPENAI), provider(SIMULATOR, serves_any_model=True)  # noqa: E741


def chosen(chain: Chain, dialect: Dialect, *models: str) -> tuple[str, str]:
    candidate = chain.candidates(models, dialect)[0]
    return candidate.provider.name, candidate.model


@pytest.mark.parametrize(
    ("dialect", "models", "expected"),
    [
        (MESSAGES, ["claude-haiku"], ("anthropic", "claude-haiku")),
        (CHAT, ["gpt-luna"], ("openai", "gpt-luna")),
        # a tier's first model, also where its provider speaks another dialect than the client
        (CHAT, ["claude-haiku", "gpt-luna", "both"], ("anthropic", "claude-haiku")),
        (MESSAGES, ["gpt-luna", "claude-haiku"], ("openai", "gpt-luna")),
        (RESPONSES, ["claude-haiku"], ("anthropic", "claude-haiku")),
        # a model that the configuration does not know
        (MESSAGES, ["gpt-new"], ("anthropic", "gpt-new")),
        (CHAT, ["claude-new"], ("openai", "claude-new")),
    ],
)
@pytest.mark.parametrize("chain", [(A, O), (O, A), (A, O, S)])
def test_a_model_goes_to_its_provider_and_an_unknown_one_to_the_dialects(chain, dialect, models, expected):
    assert chosen(Chain(chain, MODELS), dialect, *models) == expected


def test_the_simulator_is_asked_last_and_for_any_model_that_nobody_else_serves():
    chain = Chain([A, S], MODELS)
    assert chain.provider_names == ["anthropic", "simulator"]
    assert chosen(chain, MESSAGES, "claude-haiku") == ("anthropic", "claude-haiku")
    assert chosen(chain, MESSAGES, "anything") == ("anthropic", "anything")
    assert chosen(chain, CHAT, "gpt-luna") == ("simulator", "gpt-luna")
    assert chosen(chain, CHAT, "anything") == ("simulator", "anything")
    alone = Chain([S], MODELS)
    assert chosen(alone, MESSAGES, "anything") == ("simulator", "anything")
    # it stands in for the model's own provider, which speaks another dialect
    assert chosen(alone, CHAT, "claude-haiku", "gpt-luna") == ("simulator", "claude-haiku")


def test_the_simulator_speaks_like_the_provider_that_a_model_names_first():
    for kinds, dialect, spoken in (
        ([ANTHROPIC, OPENAI], CHAT, MESSAGES),
        ([ANTHROPIC, OPENAI], MESSAGES, MESSAGES),
        ([OPENAI, ANTHROPIC], MESSAGES, CHAT),
        ([OPENAI, ANTHROPIC], RESPONSES, RESPONSES),
    ):
        (found,) = Chain([S], {"both": kinds}).candidates(["both"], dialect)
        assert found.spoken_to(dialect) is spoken


def test_a_model_of_several_providers_goes_to_the_first_of_the_chain_in_its_own_dialect_where_it_can():
    for chain, dialect, expected in (
        ((A, O), MESSAGES, [("anthropic", MESSAGES), ("openai", CHAT)]),
        ((O, A), MESSAGES, [("openai", CHAT), ("anthropic", MESSAGES)]),
        ((A, O), RESPONSES, [("anthropic", MESSAGES), ("openai", RESPONSES)]),
        ((A, O), COUNTING, [("anthropic", COUNTING)]),
    ):
        found = Chain(chain, MODELS).candidates(["both"], dialect)
        assert [(each.provider.name, each.spoken_to(dialect)) for each in found] == expected
        assert [each.speaks is not None for each in found] == [spoken is not dialect for _, spoken in expected]


@pytest.mark.parametrize(
    ("chain", "dialect", "model", "message"),
    [
        ([O], CHAT, "claude-haiku", "model 'claude-haiku': set ANTHROPIC_API_KEY"),
        ([O], MESSAGES, "claude-haiku", "model 'claude-haiku': set ANTHROPIC_API_KEY"),
        ([O], MESSAGES, "claude-new", "model 'claude-new': set ANTHROPIC_API_KEY"),
        ([A], CHAT, "gpt-new", "model 'gpt-new': set OPENAI_API_KEY"),
        ([A, O], EMBEDDINGS, "claude-haiku", rf"is served at {ANTHROPICS} \(anthropic\) only"),
        ([A, O], COUNTING, "gpt-luna", rf"is served at {OPENAIS} \(openai\) only"),
        ([O], CHAT, "embed", r"model 'embed' is served at POST /v1/embeddings \(openai\) only"),
        ([O], EMBEDDINGS, "gpt-luna", rf"is served at {OPENAIS} \(openai\) only"),
        ([A], COUNTING, "gpt-luna", "model 'gpt-luna': set OPENAI_API_KEY"),
        ([S], COUNTING, "gpt-luna", rf"at {OPENAIS} \(simulator\) only"),
    ],
)
def test_a_refusal_says_what_to_do(chain, dialect, model, message):
    with pytest.raises(NotFound, match=message) as error:
        Chain(chain, MODELS, ["embed"]).candidates([model], dialect)
    assert error.value.reason == "MODEL_NOT_SERVED"


def test_without_any_provider_the_refusal_says_that():
    with pytest.raises(Unavailable, match=r"set one, e\.g\. ANTHROPIC_API_KEY") as error:
        Chain([], MODELS).candidates(["claude-haiku"], MESSAGES)
    assert error.value.reason == "NO_PROVIDER"


def test_known_models_are_listed_with_the_provider_that_they_would_go_to():
    def served(*chain: Provider) -> list[tuple[str, str, list[Dialect]]]:
        return [(model, each.name, dialects) for model, each, dialects in Chain(chain, MODELS, ["embed"]).served()]

    anthropics, openais = [MESSAGES, COUNTING, CHAT, RESPONSES], [*TALKS, Dialect.OPENAI_INPUT_TOKENS]
    assert served(A) == [("claude-haiku", "anthropic", anthropics), ("both", "anthropic", anthropics)]
    assert served(O, S) == [
        ("claude-haiku", "simulator", anthropics),
        ("gpt-luna", "openai", openais),
        ("both", "openai", openais),
        ("embed", "openai", [EMBEDDINGS]),
    ]
    assert served() == []


@pytest.mark.parametrize(
    ("dialect", "model", "expected"),
    [
        (COUNTING, "claude-haiku", ("anthropic", "claude-haiku")),
        (COUNTING, "claude-new", ("anthropic", "claude-new")),
        (RESPONSES, "gpt-luna", ("openai", "gpt-luna")),
        (RESPONSES, "gpt-new", ("openai", "gpt-new")),
        (EMBEDDINGS, "embed", ("openai", "embed")),
        (EMBEDDINGS, "embed-new", ("openai", "embed-new")),
    ],
)
def test_every_endpoint_has_its_provider_and_the_simulator_stands_in_for_it(dialect, model, expected):
    assert chosen(Chain([A, O, S], MODELS, ["embed"]), dialect, model) == expected
    assert chosen(Chain([S], MODELS, ["embed"]), dialect, model) == ("simulator", model)


def test_a_tier_of_models_that_talk_has_none_that_embeds():
    with pytest.raises(NotFound):
        Chain([A, O, S], MODELS, ["embed"]).candidates(["claude-haiku", "gpt-luna"], EMBEDDINGS)


def test_what_was_found_is_remembered_however_many_names_were_invented_before(monkeypatch):
    monkeypatch.setattr(route, "MOST_REMEMBERED", 4)
    chain = Chain([A], MODELS)
    for number in range(9):
        chain.candidates([f"invented-{number}"], MESSAGES)
        assert len(chain._found) <= 4
    assert chain.candidates(["claude-haiku"], MESSAGES) is chain.candidates(["claude-haiku"], MESSAGES)


# --- keys


def keys_of(count: int) -> Provider:
    return provider(ANTHROPIC, *(f"sk-{number}" for number in range(count)))


def test_a_conversation_stays_with_its_key():
    conversations = [b"%d" % number * 8 for number in range(50)]
    first = [keys_of(3).keys_for(lambda each=each: each)[0] for each in conversations]
    assert [keys_of(3).keys_for(lambda each=each: each)[0] for each in conversations] == first


@pytest.mark.parametrize("name", ["%032d", "conversation-%d", "%d", "session/2026-11-21/%d"])
def test_conversations_spread_over_the_keys_whatever_they_are_called(name):
    uses = Counter(keys_of(4).keys_for((name % number).encode)[0].secret for number in range(1000))
    assert len(uses) == 4
    assert all(150 < used < 350 for used in uses.values())


def test_a_call_without_a_conversation_has_a_key_too():
    assert keys_of(3).keys_for(bytes)[0] == keys_of(3).keys_for(bytes)[0]


def test_where_there_is_one_key_nobody_looks_for_the_conversation():
    assert keys_of(1).keys_for(None) == keys_of(1).keys


def test_a_candidate_has_a_route_for_each_key_in_the_conversations_order():
    owner = keys_of(3)
    candidate = Candidate.of(owner, "claude-haiku")
    routes = candidate.routes_for(b"a conversation".__bytes__)
    assert [each.key for each in routes] == owner.keys_for(b"a conversation".__bytes__)
    assert [each.header_lines for each in routes] == [owner.lines_with(each.key) for each in routes]
    assert all(each.candidate is candidate for each in routes)


def test_a_key_is_known_by_its_fingerprint_only():
    kept = provider(ANTHROPIC, "sk-secret-one", headers=(("openai-organization", "org"),))
    assert kept.keys[0].fingerprint == "1ae59d29"  # the beginning of its SHA-256
    assert "sk-secret" not in f"{kept!r} {kept} {kept.keys!r} {Chain([kept], {})!r} {Chain([kept], {}).provider_names}"
    candidate = Candidate.of(kept, "m")
    assert b"sk-secret-one" in candidate.routes[0].header_lines
    assert "sk-secret" not in f"{candidate!r} {candidate} {candidate.routes!r}"


def test_urls_are_base_path_and_query():
    assert A.url(MESSAGES, "") == "https://api.anthropic.com/v1/messages"
    assert A.url(MESSAGES, "beta=true") == "https://api.anthropic.com/v1/messages?beta=true"
    assert O.url(CHAT, "") == "https://api.openai.com/v1/chat/completions"
    assert A.url(COUNTING, "") == "https://api.anthropic.com/v1/messages/count_tokens"
    assert O.url(RESPONSES, "") == "https://api.openai.com/v1/responses"
    assert O.url(EMBEDDINGS, "") == "https://api.openai.com/v1/embeddings"
