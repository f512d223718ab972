"""In: translates what callers send into the domain's words."""
