"""The same services put together in other ways."""
