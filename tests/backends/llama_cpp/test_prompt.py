"""Which messages stay when a chat outgrows its context."""

import pytest

from backends.errors import PromptTooLong
from backends.llama_cpp.answers import GivenAnswers
from backends.llama_cpp.model import Model
from backends.llama_cpp.prompt import Prompt, PromptWriter
from backends.llama_cpp.templates import JinjaTemplate
from backends.protocol import ChatRequest, Message
from tests.gguf_files import CHATML

N_CTX = 1024
SYSTEM = Message(role="system", content="Be brief.")


class Chat:
    """A chat that grows, and the prompts it gives."""

    def __init__(self, model: Model, n_ctx: int = N_CTX) -> None:
        self.model = model
        self.answers = GivenAnswers(model)
        self.writer = PromptWriter(
            model, JinjaTemplate(CHATML, bos=model.bos, eos=model.eos), self.answers, n_ctx
        )
        self.messages = [SYSTEM]

    def exchange(self, number: int, length: int = 4) -> None:
        self.messages.append(Message(role="user", content=f"question {number:03}"))
        self.messages.append(Message(role="assistant", content=f"answer {number:03} " * length))

    def ask(self, content: str, **request: int) -> Prompt:
        messages = (*self.messages, Message(role="user", content=content))
        return self.writer.write(ChatRequest(messages=messages, **request))

    def text(self, prompt: Prompt) -> str:
        pieces = (self.model.piece(token) for token in prompt.tokens)
        return b"".join(pieces).decode()


@pytest.fixture
def chat(model: Model) -> Chat:
    return Chat(model)


def test_a_chat_that_fits_is_left_whole(chat: Chat) -> None:
    chat.exchange(1)
    prompt = chat.ask("and now?")
    assert prompt.left_out == 0
    assert chat.text(prompt).startswith("system\nBe brief.\nuser\nquestion 001")


def test_whole_exchanges_leave_from_the_oldest_on(chat: Chat) -> None:
    for number in range(40):
        chat.exchange(number)
    prompt = chat.ask("and now?")
    text = chat.text(prompt)
    left = prompt.left_out // 2
    assert prompt.left_out == 2 * left > 0
    assert text.startswith(f"system\nBe brief.\nuser\nquestion {left:03}")
    assert "answer 039" in text
    assert text.endswith("user\nand now?\nassistant\n")
    assert len(prompt.tokens) <= N_CTX - N_CTX // 4


def test_a_small_answer_needs_less_room(chat: Chat) -> None:
    chat.messages.append(Message(role="user", content="a" * 800))
    assert chat.ask("now?").left_out == 1
    assert chat.ask("now?", max_tokens=10).left_out == 0


def test_the_beginning_changes_at_every_other_turn_at_most(chat: Chat) -> None:
    left_out = []
    for number in range(60):
        chat.exchange(number)
        left_out.append(chat.ask("and now?").left_out)
    assert left_out == sorted(left_out)
    assert len(set(left_out)) <= 60 // 2
    assert left_out[-1] > 60


