"""Another scale of an adapter: what it costs beside reading the prompt with it."""

import itertools
import statistics
import tempfile
from pathlib import Path

from backends.llama_cpp.loaded_model import default_threads
from backends.llama_cpp.session import LlamaCppSession
from backends.protocol import AppliedAdapter, ChatRequest, Finished, Message, Sampling
from benchmarks.engine_path import session_on
from benchmarks.harness import Row, alternate
from benchmarks.starter import starter_model
from tests.gguf_adapters import write_adapter_for

ROUNDS = 21
TARGET_MS = 20
SCALES = (1.0, 0.5)


def run(model: Path | None = None) -> list[Row]:
    path = model or starter_model()
    with (
        tempfile.TemporaryDirectory() as scratch,
        session_on(path, default_threads()) as session,
    ):
        adapter = str(write_adapter_for(path, Path(scratch) / "adapter.gguf"))
        numbers = itertools.count(100)
        scales = itertools.cycle(SCALES)
        scale = next(scales)

        def first_token(*, changed: bool) -> float:
            """Milliseconds to the first token of a prompt that nobody has read before."""
            nonlocal scale
            if changed:
                scale = next(scales)
            return _first_token_ms(session, next(numbers), AppliedAdapter(adapter, scale))

        times = alternate(
            {
                "changed": lambda: first_token(changed=True),
                "unchanged": lambda: first_token(changed=False),
            },
            rounds=ROUNDS,
        )
    pairs = zip(times["changed"], times["unchanged"], strict=True)
    value = statistics.median(changed - unchanged for changed, unchanged in pairs)
    return [
        Row(
            "an adapter's scale changed, to the next token beyond reading the prompt",
            value,
            "ms",
            f"≤ {TARGET_MS}",
            value <= TARGET_MS,
            {"ms": times},
        )
    ]


def _first_token_ms(session: LlamaCppSession, number: int, adapter: AppliedAdapter) -> float:
    request = ChatRequest(
        messages=(
            Message(role="system", content=f"{number} words are enough."),
            Message(role="user", content="Describe the sea."),
        ),
        sampling=Sampling(temperature=0),
        max_tokens=1,
        adapters=(adapter,),
    )
    for event in session.chat(request):
        if isinstance(event, Finished):
            return event.timings.first_token_ms
    raise EOFError("the answer did not finish")
