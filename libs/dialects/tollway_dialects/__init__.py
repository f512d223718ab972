"""The wire shapes of clients and providers."""
