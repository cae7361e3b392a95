"""The contract that every backend keeps, as tests that a plug-in's own test suite can run. Needs pytest."""

from backends.testing.contract import HELLO, BackendContract, last, text_of

__all__ = ["HELLO", "BackendContract", "last", "text_of"]
