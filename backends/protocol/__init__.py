"""The one protocol between Causeway and whatever answers.

A `Backend` opens a `Session` on a model; a `Session` turns a `ChatRequest` into a `ChatStream` of
events. It is synchronous: callers bring their own thread. Failures are `backends.errors`.
docs/backends.md tells how to write one.
"""

from backends.protocol.backend import (
    Backend,
    Capabilities,
    ChatStream,
    Embeddings,
    ModelDescription,
    Session,
    TokenSession,
)
from backends.protocol.events import (
    Event,
    Finished,
    FinishReason,
    HistoryTrimmed,
    Logprobs,
    PromptEcho,
    PromptProgress,
    PromptToken,
    ReasoningDelta,
    TextDelta,
    Timings,
    TokenLogprob,
    ToolCallDelta,
    Usage,
    Warned,
)
from backends.protocol.loading import (
    DEFAULT_CONTEXT,
    Allocation,
    CacheType,
    FlashAttention,
    LoadOptions,
    LoadProgress,
    SessionInfo,
    StateKeeping,
)
from backends.protocol.requests import (
    AppliedAdapter,
    ChatRequest,
    Grammar,
    Image,
    Message,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
)
from backends.protocol.sampling import (
    SAMPLERS,
    Sampler,
    Sampling,
    TokenBias,
)
from backends.protocol.spelling import (
    ApplyTemplate,
    Detokenize,
    Question,
    Spelled,
    Tokenize,
)

PROTOCOL_VERSION = 1
"""Rises when a backend that was written for the one before would no longer work."""

__all__ = [
    "DEFAULT_CONTEXT",
    "PROTOCOL_VERSION",
    "SAMPLERS",
    "Allocation",
    "AppliedAdapter",
    "ApplyTemplate",
    "Backend",
    "CacheType",
    "Capabilities",
    "ChatRequest",
    "ChatStream",
    "Detokenize",
    "Embeddings",
    "Event",
    "FinishReason",
    "Finished",
    "FlashAttention",
    "Grammar",
    "HistoryTrimmed",
    "Image",
    "LoadOptions",
    "LoadProgress",
    "Logprobs",
    "Message",
    "ModelDescription",
    "PromptEcho",
    "PromptProgress",
    "PromptToken",
    "Question",
    "ReasoningDelta",
    "Role",
    "Sampler",
    "Sampling",
    "Session",
    "SessionInfo",
    "Spelled",
    "StateKeeping",
    "Text",
    "TextDelta",
    "Timings",
    "TokenBias",
    "TokenLogprob",
    "TokenSession",
    "Tokenize",
    "Tool",
    "ToolCall",
    "ToolCallDelta",
    "ToolChoice",
    "Usage",
    "Warned",
]
