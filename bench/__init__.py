"""What a call through Tollway costs, beside a plain relay in the same run; `make bench` runs it."""
