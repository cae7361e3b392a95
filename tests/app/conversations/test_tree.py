"""The tree of messages against a model of it: any order of adding, deleting, undoing, stepping."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.conversations.store import ConversationStore

CHOICE = st.integers(min_value=0, max_value=10**6)


class Tree(RuleBasedStateMachine):
    """The model: who follows whom, and which messages were deleted by themselves, while shown or not.

    A message is there if neither it nor anything before it was deleted.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = ConversationStore(self.folder / "conversations.sqlite3")
        self.conversation = self.store.create().id
        self.other = self.store.create().id
        self.store.add_message(self.other, parent_id=None, role="user", text="elsewhere")
        self.parents: dict[str, str | None] = {}
        self.deleted: dict[str, bool] = {}

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    def path(self, message_id: str | None) -> list[str]:
        path = []
        while message_id is not None:
            path.insert(0, message_id)
            message_id = self.parents[message_id]
        return path

    def there(self) -> list[str]:
        return [id for id in self.parents if not self.deleted.keys() & set(self.path(id))]

    def children(self, parent: str | None) -> list[str]:
        return [id for id in self.there() if self.parents[id] == parent]

    def leaf(self) -> str | None:
        return self.store.get(self.conversation).leaf_id

    def add(self, parent: str | None) -> str:
        message = self.store.add_message(
            self.conversation, parent_id=parent, role="user", text=f"word{len(self.parents)}x"
        )
        self.parents[message.id] = parent
        return message.id

    @rule()
    def send(self) -> None:
        added = self.add(self.leaf())
        assert self.leaf() == added

    @rule(choice=CHOICE)
    def add_anywhere(self, choice: int) -> None:
        places = [None, *self.there()]
        added = self.add(places[choice % len(places)])
        assert self.leaf() == added

    @precondition(lambda self: self.there())
    @rule(choice=CHOICE)
    def edit(self, choice: int) -> None:
        edited = self.there()[choice % len(self.there())]
        self.add(self.parents[edited])

    @precondition(lambda self: self.there())
    @rule(choice=CHOICE)
    def delete(self, choice: int) -> None:
        message_id = self.there()[choice % len(self.there())]
        shown = self.path(self.leaf())
        self.store.delete_message(message_id)
        self.deleted[message_id] = message_id in shown
        if message_id not in shown:
            assert self.path(self.leaf()) == shown

    @precondition(lambda self: self.there())
    @rule(choice=CHOICE)
    def delete_and_undo(self, choice: int) -> None:
        message_id = self.there()[choice % len(self.there())]
        before = self.store.get(self.conversation), self.store.page(self.conversation)
        self.store.delete_message(message_id)
        self.store.restore_message(message_id)
        assert (self.store.get(self.conversation), self.store.page(self.conversation)) == before

    @precondition(lambda self: self.deleted)
    @rule(choice=CHOICE)
    def undo_an_earlier_deletion(self, choice: int) -> None:
        message_id = list(self.deleted)[choice % len(self.deleted)]
        shown = self.path(self.leaf())
        self.store.restore_message(message_id)
        was_shown = self.deleted.pop(message_id)
        if was_shown and message_id in self.there():
            assert message_id in self.path(self.leaf())
        elif shown:
            assert self.path(self.leaf())[: len(shown)] == shown

    @precondition(lambda self: self.there())
    @rule(choice=CHOICE, step=st.integers(-2, 2))
    def step_sibling(self, choice: int, step: int) -> None:
        message_id = self.there()[choice % len(self.there())]
        versions = self.children(self.parents[message_id])
        target = min(max(versions.index(message_id) + step, 0), len(versions) - 1)
        self.store.step_sibling(message_id, step)
        assert versions[target] in self.path(self.leaf())

    @rule()
    def purge(self) -> None:
        there = self.there()
        self.store.purge(older_than_seconds=-60)
        self.parents = {id: self.parents[id] for id in there}
        self.deleted.clear()

    @invariant()
    def the_shown_branch_ends_at_a_leaf_that_is_there(self) -> None:
        leaf = self.leaf()
        if leaf is None:
            assert not self.there()
        else:
            assert leaf in self.there()
            assert not self.children(leaf)

    @invariant()
    def the_page_is_the_path_to_the_leaf_with_the_right_counts(self) -> None:
        messages = self.store.page(self.conversation).messages
        assert [message.id for message in messages] == self.path(self.leaf())
        for message in messages:
            versions = self.children(message.parent_id)
            assert message.sibling_count == len(versions)
            assert versions[message.sibling_index] == message.id

    @invariant()
    def search_finds_what_is_there(self) -> None:
        newest = list(self.parents)[-1:]
        for message_id in newest:
            if message_id in self.there():
                text = self.store.message(message_id).text
                assert [row.id for row in self.store.rows(search=text)] == [self.conversation]

    @invariant()
    def the_other_conversation_is_untouched(self) -> None:
        (message,) = self.store.page(self.other).messages
        assert (message.text, message.sibling_count) == ("elsewhere", 1)


TestTree = Tree.TestCase
TestTree.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
