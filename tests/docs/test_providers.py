"""Every provider has its page, and the page names what the code says of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tollway_dialects.dialect import Dialect
from tollway_dialects.translation.models.capabilities import ModelCapabilities
from tollway_provider_dispatch.adapters.providers.compatible import compatible
from tollway_provider_dispatch.bootstrap import PROVIDERS
from tollway_provider_dispatch.settings import Endpoint

if TYPE_CHECKING:
    from tollway_provider_dispatch.domain.provider import ProviderKind

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "providers"
INDEX = (PAGES / "README.md").read_text()
PARTS = [
    "Keys and variables",
    "How it is asked",
    "What is special",
    "What is dropped or refused",
    "Known limits",
]
each_provider = pytest.mark.parametrize("kind", PROVIDERS, ids=lambda kind: kind.name)


def page(name: str) -> str:
    return (PAGES / f"{name}.md").read_text()


def rows(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if line.startswith("|"))


@each_provider
def test_a_provider_has_a_page_that_names_its_variables(kind: ProviderKind) -> None:
    prefix = kind.name.upper()
    told = rows(page(kind.name))
    for name in (f"`{prefix}_API_KEY`, `{prefix}_API_KEY_2` … `_5`", f"`{prefix}_BASE_URL`", f"`LLM_MODEL_{prefix}`"):
        assert f"| {name} |" in told


@each_provider
def test_a_page_says_where_a_provider_is_and_what_it_is_asked_in(kind: ProviderKind) -> None:
    told = rows(page(kind.name))
    assert f"`{kind.base_url}`" in told
    paths = set(kind.paths.values()) - {""}
    assert [path for path in paths if f"`{path}`" not in told] == []
    assert Dialect.GEMINI not in kind.paths or ":generateContent" in told


@each_provider
def test_a_page_and_the_list_say_which_header_carries_the_key(kind: ProviderKind) -> None:
    ((header, value),) = kind.authorise("sk")
    told = f"`{header}{': Bearer' if value == 'Bearer sk' else ''}`"
    assert f"The key travels as {told}" in page(kind.name)
    (listed,) = [line for line in INDEX.splitlines() if f"({kind.name}.md)" in line]
    assert listed.endswith(f"| {told} |")


@pytest.mark.parametrize("name", [*(kind.name for kind in PROVIDERS), "compatible"])
def test_every_page_has_the_same_parts_and_a_link_in_the_list(name: str) -> None:
    assert re.findall(r"^## (.*)$", page(name), re.MULTILINE) == PARTS
    assert f"({name}.md)" in INDEX


def test_the_list_is_in_the_order_of_the_chain() -> None:
    linked = re.findall(r"^\| \[[^\]]*\]\((\w+)\.md\)", INDEX, re.MULTILINE)
    assert linked == [*(kind.name for kind in PROVIDERS), "compatible"]
    assert sorted(linked) == sorted(path.stem for path in PAGES.glob("*.md") if path.stem != "README")


def test_the_readme_leads_to_the_list() -> None:
    assert "(docs/providers/README.md)" in (ROOT / "README.md").read_text()


def test_the_list_tells_everything_that_a_models_capabilities_may_say() -> None:
    told = set(re.findall(r"`(\w+)`", "\n".join(line.split(" | ")[0] for line in rows(INDEX).splitlines())))
    assert set(ModelCapabilities.__struct_fields__) - told == set()


def test_what_an_endpoint_may_speak_is_told_with_its_path() -> None:
    told = page("compatible")
    for speaks in ("chat", "responses", "embeddings", "messages"):
        (path,) = compatible("x", Endpoint("http://x", (speaks,))).paths.values()
        assert re.search(rf"^\| `{speaks}`.* \| `{path}` \|$", told, re.MULTILINE)
