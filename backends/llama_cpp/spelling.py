"""From a text to its tokens and back."""

from collections.abc import Sequence

from backends.errors import Unsupported
from backends.llama_cpp.model import Model
from backends.protocol import Detokenize, Spelled, Tokenize


def spelled(model: Model, question: Tokenize | Detokenize) -> Spelled:
    """Raises Unsupported for numbers that are no tokens of the model."""
    if isinstance(question, Detokenize):
        model.check_tokens(question.tokens)
        data = b"".join(model.written(token) for token in question.tokens)
        return Spelled(text=data.decode("utf-8", "replace"))
    tokens = model.tokenize(
        question.text, starts_prompt=question.add_special, special=question.parse_special
    )
    return Spelled(tokens=tuple(tokens), pieces=tuple(map(model.written, tokens)))


def filled_in(model: Model, prefix: str, suffix: str) -> list[int]:
    """The prompt for what stands between two texts. Raises Unsupported where the model knows none."""
    marks = model.fill_in_marks
    if marks is None:
        raise Unsupported(
            "This model can't fill in between two texts.",
            "It has no tokens that mark the beginning, the end and the middle.",
            "Choose a model for code that was trained to fill in.",
        )
    before, after, middle = marks
    parts: Sequence[Sequence[int]] = (
        model.tokenize("", starts_prompt=True),
        (before,),
        model.tokenize(prefix, special=False),
        (after,),
        model.tokenize(suffix, special=False),
        (middle,),
    )
    return [token for part in parts for token in part]
