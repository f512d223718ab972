"""Out: one backend a file, each behind a port of the domain."""
