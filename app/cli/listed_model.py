"""An installed model or adapter, as commands print it with `--json`."""

import msgspec

from catalog.library import InstalledModel


class ListedModel(msgspec.Struct, frozen=True):
    """`managed`: the file lies in the program's own folder;
    `place` says by whom it was fetched; `also_at` are files with the same content."""

    id: str
    name: str
    kind: str
    quant: str
    architecture: str
    parameters: int
    size_bytes: int
    context_length: int
    has_template: bool
    managed: bool
    place: str
    path: str
    also_at: tuple[str, ...]
    projector: str
    sha256: str


def listed(model: InstalledModel) -> ListedModel:
    return ListedModel(
        id=model.id,
        name=model.name,
        kind=model.kind,
        quant=model.quant,
        architecture=model.architecture,
        parameters=model.parameters,
        size_bytes=model.size_bytes,
        context_length=model.context_length,
        has_template=model.has_template,
        managed=model.managed,
        place=model.place,
        path=str(model.path),
        also_at=tuple(str(path) for path in model.also_at),
        projector=str(model.projector or ""),
        sha256=model.sha256,
    )
