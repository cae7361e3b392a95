"""Models as the Ollama API describes them."""

import hashlib
import time
from collections.abc import Sequence

from app.server.answering import ServedModel
from app.server.ollama_api.responses import (
    Details,
    ListedModel,
    ModelList,
    RunningModel,
    RunningModels,
    ShownModel,
    moment,
)
from backends.protocol import SessionInfo

_NEVER = "9999-12-31T23:59:59Z"
"""Clients read a time here in any case."""

_THINKING_MARKS = ("enable_thinking", "<think>", "</think>", "reasoning_content")
"""A template that says one of these is of a model that thinks."""


def tagged(name: str) -> str:
    """The name as clients of that API expect it, with a tag."""
    return name if ":" in name else f"{name}:latest"


def listed(models: Sequence[ServedModel]) -> ModelList:
    return ModelList(
        tuple(
            ListedModel(
                name=tagged(model.id),
                model=tagged(model.id),
                modified_at=moment(model.created),
                size=model.size_bytes,
                digest=digest(model),
                details=details(model),
            )
            for model in models
        )
    )


def running(model: ServedModel, info: SessionInfo, seconds_left: float | None) -> RunningModels:
    """The model that is in memory, and for how long if nobody asks it; None: for ever."""
    return RunningModels(
        (
            RunningModel(
                name=tagged(model.id),
                model=tagged(model.id),
                size=info.memory_bytes,
                size_vram=info.memory_bytes if info.n_gpu_layers > 0 else 0,
                digest=digest(model),
                details=details(model),
                context_length=info.n_ctx,
                expires_at=moment(time.time() + seconds_left)
                if seconds_left is not None
                else _NEVER,
            ),
        )
    )


def shown(model: ServedModel) -> ShownModel:
    return ShownModel(
        modelfile=f"FROM {tagged(model.id)}\n",
        parameters="",
        template=model.template,
        details=details(model),
        model_info=_model_info(model),
        capabilities=tuple(_capabilities(model)),
        modified_at=moment(model.created),
    )


def details(model: ServedModel) -> Details:
    return Details(
        format="gguf" if model.architecture else "",
        family=model.architecture,
        families=(model.architecture,) if model.architecture else (),
        parameter_size=_parameters(model.parameters),
        quantization_level=model.quant,
    )


def digest(model: ServedModel) -> str:
    """What clients tell one model from another by: the file's checksum, or what stands for it until
    somebody has computed that.
    """
    facts = f"{model.id}\n{model.size_bytes}\n{model.created}"
    return model.sha256 or hashlib.sha256(facts.encode()).hexdigest()


def _parameters(count: int) -> str:
    """“134.5M”, “7.6B”; empty where nobody knows."""
    for size, unit in ((10**9, "B"), (10**6, "M"), (10**3, "K")):
        if count >= size:
            return f"{count / size:.1f}{unit}".replace(".0", "")
    return str(count) if count else ""


def _model_info(model: ServedModel) -> dict[str, object]:
    architecture = model.architecture or "unknown"
    info: dict[str, object] = {"general.architecture": architecture, "general.name": model.name}
    if model.parameters:
        info["general.parameter_count"] = model.parameters
    if model.context_length:
        info[f"{architecture}.context_length"] = model.context_length
    return info


def _capabilities(model: ServedModel) -> list[str]:
    if model.kind == "embedding":
        return ["embedding"]
    known = {
        "completion": True,
        "tools": model.capabilities.tools and model.kind == "chat",
        "vision": model.capabilities.images,
        "thinking": any(mark in model.template for mark in _THINKING_MARKS),
    }
    return [name for name, has in known.items() if has]
