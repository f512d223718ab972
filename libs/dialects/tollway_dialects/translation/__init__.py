"""Translation between dialects, through one form; see docs/translation.md."""
