"""The models of config.yaml agree with the tiers, with the prices, and with what is known of the vendors' models."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from tollway_dialects.dialect import Dialect
from tollway_dialects.translation.models.capabilities import EFFORTS
from tollway_dialects.usage import Usage
from tollway_pricing import PriceTable, load_prices
from tollway_provider_dispatch.bootstrap import PROVIDER_NAMES, chain_of, models_of
from tollway_provider_dispatch.settings import Model, ProviderSettings, Settings
from tollway_simulator.domain.models import traits_of

CONFIG = Path(__file__).parents[2] / "config.yaml"
SETTINGS = Settings.from_env({"TOLLWAY_CONFIG": str(CONFIG)}, PROVIDER_NAMES)
MODELS = SETTINGS.models
TIERS = yaml.safe_load(CONFIG.read_text())["tiers"]
MESSAGES, CHAT, EMBEDDINGS = Dialect.ANTHROPIC_MESSAGES, Dialect.OPENAI_CHAT, Dialect.OPENAI_EMBEDDINGS
# whoever serves them sets the price
UNPRICED = {"gpt-oss-120b", "gpt-oss-20b"}
ALL_LEVELS = ("low", "medium", "high", "xhigh", "max")
# P: no prefill, S: no sampling, A: no budget of thinking, D: thinking cannot be turned off, F: no forced tool
FLAGS = {
    "claude-fable-5-1": "PSADF",
    "claude-mythos-5-1": "PSA",  # A is not known of it; an effort is what is least refused
    "claude-fable-5": "PSAD",
    "claude-opus-5-5": "PSADF",
    "claude-sonnet-5-5": "PSADF",
    "claude-haiku-5-5": "PSA",
    "claude-opus-5": "PSA",
    "claude-opus-4-8": "PSA",
    "claude-opus-4-7": "PSA",
    "claude-opus-4-6": "P",
    "claude-sonnet-5": "PSA",
    "claude-sonnet-4-6": "P",
    "claude-opus-4-5": "",
    "claude-sonnet-4-5": "",
    "claude-haiku-4-5": "",
}


def candidates(model: str, dialect: Dialect, *providers: str) -> list[tuple[str, str]]:
    """Whom a call would try, with what each calls the model, where these providers have keys."""
    settings = replace(SETTINGS, providers={name: ProviderSettings(("sk",), "") for name in providers})
    found = models_of(settings, chain_of(settings)).candidates([model], dialect)
    return [(each.provider.name, each.upstream_name) for each in found]


def flags(model: Model) -> str:
    takes, thinking = model.capabilities, model.capabilities.thinking
    refused = {
        "P": not model.prefill,
        "S": not takes.takes_sampling,
        "A": "enabled" not in thinking,
        "D": "disabled" not in thinking,
        "F": not takes.takes_forced_tools,
    }
    return "".join(flag for flag, is_refused in refused.items() if is_refused)


def test_every_provider_serves_some_model() -> None:
    assert {provider for model in MODELS.values() for provider in model.providers} == set(PROVIDER_NAMES)


@pytest.mark.parametrize("tier", TIERS)
def test_every_model_of_a_tier_is_known_and_anthropics_come_first(tier: str) -> None:
    for names in (TIERS[tier]["named"], TIERS[tier].get("classified", TIERS[tier]["named"])):
        assert set(names) <= MODELS.keys()
        assert candidates(names[0], MESSAGES, "anthropic", "openai")[0] == ("anthropic", names[0])


def test_every_model_has_a_price_now_but_those_that_others_set_it_for() -> None:
    table, now = PriceTable(load_prices()), int(time.time() * 1000)
    assert {name for name in MODELS if table.cost(name, Usage(1, output=1), now) is None} == UNPRICED


@pytest.mark.parametrize("model", FLAGS)
def test_what_anthropics_models_refuse_is_said(model: str) -> None:
    assert flags(MODELS[model]) == FLAGS[model]


def test_every_model_of_anthropics_is_in_the_table() -> None:
    assert {name for name in MODELS if name.startswith("claude-")} - {"claude-mythos-5"} == set(FLAGS)


@pytest.mark.parametrize("name", [name for name in MODELS if name not in UNPRICED and not MODELS[name].embeds])
def test_what_the_simulator_refuses_in_a_models_name_is_said_of_the_model(name: str) -> None:
    known, model = traits_of(name), MODELS[name]
    takes = model.capabilities
    refused = {
        "P": not model.prefill,
        "S": not takes.takes_sampling,
        "A": "enabled" not in takes.thinking,
        "D": "disabled" not in takes.thinking,
        "F": not takes.takes_forced_tools,
        "N": "none" not in takes.efforts,
        "n": "minimal" not in takes.efforts,
        "G": takes.wants_call_signatures,
        "M": takes.names_limit == "max_completion_tokens",
    }
    assert [flag for flag, is_said in refused.items() if known.has(flag) and not is_said] == []
    assert (takes.max_output or 0) <= model.context


@pytest.mark.parametrize(
    ("name", "context", "max_output", "efforts"),
    [
        ("claude-opus-5-5", 1_000_000, 128_000, ALL_LEVELS),
        ("claude-opus-4-6", 1_000_000, 128_000, ("low", "medium", "high", "max")),
        ("claude-opus-4-5", 200_000, 64_000, ("low", "medium", "high")),
        ("claude-haiku-4-5", 200_000, 64_000, ()),
        ("gpt-6.2-sol", 922_000, 128_000, ALL_LEVELS),
        ("gpt-6.1-terra", 922_000, 128_000, ("none", *ALL_LEVELS)),
        ("gpt-5.4-mini", 272_000, 128_000, ("none", "low", "medium", "high", "xhigh")),
        ("gpt-4.1", 1_047_576, 32_768, ()),
        ("gpt-4o-mini", 128_000, 16_384, ()),
        ("gemini-4-argon", 1_048_576, 1_048_576, ("low", "medium", "high")),
        ("gemini-3.5-flash", 1_048_576, 65_536, ("minimal", "low", "medium", "high")),
        ("gemini-2.5-pro", 1_048_576, 65_536, ()),
        ("deepseek-v4-pro", 1_000_000, 384_000, ("low", "high", "max")),
    ],
)
def test_windows_limits_and_efforts(name: str, context: int, max_output: int, efforts: tuple[str, ...]) -> None:
    takes = MODELS[name].capabilities
    assert (MODELS[name].context, takes.max_output, takes.efforts) == (context, max_output, efforts)


def test_efforts_are_listed_from_the_least_to_the_most() -> None:
    for model in MODELS.values():
        assert list(model.capabilities.efforts) == sorted(model.capabilities.efforts, key=EFFORTS.index)


def test_deepseek_is_spoken_to_in_its_own_way() -> None:
    takes = MODELS["deepseek-flash"].capabilities
    assert (takes.names_limit, takes.names_thinking, takes.wants_reasoning_content) == ("max_tokens", True, True)
    assert takes.formats == {"object"}


def test_gemini_wants_its_calls_signed_from_3_on() -> None:
    gemini = [name for name in MODELS if name.startswith("gemini-")]
    signed = [name for name in gemini if MODELS[name].capabilities.wants_call_signatures]
    assert signed == [name for name in gemini if not name.startswith("gemini-2.5")]
    assert len(signed) == 6


def test_models_that_think_in_silence_are_waited_for() -> None:
    patient = {name for name, model in MODELS.items() if (model.first_token_timeout or 0) >= 120}
    assert {"gpt-6-luna", "gemini-3.5-flash", "deepseek-flash", "gpt-oss-20b"} <= patient
    assert patient & {"claude-opus-5-5", "gpt-4.1", "text-embedding-3-small"} == set()


@pytest.mark.parametrize(
    ("model", "provider", "name"),
    [
        ("claude-opus-5-5", "openrouter", "anthropic/claude-opus-5.5"),
        ("claude-opus-5-5", "anthropic", "claude-opus-5-5"),
        ("gpt-6-luna", "openrouter", "openai/gpt-6-luna"),
        ("gemini-3.8-flash", "openrouter", "google/gemini-3.8-flash"),
        ("deepseek-flash", "openrouter", "deepseek/deepseek-v4.1-flash"),
        ("deepseek-flash", "huggingface", "deepseek-ai/DeepSeek-V4.1-Flash"),
        ("deepseek-flash", "deepseek", "deepseek-flash"),
        ("gpt-oss-20b", "huggingface", "openai/gpt-oss-20b"),
    ],
)
def test_a_model_is_asked_for_by_the_providers_own_name(model: str, provider: str, name: str) -> None:
    for dialect in (MESSAGES, CHAT):
        assert candidates(model, dialect, provider) == [(provider, name)]


def test_at_openrouter_a_name_is_the_makers_with_dots_in_versions() -> None:
    for name, model in MODELS.items():
        for provider, called in model.names.items():
            if provider == "openrouter":
                vendor, _, plain = called.partition("/")
                assert vendor in {"anthropic", "openai", "google", "deepseek"}
                assert plain.replace(".", "-") == name.replace(".", "-") or name == "deepseek-flash"
            elif provider != "huggingface":
                assert called == name


def test_the_chain_is_asked_in_its_order() -> None:
    asked = candidates("deepseek-flash", CHAT, *PROVIDER_NAMES)
    assert [provider for provider, _ in asked] == ["openrouter", "deepseek", "huggingface"]
    assert candidates("text-embedding-3-small", EMBEDDINGS, *PROVIDER_NAMES) == [("openai", "text-embedding-3-small")]
