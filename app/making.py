"""New model files made of those that are here: adapters converted, merged, weights quantized."""

import re
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from app.adapters import Adapters
from app.conversations.writers import Writer, is_running, this_process
from app.errors import AppError
from app.formatting import bytes_text
from app.jobs.orders import ConvertAdapter, Merge, Order, Quantize
from app.jobs.process import run_job
from app.options.adapter_stack import StackedAdapter
from backends.llama_cpp.quants import QUANTS, UNQUANTIZED, Quant, quant_named
from catalog.library import InstalledModel, Library
from catalog.network import Network
from catalog.safe_names import is_safe_name
from catalog.whole_file import replace

if TYPE_CHECKING:
    from catalog.hub.hub import Hub

_FOLDER = "made"
_WORKSHOP = ".making"
_SPARE_BYTES = 64 << 20
_LONGEST_NAME = 80
_FETCHED_SHARE = 0.8
"""Of the whole work, where an adapter is fetched before it is converted."""

OnProgress = Callable[[float], None]


class Work:
    """A piece of it, to be run once: `make` is a method of `Making` with all but the telling given.

    `title` says what is done, “Quantizing Tiny to Q4_K_M”.
    """

    def __init__(self, title: str, make: Callable[..., InstalledModel]) -> None:
        self.title = title
        self._make = make
        self._cancelled = threading.Event()

    def run(self, on_progress: OnProgress) -> InstalledModel:
        """Blocks, and raises what `make` raises."""
        return self._make(on_progress=on_progress, cancelled=self._cancelled)

    def cancel(self) -> None:
        """End it soon, from any thread, also before it runs."""
        self._cancelled.set()


class QuantChoice(msgspec.Struct, frozen=True):
    """A way to store a model. `size_bytes` is about what its file will have; `bits` are a weight's."""

    name: str
    size_bytes: int
    bits: float
    help: str


class Making:
    """Each method does one piece of work, and blocks: call it in the background.

    What it makes lies in the models folder under `made/`, whole or not at all. `on_progress` is told
    the part that is done (0…1) on the caller's thread; `cancelled` ends the work. Raises
    `DownloadCancelled`, and the errors of all layers in words.
    """

    def __init__(
        self,
        library: Library,
        adapters: Adapters,
        hub: "Hub",
        network: Callable[[], Network],
    ) -> None:
        self._library = library
        self._adapters = adapters
        self._hub = hub
        self._network = network

    def convert(
        self,
        source: Path,
        base: InstalledModel,
        *,
        name: str = "",
        on_progress: OnProgress,
        cancelled: threading.Event,
    ) -> InstalledModel:
        """A GGUF adapter for `base` from a PEFT folder."""
        title = name or source.resolve().name

        def order(target: Path) -> Order:
            return ConvertAdapter(str(source), self._files(base), str(target), title)

        return self._make(title, 0, order, on_progress, cancelled)

    def fetch_and_convert(
        self,
        repo: str,
        base: InstalledModel,
        *,
        name: str = "",
        on_progress: OnProgress,
        cancelled: threading.Event,
    ) -> InstalledModel:
        """A GGUF adapter for `base` from a PEFT repository of the Hub, which is fetched first."""
        # Not needed by those who only look: these take a while to import.
        from catalog.adapters.fetching import fetch_peft

        with self._workshop() as workshop:
            fetch_peft(
                self._hub.repository(repo),
                workshop,
                resolve=partial(self._hub.resolve, patient=False),
                network=self._network,
                on_progress=lambda fraction: on_progress(fraction * _FETCHED_SHARE),
                cancelled=cancelled,
            )
            return self.convert(
                workshop,
                base,
                name=name or repo.rpartition("/")[2],
                on_progress=lambda fraction: on_progress(
                    _FETCHED_SHARE + fraction * (1 - _FETCHED_SHARE)
                ),
                cancelled=cancelled,
            )

    def merge(
        self,
        model: InstalledModel,
        stack: Sequence[StackedAdapter],
        *,
        name: str = "",
        on_progress: OnProgress,
        cancelled: threading.Event,
    ) -> InstalledModel:
        """One model with the adapters in its weights."""
        applied = self._adapters.applied(stack, model)
        if applied.left_out:
            raise AppError("The adapters can't be merged.", " ".join(applied.left_out))
        if not applied.applied:
            raise AppError("There is nothing to merge.", fix="Choose an adapter, and a strength.")
        title = name or " ".join([model.name, *(each.name for each in applied.used)])

        def order(target: Path) -> Order:
            return Merge(self._files(model), applied.applied, str(target), title)

        return self._make(title, model.size_bytes, order, on_progress, cancelled)

    def quantize(
        self,
        model: InstalledModel,
        quant: str,
        *,
        name: str = "",
        on_progress: OnProgress,
        cancelled: threading.Event,
    ) -> InstalledModel:
        """The model with its weights stored in fewer bits."""
        chosen = self._quant(model, quant)
        title = name or quantized_name(model, chosen.name)

        def order(target: Path) -> Order:
            return Quantize(str(model.path), chosen.name, str(target))

        return self._make(title, _size(model, chosen), order, on_progress, cancelled)

    def quants_for(self, model: InstalledModel) -> tuple[QuantChoice, ...]:
        """What the model can be stored as; nothing where it is quantized already."""
        if not can_be_quantized(model):
            return ()
        return tuple(
            QuantChoice(quant.name, _size(model, quant), quant.bits, quant.help)
            for quant in QUANTS
            if not quant.needs_matrix and quant.name not in UNQUANTIZED
        )

    def _quant(self, model: InstalledModel, name: str) -> Quant:
        chosen = quant_named(name)
        choices = ", ".join(choice.name for choice in self.quants_for(model))
        if not choices:
            raise not_quantizable(model)
        if chosen is None or chosen.name in UNQUANTIZED:
            raise AppError(f"There is no quant “{name}”.", fix=f"Choose one of {choices}.")
        if chosen.needs_matrix:
            raise AppError(
                f"{chosen.name} can't be made here.",
                "It needs an importance matrix, which somebody measures with many texts.",
                f"Choose one of {choices}.",
            )
        return chosen

    def _files(self, model: InstalledModel) -> tuple[str, ...]:
        return tuple(str(path) for path in self._library.files(model))

    def _make(
        self,
        title: str,
        size_bytes: int,
        order: Callable[[Path], Order],
        on_progress: OnProgress,
        cancelled: threading.Event,
    ) -> InstalledModel:
        target = self._target(title)
        self._check_room(size_bytes)
        with self._workshop() as workshop:
            unfinished = workshop / target.name
            run_job(order(unfinished), on_progress=on_progress, cancelled=cancelled)
            target.parent.mkdir(parents=True, exist_ok=True)
            replace(unfinished, target)
        return self._listed(target)

    def _listed(self, made: Path) -> InstalledModel:
        """The model of a new file, which goes again where there is one with its content already."""
        model = next(
            each for each in self._library.everything() if made in (each.path, *each.also_at)
        )
        same = next((path for path in (model.path, *model.also_at) if path != made), None)
        if same is not None:
            shutil.rmtree(made.parent, ignore_errors=True)
            raise AppError(
                "This has been made before.", f"The same lies at {same}.", "Use that one."
            )
        return model

    def _target(self, title: str) -> Path:
        slug = re.sub(r"[^\w.+-]+", "-", title, flags=re.ASCII).strip("-.")[:_LONGEST_NAME]
        if not slug or not is_safe_name(f"{slug}.gguf"):
            raise AppError(f"“{title}” is no name for a file.", fix="Give another name.")
        target = self._library.models_folder / _FOLDER / slug / f"{slug}.gguf"
        if target.exists():
            raise AppError(
                f"There is a model “{slug}” already.", f"It lies at {target}.", "Give another name."
            )
        return target

    def _check_room(self, size_bytes: int) -> None:
        folder = self._library.models_folder
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if not has_room(size_bytes, free):
            raise AppError(
                "There is not enough room on the disk.",
                f"The new file needs about {bytes_text(size_bytes)}, and {bytes_text(free)} are free.",
                "Free some space.",
            )

    @contextmanager
    def _workshop(self) -> Iterator[Path]:
        """A folder for what is unfinished, on the disk of the models, gone at the end."""
        place = self._library.models_folder / _WORKSHOP
        _clear_up(place)
        writer = this_process()
        workshop = place / f"{writer.pid}-{writer.started}-{uuid.uuid4().hex[:8]}"
        workshop.mkdir(parents=True)
        try:
            yield workshop
        finally:
            shutil.rmtree(workshop, ignore_errors=True)


