"""The models page: what can be had, what is here, and what is on its way."""
