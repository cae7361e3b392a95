"""What a model is called: by its file or repository, as a person knows it, before its makers' notes."""

import re
from pathlib import Path

from catalog.gguf.files import model_stem

_QUANT = re.compile(
    r"(?:^|[-_. ])(?:i1[-_.])?(?:ud[-_])?"
    r"(?:i?q[1-8](?:_[a-z0-9]+)*|tq[12]_0|mxfp[468](?:_moe)?|nvfp4|bf16|fp?16|fp?32)(?=[-_. ]|$)",
    re.IGNORECASE,
)
_SEPARATORS = re.compile(r"[-_ ]+")
_DOTS_AROUND = re.compile(r"(?<!\d)\.|\.(?!\d)")
_HASH = re.compile(r"(?:sha256[-_])?[0-9a-f]{16,}", re.IGNORECASE)
_SHORTEST = 3
_GENERIC = frozenset(
    ["model", "ggml", "gguf", "weights", "unsloth", "main", "adapter", "lora", "merged", "imatrix"]
)
"""Words that name no model: a file may be called just “ggml-model-q4_0”."""


def title_of(file_name: str, repo: str, said: str) -> str:
    """The title of a model in that file, from that repository ("OWNER/NAME"), whose header says `said`.

    Parts of it may be empty. The header is the last to be asked: it often tells of a training run.
    Where it only writes the same name in another way, that is taken.
    """
    named = _tidied(model_stem(Path(file_name))) or _tidied(repo.rpartition("/")[2])
    if not named:
        return said or model_stem(Path(file_name))
    spelt = _tidied(said)
    return spelt if _letters(spelt) == _letters(named) else named


def file_beside(title: str, quant: str, file_name: str) -> str:
    """The file's name, where title and quant do not say it already and it is more than a checksum."""
    stem = model_stem(Path(file_name))
    told = (_letters(title), _letters(f"{title}{quant}"))
    return "" if _letters(stem) in told or _HASH.fullmatch(stem) else file_name


def _tidied(name: str) -> str:
    """“SmolLM2-135M-Instruct.Q4_1” as “SmolLM2 135M Instruct”; empty where it names no model."""
    if _HASH.fullmatch(name):
        return ""
    bare = re.sub(r"[-_. ]gguf$", "", _QUANT.sub(" ", name), flags=re.IGNORECASE)
    tidied = _SEPARATORS.sub(" ", _DOTS_AROUND.sub(" ", bare)).strip()
    words = {word.casefold() for word in tidied.split()}
    too_short = len(_letters(tidied)) < _SHORTEST or tidied.isdecimal()
    return "" if too_short or words <= _GENERIC else tidied


def _letters(name: str) -> str:
    return "".join(char for char in name.casefold() if char.isalnum())
