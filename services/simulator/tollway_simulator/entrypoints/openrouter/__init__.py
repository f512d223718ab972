"""OpenRouter: what it says otherwise than OpenAI."""
