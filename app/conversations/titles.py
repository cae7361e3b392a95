"""One plain line out of a message: the title of a conversation, the second line of its row."""

import re

TITLE_LENGTH = 48

_LOOKED_AT = 1000  # characters: a line with words comes soon, and a hostile text must cost little
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_BLOCK_SIGN = re.compile(r"^\s*(?:#{1,6}\s+|>\s*|[-*+]\s+|\d{1,9}[.)]\s+|\|)+")
_EMPHASIS = re.compile(r"(\*{1,3}|_{1,3}|~~|`+)(?=\S)(.+?)(?<=\S)\1(?!\w)")
_WORD = re.compile(r"[^\W_]")
# “Hi!” says too little for a title, and the dots of “e.g.” end no sentence.
_SENTENCE = re.compile(r".{15,}?(?:(?:[!?…]|(?<=\w{3})\.)(?=\s)|[。！？])")


def first_line(text: str) -> str:
    """The first line with words in it, without Markdown's signs. Lines of code count last."""
    beginning = text.lstrip()[:_LOOKED_AT]
    code: list[str] = []
    fenced = False
    for line in beginning.splitlines():
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
            continue
        plain = _plain(line)
        if not _WORD.search(plain):
            continue
        if not fenced:
            return plain
        code.append(plain)
    return code[0] if code else " ".join(beginning.split())


def title_from(question: str) -> str:
    """A title for the conversation that begins with this question; empty only if the question is."""
    line = first_line(question)
    sentence = _SENTENCE.match(line)
    title = (sentence[0] if sentence else line).strip()
    if len(title) > TITLE_LENGTH:
        cut = title[:TITLE_LENGTH]
        words = cut.rsplit(None, 1)[0] if not title[TITLE_LENGTH].isspace() else cut
        # A language without spaces, or one endless word, is cut where the room ends.
        title = (words if len(words) > TITLE_LENGTH // 2 else cut).rstrip(" ,;:–—-") + "…"
    if title.endswith(".") and not title.endswith(".."):
        return title.rstrip(".") or title
    return title


def _plain(line: str) -> str:
    line = _BLOCK_SIGN.sub("", line)
    line = _LINK.sub(r"\1", line)
    while (barer := _EMPHASIS.sub(r"\2", line)) != line:  # emphasis within emphasis
        line = barer
    return " ".join(line.split())
