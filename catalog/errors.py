"""What can go wrong with catalogues, model files and downloads, in words for a person."""


class CatalogError(Exception):
    """A failure that a person can understand.

    `what` happened, `why`, and what to do about it (`fix`); each a sentence, `why` and `fix` may
    be empty.
    """

    def __init__(self, what: str, why: str = "", fix: str = "") -> None:
        super().__init__(" ".join(part for part in (what, why, fix) if part))
        self.what = what
        self.why = why
        self.fix = fix


class BadModelFile(CatalogError):
    """A file is not a usable GGUF: no GGUF at all, truncated, damaged, or a part is missing."""


class UnknownModel(CatalogError):
    """No installed model or catalogue entry goes by that name."""


class DownloadError(CatalogError):
    """A download failed for good: no network, wrong checksum, disk full, not on the index."""


class DownloadCancelled(CatalogError):
    """The person cancelled. What was fetched stays, and the next try goes on from there."""
