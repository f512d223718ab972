"""One connection: what is read from it, and how an answer is played on it."""
