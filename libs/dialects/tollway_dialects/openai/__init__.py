"""OpenAI chat completions and embeddings."""

from tollway_dialects.openai.embeddings import OpenAIEmbeddingsWire
from tollway_dialects.openai.wire import OpenAIChatWire

__all__ = ["OpenAIChatWire", "OpenAIEmbeddingsWire"]
