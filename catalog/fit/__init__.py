"""How much memory a model takes, whether that is there, and how fast it will be."""
