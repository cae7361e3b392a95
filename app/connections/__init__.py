"""Services elsewhere, or other programs here, that answer in place of a model of our own."""
