"""A provider made of nothing: speaks Anthropic Messages and OpenAI chat over real HTTP."""
