"""One provider a file; `bootstrap` lists them in the order of the chain."""
