"""What a model takes, and requests adapted to it."""
