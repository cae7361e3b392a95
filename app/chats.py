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
from app.options import CHAT_OPTIONS, Value, checked, effective
from app.options.adapter_stack import stack_of
from app.profiles import Profiles
from app.prompts import chat_request, load_options
from app.settings_file import SettingsFile
from app.turns import Plan, Turn
from backends.protocol import LoadOptions
from catalog.catalogues.bundled import STARTER_ID
from catalog.errors import CatalogError, UnknownModel
from catalog.library import InstalledModel, Library

_CLOSE_SECONDS = 4.0
_SAMPLING_KEYS = frozenset(
    option.key for option in CHAT_OPTIONS if option.section in ("sampling", "advanced")
)


class Chats:
    """Makes the turns of all conversations. Its methods raise `AppError`s in words."""

    def __init__(
        self,
        store: ConversationStore,
        library: Library,
        engines: Engines,
        settings: SettingsFile,
        profiles: Profiles,
        adapters: Adapters,
        states: KeptStates,
    ) -> None:
        self._store = store
        self._library = library
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

    def regenerate(self, answer_id: str, *, without_adapters: bool = False) -> Turn:
        """Another answer to the same question, beside that one."""
        answer = self._store.message(answer_id)
        self._refuse_while_writing(answer.conversation_id, answer.id)
        if answer.role != "assistant" or answer.parent_id is None:
            raise AppError("Only an answer can be written again.")
        question = self._store.message(answer.parent_id)
        conversation = self._store.get(answer.conversation_id)
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
        conversation = self._store.get(answer.conversation_id)
        begun = bool(answer.text or answer.reasoning)
        self._store.stream_into(
            answer.id,
            text=answer.text,
            reasoning=answer.reasoning,
            reasoning_seconds=answer.reasoning_seconds,
        )
        return self._turn(
            None, answer, lambda: self._plan(conversation, answer, continue_last=begun)
        )

    def model_for(self, conversation: Conversation) -> InstalledModel:
        """The conversation's own model, else the one last chosen, else the first."""
        if conversation.model_id:
            try:
                return _able_to_write(self._library.find(conversation.model_id))
            except UnknownModel:
                raise AppError(
                    f"The model of this chat, “{conversation.model_id}”, is no longer installed.",
                    fix="Choose another model for it, or get this one again.",
                ) from None
        return self.default_model()

    def default_model(self) -> InstalledModel:
        """The model that was last chosen, else the first by name."""
        models = [model for model in self._library.models() if model.writes]
        if not models:
            raise AppError(
                "No model is installed.",
                fix=f"Get one on the page Models, or with “causeway pull {STARTER_ID}”.",
            )
        last = self._settings.current.last_model_id
        return next((model for model in models if model.id == last), models[0])

    def options_for(self, conversation: Conversation) -> dict[str, Value]:
        """Every option in force: defaults, the makers' advice, the person's own, the model's
        profile, this chat's."""
        advice: Mapping[str, object] = {}
        profile: Mapping[str, object] = {}
        with suppress(AppError, CatalogError):
            model = self.model_for(conversation)
            advice = _advice_of(model)
            in_use = self._profiles.in_use(model.id)
            profile = in_use.options if in_use else {}
        return effective(
            _sound(advice),
            _sound(self._settings.current.chat_defaults),
            _sound(profile),
            _sound(conversation.options),
        )

    def loading(self, model: InstalledModel, options: Mapping[str, Value]) -> LoadOptions:
        """How the model is loaded for these options."""
        return load_options(options, model.template, keep=self._states.keeping())

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
        question = self._store.add_message(
            conversation.id, parent_id=parent_id, role="user", text=text
        )
        return self._answer(conversation, question)

    def _answer(
        self, conversation: Conversation, question: Message, *, without_adapters: bool = False
    ) -> Turn:
        answer = self._store.add_message(
            conversation.id, parent_id=question.id, role="assistant", text="", status="streaming"
        )
        return self._turn(
            question,
            answer,
            lambda: self._plan(conversation, question, without_adapters=without_adapters),
        )

    def _turn(self, question: Message | None, answer: Message, plan: Callable[[], Plan]) -> Turn:
        turn = Turn(self._store, self._engines, question=question, answer=answer, plan=plan)
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
        options = self.options_for(conversation)
        if without_adapters:
            options["adapters"] = ""
        stack = self._adapters.applied(stack_of(options), model)
        request = chat_request(
            self._store.branch(last.id),
            options,
            stop=model.entry.stop if model.entry else (),
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
            here = any(
                turn.conversation_id == conversation_id and not turn.ended for turn in self._turns
            )
        if here or (message_id is not None and self._is_being_written(message_id)):
            raise AppError(
                "An answer is still being written in this chat.",
                fix="Wait until it ends, or stop it.",
            )

    def _is_being_written(self, message_id: str) -> bool:
        """Also by another process; but not by one that has died since."""
        if self._store.message(message_id).status != "streaming":
            return False
        self._store.recover()
        return self._store.message(message_id).status == "streaming"


def _able_to_write(model: InstalledModel) -> InstalledModel:
    if model.writes:
        return model
    is_adapter = model.kind == "adapter"
    raise AppError(
        f"{model.name} can't chat.",
        "It is an adapter, which changes a model." if is_adapter else "It finds passages in texts.",
        "Choose a chat model.",
    )


def _advice_of(model: InstalledModel) -> dict[str, object]:
    """How its makers would sample. A catalogue comes from anywhere: it sets nothing else."""
    advised = model.entry.sampling if model.entry else {}
    return {key: value for key, value in advised.items() if key in _SAMPLING_KEYS}


def _sound(layer: Mapping[str, object]) -> dict[str, Value]:
    """What of a layer is a known option with a valid value; files may have been edited by hand."""
    values: dict[str, Value] = {}
    for key, value in layer.items():
        try:
            values[key] = checked(key, value)
        except AppError:
            continue
    return values
