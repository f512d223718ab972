"""Settings, and the chain of providers that comes of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tollway_provider_dispatch.adapters.aiohttp_upstream import AiohttpUpstream
from tollway_provider_dispatch.adapters.httptools_upstream import HttptoolsUpstream
from tollway_provider_dispatch.adapters.providers.anthropic import ANTHROPIC
from tollway_provider_dispatch.adapters.providers.openai import OPENAI
from tollway_provider_dispatch.bootstrap import PROVIDER_NAMES, bootstrap, chain_of, client_for
from tollway_provider_dispatch.domain.provider import Provider
from tollway_provider_dispatch.settings import DispatchConfig, Model, Settings
from tollway_servicekit.settings import SettingError

README = Path(__file__).parents[1] / "README.md"


def read(tmp_path: Path, config: str = "", **environ: str) -> Settings:
    (tmp_path / "config.yaml").write_text(config)
    return Settings.from_env({"TOLLWAY_CONFIG": str(tmp_path / "config.yaml"), **environ}, PROVIDER_NAMES)


def secrets(settings: Settings) -> dict[str, list[str]]:
    return {provider.name: [key.secret for key in provider.keys] for provider in chain_of(settings)}


def test_without_any_variable_there_is_no_provider(tmp_path):
    settings = read(tmp_path)
    assert chain_of(settings) == []
    assert (settings.listen, settings.config, settings.models) == ("127.0.0.1:50053", DispatchConfig(), {})


def test_up_to_five_keys_are_read_in_their_order_and_gaps_do_not_matter(tmp_path):
    settings = read(
        tmp_path,
        OPENAI_API_KEY_5="o5",
        OPENAI_API_KEY_2="o2",
        OPENAI_API_KEY_6="o6",
        OPENAI_API_KEY_3=" ",
        ANTHROPIC_API_KEY="a1",
        MISTRAL_API_KEY="m1",
    )
    assert secrets(settings) == {"anthropic": ["a1"], "openai": ["o2", "o5"]}


def test_a_base_url_takes_the_place_of_the_providers_own(tmp_path):
    settings = read(tmp_path, ANTHROPIC_API_KEY="a", OPENAI_API_KEY="o", OPENAI_BASE_URL="http://proxy:1/v1/")
    assert [provider.base_url for provider in chain_of(settings)] == [ANTHROPIC.base_url, "http://proxy:1/v1"]


def test_a_base_url_alone_is_no_provider(tmp_path):
    assert chain_of(read(tmp_path, OPENAI_BASE_URL="http://proxy:1/v1")) == []


def test_an_organisation_goes_to_openai_alone(tmp_path):
    chain = chain_of(read(tmp_path, ANTHROPIC_API_KEY="a", OPENAI_API_KEY="o", OPENAI_ORG_ID="org-1"))
    assert [provider.headers for provider in chain] == [(), (("openai-organization", "org-1"),)]


def test_each_provider_is_authorised_in_its_own_way():
    assert ANTHROPIC.authorise("sk") == [("x-api-key", "sk")]
    assert OPENAI.authorise("sk") == [("authorization", "Bearer sk")]


def test_the_simulator_comes_last_and_only_where_it_was_switched_on(tmp_path):
    chain = chain_of(read(tmp_path, SIMULATOR_URL="http://127.0.0.1:8090/", OPENAI_API_KEY="o"))
    assert [provider.name for provider in chain] == ["openai", "simulator"]
    assert (chain[1].base_url, chain[1].serves_any_model) == ("http://127.0.0.1:8090", True)
    assert chain[1].keys[0].fingerprint == ""


def test_models_and_limits_come_from_the_configuration(tmp_path):
    config = """
models:
  gpt-6-luna: {providers: [openai]}
provider_dispatch:
  connect_timeout: 1
  read_timeout: 2.5