def is_named(model: InstalledModel, name: str) -> bool:
    """Whether people may mean the model by “OWNER/NAME”; quants and spelling differ."""
    wanted = _letters(name)
    return bool(wanted) and wanted in (_letters(model.name), _letters(model.base))


def _letters(name: str) -> str:
    return "".join(char for char in name.rpartition("/")[2].casefold() if char.isalnum())


def has_room(size_bytes: int, free_bytes: int) -> bool:
    """Whether a new file of about that size may be begun on a disk with so much free."""
    return size_bytes + _SPARE_BYTES <= free_bytes


def not_quantizable(model: InstalledModel) -> AppError:
    """Why a model that `can_be_quantized` denies is refused."""
    return AppError(
        f"{model.name} can't be quantized.",
        "It is an adapter."
        if model.kind == "adapter"
        else f"Its weights are stored as {model.quant} already, and would lose once more.",
        "Take the model in F16, BF16 or F32.",
    )


def can_be_quantized(model: InstalledModel) -> bool:
    """Whether its weights are floats; what is quantized already would lose once more."""
    return model.kind != "adapter" and model.quant in UNQUANTIZED


def _clear_up(place: Path) -> None:
    """Remove what processes left that were killed."""
    try:
        workshops = list(place.iterdir())
    except OSError:
        return
    for workshop in workshops:
        pid, _, rest = workshop.name.partition("-")
        started, _, _ = rest.rpartition("-")
        try:
            owner = Writer(int(pid), float(started))
        except ValueError:
            continue
        if not is_running(owner):
            shutil.rmtree(workshop, ignore_errors=True)


def _size(model: InstalledModel, quant: Quant) -> int:
    return round(model.parameters * quant.bits / 8)


def quantized_name(model: InstalledModel, quant: str) -> str:
    """What a model is called that was quantized, where nobody gives a name."""
    bare = re.sub(r"[-_. ]*\b(F16|BF16|F32)\b", "", model.name, flags=re.IGNORECASE)
    return f"{bare}-{quant}"
