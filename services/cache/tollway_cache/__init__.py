"""An earlier answer to an equivalent prompt."""
