"""LoRA adapters as files: what they say of themselves, which models they fit, and making them."""
