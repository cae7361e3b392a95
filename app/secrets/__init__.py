"""Keys and tokens: kept by the system's keyring, or sealed with a passphrase; never as plain text."""

from app.secrets.secrets import HUB_VARIABLE, SERVER_KEY, Place, Secrets, SecretsState

__all__ = ["HUB_VARIABLE", "SERVER_KEY", "Place", "Secrets", "SecretsState"]
