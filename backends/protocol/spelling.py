"""What a session is asked about the tokens of a text."""

import msgspec

from backends.protocol.requests import ChatRequest


class Tokenize(msgspec.Struct, frozen=True, kw_only=True, tag="tokenize"):
    """Which tokens is a text? With `add_special`, those that begin a prompt come too; without
    `parse_special`, what spells a control token is plain text.
    """

    text: str
    add_special: bool = False
    parse_special: bool = True


class Detokenize(msgspec.Struct, frozen=True, tag="detokenize"):
    """Which text are these tokens?"""

    tokens: tuple[int, ...]


class ApplyTemplate(msgspec.Struct, frozen=True, tag="apply_template"):
    """Which text are the messages as a prompt?"""

    request: ChatRequest


Question = Tokenize | Detokenize | ApplyTemplate


class Spelled(msgspec.Struct, frozen=True, tag="spelled"):
    """The answer: a text or tokens, and the bytes that each of these is written as."""

    text: str = ""
    tokens: tuple[int, ...] = ()
    pieces: tuple[bytes, ...] = ()
