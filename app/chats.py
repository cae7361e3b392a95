"""What a person does in a chat: ask, ask again, edit, go on. Each makes a turn."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

from app.adapters import Adapters
from app.conversations.records import Conversation, Message
from app.conversations.store import ConversationStore
from app.engines import Engines
from app.errors import AppError
from app.kept_states import KeptStates
from app.models import ChatModel, Models, OfferedModel
from app.options import CHAT_OPTIONS, Value, checked, effective
from app.options.adapter_stack import stack_of
from app.profiles import Profiles
from app.prompts import chat_request, load_options, prompt_messages
from app.sessions import Sessions
from app.settings_file import SettingsFile
from app.turns import Plan, Turn
from backends.errors import BackendError
from backends.protocol import LoadOptions, Sampling
from catalog.errors import CatalogError, UnknownModel
from catalog.library import InstalledModel

_CLOSE_SECONDS = 4.0
_SAMPLING_KEYS = frozenset(
    option.key for option in CHAT_OPTIONS if option.section in ("sampling", "advanced")
)


class Chats:
    """Makes the turns of all conversations. Its methods raise `AppError`s in words."""

    def __init__(
        self,
        store: ConversationStore,
        models: Models,
        sessions: Sessions,
        engines: Engines,
        settings: SettingsFile,
        profiles: Profiles,
        adapters: Adapters,
        states: KeptStates,
    ) -> None:
        self._store = store
        self._models = models
        self._sessions = sessions
        self._engines = engines
        self._settings = settings
        self._profiles = profiles
        self._adapters = adapters
        self._states = states
        self._turns: list[Turn] = []
        self._lock = threading.Lock()

    def send(self, conversation_id: str, text: str) -> Turn:
        """Ask at the end of the shown branch. The question is on disk when this returns."""
        conversation = self._store.get(conversation_id)
        self._refuse_while_writing(conversation.id, conversation.leaf_id)
        return self._ask(conversation, conversation.leaf_id, text)

    def regenerate(self, message_id: str, *, without_adapters: bool = False) -> Turn:
        """Another answer to the same question, beside that one; or the answer to that question."""
        message = self._store.message(message_id)
        self._refuse_while_writing(message.conversation_id, message.id)
        question = message
        if message.role == "assistant":
            if message.parent_id is None:
                raise AppError("This answer has no question above it.")
            question = self._store.message(message.parent_id)
        conversation = self._store.get(message.conversation_id)
        return self._answer(conversation, question, without_adapters=without_adapters)

    def edit(self, message_id: str, text: str) -> Turn | None:
        """The message in other words, beside the old one. A question gets a new answer."""
        message = self._store.message(message_id)
        self._refuse_while_writing(message.conversation_id, message.id)
        conversation = self._store.get(message.conversation_id)
        if message.role == "user":
            return self._ask(conversation, message.parent_id, text)
        self._store.add_message(
            conversation.id, parent_id=message.parent_id, role="assistant", text=text
        )
        return None

    def continue_answer(self, answer_id: str) -> Turn:
        """Go on with an answer that was cut short."""
        answer = self._store.message(answer_id)
        self._refuse_while_writing(answer.conversation_id, answer.id)
        if answer.role != "assistant":
            raise AppError("Only an answer can be continued.")
        conversation = self._with_model(self._store.get(answer.conversation_id))
        begun = bool(answer.text or answer.reasoning)
        if begun:
            self._refuse_to_begin_anew(conversation)
        self._store.stream_into(
            answer.id,
            text=answer.text,
            reasoning=answer.reasoning,
            reasoning_seconds=answer.reasoning_seconds,
        )
        return self._turn(
            None, answer, lambda: self._plan(conversation, answer, continue_last=begun)
        )

    def model_for(self, conversation: Conversation) -> ChatModel:
        """The conversation's own model, else the one last chosen, else the first."""
        if conversation.model_id:
            try:
                return _able_to_write(self._models.find(conversation.model_id))
            except UnknownModel:
                raise AppError(
                    "The model of this chat is no longer there.",
                    f"It was “{conversation.model_id}”.",
                    "Choose another one, or get it again.",
                ) from None
        model = self.default_model()
        if isinstance(model, OfferedModel) and conversation.leaf_id is not None:
            # What was written here is not sent elsewhere for having chosen a service in another chat.
            return self.installed_model()
        return model

    def default_model(self) -> ChatModel:
        """The model that was last chosen, else the first by name."""
        return self._models.default(self._settings.current.last_model_id)

    def installed_model(self) -> InstalledModel:
        """The same among the models on this computer."""
        return self._models.default_installed(self._settings.current.last_model_id)

    def options_for(self, conversation: Conversation) -> dict[str, Value]:
        """Every option in force in a chat."""
        try:
            return self.model_options(self.model_for(conversation), conversation.options)
        except (AppError, CatalogError):
            return effective(
                _sound(self._settings.current.chat_defaults), _sound(conversation.options)
            )

    def model_options(self, model: ChatModel, own: Mapping[str, object]) -> dict[str, Value]:
        """Every option in force for a model: defaults, the makers' advice, the person's own, the
        model's profile, and last what is `own` to a chat or request.
        """
        return effective(*self._layers(model, own))

    def chosen_sampling(self, model: ChatModel, own: Mapping[str, object]) -> tuple[str, ...]:
        """The fields of `Sampling` that somebody chose, be it the makers."""
        chosen = {key for layer in self._layers(model, own) for key in layer}
        return tuple(name for name in Sampling.__struct_fields__ if name in chosen)

    def count_tokens(self, conversation: Conversation, draft: str) -> int | None:
        """Tokens that the shown branch and a draft come to as a prompt, as the model counts.

        None where it isn't loaded in this process: nothing is loaded for that.
        """
        try:
            model = self.model_for(conversation)
            options = self.options_for(conversation)
            session = None
            if isinstance(model, InstalledModel):
                session = self._engines.loaded(str(model.path), self.loading(model, options))
            if session is None:
                return None
            branch = self._store.branch(conversation.leaf_id) if conversation.leaf_id else ()
            question = Message(
                id="",
                conversation_id=conversation.id,
                parent_id=conversation.leaf_id,
                role="user",
                text=draft,
                created=0,
            )
            system_prompt = str(options["system_prompt"])
            return session.count_tokens(prompt_messages((*branch, question), system_prompt))
        except (AppError, BackendError, CatalogError):
            return None

    def loading(self, model: ChatModel, options: Mapping[str, Value]) -> LoadOptions:
        """How the model is loaded for these options."""
        if isinstance(model, OfferedModel):
            return LoadOptions() if model.leaves else load_options(options)
        return load_options(options, model.template, keep=self._states.keeping())

    def _layers(
        self, model: ChatModel, own: Mapping[str, object]
    ) -> tuple[Mapping[str, Value], ...]:
        profile: Mapping[str, object] = {}
        with suppress(AppError):
            in_use = self._profiles.in_use(model.id)
            profile = in_use.options if in_use else {}
        return (
            _sound(_advice_of(model)),
            _sound(self._settings.current.chat_defaults),
            _sound(profile),
            _sound(own),
        )

    def close(self) -> None:
        """Stop all turns and wait until they are saved."""
        with self._lock:
            turns, self._turns = self._turns, []
        for turn in turns:
            turn.stop()
        for turn in turns:
            turn.close(_CLOSE_SECONDS)

    def _ask(self, conversation: Conversation, parent_id: str | None, text: str) -> Turn:
        if not text.strip():
            raise AppError("There is nothing to send.", fix="Write a message first.")
        conversation = self._with_model(conversation)
        question, answer = self._store.add_question(conversation.id, parent_id=parent_id, text=text)
        return self._answer_turn(conversation, question, answer)

    def _answer(
        self, conversation: Conversation, question: Message, *, without_adapters: bool = False
    ) -> Turn:
        conversation = self._with_model(conversation)
        answer = self._store.add_message(
            conversation.id, parent_id=question.id, role="assistant", text="", status="streaming"
        )
        return self._answer_turn(conversation, question, answer, without_adapters=without_adapters)

    def _answer_turn(
        self,
        conversation: Conversation,
        question: Message,
        answer: Message,
        *,
        without_adapters: bool = False,
    ) -> Turn:
        return self._turn(
            question,
            answer,
            lambda: self._plan(conversation, question, without_adapters=without_adapters),
        )

    def _with_model(self, conversation: Conversation) -> Conversation:
        """The conversation with a model of its own, which is stored before the next message is.

        A chat that has messages but no model may not go to a service: whoever reads it between the
        two would find no model for it. Where there is none, the answer will say why.
        """
        if conversation.model_id:
            return conversation
        try:
            model = self.model_for(conversation)
        except (AppError, CatalogError):
            return conversation
        return self._store.set_model(conversation.id, model.id)

    def _turn(self, question: Message | None, answer: Message, plan: Callable[[], Plan]) -> Turn:
        turn = Turn(
            self._store,
            self._sessions,
            self._engines,
            question=question,
            answer=answer,
            plan=plan,
        )
        with self._lock:
            self._turns = [running for running in self._turns if not running.ended]
            self._turns.append(turn)
        return turn

    def _plan(
        self,
        conversation: Conversation,
        last: Message,
        *,
        continue_last: bool = False,
        without_adapters: bool = False,
    ) -> Plan:
        model = self.model_for(conversation)
        options = self.model_options(model, conversation.options)
        if without_adapters:
            options["adapters"] = ""
        stack = self._adapters.applied(stack_of(options), model)
        request = chat_request(
            self._store.branch(last.id),
            options,
            stop=_stop_of(model),
            chosen=self.chosen_sampling(model, conversation.options),
            continue_last=continue_last,
            adapters=stack.applied,
        )
        return Plan(
            model=model,
            loading=self.loading(model, options),
            request=request,
            options=options,
            adapters=stack.used,
            notices=stack.left_out,
        )

    def _refuse_while_writing(self, conversation_id: str, message_id: str | None) -> None:
        with self._lock:
            writing = [turn for turn in self._turns if not turn.ended]
        here = any(turn.conversation_id == conversation_id for turn in writing)
        if here or (message_id is not None and self._is_being_written(message_id)):
            raise AppError(
                "An answer is still being written in this chat.",
                fix="Wait until it ends, or stop it.",
            )

    def _refuse_to_begin_anew(self, conversation: Conversation) -> None:
        """Not every service can go on with an answer; the answer stays as it ended."""
        model = self.model_for(conversation)
        if not self._sessions.capabilities(model).continue_answer:
            raise AppError(
                f"{model.source if isinstance(model, OfferedModel) else model.name} can't go on "
                "with an answer.",
                "It would begin a new one.",
                "Ask it to go on in a message of your own.",
            )

    def _is_being_written(self, message_id: str) -> bool:
        """By another process: none of this one writes in the chat. One that has died doesn't count."""
        if self._store.message(message_id).status != "streaming":
            return False
        self._store.recover()
        self._store.end_unsaved(message_id)
        return self._store.message(message_id).status == "streaming"


def _able_to_write(model: ChatModel) -> ChatModel:
    if model.writes:
        return model
    is_adapter = isinstance(model, InstalledModel) and model.kind == "adapter"
    raise AppError(
        f"{model.name} can't chat.",
        "It is an adapter, which changes a model." if is_adapter else "It finds passages in texts.",
        "Choose a chat model.",
    )


def _advice_of(model: ChatModel) -> dict[str, object]:
    """How its makers would sample. A catalogue comes from anywhere: it sets nothing else."""
    if isinstance(model, OfferedModel) or model.entry is None:
        return {}
    return {key: value for key, value in model.entry.sampling.items() if key in _SAMPLING_KEYS}


def _stop_of(model: ChatModel) -> tuple[str, ...]:
    if isinstance(model, OfferedModel) or model.entry is None:
        return ()
    return model.entry.stop


def _sound(layer: Mapping[str, object]) -> dict[str, Value]:
    """What of a layer is a known option with a valid value; files may have been edited by hand."""
    values: dict[str, Value] = {}
    for key, value in layer.items():
        try:
            values[key] = checked(key, value)
        except AppError:
            continue
    return values
