"""Catalogues: their types, the bundled one, those that a person adds, and finding entries in them."""
