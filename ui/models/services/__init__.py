"""Services that answer in place of a model here: connected, changed and looked at."""
