"""The services that Causeway knows by name. Each is data; what is not known of one is not claimed."""

from backends.openai_compatible.provider import (
    OPENAI_SAMPLERS,
    Continuation,
    ModelList,
    Provider,
    runs_elsewhere,
)

__all__ = ["PROVIDERS", "Provider", "provider_of", "runs_elsewhere"]

_THERE = "It runs at this address. Where that is another computer, what you write goes there."

_LLAMA_SERVER_SAMPLERS = {
    **OPENAI_SAMPLERS,
    "dynamic_range": "dynatemp_range",
    "dynamic_exponent": "dynatemp_exponent",
    "top_k": "top_k",
    "min_p": "min_p",
    "typical_p": "typical_p",
    "top_n_sigma": "top_n_sigma",
    "xtc_probability": "xtc_probability",
    "xtc_threshold": "xtc_threshold",
    "repeat_penalty": "repeat_penalty",
    "repeat_last_n": "repeat_last_n",
    "dry_multiplier": "dry_multiplier",
    "dry_base": "dry_base",
    "dry_allowed_length": "dry_allowed_length",
    "dry_last_n": "dry_penalty_last_n",
    "mirostat": "mirostat",
    "mirostat_tau": "mirostat_tau",
    "mirostat_eta": "mirostat_eta",
}
_VLLM_SAMPLERS = {
    **OPENAI_SAMPLERS,
    "top_k": "top_k",
    "min_p": "min_p",
    "repeat_penalty": "repetition_penalty",
}
_SPEECH = ("whisper", "tts")

