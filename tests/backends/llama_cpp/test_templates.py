from pathlib import Path

import pytest

from backends.llama_cpp.model import Model
from backends.llama_cpp.templates import (
    BuiltInTemplate,
    JinjaTemplate,
    PlainText,
    TemplateFailed,
    choose_template,
)
from backends.protocol import ChatRequest, Message, Warned
from backends.testing import HELLO, text_of
from tests.backends.conftest import OpenSession
from tests.gguf_files import CHATML, HOSTILE_TEMPLATES, NO_SYSTEM_ROLE, write_model

SYSTEM = Message(role="system", content="Be brief.")
QUESTION = Message(role="user", content="Hello")
ANSWER = Message(role="assistant", content="Hi.", reasoning="A greeting.")


def from_file(text: str) -> JinjaTemplate:
    return JinjaTemplate(text, bos="<s>", eos="</s>")


def model_with(path: Path, template: str | None) -> Model:
    write_model(path, template=template)
    return Model(str(path), n_gpu_layers=0, safe_mode=False, on_progress=lambda fraction: None)


def test_writes_what_the_template_says() -> None:
    assert from_file(CHATML).render([SYSTEM, QUESTION]) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        "<|im_start|>user\nHello<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


@pytest.mark.parametrize(
    ("think", "ending"), [(None, "as it does"), (True, "<think>"), (False, "<think></think>")]
)
def test_a_model_that_can_do_either_is_told_whether_to_think(think, ending) -> None:
    text = (
        "{% for m in messages %}{{ m.content }}{% endfor %}"
        "{% if enable_thinking is not defined %}as it does"
        "{% elif enable_thinking %}<think>{% else %}<think></think>{% endif %}"
    )
    assert from_file(text).render([QUESTION], think=think) == f"Hello{ending}"


def test_a_template_without_system_role_gets_it_in_the_first_question() -> None:
    for text in (
        NO_SYSTEM_ROLE,
        "{% for m in messages if m.role != 'system' %}{{ m.content }}|{% endfor %}",
    ):
        prompt = from_file(text).render([SYSTEM, QUESTION])
        assert "Be brief.\n\nHello" in prompt


def test_templates_have_what_transformers_gives_them() -> None:
    text = (
        "{{ bos_token }}{{ strftime_now('%Y')|length }}{{ {'a': '<é>'}|tojson }}"
        "{% for m in messages %}{{ m.content }}{{ m.reasoning_content }}{{ m.nothing }}{% endfor %}"
    )
    assert from_file(text).render([ANSWER]) == '<s>4{"a": "<é>"}Hi.A greeting.'


@pytest.mark.parametrize(
    "text",
    [
        "{{ [[[range(900)|list]]]|tojson(indent=1000000) }}",
        "{{ [[[range(900)|list]]]|tojson(separators=['x' * 1000000, ':']) }}",
        "{{ strftime_now('x' * 4000000 ~ '%900000000Y') }}",
    ],
)
def test_what_a_template_is_lent_makes_no_endless_text(text: str) -> None:
    with pytest.raises(TemplateFailed, match="too long a text"):
        from_file(text + CHATML)


def test_json_is_spaced_as_asked() -> None:
    text = "{{ [1]|tojson(indent=2) }}{{ [1, 2]|tojson(separators=(',', ':')) }}"
    assert from_file(text + CHATML).render([QUESTION]).startswith("[\n  1\n][1,2]")


def test_block_lines_leave_no_blank_lines() -> None:
    text = (
        "{% for m in messages %}\n    {% if true %}\n{{ m.content }}\n    {% endif %}\n{% endfor %}"
    )
    assert from_file(text).render([QUESTION]) == "Hello\n"


@pytest.mark.parametrize("name", HOSTILE_TEMPLATES)
def test_a_hostile_template_is_refused_when_it_is_made(name: str) -> None:
    with pytest.raises(TemplateFailed) as error:
        from_file(HOSTILE_TEMPLATES[name])
    assert str(error.value)


def test_a_template_that_ignores_the_messages_is_refused() -> None:
    with pytest.raises(TemplateFailed):
        from_file("Hello")


def test_a_broken_template_gives_way_to_the_one_it_resembles(tmp_path: Path) -> None:
    model = model_with(tmp_path / "tiny.gguf", CHATML + "{% if %}")
    template, warning = choose_template(model)
    model.close()
    assert template.source.startswith("built in")
    assert template.render([QUESTION]) == from_file(CHATML).render([QUESTION])
    assert "template" in warning


def test_a_broken_template_like_no_other_gives_way_to_chatml(tmp_path: Path) -> None:
    model = model_with(tmp_path / "tiny.gguf", "{{ nothing")
    template, warning = choose_template(model)
    model.close()
    assert template.source == "ChatML, built in"
    assert warning


def test_no_template_means_plain_text(tmp_path: Path) -> None:
    model = model_with(tmp_path / "tiny.gguf", None)
    template, warning = choose_template(model)
    model.close()
    assert isinstance(template, PlainText)
    assert not warning
    assert template.render([SYSTEM, QUESTION]) == "Be brief.\n\nHello"


def test_built_in_templates_take_any_text() -> None:
    content = "ü✨\0 " * 1000
    prompt = BuiltInTemplate("chatml", "").render([Message(role="user", content=content)])
    assert content.replace("\0", "") in prompt


@pytest.mark.parametrize("name", ["syntax error", "nested ranges", "multiplied text"])
def test_a_model_with_a_hostile_template_answers_with_a_warning(
    open_session: OpenSession, tmp_path: Path, name: str
) -> None:
    path = write_model(tmp_path / "tiny.gguf", template=HOSTILE_TEMPLATES[name])
    session = open_session(path)
    assert session.info.template == "ChatML, built in"
    assert any("template" in warning for warning in session.info.warnings)
    assert text_of(list(session.chat(HELLO)))


def test_a_template_that_fails_on_some_chats_warns_once(
    open_session: OpenSession, tmp_path: Path
) -> None:
    text = CHATML + "{% if messages|length > 2 %}{{ raise_exception('Too many') }}{% endif %}"
    session = open_session(write_model(tmp_path / "tiny.gguf", template=text))
    assert session.info.warnings == ()
    long_chat = ChatRequest(messages=(QUESTION, ANSWER, QUESTION), max_tokens=2)
    warnings = [
        event for _ in range(2) for event in session.chat(long_chat) if isinstance(event, Warned)
    ]
    assert len(warnings) == 1
    assert "Too many" in warnings[0].text


def test_a_given_template_comes_before_the_file_s_own(tmp_path: Path) -> None:
    model = model_with(tmp_path / "tiny.gguf", CHATML)
    template, warning = choose_template(
        model, "{% for m in messages %}USER: {{ m.content }}{% endfor %}"
    )
    model.close()
    assert template.render([QUESTION]) == f"USER: {QUESTION.content}"
    assert template.source == "given instead of the file's"
    assert not warning


def test_a_given_template_that_is_broken_gives_way_to_the_file_s_resemblance(
    tmp_path: Path,
) -> None:
    model = model_with(tmp_path / "tiny.gguf", CHATML)
    template, warning = choose_template(model, "{{ nothing")
    model.close()
    assert template.render([QUESTION]) == from_file(CHATML).render([QUESTION])
    assert "template" in warning
