"""`causeway chat`: one question, one answer."""

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from app.cli.adapter_arguments import adapter_option
from app.cli.answer_screen import AnswerScreen
from app.cli.interrupts import stopping
from app.cli.opening import opened
from app.cli.option_values import SET_HELP, option_values, read_text
from app.cli.output import print_json, say
from app.conversations.records import Message, Origin, UsedAdapter
from app.conversations.store import ConversationStore
from app.errors import AppError
from app.models import OfferedModel
from app.options import Value, checked
from app.presets import PRESETS, with_preset
from app.services import Services
from app.turns import Turn, TurnEnded
from backends.protocol import FinishReason, TokenLogprob

_REASONS: dict[str, FinishReason] = {"complete": "stop", "length": "length", "stopped": "cancelled"}


class ReportedUsage(msgspec.Struct, frozen=True):
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int


class ReportedTimings(msgspec.Struct, frozen=True):
    """Milliseconds. `load_ms` is what loading the model took."""

    load_ms: float
    prompt_ms: float
    first_token_ms: float
    generation_ms: float
    tokens_per_second: float


class Report(msgspec.Struct, frozen=True):
    """What `--json` prints. `logprobs` are there where the chat keeps them."""

    text: str
    reasoning: str
    finish_reason: FinishReason
    conversation_id: str
    usage: ReportedUsage
    timings: ReportedTimings
    model: str
    adapters: tuple[UsedAdapter, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()


def chat(
    prompt: Annotated[str | None, typer.Argument(help="Left out: read standard input.")] = None,
    model: Annotated[
        str,
        typer.Option(
            "-m", "--model", help="An installed model, a file, or SERVICE:MODEL of a connection."
        ),
    ] = "",
    conversation: Annotated[
        str, typer.Option("-c", "--conversation", help="Go on with this conversation.")
    ] = "",
    system: Annotated[str | None, typer.Option("-s", "--system", help="System prompt.")] = None,
    adapters: Annotated[
        list[str] | None,
        typer.Option(
            "-a",
            "--adapter",
            metavar="ADAPTER[:SCALE]",
            help="Repeatable. The chat's adapters from now on; “-a none” for none.",
        ),
    ] = None,
    preset: Annotated[
        str, typer.Option(help=f"One of {', '.join(preset.key for preset in PRESETS)}.")
    ] = "",
    json_schema: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Answer in JSON that is valid for it.")
    ] = None,
    grammar: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Answer as a GBNF grammar allows.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help=SET_HELP),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Answer the last question of -c once more.")
    ] = False,
    without_adapters: Annotated[
        bool,
        typer.Option("--without-adapters", help="With --again: leave the adapters out this time."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Ask a model. The answer goes to standard output, and the chat is kept."""
    if again and (not conversation or prompt is not None):
        raise typer.BadParameter("--again goes with -c and without a prompt.")
    if without_adapters and not again:
        raise typer.BadParameter("--without-adapters goes with --again.")
    options: dict[str, Value] = with_preset({}, preset) if preset else {}
    options |= _format(json_schema, grammar) | option_values(settings or [])
    if system is not None:
        options["system_prompt"] = system
    with opened() as services:
        options |= adapter_option(adapters, services.library)
        chosen = _model_ref(services, model, conversation)
        question = ""
        if not again:
            question = _read_prompt() if prompt is None else prompt
            if not question.strip():
                raise typer.BadParameter("There is nothing to ask: the prompt is empty.")
        conversation = _conversation(services.store, conversation, chosen, options, preset)
        if again:
            last = _last_message(services.store, conversation)
            turn = services.chats.regenerate(last, without_adapters=without_adapters)
        else:
            turn = services.chats.send(conversation, question)
        message = _run(turn, quiet=as_json)
        if as_json:
            print_json(_report(services, message))
        if message.status == "stopped":
            raise AppError(
                "Stopped.", f"What there is of the answer is kept in conversation {conversation}."
            )
        if sys.stderr.isatty() and not as_json:
            say(f"\nGo on with: causeway chat -c {conversation}")


def _read_prompt() -> str:
    if sys.stdin.isatty():
        say(f"Write your message, and end it with {'Ctrl+Z' if os.name == 'nt' else 'Ctrl+D'}.")
    return sys.stdin.read()


def _model_ref(services: Services, ref: str, conversation_id: str) -> str:
    """What the conversation is to remember its model by: an id, or the path of a file outside the
    library. Raises where there is no model to answer, so that nothing is stored for nothing.
    """
    if ref:
        model = services.models.find(ref)
    elif conversation_id:
        model = services.chats.model_for(services.store.get(conversation_id))
    else:
        model = services.chats.default_model()
    if isinstance(model, OfferedModel):
        return model.id
    installed = any(model.id == other.id for other in services.library.models())
    return model.id if installed else str(model.path)


def _format(json_schema: Path | None, grammar: Path | None) -> dict[str, Value]:
    """What the answer must be, from the file that says it."""
    if json_schema is not None and grammar is not None:
        raise typer.BadParameter("An answer follows a schema or a grammar, not both.")
    if json_schema is not None:
        schema = checked("answer_schema", read_text(json_schema))
        return {"answer_format": "json_schema", "answer_schema": schema}
    if grammar is not None:
        rules = checked("answer_grammar", read_text(grammar))
        return {"answer_format": "grammar", "answer_grammar": rules}
    return {}


def _last_message(store: ConversationStore, conversation_id: str) -> str:
    messages = store.page(conversation_id, limit=1).messages
    if not messages:
        raise AppError("There is no question to answer in this conversation.")
    return messages[0].id


def _conversation(
    store: ConversationStore,
    conversation_id: str,
    model: str,
    options: dict[str, Value],
    preset: str,
) -> str:
    """The conversation's id; a new one's where none is given."""
    if not conversation_id:
        return store.create(model_id=model, options=options).id
    conversation = store.get(conversation_id)
    if model != conversation.model_id:
        store.set_model(conversation.id, model)
    before = with_preset(conversation.options, preset) if preset else conversation.options
    if options or before != conversation.options:
        store.set_options(conversation.id, {**before, **options})
    return conversation.id


def _run(turn: Turn, *, quiet: bool) -> Message:
    """Stream the answer. Raises `AppError` in the words of what went wrong."""
    screen = AnswerScreen(quiet=quiet)
    with stopping(turn.stop), closing(turn.events()) as events:
        for event in events:
            screen.show(event)
            if isinstance(event, TurnEnded):
                ended = event
    screen.end()
    if ended.message.notice:
        say(ended.message.notice)
    if ended.problem is not None:
        raise AppError(*ended.problem)
    return ended.message


def _report(services: Services, message: Message) -> Report:
    origin = message.origin or Origin()
    info = services.engines.state.info
    usage, timings = origin.usage, origin.timings
    return Report(
        text=message.text,
        reasoning=message.reasoning,
        finish_reason=_REASONS[message.status],
        conversation_id=message.conversation_id,
        usage=ReportedUsage(usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens),
        timings=ReportedTimings(
            load_ms=info.load_ms if info else 0.0,
            prompt_ms=timings.prompt_ms,
            first_token_ms=timings.first_token_ms,
            generation_ms=timings.generation_ms,
            tokens_per_second=timings.tokens_per_second,
        ),
        model=origin.model_id,
        adapters=origin.adapters,
        logprobs=services.store.logprobs(message.id),
    )
