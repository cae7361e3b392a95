"""Which grammars are refused before the engine sees them, and in which words."""

import pytest

from backends.errors import BadGrammar
from backends.llama_cpp.gbnf_check import check_gbnf

GOOD = (
    'root ::= "yes" | "no"',
    "root ::= [a-zäöü]+ # a comment\n\n",
    'root ::= (\n  "a" |\n  "b"\n)* end\nend ::= .',
    'root ::= "a"{2} "b"{1,} [^c-e]{0,3}?',
    r'root ::= "\x41\u00e9\U0001F600\n\"" [\]\-\\]',
    'root ::= "(" root ")" | ""',
)
_DOUBLING = "\n".join(f'a{i} ::= a{i + 1} "x" | a{i + 1} "y"' for i in range(40))
BAD = {
    "empty": ("", "no rule “root”"),
    "no root": ('answer ::= "a"', "no rule “root”"),
    "no definition": ("root", "Line 1, character 5: it should have “::=”"),
    "missing rule": ('root ::= "a"\n  # nothing\nx ::= y', "Line 3, character 7"),
    "defined twice": ('root ::= "a"\nroot ::= "b"', "Line 2, character 1"),
    "open text": ('root ::= "abc', "closing quote"),
    "open set": ("root ::= [abc", "closing quote or bracket"),
    "empty set": ("root ::= []", "a character between the brackets"),
    "open group": ('root ::= ("a"', "“)”"),
    "wrong escape": (r'root ::= "\q"', "an escape"),
    "wrong range": ("root ::= [z-a]", "a range"),
    "no character": (r"root ::= [\uD800]", "number of a character"),
    "zero": ('root ::= "\0"', "zero character"),
    "wrong count": ('root ::= "a"{5,2}', "possible"),
    "many times": ('root ::= "a"{1001}', "no more than 1,000 repetitions"),
    "many times many": ('root ::= "' + "a" * 900 + '"{1000}', "too large"),
    "deep": ("root ::= " + "(" * 5000 + '"a"', "brackets in each other"),
    "long": ('root ::= "' + "a" * 600_000 + '"', "longer than"),
    "token": ("root ::= <think>", "special tokens"),
    "left recursion": ('root ::= root "a" | "b"', "begins with itself"),
    "indirect": ('root ::= b "a" | "c"\nb ::= root', "begins with itself"),
    "behind what may be empty": (
        'root ::= c root "x" | "y"\nc ::= d\nd ::= "" | "k"',
        "begins with itself",
    ),
    "endless": ('root ::= "a" root', "never comes to an end"),
    "an endless part": ('root ::= "a" | x\nx ::= "b" x', "“x” never comes to an end"),
    "doubling": (f'root ::= a0\n{_DOUBLING}\na40 ::= "z"', "too many ways"),
    "many rules": ("\n".join(f'r{i} ::= "a"' for i in range(4000)), "no more than 3,000 rules"),
}


@pytest.mark.parametrize("gbnf", GOOD)
def test_a_good_grammar_passes(gbnf: str) -> None:
    check_gbnf(gbnf)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_grammar_is_refused_in_words(name: str) -> None:
    gbnf, why = BAD[name]
    with pytest.raises(BadGrammar) as caught:
        check_gbnf(gbnf)
    assert why in caught.value.why
