import time

import pytest
from jinja2 import TemplateError

from backends.llama_cpp.sandbox import BoundedEnvironment, RunawayTemplate
from tests.gguf_files import CHATML, HOSTILE_TEMPLATES

LOOP = "{{% for i in range(60) %}}{{% set ns.x = {} %}}{{% endfor %}}"
GROWING = {
    "joined": LOOP.format("ns.x ~ ns.x"),
    "added": LOOP.format("ns.x + ns.x"),
    "captured": "{% for i in range(60) %}{% set y %}{{ ns.x }}{{ ns.x }}{% endset %}"
    "{% set ns.x = y %}{% endfor %}",
    "multiplied": LOOP.format("ns.x * 9"),
    "numbers": "{% set n = namespace(x=3) %}{% for i in range(999) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "lists": LOOP.format("[ns.x, ns.x]") + "{{ ns.x }}",
    "tuples": LOOP.format("(ns.x, ns.x)") + "{{ ns.x == 1 }}",
    "dicts": LOOP.format("dict(a=ns.x, b=ns.x)"),
    "batches": LOOP.format("(ns.x|list + ns.x|list)|batch(2)|list"),
}
PADDED = {
    "centred": "{{ 'x'.center(999999999) }}",
    "centred by filter": "{{ 'x'|center(999999999) }}",
    "replaced": "{{ ('a' * 99999).replace('a', 'b' * 99999) }}",
    "replaced by filter": "{{ ('a' * 99999)|replace('a', 'b' * 99999) }}",
    "translated": "{{ ('a' * 99999).translate({97: 'x' * 99999}) }}",
    "indented": "{{ ('a\\n' * 99999)|indent(99999) }}",
    "joined": "{{ (('a' * 99999)|list)|join('b' * 99999) }}",
    "formatted": "{{ '{:>999999999}'.format(1) }}",
    "formatted by argument": "{{ '{:{w}}'.format(1, w=999999999) }}",
    "formatted by filter": "{{ '%*d'|format(999999999, 1) }}",
    "bytes": "{{ (5).to_bytes(999999999, 'big') }}",
}
ENDLESS = {
    "tree of macros": "{% macro t(n) %}{% if n %}{{ t(n - 1) }}{{ t(n - 1) }}{% endif %}{% endmacro %}{{ t(90) }}",
    "hidden in filters": "{% for i in range(99999) %}{{ range(99999)|map('abs')|sum }}{% endfor %}",
    "long slices": "{% set s = 'a' * 7999999 %}{% for i in range(99999) %}{% if s[1:] == s[1:] %}{% endif %}{% endfor %}",
}
ATTACKS = {**HOSTILE_TEMPLATES, **PADDED, **ENDLESS} | {
    f"grows, {name}": "{% set ns = namespace(x='xx') %}" + text for name, text in GROWING.items()
}


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS.keys())
def test_an_attack_ends_soon_and_with_an_error(text: str) -> None:
    environment = BoundedEnvironment(max_seconds=0.3)
    started = time.process_time()
    with pytest.raises((TemplateError, RunawayTemplate, OverflowError, RecursionError)):
        environment.from_string(text).render(messages=[{"role": "user", "content": "hello"}])
    # Computing time, which a busy machine does not stretch.
    assert time.process_time() - started < 2


def test_namespaces_within_namespaces_are_not_written_out() -> None:
    doubled = "{% set b = namespace(x=a, y=a) %}{% set a = b %}" * 60
    text = (
        f"{{% set a = namespace(x='leaf') %}}{doubled}{{{{ a }}}}{{{{ a ~ '' }}}}{{{{ [a]|join }}}}"
    )
    rendered = BoundedEnvironment().from_string(text).render()
    assert "leaf" not in rendered


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("{{ 'a' ~ 1 ~ messages[0].role }}", "a1user"),
        ("{% for m in messages %}{{ loop.index }}/{{ loop.length }}{{ loop.last }} {% endfor %}",
         "1/2False 2/2True "),
        ("{% for i in range(9) %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}", "01"),
        ("{% for a, b in [(1, 2), (3, 4)] %}{{ a + b }}{% endfor %}", "37"),
        ("{% set a, b = 1, 2 %}{{ a in [b, 1] }}{{ {'k': a}.k }}", "True1"),
        ("{% generation %}{{ messages|length }}{% endgeneration %}", "2"),
        ("{{ messages[1:]|map(attribute='role')|join(', ')|upper }}", "ASSISTANT"),
        ("{{ '%s-%02d' % ('a', 5) }}{{ '{}!'.format('b') }}", "a-05b!"),
        ("{% for k, v in messages[0].items() %}{{ k }}{% endfor %}", "rolecontent"),
        ("{{ ' x '.strip() }}{{ 'a b'.split(' ')[1] }}{{ 7 % 2 }}{{ 2 ** 3 }}", "xb18"),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m('y') }}", "<y>"),
    ],
)  # fmt: skip
def test_what_templates_use_works(text: str, result: str) -> None:
    messages = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi"}]
    assert BoundedEnvironment().from_string(text).render(messages=messages) == result


def test_a_long_chat_stays_within_the_budget() -> None:
    environment = BoundedEnvironment()
    template = environment.from_string(CHATML)
    messages = [{"role": "user", "content": "hello " * 500}] * 2000
    for _ in range(3):
        environment.start()
        assert len(template.render(messages=messages)) > 6_000_000


def test_every_rendering_has_its_own_budget() -> None:
    environment = BoundedEnvironment()
    template = environment.from_string("{% for i in range(90000) %}{% endfor %}done")
    for _ in range(12):
        environment.start()
        assert template.render() == "done"
