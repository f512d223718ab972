"""LangChain's standard tests of chat models, set up for both vendors; collected by pytest, one at a time."""

from __future__ import annotations

import os
from typing import Any

import openai
from langchain_anthropic import ChatAnthropic, _client_utils
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests

BASE_URL = os.environ["COMPAT_BASE_URL"]
KEY = os.environ["COMPAT_KEY"]


class TestAnthropic(ChatModelIntegrationTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatAnthropic

    @property
    def chat_model_params(self) -> dict[str, Any]:
        # the client that all models share belongs to the event loop of the first test: what it tries there is chance
        _client_utils._get_default_async_httpx_client.cache_clear()
        # a temperature, which the newest version of the API refuses, keeps equal questions from being answered once
        warm = {"temperature": 0.5, "default_headers": {"anthropic-version": "2023-06-01"}}
        return {"model": "claude-haiku-4-5", "base_url": BASE_URL, "api_key": KEY, **warm}


class TestOpenAI(ChatModelIntegrationTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        # a client of its own: the one that all models share belongs to the event loop of the first test
        own = {"temperature": 0.5, "http_async_client": openai.DefaultAsyncHttpxClient()}
        return {"model": "gpt-4.1", "base_url": f"{BASE_URL}/v1", "api_key": KEY, "stream_usage": True, **own}
