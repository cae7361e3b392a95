"""The local server: other programs use the models that run here, by the APIs that they know."""
