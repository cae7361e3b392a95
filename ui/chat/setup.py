"""What a chat is answered with: its model, its settings, and what the engine says of both."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from PySide6.QtCore import QObject, Signal

from app.conversations.records import Message
from app.engines import EngineState
from app.models import ChatModel, OfferedModel
from app.options import Value
from app.options.adapter_stack import StackedAdapter, stack_of, stack_text
from app.presets import with_preset
from backends.errors import LoadCancelled
from catalog.library import InstalledModel
from ui.background import Cancelled, Task
from ui.chat.chat_adapters import ChatAdapters
from ui.chat.engine_watch import EngineWatch, state_in_words
from ui.chat.layout import ChatLayout
from ui.chat.leaving import goes_words, leaves
from ui.chat.open_chat import ChatContents
from ui.chat.shown_chat import ShownChat
from ui.kit import Toast


class ChatSetup(QObject):
    """Joins model picker, inspector and status to the shown chat.

    Signals:
        models_requested: the person wants other models.
        adapters_requested: the person wants other adapters.
    """

    models_requested = Signal()
    adapters_requested = Signal()

    def __init__(
        self,
        shown: ShownChat,
        layout: ChatLayout,
        models: tuple[ChatModel, ...],
        toast: Toast,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._shown = shown
        self._services = shown.services
        self._layout = layout
        self._models = models
        self._toast = toast
        self._used = 0
        self._oldest = ""
        self._written_in: frozenset[str] = frozenset()
        self._refusal = ""
        self._has_messages = False
        self._offline = shown.services.settings.current.offline
        self._model: ChatModel | None = None
        self._load: Task | None = None
        self._adapters = ChatAdapters(shown, layout.inspector.adapters, layout.picker, self)
        self._engine = EngineWatch(shown.services.engines, self)
        self._engine.changed.connect(self._show_engine)
        shown.opened.connect(self._show)
        shown.refreshed.connect(self._show)
        layout.picker.model_chosen.connect(self._choose)
        layout.picker.model_chosen.connect(layout.composer.take_focus)
        layout.picker.more_requested.connect(self.models_requested)
        layout.picker.cancel_requested.connect(shown.services.engines.cancel_load)
        layout.inspector.option_changed.connect(self._change_option)
        layout.inspector.option_reset.connect(self._reset_option)
        layout.inspector.preset_chosen.connect(self._choose_preset)
        layout.inspector.defaults_requested.connect(self._adopt_as_defaults)
        layout.inspector.profile_requested.connect(self._keep_as_profile)
        self._adapters.find_requested.connect(self.adapters_requested)
        self._adapters.words_chosen.connect(layout.composer.insert)
        layout.picker.show_offline(self._offline)
        self._show_engine(self._engine.state)

    def show_models(self, models: tuple[ChatModel, ...]) -> None:
        """Other models can answer now."""
        self._models = models
        self._adapters.read()
        self._shown.refresh()

    def show_offline(self, offline: bool) -> None:
        """Whether nothing may leave this computer."""
        self._offline = offline
        self._layout.picker.show_offline(offline)
        self._show_availability()

    def use_model(self, model: ChatModel) -> None:
        """Answer with this model from now on, here and in new chats, and load it."""
        self._know(model)
        self._choose(model.id)

    def use_adapter(self, adapter_id: str, fitting: Sequence[InstalledModel]) -> None:
        """Let the shown chat have the adapter too, and a model that it fits, the first where it has none."""
        stack = stack_of(self._layout.inspector.values)
        if all(each.adapter != adapter_id for each in stack):
            self._change_option("adapters", stack_text([*stack, StackedAdapter(adapter_id)]))
        if all(model.id != self._model_id for model in fitting):
            if self._model is not None:
                words = self.tr("{model} answers in this chat now: the adapter fits it")
                self._toast.show_message(words.format(model=fitting[0].name))
            self.use_model(fitting[0])

    def show_usage(self, answer: Message) -> None:
        """The context is as full as this answer left it."""
        usage = answer.origin.usage if answer.origin else None
        self._used = usage.prompt_tokens + usage.completion_tokens if usage else 0
        self._show_context()

    def show_writing(self, conversation_ids: frozenset[str]) -> None:
        """Answers are being written in these chats."""
        self._written_in = conversation_ids
        self._show_status()

    def stop(self) -> None:
        """End a load that goes on, and listen to the engine no longer."""
        self._engine.stop()
        self._end_load()
        self._services.engines.cancel_load()

    def _show(self, contents: ChatContents) -> None:
        layout = self._layout
        layout.inspector.show_options(contents.values, contents.defaults, contents.silent)
        layout.inspector.show_model(contents.model)
        before = self._model_id
        model = self._model = contents.model
        if self._model_id != before:
            layout.composer.show_speed(0)  # it was another's
        if model is not None:
            self._know(model)
        layout.picker.show_models(self._models, self._model_id, self._engine.state)
        layout.new_chat.show_model(model, contents.refusal)
        layout.composer.show_leaving(goes_words(model))
        self._refusal = "" if model is not None else contents.refusal
        self._show_availability()
        self._has_messages = bool(contents.page.messages)
        self._show_status()
        messages = contents.page.messages
        answers = [m for m in messages if m.role == "assistant" and m.origin is not None]
        questions = [m.text for m in messages if m.role == "user"]
        self._oldest = questions[0] if questions and not contents.page.has_earlier else ""
        self._used = 0
        if answers:
            self.show_usage(answers[-1])
        else:
            self._show_context()

    @property
    def _model_id(self) -> str:
        return self._model.id if self._model is not None else ""

    def _know(self, model: ChatModel) -> None:
        """It may be younger than the list."""
        if all(known.id != model.id for known in self._models):
            self._models = (*self._models, model)

    def _show_availability(self) -> None:
        """Why nothing can be sent, where that is so."""
        reason = self._refusal
        if self._offline and isinstance(self._model, OfferedModel) and self._model.leaves:
            words = self.tr(
                "Causeway stays offline, so {source} can't be asked. Choose a model on this "
                "computer, or change that in the settings."
            )
            reason = words.format(source=self._model.source)
        self._layout.composer.show_unavailable(reason)

    def _show_engine(self, state: EngineState) -> None:
        layout = self._layout
        layout.picker.show_state(state)
        layout.inspector.show_session(state.info)
        self._show_status()
        self._show_context()

    def _show_status(self) -> None:
        state = self._engine.state
        others = len(self._written_in - {self._shown.id})
        if isinstance(self._model, OfferedModel):
            words = self._service_words(self._model, others)
        elif state.phase == "busy" and others:
            words = self._writing_words(others)
        elif state.phase == "unloaded" and self._model is None:
            words = self.tr("No model")
        else:
            words = state_in_words(state)
        self._layout.composer.show_model_state(words)

    def _service_words(self, model: OfferedModel, others: int) -> str:
        """No engine of ours has a part in it."""
        if others:
            return self._writing_words(others)
        if self._shown.id in self._written_in:
            return self.tr("{source} is writing").format(source=model.source)
        if model.leaves:
            return self.tr("Goes to {source}").format(source=model.source)
        return self.tr("Answered by {source}").format(source=model.source)

    def _writing_words(self, others: int) -> str:
        here = self._shown.id in self._written_in
        if others == 1:
            return (
                self.tr("Writing here and in another chat")
                if here
                else self.tr("Writing in another chat")
            )
        words = (
            self.tr("Writing here and in {count} other chats")
            if here
            else self.tr("Writing in {count} other chats")
        )
        return words.format(count=others)

    def _show_context(self) -> None:
        if isinstance(self._model, OfferedModel):
            whole = self._model.context_length
        else:
            info = self._engine.state.info
            whole = info.n_ctx if info else 0
        self._layout.composer.show_context(self._used, whole, self._oldest)

    def _choose(self, model_id: str) -> None:
        self._tell_leaving(model_id)
        chat = self._shown.chat
        chat.change(model_id=model_id)
        conversation = chat.conversation

        def choose() -> None:
            self._services.settings.update(last_model_id=model_id)
            if chat.id:
                self._services.store.set_model(chat.id, model_id)

        def load(cancelled: Cancelled) -> tuple[str, ...]:
            model = self._services.models.find(model_id)
            if isinstance(model, OfferedModel):
                return ()  # there is nothing to load
            chats = self._services.chats
            options = chats.loading(model, chats.options_for(conversation))
            with (
                suppress(LoadCancelled),
                self._services.engines.use(
                    model, options, lambda _: not cancelled.is_set(), cancelled=cancelled
                ),
            ):
                # It stays in memory, for the message to come.
                info = self._services.engines.state.info
                return info.warnings if info else ()
            return ()

        def chosen(_: object) -> None:
            self._shown.refresh()
            self._end_load()  # of what was chosen before, but has not begun or ended yet
            self._load = self._shown.load(load, self._tell_warnings)

        self._shown.in_order(choose, chosen)

    def _end_load(self) -> None:
        if self._load is not None:
            self._load.cancel()
            self._load = None

    def _tell_leaving(self, model_id: str) -> None:
        """What was written for this computer alone goes out with the next message: say so."""
        chosen = next((model for model in self._models if model.id == model_id), None)
        if self._has_messages and leaves(chosen) and not leaves(self._model):
            assert isinstance(chosen, OfferedModel)
            words = self.tr("With your next message, this whole chat goes to {source}.")
            self._toast.show_message(words.format(source=chosen.source))

    def _tell_warnings(self, warnings: tuple[str, ...]) -> None:
        if warnings:
            self._toast.show_message(" ".join(warnings))

    def _change_option(self, key: str, value: Value) -> None:
        self._set_options({**self._shown.chat.conversation.options, key: value})

    def _reset_option(self, key: str) -> None:
        options = self._shown.chat.conversation.options
        self._set_options({name: value for name, value in options.items() if name != key})

    def _choose_preset(self, key: str) -> None:
        self._set_options(with_preset(self._shown.chat.conversation.options, key))

    def _set_options(self, options: dict[str, Value]) -> None:
        chat = self._shown.chat
        chat.change(options=options)

        def save() -> None:
            if chat.id:
                self._services.store.set_options(chat.id, options)

        self._shown.in_order(save, lambda _: self._shown.refresh())

    def _adopt_as_defaults(self) -> None:
        settings = self._services.settings
        own = self._shown.chat.conversation.options
        # Adapters are made for one model; new chats may have another.
        adopted = {key: value for key, value in own.items() if key != "adapters"}
        defaults = settings.current.chat_defaults | adopted
        self._shown.in_order(
            partial(settings.update, chat_defaults=defaults),
            self._tell_adopted,
        )

    def _keep_as_profile(self) -> None:
        chat = self._shown.chat
        profiles, model_id = self._services.profiles, self._model_id

        def keep() -> str:
            return profiles.keep(model_id, chat.conversation.title, chat.conversation.options).name

        def tell(name: str) -> None:
            self._shown.refresh()
            words = self.tr("Kept as profile “{name}”: chats with this model begin so.")
            self._toast.show_message(words.format(name=name))

        self._shown.in_order(keep, tell)

    def _tell_adopted(self, _: object) -> None:
        self._shown.refresh()
        self._toast.show_message(self.tr("New chats begin with these settings"))
