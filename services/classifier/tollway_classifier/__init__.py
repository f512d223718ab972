"""Which tier of model a prompt needs."""
