"""llama.cpp with nothing around it, in a process of its own: what the engine is measured against.

Prints one JSON object: `prompt_tokens_per_second` and `tokens_per_second`.
"""

import json
import sys
import time
from collections.abc import Sequence

import llama_cpp.llama_cpp as native

from backends.llama_cpp import native_log
from backends.llama_cpp.devices import has_graphics_card

BATCH_TOKENS = 512


def measure(
    path: str, *, n_threads: int, n_gpu_layers: int, n_prompt: int, n_generate: int
) -> dict[str, float]:
    """Evaluate `n_prompt` tokens, then generate `n_generate` greedily. Speeds in tokens per second."""
    model_params = native.llama_model_default_params()
    model_params.n_gpu_layers = n_gpu_layers
    model = native.llama_model_load_from_file(path.encode(), model_params)
    if not model:
        raise native_log.load_failure(path)
    params = native.llama_context_default_params()
    params.n_ctx = n_prompt + n_generate + 8
    params.n_batch = params.n_ubatch = BATCH_TOKENS
    params.n_threads = params.n_threads_batch = n_threads
    params.no_perf = True
    if not has_graphics_card():
        params.flash_attn_type = native.LLAMA_FLASH_ATTN_TYPE_DISABLED
    context = native.llama_init_from_model(model, params)
    if not context:
        raise native_log.load_failure(path)
    n_vocab = native.llama_vocab_n_tokens(native.llama_model_get_vocab(model))
    sampler = native.llama_sampler_init_greedy()
    try:
        _decode(context, [1] * 8)  # the first batch pays for the set-up
        native.llama_memory_clear(native.llama_get_memory(context), True)
        prompt = [(7919 * i) % n_vocab for i in range(n_prompt)]
        started = time.perf_counter()
        for start in range(0, n_prompt, BATCH_TOKENS):
            _decode(context, prompt[start : start + BATCH_TOKENS])
        prompt_seconds = time.perf_counter() - started
        started = time.perf_counter()
        for _ in range(n_generate):
            _decode(context, [native.llama_sampler_sample(sampler, context, -1)])
        seconds = time.perf_counter() - started
    finally:
        native.llama_sampler_free(sampler)
        native.llama_free(context)
        native.llama_model_free(model)
    return {
        "prompt_tokens_per_second": n_prompt / prompt_seconds,
        "tokens_per_second": n_generate / seconds,
    }


def main(argv: Sequence[str]) -> int:
    """`MODEL N_THREADS N_GPU_LAYERS N_PROMPT N_GENERATE`, as the command line calls it."""
    native_log.install()
    path, *numbers = argv
    n_threads, n_gpu_layers, n_prompt, n_generate = map(int, numbers)
    speeds = measure(
        path,
        n_threads=n_threads,
        n_gpu_layers=n_gpu_layers,
        n_prompt=n_prompt,
        n_generate=n_generate,
    )
    json.dump(speeds, sys.stdout)
    return 0


def _decode(context: object, tokens: Sequence[int]) -> None:
    array = (native.llama_token * len(tokens))(*tokens)
    batch = native.llama_batch_get_one(array, len(tokens))
    result = native.llama_decode(context, batch)
    if result != 0:
        raise RuntimeError(f"llama_decode returned {result}")
