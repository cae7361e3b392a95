"""The system's keyring: Windows Credential Locker, macOS Keychain, Secret Service or KWallet."""

from app.errors import AppError

_SERVICE = "causeway"


class SystemKeyring:
    """Asking it can take as long as a person takes to unlock it. Raises `AppError` where it can't be used."""

    def check(self) -> None:
        """Raise where there is none that may be used."""
        import keyring
        from keyring.backends.fail import Keyring as NoKeyring
        from keyring.errors import NoKeyringError

        ring = keyring.get_keyring()
        if isinstance(ring, NoKeyring):
            raise _unusable(NoKeyringError())
        if "plaintext" in type(ring).__name__.lower():  # a secret is not put into a plain file
            raise _unusable(RuntimeError("it would keep secrets in a plain file"))

    def read(self, name: str) -> str:
        """The secret, or an empty text."""
        import keyring
        from keyring.errors import KeyringError

        self.check()
        try:
            return keyring.get_password(_SERVICE, name) or ""
        except (KeyringError, RuntimeError, OSError) as error:
            raise _unusable(error) from error

    def write(self, name: str, secret: str) -> None:
        import keyring
        from keyring.errors import KeyringError

        self.check()
        try:
            keyring.set_password(_SERVICE, name, secret)
        except (KeyringError, RuntimeError, OSError) as error:
            raise _unusable(error) from error

    def delete(self, name: str) -> None:
        import keyring
        from keyring.errors import KeyringError, PasswordDeleteError

        try:
            keyring.delete_password(_SERVICE, name)
        except PasswordDeleteError:
            return  # it is gone already
        except (KeyringError, RuntimeError, OSError) as error:
            raise _unusable(error) from error


def _unusable(error: Exception) -> AppError:
    from keyring.errors import NoKeyringError

    if isinstance(error, NoKeyringError):  # its own words are for people who write programs
        return AppError(
            "This computer has no keyring that can be used.",
            "Keys are kept there, or in a file that a passphrase seals, and never as plain text.",
            "Choose a sealed file in the settings, set them in the environment, or install a keyring "
            "of the system.",
            "“causeway keys use-file” chooses a sealed file, too.",
        )
    reason = " ".join(str(error).split())[:200]
    return AppError(
        "The system's keyring can't be used.",
        f"It says: {reason}." if reason else "It gives no reason.",
        "Unlock or install one, or choose a sealed file in the settings.",
        "“causeway keys use-file” does that, too.",
    )