PROVIDERS: tuple[Provider, ...] = (
    Provider(
        id="openai",
        title="OpenAI",
        url="https://api.openai.com/v1",
        needs_key=True,
        key_variable="OPENAI_API_KEY",
        key_page="https://platform.openai.com/api-keys",
        privacy="What you write leaves this computer and goes to OpenAI, under its policy.",
        privacy_page="https://openai.com/policies/privacy-policy/",
        model_list=ModelList(
            not_chat=(
                *_SPEECH,
                "audio",
                "babbage-",
                "codex-mini",
                "computer-use",
                "dall-e",
                "davinci-",
                "deep-research",
                "image",
                "instruct",
                "moderation",
                "realtime",
                "sora",
                "transcribe",
            )
        ),
        max_tokens="max_completion_tokens",
        logit_bias=True,
        embed=True,
    ),
    Provider(
        id="anthropic",
        title="Anthropic",
        url="https://api.anthropic.com/v1",
        needs_key=True,
        key_variable="ANTHROPIC_API_KEY",
        key_page="https://platform.claude.com/settings/keys",
        privacy="What you write leaves this computer and goes to Anthropic, under its policy.",
        privacy_page="https://www.anthropic.com/legal/privacy",
        model_list=ModelList(
            query="limit=1000",
            key_header="x-api-key",
            headers={"anthropic-version": "2023-06-01"},
            kind="",  # every item's type is "model"
        ),
        # Its newer models take either this or top_p, and it passes over all others.
        samplers={"temperature": "temperature"},
        seed="",
        max_temperature=1.0,
        top_logprobs=0,
        json_object=False,
        json_schema=False,
        continuation=Continuation(),
    ),
    Provider(
        id="mistral",
        title="Mistral",
        url="https://api.mistral.ai/v1",
        needs_key=True,
        key_variable="MISTRAL_API_KEY",
        key_page="https://console.mistral.ai/api-keys",
        privacy="What you write leaves this computer and goes to Mistral AI, under its policy.",
        privacy_page="https://mistral.ai/terms#privacy-policy",
        model_list=ModelList(
            kind="",
            unless=(("capabilities.completion_chat", False),),
            not_chat=("moderation", "ocr", "transcribe"),
        ),
        seed="random_seed",
        max_temperature=1.5,
        stream_options=False,  # it tells the usage unasked, and refuses what it does not know
        top_logprobs=0,
        embed=True,
        continuation=Continuation(message={"prefix": True}),
    ),
    Provider(
        id="groq",
        title="Groq",
        url="https://api.groq.com/openai/v1",
        needs_key=True,
        key_variable="GROQ_API_KEY",
        key_page="https://console.groq.com/keys",
        privacy="What you write leaves this computer and goes to Groq, under its policy.",
        privacy_page="https://groq.com/privacy-policy",
        model_list=ModelList(unless=(("active", False),), not_chat=(*_SPEECH, "orpheus")),
        samplers={"temperature": "temperature", "top_p": "top_p"},
        max_tokens="max_completion_tokens",
        top_logprobs=0,
    ),
    Provider(
        id="openrouter",
        title="OpenRouter",
        url="https://openrouter.ai/api/v1",
        needs_key=True,
        key_variable="OPENROUTER_API_KEY",
        key_page="https://openrouter.ai/settings/keys",
        privacy=(
            "What you write leaves this computer and goes to OpenRouter and on to whoever runs the "
            "model, under the policies of both."
        ),
        privacy_page="https://openrouter.ai/privacy",
        model_list=ModelList(names=("name",)),
        samplers=_VLLM_SAMPLERS,
        logit_bias=True,
        reasoning="reasoning",
        complete=True,
        embed=True,
        continuation=Continuation(),
    ),
    Provider(
        id="deepseek",
        title="DeepSeek",
        url="https://api.deepseek.com/v1",
        needs_key=True,
        key_variable="DEEPSEEK_API_KEY",
        key_page="https://platform.deepseek.com/api_keys",
        privacy=(
            "What you write leaves this computer and goes to DeepSeek in China, under its policy."
        ),
        privacy_page="https://cdn.deepseek.com/policies/en-US/deepseek-privacy-policy.html",
        seed="",
        max_stops=16,
        images=False,
        json_schema=False,
        reasoning="reasoning_content",
        continuation=Continuation(message={"prefix": True}, url="https://api.deepseek.com/beta"),
    ),
    Provider(
        id="together",
        title="Together AI",
        url="https://api.together.xyz/v1",
        needs_key=True,
        key_variable="TOGETHER_API_KEY",
        key_page="https://api.together.ai/settings/api-keys",
        privacy="What you write leaves this computer and goes to Together AI, under its policy.",
        privacy_page="https://www.together.ai/privacy",
        samplers=_VLLM_SAMPLERS,
        stream_options=False,  # it tells the usage unasked
        top_logprobs=0,
        complete=True,
        embed=True,
    ),
    Provider(
        id="ollama",
        title="Ollama",
        url="http://localhost:11434/v1",
        needs_key=False,
        privacy=(
            f"{_THERE} Models whose names end in “cloud” are run by Ollama's service in the web."
        ),
        privacy_page="https://ollama.com/privacy",
        embed=True,
        elsewhere=("-cloud", ":cloud"),
    ),
    Provider(
        id="lm-studio",
        title="LM Studio",
        url="http://localhost:1234/v1",
        needs_key=False,
        privacy=_THERE,
        privacy_page="https://lmstudio.ai/privacy",
        samplers={**OPENAI_SAMPLERS, "top_k": "top_k", "repeat_penalty": "repeat_penalty"},
        logit_bias=True,
        top_logprobs=0,
        json_object=False,
        complete=True,
        embed=True,
    ),
    Provider(
        id="vllm",
        title="vLLM",
        url="http://localhost:8000/v1",
        needs_key=False,
        key_variable="VLLM_API_KEY",
        privacy=_THERE,
        samplers=_VLLM_SAMPLERS,
        explicit=True,
        max_stops=64,
        logit_bias=True,
        gbnf="structured_outputs.grammar",
        complete=True,
        embed=True,
        continuation=Continuation(
            body={"continue_final_message": True, "add_generation_prompt": False}
        ),
    ),
    Provider(
        id="llama-server",
        title="llama-server",
        url="http://localhost:8080/v1",
        needs_key=False,
        key_variable="LLAMA_API_KEY",
        privacy=_THERE,
        samplers=_LLAMA_SERVER_SAMPLERS,
        explicit=True,
        max_stops=64,
        logit_bias=True,
        gbnf="grammar",
        reasoning="reasoning_content",
        complete=True,
        embed=True,
        continuation=Continuation(),
    ),
    Provider(
        id="custom",
        title="Another service",
        url="",
        needs_key=False,
        key_variable="",
        privacy="What you write goes to the address that you give, under the policy of its owner.",
        logit_bias=True,
        complete=True,
        embed=True,
    ),
)


def provider_of(id: str) -> Provider:
    """The provider of that id; for one that is not known, the one of no particular service."""
    return next((each for each in PROVIDERS if each.id == id), PROVIDERS[-1])
