"""HuggingFace's router: what it says otherwise than OpenAI."""
