"""The Hub: searching it, reading a repository, resolving its files. Only here is huggingface_hub used."""
