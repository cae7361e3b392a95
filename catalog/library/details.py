"""All that can be told of one installed model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from catalog.adapters.facts import AdapterFacts, adapter_facts
from catalog.catalogues.entries import Licence
from catalog.gguf.files import GgufHeader, read_header
from catalog.library.content import Against
from catalog.library.installed import InstalledModel

_MAX_LICENCE_LINE = 200

TemplateFrom = Literal["file", "catalogue", ""]


class ModelDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What a person may want to know of a model. Numbers are 0 and texts empty where it does not say.

    `bits` are per weight, over the whole file. `template` is the Jinja text in force and
    `template_from` who gave it. `sha256_from` is whose word the checksum is. `n_tensors` and
    `parameters` are of all parts, `projector_bytes` of the projector. `place` is for people.
    `adapter` is what only an adapter says; None for a model.
    """

    name: str
    author: str
    architecture: str
    parameters: int
    quant: str
    bits: float
    context_length: int
    n_layers: int
    n_embd: int
    n_head: int
    n_head_kv: int
    n_expert: int
    n_expert_used: int
    n_vocab: int
    n_tensors: int
    tokenizer: str
    template: str
    template_from: TemplateFrom
    licence: Licence
    base: str
    place: str
    paths: tuple[Path, ...]
    also_at: tuple[Path, ...]
    size_bytes: int
    sha256: str
    sha256_from: Against | Literal[""]
    projector: Path | None
    projector_bytes: int
    adapter: AdapterFacts | None = None


def details_of(
    model: InstalledModel,
    paths: Sequence[Path],
    place: str,
    sha256_from: Against | Literal[""],
    licence_file: str,
) -> ModelDetails:
    """Read the headers and put together what they, the catalogue and the place say.

    Raises `BadModelFile` where the file can't be read any more.
    """
    headers = [read_header(path) for path in paths]
    header = headers[0]
    parameters = sum(each.n_parameters for each in headers)
    template = model.template or header.chat_template
    return ModelDetails(
        name=model.name,
        author=header.line("general.organization") or header.line("general.author"),
        architecture=header.architecture,
        parameters=parameters,
        quant=header.quant,
        bits=round(model.size_bytes * 8 / parameters, 2) if parameters else 0.0,
        context_length=header.context_length,
        n_layers=header.n_layers,
        n_embd=_largest(header, "embedding_length"),
        n_head=_largest(header, "attention.head_count"),
        n_head_kv=_largest(header, "attention.head_count_kv"),
        n_expert=_largest(header, "expert_count"),
        n_expert_used=_largest(header, "expert_used_count"),
        n_vocab=header.n_vocab,
        n_tensors=sum(len(each.tensors) for each in headers),
        tokenizer=header.line("tokenizer.ggml.model"),
        template=template,
        template_from="catalogue" if model.template else "file" if template else "",
        licence=_licence(model, header, licence_file),
        base=header.base or (model.entry.base if model.entry else ""),
        place=place,
        paths=tuple(paths),
        also_at=model.also_at,
        size_bytes=model.size_bytes,
        sha256=model.sha256,
        sha256_from=sha256_from if model.sha256 else "",
        projector=model.projector,
        projector_bytes=_size(model.projector),
        adapter=adapter_facts(header) if header.kind == "adapter" else None,
    )


def _largest(header: GgufHeader, key: str) -> int:
    """A number of the architecture, or the largest where each layer has its own."""
    value = header.hyper(key)
    numbers = value if isinstance(value, tuple) else (value,)
    return max((each for each in numbers if isinstance(each, int)), default=0)


def _licence(model: InstalledModel, header: GgufHeader, licence_file: str) -> Licence:
    if model.entry:
        return model.entry.licence
    url = header.line("general.license.link")
    name = header.line("general.license.name") or header.line("general.license")
    return Licence(name or _first_words(licence_file), url if url.startswith("https://") else "")


def _first_words(licence_file: str) -> str:
    """The title of a licence's text, which is its first line that is not empty."""
    if not licence_file:
        return ""
    try:
        with Path(licence_file).open("rb") as file:
            text = file.read(4096).decode("utf-8", "replace")
    except (OSError, ValueError):
        return ""
    line = next((line for line in text.splitlines() if line.strip()), "").strip()
    return "".join(char for char in line[:_MAX_LICENCE_LINE] if char.isprintable())


def _size(path: Path | None) -> int:
    try:
        return path.stat().st_size if path else 0
    except OSError:
        return 0
