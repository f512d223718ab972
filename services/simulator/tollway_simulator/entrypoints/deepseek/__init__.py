"""DeepSeek: what it says otherwise than OpenAI."""
