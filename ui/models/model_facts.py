"""What the panel tells of an installed model, in words."""

from collections.abc import Iterator

from PySide6.QtCore import QCoreApplication

from app.formatting import bytes_text
from catalog.library import InstalledModel
from catalog.library.details import ModelDetails
from ui.models.entry_words import parameter_words
from ui.models.fact_lines import Fact
from ui.models.fit_words import context_words
from ui.models.licence_words import licence_name


def fact_lines(model: InstalledModel, details: ModelDetails | None) -> tuple[Fact, ...]:
    """What is known; before the details are read, what the list knows already."""
    return tuple(fact for fact in _facts(model, details) if fact.value)


def _facts(model: InstalledModel, details: ModelDetails | None) -> Iterator[Fact]:
    parameters = details.parameters if details else model.parameters
    yield Fact(_tr("Size"), bytes_text(model.size_bytes, digits=2))
    yield Fact(_tr("Parameters"), parameter_words(parameters) if parameters else "")
    yield Fact(_tr("Quant"), _quant_words(model, details))
    yield Fact(_tr("Architecture"), _architecture_words(model, details))
    context = model.context_length if model.kind != "adapter" else 0
    length = _tr("{length} tokens").format(length=context_words(context))
    yield Fact(_tr("Context"), length if context else "")
    if model.writes:
        yield Fact(_tr("Template"), _template_words(model, details))
    base_title = _tr("Made for") if model.kind == "adapter" else _tr("Made from")
    yield Fact(base_title, details.base if details else model.base)
    if model.projector is not None:
        size = bytes_text(details.projector_bytes) if details and details.projector_bytes else ""
        yield Fact(_tr("Projector"), size or model.projector.name)
    if details is None:
        return
    if details.adapter is not None:
        yield Fact(_tr("Rank"), details.adapter.rank_text)
        yield Fact(_tr("Alpha"), f"{details.adapter.alpha:g}" if details.adapter.alpha else "")
        yield Fact(_tr("Task"), details.adapter.task)
        yield Fact(_tr("Trigger words"), details.adapter.trigger_words)
    yield Fact(_tr("Layers"), _layer_words(details))
    yield Fact(_tr("By"), details.author)
    yield Fact(_tr("Licence"), licence_name(details.licence.id))
    if details.also_at:
        yield Fact(_tr("Same file also at"), "\n".join(str(path) for path in details.also_at))


def _quant_words(model: InstalledModel, details: ModelDetails | None) -> str:
    # Of so small a file as an adapter much is no weights: the bits would tell of those too.
    if details is None or not details.bits or model.kind == "adapter":
        return model.quant
    return _tr("{quant}, {bits} bits a weight").format(
        quant=model.quant, bits=f"{details.bits:.1f}"
    )


def _architecture_words(model: InstalledModel, details: ModelDetails | None) -> str:
    if details is None or not details.n_expert:
        return model.architecture
    experts = _tr("{name}, {used} of {count} experts at a time")
    return experts.format(
        name=model.architecture, used=details.n_expert_used, count=details.n_expert
    )


def _template_words(model: InstalledModel, details: ModelDetails | None) -> str:
    source = details.template_from if details else ("catalogue" if model.template else "file")
    if source == "catalogue":
        return _tr("from the catalogue")
    return _tr("its own") if model.has_template else _tr("none: it completes text")


def _layer_words(details: ModelDetails) -> str:
    if not details.n_layers:
        return ""
    heads = _tr("{layers}, {heads} heads each") if details.n_head else "{layers}"
    return heads.format(layers=details.n_layers, heads=details.n_head)


def _tr(text: str) -> str:
    return QCoreApplication.translate("ModelFacts", text)
