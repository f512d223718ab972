"""The one form that every translation goes through: what is asked, what is answered, and what went wrong."""