cache: {unknown: here}
"""
    settings = read(tmp_path, config)
    assert settings.models == {"gpt-6-luna": Model(["openai"])}
    assert settings.config == DispatchConfig(connect_timeout=1, read_timeout=2.5)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("provider_dispatch: {read_timout: 1}", "section provider_dispatch: .*read_timout"),
        ("provider_dispatch: {read_timeout: soon}", "section provider_dispatch: .*read_timeout"),
        ("provider_dispatch: {http_client: curl}", "section provider_dispatch: .*http_client"),
        ("models: {gpt: {provider: [openai]}}", "section models: "),
        ("endpoints: {openai: {base_url: x}}", "section endpoints: 'openai' is no name"),
        ("endpoints: {My_One: {base_url: x}}", "section endpoints: 'My_One' is no name"),
        ("endpoints: {vllm: {}}", "section endpoints: .*base_url"),
        ("routes: {default: {fallback: some}}", "section routes: .*some"),
        ("routes: {default: {sytem_prompt: x}}", "section routes: .*sytem_prompt"),
        ("workspaces: {eu: {system_prompt: x}}", "section workspaces: .*system_prompt"),
        (
            "models: {gpt: {providers: [opanai]}}",
            "models, gpt: no provider 'opanai'; there are openrouter, anthropic, openai, google, deepseek, huggingface",
        ),
    ],
)
def test_a_wrong_configuration_is_refused_and_named(tmp_path, config, message):
    with pytest.raises(SettingError, match=message):
        read(tmp_path, config)


def test_cascades_and_endpoints_are_read(tmp_path):
    config = """
endpoints:
  my-vllm: {base_url: "http://vllm:8000/v1", speaks: [chat, embeddings], needs_key: false}
models:
  llama: {providers: {my-vllm: meta/llama}}
routes: {default: {fallback: cascade, system_prompt: Be kind., last_resort: Sorry.}}
workspaces: {eu: {allowed_providers: [my-vllm], delivery: buffered}}
"""
    settings = read(tmp_path, config, LLM_MODEL_OPENAI=" a, b ,,", MY_VLLM_BASE_URL="http://other/v1/")
    assert settings.providers["openai"].cascade == ("a", "b")
    assert [(each.name, each.base_url) for each in chain_of(settings)] == [("my-vllm", "http://other/v1")]
    assert settings.models["llama"].names == {"my-vllm": "meta/llama"}
    assert settings.routes["default"].fallback == "cascade"
    assert settings.workspaces["eu"].allowed_providers == ("my-vllm",)


def test_no_key_is_in_the_settings_representation(tmp_path):
    settings = read(tmp_path, ANTHROPIC_API_KEY="sk-secret-one", OPENAI_API_KEY_2="sk-secret-two")
    assert "sk-secret" not in f"{settings!r} {settings} {settings.providers} {chain_of(settings)}"


@pytest.mark.parametrize(("name", "kind"), [("httptools", HttptoolsUpstream), ("aiohttp", AiohttpUpstream)])
async def test_the_http_client_can_be_chosen(name, kind):
    client = client_for(Provider(ANTHROPIC, "http://127.0.0.1:1", ()), DispatchConfig(http_client=name))
    assert type(client) is kind
    await client.aclose()


@pytest.mark.parametrize("name", ["httptools", "aiohttp"])
@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_an_authority_file_that_is_none_ends_the_start_and_is_named(tmp_path, name, content):
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content)
    settings = Settings(simulator_url="http://127.0.0.1:1", config=DispatchConfig(http_client=name, ca_file=str(file)))
    with pytest.raises(SettingError, match=r"provider_dispatch\.ca_file: .*ca\.pem holds no CA certificates"):
        async with bootstrap(settings):
            pass


async def test_a_chain_without_providers_is_warned_about(caplog):
    async with bootstrap(Settings()):
        assert "set one, e.g. ANTHROPIC_API_KEY" in caplog.text
    caplog.clear()
    async with bootstrap(Settings(simulator_url="http://127.0.0.1:1")):
        assert caplog.text == ""


@pytest.mark.parametrize(
    "name",
    ["LISTEN_ADDRESS", "OPENAI_ORG_ID", "SIMULATOR_URL", "TOLLWAY_CONFIG", "LOG_LEVEL"]
    + [f"{name.upper()}_{end}" for name in PROVIDER_NAMES for end in ("API_KEY", "BASE_URL")]
    + [f"LLM_MODEL_{name.upper()}" for name in PROVIDER_NAMES]
    + [f"provider_dispatch.{name}" for name in DispatchConfig.__struct_fields__],
)
def test_the_readme_lists_the_setting(name):
    assert f"| `{name}` |" in README.read_text()
