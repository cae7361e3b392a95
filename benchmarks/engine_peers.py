"""Other ways to run the same model, each in a process of its own that waits while others run.

As in Causeway, the beginning that a prompt shares with the one before it is not evaluated again.

`python -m benchmarks.engine_peers KIND MODEL N_THREADS` reads a `Task` a line on stdin and answers
with a `Speed` a line on stdout. Kinds: a bare `llama_decode` loop, the `Llama` class of
llama-cpp-python, and the server that runs inside of xllamacpp.
"""

import importlib.util
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import takewhile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from backends.protocol import Message, Sampling

N_CTX = 4096
BATCH_TOKENS = 512
KINDS = ("bare", "llama", "xllamacpp")
SLOTS = 4
SERVER_OF_FOUR = "xllamacpp-4"


class Task(msgspec.Struct, frozen=True):
    """Read the text, then generate so many tokens with this seed; several times at once, if wanted."""

    text: str
    n_generate: int
    seed: int = 1
    at_once: int = 1

    @property
    def texts(self) -> list[str]:
        """What is asked at once: each begins otherwise, so that nothing is shared."""
        if self.at_once == 1:
            return [self.text]
        return [f"{number + 1}. {self.text}" for number in range(self.at_once)]


class Speed(msgspec.Struct, frozen=True):
    """`prompt_seconds` up to the first token; `seconds` from the first to the last of `tokens`.

    Of several requests at once, the first token of any and the last of all.
    """

    prompt_tokens: int
    prompt_seconds: float
    tokens: int
    seconds: float

    @property
    def tokens_per_second(self) -> float:
        return (self.tokens - 1) / self.seconds

    @property
    def prompt_tokens_per_second(self) -> float:
        return self.prompt_tokens / self.prompt_seconds


class Peer:
    """A contender in a process of its own. Use it in a `with` block."""

    def __init__(self, kind: str, model: Path, n_threads: int) -> None:
        self._command = [
            sys.executable, "-m", "benchmarks.engine_peers", kind, str(model), str(n_threads),
        ]  # fmt: skip

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def run(self, task: Task) -> Speed:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(task) + b"\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self._process.stdout.readline(), type=Speed)


def is_installed(kind: str) -> bool:
    return not kind.startswith("xllamacpp") or importlib.util.find_spec("xllamacpp") is not None


def bare(model_path: str, n_threads: int) -> Callable[[Task], Speed]:
    """Nothing but `llama_decode` and the same native sampler chain; no text is made.

    It evaluates the tokens that Causeway evaluates, at the same positions: the work of a batch grows
    in steps with what lies before it.
    """
    import llama_cpp.llama_cpp as native

    from backends.llama_cpp.model import Model
    from backends.llama_cpp.sampling import Chooser
    from backends.llama_cpp.templates import choose_template

    model = Model(model_path, n_gpu_layers=0, safe_mode=False, on_progress=lambda fraction: None)
    params = native.llama_context_default_params()
    params.n_ctx = N_CTX
    params.n_batch = params.n_ubatch = BATCH_TOKENS
    params.n_threads = params.n_threads_batch = n_threads
    params.flash_attn_type = native.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.no_perf = True
    context = native.llama_init_from_model(model.handle, params)
    template, _ = choose_template(model)

    def decode(tokens: Sequence[int]) -> None:
        array = (native.llama_token * len(tokens))(*tokens)
        native.llama_decode(context, native.llama_batch_get_one(array, len(tokens)))

    held: list[int] = []

    def run(task: Task) -> Speed:
        nonlocal held
        prompt = template.render([Message(role="user", content=task.text)])
        tokens = model.tokenize(prompt, starts_prompt=True)
        pairs = zip(held, tokens[:-1], strict=False)
        cached = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        native.llama_memory_seq_rm(native.llama_get_memory(context), 0, cached, -1)
        held = tokens
        chooser = Chooser(model, Sampling(), task.seed, tokens)
        started = time.perf_counter()
        for i in range(cached, len(tokens), BATCH_TOKENS):
            decode(tokens[i : i + BATCH_TOKENS])
        token = chooser.choose(context, -1)
        first = time.perf_counter()
        array = (native.llama_token * 1)(token)
        batch = native.llama_batch_get_one(array, 1)
        for _ in range(task.n_generate - 1):
            native.llama_decode(context, batch)
            array[0] = chooser.choose(context, -1)
        ended = time.perf_counter()
        chooser.close()
        return Speed(len(tokens) - cached, first - started, task.n_generate, ended - first)

    return run


def llama(model_path: str, n_threads: int) -> Callable[[Task], Speed]:
    """`Llama.create_chat_completion`, streaming."""
    from llama_cpp import Llama

    model = Llama(
        model_path,
        n_ctx=N_CTX,
        n_batch=BATCH_TOKENS,
        n_threads=n_threads,
        n_threads_batch=n_threads,
        verbose=False,
    )

    def run(task: Task) -> Speed:
        times = [time.perf_counter()]
        for chunk in model.create_chat_completion(
            [{"role": "user", "content": task.text}],
            stream=True,
            max_tokens=task.n_generate,
            temperature=Sampling().temperature,
            top_k=Sampling().top_k,
            top_p=Sampling().top_p,
            min_p=Sampling().min_p,
            repeat_penalty=Sampling().repeat_penalty,
            seed=task.seed,
        ):
            if chunk["choices"][0]["delta"].get("content"):
                times.append(time.perf_counter())
        return _speed(times)

    return run


def xllamacpp(model_path: str, n_threads: int, *, n_parallel: int = 1) -> Callable[[Task], Speed]:
    """llama-server in this process, as xllamacpp configures it, with the same threads."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = model_path
    params.n_ctx = N_CTX
    params.n_batch = params.n_ubatch = BATCH_TOKENS
    params.n_parallel = n_parallel
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = n_threads
    server = xllamacpp.Server(params)

    def ask(text: str, task: Task, times: list[float]) -> None:
        def note(chunk: Any) -> bool:
            if chunk["choices"] and chunk["choices"][0]["delta"].get("content"):
                times.append(time.perf_counter())
            return False

        server.handle_chat_completions(
            {
                "messages": [{"role": "user", "content": text}],
                "stream": True,
                "max_tokens": task.n_generate,
                "temperature": Sampling().temperature,
                "top_k": Sampling().top_k,
                "top_p": Sampling().top_p,
                "min_p": Sampling().min_p,
                "seed": task.seed,
            },
            note,
        )

    def run(task: Task) -> Speed:
        started = time.perf_counter()
        times: list[float] = []
        together([partial(ask, text, task, times) for text in task.texts])
        return _speed([started, *sorted(times)])

    return run


def together(works: Sequence[Callable[[], None]]) -> None:
    """Do all at once, each on a thread, and wait for the last."""
    if len(works) == 1:
        works[0]()
        return
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _speed(times: Sequence[float]) -> Speed:
    """From the time of the request and those of each piece of text."""
    return Speed(0, times[1] - times[0], len(times) - 1, times[-1] - times[1])


def main(kind: str, model: str, n_threads: str) -> None:
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # native libraries print
    peers: dict[str, Callable[[str, int], Callable[[Task], Speed]]] = {
        "bare": bare,
        "llama": llama,
        "xllamacpp": xllamacpp,
        SERVER_OF_FOUR: partial(xllamacpp, n_parallel=SLOTS),
    }
    run = peers[kind](model, int(n_threads))
    for line in sys.stdin:
        answers.write(msgspec.json.encode(run(msgspec.json.decode(line, type=Task))) + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
