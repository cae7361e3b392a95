"""From a branch and its options to what a backend is asked."""

from app.conversations.records import Message, Role
from app.options import effective
from app.prompts import chat_request, load_options, prompt_messages


def said(role: Role, text: str, reasoning: str = "") -> Message:
    return Message(
        id=text,
        conversation_id="c",
        parent_id=None,
        role=role,
        text=text,
        created=0,
        reasoning=reasoning,
    )


def test_the_system_prompt_comes_first() -> None:
    prompt = prompt_messages([said("user", "Hello")], "Be brief.")
    assert [(message.role, message.content) for message in prompt] == [
        ("system", "Be brief."),
        ("user", "Hello"),
    ]


def test_a_blank_system_prompt_is_none() -> None:
    assert [message.role for message in prompt_messages([said("user", "Hello")], " \n")] == ["user"]


def test_an_answer_that_never_came_leaves_its_question_joined_to_the_next() -> None:
    branch = [said("user", "One?"), said("assistant", ""), said("user", "Two?")]
    (message,) = prompt_messages(branch, "")
    assert (message.role, message.content) == ("user", "One?\n\nTwo?")


def test_thinking_goes_along_with_its_answer() -> None:
    branch = [said("user", "Why?"), said("assistant", "So.", "Hm.")]
    assert prompt_messages(branch, "")[-1].reasoning == "Hm."


def test_every_option_reaches_the_backend() -> None:
    options = effective(
        {
            "system_prompt": "Sing.",
            "temperature": 1.5,
            "top_k": 7,
            "top_p": 0.5,
            "min_p": 0.25,
            "repeat_penalty": 1.25,
            "seed": 9,
            "max_tokens": 11,
            "n_ctx": 2048,
            "threads": 3,
            "gpu_layers": 5,
        }
    )
    request = chat_request([said("user", "Hello")], options, stop=("END",), continue_last=True)
    sampling = request.sampling
    assert request.messages[0].content == "Sing."
    assert (sampling.temperature, sampling.top_k, sampling.top_p) == (1.5, 7, 0.5)
    assert (sampling.min_p, sampling.repeat_penalty, sampling.seed) == (0.25, 1.25, 9)
    assert (request.max_tokens, request.stop, request.continue_last) == (11, ("END",), True)
    loading = load_options(options)
    assert (loading.n_ctx, loading.n_threads, loading.n_gpu_layers) == (2048, 3, 5)