@pytest.mark.parametrize(
    ("n_ctx", "reserve", "max_tokens", "kept_free"),
    [
        (512, -1, -1, 128),
        (512, -1, 20, 20),
        (512, 64, -1, 64),
        (512, 0, -1, 0),
        (512, 5000, -1, 256),
        (512, 200, 20, 20),
        (8192, -1, -1, 2048),
        (8192, 1000, -1, 1000),
        (16384, -1, -1, 2048),
    ],
)
def test_as_much_history_stays_as_fits_beside_the_reserve(
    model: Model, n_ctx: int, reserve: int, max_tokens: int, kept_free: int
) -> None:
    chat = Chat(model, n_ctx)
    used = []
    for number in range(24):
        chat.exchange(number, n_ctx // 128)
        prompt = chat.ask("and now?", answer_reserve=reserve, max_tokens=max_tokens)
        used.append(len(prompt.tokens))
        exchange = chat.writer.count(chat.messages[-2:])
        assert used[-1] + kept_free <= n_ctx
        assert not prompt.left_out or used[-1] + kept_free + n_ctx // 8 + 2 * exchange > n_ctx
    assert prompt.left_out
    assert max(used) + kept_free + exchange > n_ctx


def test_a_chat_that_fits_beside_the_reserve_is_left_whole(model: Model) -> None:
    """318 of 512 tokens, and a question that leaves less than half of the context."""
    chat = Chat(model, 512)
    number = 0
    while chat.writer.count(chat.messages) < 318 - 70:
        chat.exchange(number)
        number += 1
    prompt = chat.ask("and now?")
    assert 250 < len(prompt.tokens) <= 512 - 128
    assert prompt.left_out == 0


def test_a_full_chat_uses_more_than_half_of_the_context(model: Model) -> None:
    chat = Chat(model, 8192)
    for number in range(100):
        chat.exchange(number, 10)
    prompt = chat.ask("and now?")
    assert prompt.left_out > 0
    assert 8192 - 2048 - 8192 // 8 - 200 < len(prompt.tokens) <= 8192 - 2048


def test_a_message_that_fits_alone_is_answered_without_its_history(chat: Chat) -> None:
    for number in range(10):
        chat.exchange(number)
    prompt = chat.ask("x" * 900)
    assert prompt.left_out == 20
    assert chat.text(prompt).startswith("system\nBe brief.\nuser\nxxx")


def test_a_message_that_does_not_fit_is_refused_with_figures(chat: Chat) -> None:
    chat.exchange(1)
    with pytest.raises(PromptTooLong) as error:
        chat.ask("x" * 1000)
    assert "1,024" in error.value.why


def test_counting_needs_no_room(chat: Chat) -> None:
    for number in range(100):
        chat.exchange(number)
    assert chat.writer.count(chat.messages) > 2 * N_CTX


def test_an_answer_comes_back_as_the_tokens_it_was_given_as(chat: Chat) -> None:
    spelled = [chat.model.tokenize(letter)[0] for letter in "hello"]
    assert chat.model.tokenize("hello") != spelled
    chat.answers.remember("hello", spelled)
    chat.messages += [
        Message(role="user", content="hello"),
        Message(role="assistant", content="hello"),
    ]
    plain = PromptWriter(
        chat.model,
        JinjaTemplate(CHATML, bos="", eos=""),
        GivenAnswers(chat.model),
        N_CTX,
    )
    prompt = chat.ask("more")
    request = ChatRequest(messages=(*chat.messages, Message(role="user", content="more")))
    assert chat.text(prompt) == chat.text(plain.write(request))
    assert str(spelled)[1:-1] in str(prompt.tokens)


def test_tokens_that_do_not_spell_the_answer_are_not_kept(chat: Chat) -> None:
    chat.answers.remember("hello", chat.model.tokenize("goodbye"))
    assert chat.answers.tokens_of("hello") == chat.model.tokenize("hello")


def test_white_space_dropped_from_the_front_of_an_answer_is_kept_in_its_tokens(
    chat: Chat,
) -> None:
    tokens = chat.model.tokenize(" the thing")
    chat.answers.remember("the thing", tokens)
    assert list(chat.answers.tokens_of("the thing")) == tokens


def test_a_started_answer_is_left_open(chat: Chat) -> None:
    messages = (
        Message(role="user", content="Hello"),
        Message(role="assistant", content="Good", reasoning="Greet back"),
    )
    prompt = chat.writer.write(ChatRequest(messages=messages, continue_last=True))
    assert chat.text(prompt).endswith("assistant\n<think>\nGreet back\n</think>\n\nGood")
    assert prompt.opened == ""
    thinking = (messages[0], Message(role="assistant", content="", reasoning="Greet"))
    prompt = chat.writer.write(ChatRequest(messages=thinking, continue_last=True))
    assert chat.text(prompt).endswith("assistant\n<think>\nGreet")
    assert prompt.opened == "<think>"


def test_what_is_far_too_long_is_not_even_tokenized(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would take seconds, in which nobody else is answered."""
    huge = "word " * N_CTX * 100
    tokenize = chat.model.tokenize
    read: list[int] = []

    def tokenized(text: str, **how: bool) -> list[int]:
        read.append(len(text))
        return tokenize(text, **how)

    monkeypatch.setattr(chat.model, "tokenize", tokenized)
    with pytest.raises(PromptTooLong) as error:
        chat.ask(huge)
    assert " characters" in error.value.why
    with pytest.raises(PromptTooLong):
        chat.writer.write(ChatRequest(prompt=huge))
    chat.messages.append(Message(role="user", content=huge))
    assert chat.ask("and now?").left_out == 1
    assert max(read) < len(huge)
