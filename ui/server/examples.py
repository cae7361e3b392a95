"""How other programs reach the server: a few lines for each kind of client."""

from typing import NamedTuple

from PySide6.QtCore import QCoreApplication

_NO_KEY = "none"


class Example(NamedTuple):
    """A program for one kind of client."""

    id: str
    title: str
    text: str

    def filled(self, address: str, key: str, model: str) -> str:
        """The program with what it needs; clients want a key even where the server asks for none."""
        return self.text.format(address=address, key=key or _NO_KEY, model=model or "default")


def examples() -> tuple[Example, ...]:
    """One for each API; `{address}`, `{key}` and `{model}` stand for what is filled in."""
    return (
        Example(
            "openai",
            _tr("Python, openai"),
            "from openai import OpenAI\n"
            "\n"
            'client = OpenAI(base_url="{address}/v1", api_key="{key}")\n'
            "answer = client.chat.completions.create(\n"
            '    model="{model}",\n'
            '    messages=[{{"role": "user", "content": "Why is the sky blue?"}}],\n'
            "    max_tokens=500,\n"
            ")\n"
            "print(answer.choices[0].message.content)",
        ),
        Example(
            "anthropic",
            _tr("Python, anthropic"),
            "from anthropic import Anthropic\n"
            "\n"
            'client = Anthropic(base_url="{address}", api_key="{key}")\n'
            "answer = client.messages.create(\n"
            '    model="{model}",\n'
            "    max_tokens=500,\n"
            '    messages=[{{"role": "user", "content": "Why is the sky blue?"}}],\n'
            ")\n"
            "print(answer.content[0].text)",
        ),
        Example(
            "ollama",
            _tr("Python, ollama"),
            "from ollama import Client\n"
            "\n"
            'client = Client("{address}", headers={{"Authorization": "Bearer {key}"}})\n'
            "answer = client.chat(\n"
            '    "{model}",\n'
            '    messages=[{{"role": "user", "content": "Why is the sky blue?"}}],\n'
            '    options={{"num_predict": 500}},\n'
            ")\n"
            "print(answer.message.content)",
        ),
        Example(
            "curl",
            _tr("Command line, curl"),
            "curl {address}/v1/chat/completions \\\n"
            '  -H "Authorization: Bearer {key}" \\\n'
            '  -H "Content-Type: application/json" \\\n'
            '  -d \'{{"model": "{model}", '
            '"messages": [{{"role": "user", "content": "Why is the sky blue?"}}]}}\'',
        ),
    )


def _tr(text: str) -> str:
    return QCoreApplication.translate("Examples", text)
