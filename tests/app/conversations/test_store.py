import sqlite3
import threading

import pytest

from app.conversations.records import Message, Origin, ReadingPlace
from app.conversations.store import ConversationStore
from app.errors import AppError, StorageError
from backends.protocol import Timings, TokenLogprob, Usage


def ask(store, conversation_id, text="Why is the sky blue?", parent_id=None) -> Message:
    return store.add_message(conversation_id, parent_id=parent_id, role="user", text=text)


def answer(store, question: Message, text="Because it scatters.", **more) -> Message:
    return store.add_message(
        question.conversation_id, parent_id=question.id, role="assistant", text=text, **more
    )


def texts(messages) -> list[str]:
    return [message.text for message in messages]


def finish(store, message: Message, text: str, **more) -> Message:
    values = {"reasoning": "", "reasoning_seconds": 0.0, "status": "complete"} | more
    return store.finish(message.id, text=text, **values)


# Conversations


def test_a_new_conversation_holds_what_it_was_given(store):
    made = store.create(model_id="smollm2", options={"temperature": 0.2, "system_prompt": "Brief."})
    assert store.get(made.id) == made
    assert made.model_id == "smollm2"
    assert made.options == {"temperature": 0.2, "system_prompt": "Brief."}
    assert (made.title, made.leaf_id, made.draft) == ("", None, "")
    assert store.page(made.id).messages == ()


def test_everything_is_there_after_the_file_is_opened_again(store, database_file):
    conversation = store.create()
    question = ask(store, conversation.id)
    origin = Origin(model_id="m", options={"seed": 3}, seed=3, usage=Usage(9, 4, 2))
    streamed = answer(store, question, "", status="streaming")
    finish(
        store,
        streamed,
        "Blue.",
        reasoning="Hm.",
        reasoning_seconds=1.5,
        status="length",
        problem="Cut.",
        notice="The oldest message was left out.",
        origin=origin,
    )
    store.set_draft(conversation.id, "And at dusk?")
    before = store.get(conversation.id), store.page(conversation.id), store.rows()
    store.close()

    again = ConversationStore(database_file)
    assert (again.get(conversation.id), again.page(conversation.id), again.rows()) == before
    stored = again.message(streamed.id)
    assert stored.origin == origin
    assert (stored.text, stored.status, stored.reasoning_seconds) == ("Blue.", "length", 1.5)
    assert again.get(conversation.id).draft == "And at dusk?"
    again.close()


def test_the_first_question_names_the_conversation_and_later_ones_do_not(store):
    conversation = store.create()
    question = ask(store, conversation.id, "# Why is the *sky* blue? I wonder.")
    assert store.get(conversation.id).title == "Why is the sky blue?"
    ask(store, conversation.id, "Another thing", answer(store, question).id)
    assert store.get(conversation.id).title == "Why is the sky blue?"


def test_a_name_given_by_hand_stays_until_it_is_emptied(store):
    conversation = store.create()
    store.rename(conversation.id, "  My\n chat ")
    ask(store, conversation.id)
    assert store.get(conversation.id).title == "My chat"
    assert store.rename(conversation.id, "").title == "Why is the sky blue?"


def test_the_list_has_the_newest_first_with_the_answers_first_line(store):
    old, new = store.create(), store.create()
    question = ask(store, new.id, "Newer?")
    answer(store, ask(store, old.id, "Older?"), "\n## A *plain* line\n\nand more")
    streaming = answer(store, question, "", status="streaming")
    assert [(row.id, row.snippet, row.status) for row in store.rows()] == [
        (new.id, "", "streaming"),
        (old.id, "A plain line", "complete"),
    ]
    finish(store, streaming, "Done.")
    ask(store, old.id, "More?", store.get(old.id).leaf_id)
    assert [(row.id, row.snippet) for row in store.rows()] == [
        (old.id, "A plain line"),
        (new.id, "Done."),
    ]
    assert len(store.rows(limit=1)) == 1


def test_a_draft_does_not_move_a_conversation_up(store):
    first, second = store.create(), store.create()
    store.set_draft(first.id, "half a sen")
    assert [row.id for row in store.rows()] == [second.id, first.id]


def test_a_deleted_conversation_is_gone_until_it_is_restored(store):
    conversation = store.create()
    ask(store, conversation.id)
    before = store.get(conversation.id)
    store.delete(conversation.id)
    assert store.rows() == ()
    assert store.rows(search="sky") == ()
    with pytest.raises(AppError, match="no conversation"):
        store.get(conversation.id)
    assert store.restore(conversation.id) == before
    assert [row.id for row in store.rows(search="sky")] == [conversation.id]


def test_options_and_model_are_replaced_whole(store):
    conversation = store.create(options={"temperature": 0.1, "seed": 4})
    store.set_options(conversation.id, {"top_k": 5})
    store.set_model(conversation.id, "other")
    stored = store.get(conversation.id)
    assert (stored.options, stored.model_id) == ({"top_k": 5}, "other")


# Messages


def test_a_branch_reads_from_the_first_message_to_the_asked_one(store):
    conversation = store.create()
    one = ask(store, conversation.id, "1")
    two = answer(store, one, "2")
    three = ask(store, conversation.id, "3", two.id)
    answer(store, three, "4")
    assert texts(store.branch(three.id)) == ["1", "2", "3"]


def test_pages_follow_each_other_without_gap_or_overlap(store):
    conversation = store.create()
    parent = None
    for number in range(25):
        role = "assistant" if number % 2 else "user"
        parent = store.add_message(
            conversation.id, parent_id=parent, role=role, text=str(number)
        ).id
    collected: list[str] = []
    page = store.page(conversation.id, limit=10)
    sizes = [len(page.messages)]
    collected = texts(page.messages)
    while page.has_earlier:
        page = store.page(conversation.id, before=page.messages[0].id, limit=10)
        sizes.append(len(page.messages))
        collected = texts(page.messages) + collected
    assert collected == [str(number) for number in range(25)]
    assert sizes == [10, 10, 5]
    first = store.page(conversation.id, limit=25)
    assert not first.has_earlier
    assert store.page(conversation.id, before=first.messages[0].id).messages == ()


def test_versions_of_a_message_know_their_place(store):
    conversation = store.create()
    question = ask(store, conversation.id)
    versions = [answer(store, question, text) for text in ("a", "b", "c")]
    assert [(m.sibling_index, m.sibling_count) for m in map(store.message, ids(versions))] == [
        (0, 3),
        (1, 3),
        (2, 3),
    ]
    page = store.page(conversation.id)
    assert texts(page.messages) == ["Why is the sky blue?", "c"]
    assert (page.messages[1].sibling_index, page.messages[1].sibling_count) == (2, 3)
    assert (page.messages[0].sibling_index, page.messages[0].sibling_count) == (0, 1)


def test_first_messages_of_different_conversations_are_not_siblings(store):
    one, other = store.create(), store.create()
    ask(store, other.id)
    assert ask(store, one.id).sibling_count == 1
    assert ask(store, one.id, "Rather this").sibling_index == 1


def test_stepping_to_a_version_returns_to_where_it_was_left(store):
    conversation = store.create()
    question = ask(store, conversation.id, "q")
    first = answer(store, question, "a")
    deeper = answer(store, ask(store, conversation.id, "more", first.id), "deep")
    second = answer(store, question, "b")
    assert store.get(conversation.id).leaf_id == second.id
    assert store.step_sibling(second.id, -1).leaf_id == deeper.id
    assert texts(store.page(conversation.id).messages) == ["q", "a", "more", "deep"]
    assert store.step_sibling(first.id, 1).leaf_id == second.id
    assert store.step_sibling(second.id, 5).leaf_id == second.id
    assert store.step_sibling(second.id, -5).leaf_id == deeper.id


def test_deleting_shows_the_version_before_and_undo_brings_everything_back(store):
    conversation = store.create()
    question = ask(store, conversation.id, "q")
    first, second, third = (answer(store, question, text) for text in "abc")
    store.step_sibling(third.id, -1)
    follow_up = ask(store, conversation.id, "more", second.id)
    before = store.get(conversation.id), store.page(conversation.id)

    assert store.delete_message(second.id).leaf_id == first.id
    with pytest.raises(AppError, match="no message"):
        store.message(follow_up.id)
    assert store.message(third.id).sibling_count == 2

    store.restore_message(second.id)
    assert (store.get(conversation.id), store.page(conversation.id)) == before


def test_deleting_the_only_version_ends_the_branch_before_it(store):
    conversation = store.create()
    question = ask(store, conversation.id)
    reply = answer(store, question)
    assert store.delete_message(reply.id).leaf_id == question.id
    assert store.delete_message(question.id).leaf_id is None
    assert store.page(conversation.id).messages == ()
    store.restore_message(question.id)
    assert store.restore_message(reply.id).leaf_id == reply.id


def test_undo_in_another_order_brings_back_what_each_deletion_took(store):
    conversation = store.create()
    question = ask(store, conversation.id, "q")
    reply = answer(store, question, "a")
    follow_up = ask(store, conversation.id, "more", reply.id)
    store.delete_message(follow_up.id)
    store.delete_message(question.id)
    assert store.restore_message(follow_up.id).leaf_id is None
    assert store.restore_message(question.id).leaf_id == follow_up.id
    assert texts(store.branch(follow_up.id)) == ["q", "a", "more"]


def test_deleting_beside_the_shown_branch_leaves_it_alone(store):
    conversation = store.create()
    question = ask(store, conversation.id, "q")
    first, second = (answer(store, question, text) for text in "ab")
    assert store.delete_message(first.id).leaf_id == second.id
    assert store.restore_message(first.id).leaf_id == second.id
    # Restored, it is a branch to end on when nothing else is left.
    store.delete_message(first.id)
    store.delete_message(second.id)
    assert store.restore_message(first.id).leaf_id == first.id


def test_nothing_can_follow_a_deleted_message(store):
    conversation = store.create()
    question = ask(store, conversation.id)
    store.delete_message(question.id)
    with pytest.raises(AppError):
        answer(store, question)


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.get("nobody"),
        lambda store: store.page("nobody"),
        lambda store: store.message("nobody"),
        lambda store: store.branch("nobody"),
        lambda store: store.restore("nobody"),
        lambda store: store.delete("nobody"),
        lambda store: store.step_sibling("nobody", 1),
        lambda store: store.restore_message("nobody"),
    ],
)
def test_an_unknown_id_is_an_error_in_words(store, call):
    with pytest.raises(AppError, match="“nobody”"):
        call(store)


# Streaming


def test_an_answer_grows_on_disk_and_is_found_when_it_is_finished(store):
    conversation = store.create()
    streamed = answer(store, ask(store, conversation.id), "", status="streaming")
    store.stream_into(streamed.id, text="Zebra", reasoning="Hm", reasoning_seconds=0.5)
    stored = store.message(streamed.id)
    assert (stored.text, stored.reasoning, stored.status) == ("Zebra", "Hm", "streaming")
    assert store.rows(search="zebra") == ()
    finished = finish(store, streamed, "Zebra crossing")
    assert finished == store.message(streamed.id)
    assert [row.id for row in store.rows(search="zebra cross")] == [conversation.id]


def test_a_continued_answer_is_found_by_its_whole_text_and_keeps_its_origin(store):
    conversation = store.create()
    origin = Origin(model_id="m", timings=Timings(generation_ms=5.0))
    cut = answer(store, ask(store, conversation.id), "Apples", status="length", origin=origin)
    store.stream_into(cut.id, text="Apples and pears", reasoning="", reasoning_seconds=0)
    assert store.message(cut.id).status == "streaming"
    finish(store, cut, "Apples and plums")
    assert store.message(cut.id).origin == origin
    assert len(store.rows(search="apples plums")) == 1
    assert store.rows(search="pears") == ()


def test_the_answer_of_a_deleted_conversation_can_still_be_finished(store):
    conversation = store.create()
    streamed = answer(store, ask(store, conversation.id), "", status="streaming")
    store.delete(conversation.id)
    store.stream_into(streamed.id, text="a", reasoning="", reasoning_seconds=0)
    finish(store, streamed, "ab")
    store.restore(conversation.id)
    assert store.message(streamed.id).text == "ab"


def test_saving_an_erased_answer_says_so(store):
    conversation = store.create()
    streamed = answer(store, ask(store, conversation.id), "", status="streaming")
    store.delete(conversation.id)
    store.purge(older_than_seconds=-10)
    with pytest.raises(StorageError, match="erased"):
        store.stream_into(streamed.id, text="a", reasoning="", reasoning_seconds=0)
    with pytest.raises(StorageError, match="erased"):
        finish(store, streamed, "a")


def test_an_origin_of_another_program_version_is_read_as_far_as_it_is_known(store, database_file):
    conversation = store.create()
    newer = answer(store, ask(store, conversation.id))
    broken = answer(store, ask(store, conversation.id))
    with sqlite3.connect(database_file) as other:
        change = "UPDATE messages SET origin = ? WHERE id = ?"
        other.execute(change, ('{"model_id": "m", "mood": [1], "seed": 7}', newer.id))
        other.execute(change, ('{"model_id": ', broken.id))
        other.execute("UPDATE conversations SET options = '[]'")
    other.close()
    assert store.message(newer.id).origin == Origin(model_id="m", seed=7)
    assert store.message(broken.id).origin is None
    assert store.get(conversation.id).options == {}


def test_text_that_unicode_forbids_is_stored_all_the_same(store):
    conversation = store.create(options={"system_prompt": "a\ud800b"})
    question = ask(store, conversation.id, "lone \udfff and \0 end")
    assert question.text == "lone ? and \ufffd end"
    assert store.get(conversation.id).options == {"system_prompt": "a?b"}
    origin = Origin(model_file="/models/caf\udce9.gguf")
    assert answer(store, question, origin=origin).origin == Origin(model_file="/models/caf?.gguf")
    assert len(store.rows(search="lone\0 \ud800 end")) == 1


# Erasing


def test_purge_erases_what_is_old_enough_and_leaves_no_trace_of_it(store, database_file, clock):
    kept = store.create()
    ask(store, kept.id, "Kept question")
    removed = ask(store, kept.id, "Quixotic message")
    store.delete_message(removed.id)
    deleted = store.create()
    answer(store, ask(store, deleted.id, "Perspicacious title"), "Sesquipedalian answer")
    store.delete(deleted.id)
    clock.now += 1000
    late = ask(store, kept.id, "Recently deleted")
    store.delete_message(late.id)

    store.purge(older_than_seconds=500)
    for gone in (lambda: store.restore(deleted.id), lambda: store.restore_message(removed.id)):
        with pytest.raises(AppError):
            gone()
    store.restore_message(late.id)
    assert len(store.rows(search="recently")) == 1
    content = b"".join(path.read_bytes() for path in database_file.parent.iterdir()).lower()
    assert b"kept question" in content
    for word in (b"quixotic", b"perspicacious", b"sesquipedalian"):
        assert word not in content


# Scale


def test_a_page_costs_the_same_on_a_long_branch_as_on_a_short_one(store):
    conversation = store.create()
    with store._database.write() as connection:
        (conversation_seq,) = connection.execute("SELECT seq FROM conversations").fetchone()
        connection.executemany(
            "INSERT INTO messages (id, conversation_seq, parent_seq, role, text, status, created)"
            " VALUES (?, ?, ?, 'user', 'Hello', 'complete', 0)",
            ((f"m{n}", conversation_seq, n - 1 or None) for n in range(1, 10_001)),
        )
        connection.execute("UPDATE conversations SET leaf_seq = 10000")
        steps: list[None] = []
        connection.set_progress_handler(lambda: steps.append(None), 1000)

    assert len(store.page(conversation.id).messages) == 60
    at_the_end = len(steps)
    assert len(store.page(conversation.id, before="m61").messages) == 60
    assert at_the_end <= 2 * (len(steps) - at_the_end)  # virtual machine instructions, not seconds
    assert at_the_end < 30

    assert len(store.branch("m10000")) == 10_000
    assert store.delete_message("m2").leaf_id == "m1"
    assert store.restore_message("m2").leaf_id == "m10000"
    store.delete(conversation.id)
    store.purge(older_than_seconds=-10)
    with pytest.raises(AppError):
        store.restore(conversation.id)


def test_threads_share_a_store(store):
    conversation = store.create()
    question = ask(store, conversation.id)
    failures: list[BaseException] = []

    def write() -> None:
        try:
            mine = answer(store, question, "", status="streaming")
            for length in range(20):
                store.stream_into(mine.id, text="x" * length, reasoning="", reasoning_seconds=0)
                store.page(conversation.id)
            finish(store, mine, "x" * 20)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    answers = [store.message(store.get(conversation.id).leaf_id)]
    while answers[-1].sibling_index > 0:
        leaf = store.step_sibling(answers[-1].id, -1).leaf_id
        answers.append(store.message(leaf))
    assert texts(answers) == ["x" * 20] * 4


def ids(messages) -> list[str]:
    return [message.id for message in messages]


def test_log_probabilities_are_kept_and_erased_with_their_answer(store, database_file):
    conversation = store.create()
    reply = answer(store, ask(store, conversation.id), "", status="streaming")
    tokens = (TokenLogprob("He", -0.5, (("Ho", -1.0),)), TokenLogprob("llo", 0.0))
    finish(store, reply, "Hello", logprobs=tokens)
    assert store.logprobs(reply.id) == tokens
    finish(store, reply, "Hello")
    assert store.logprobs(reply.id) == tokens
    store.delete(conversation.id)
    assert store.purge(older_than_seconds=-1)
    assert not store.purge(older_than_seconds=-1)
    connection = sqlite3.connect(database_file)
    assert connection.execute("SELECT count(*) FROM token_logprobs").fetchone() == (0,)
    connection.close()


def test_a_page_reaches_up_to_the_message_that_is_asked_for(store):
    conversation = store.create()
    messages: list[Message] = []
    for number in range(200):
        parent = messages[-1].id if messages else None
        role = "assistant" if number % 2 else "user"
        messages.append(
            store.add_message(conversation.id, parent_id=parent, role=role, text=str(number))
        )
    page = store.page(conversation.id, reaching=messages[100].id)
    assert texts(page.messages) == [str(number) for number in range(80, 200)]
    assert page.has_earlier
    assert len(store.page(conversation.id, reaching=messages[190].id).messages) == 60
    whole = store.page(conversation.id, reaching=messages[3].id)
    assert (len(whole.messages), whole.has_earlier) == (200, False)
    other = store.add_message(
        conversation.id, parent_id=messages[0].id, role="assistant", text="other"
    )
    store.step_sibling(other.id, -1)
    for elsewhere in (other.id, "nobody"):
        assert len(store.page(conversation.id, reaching=elsewhere).messages) == 60


def test_the_place_of_the_reader_is_kept(store):
    conversation = store.create()
    question = ask(store, conversation.id)
    before = store.get(conversation.id)
    assert before.place is None
    store.set_place(conversation.id, ReadingPlace(question.id, 0.5))
    after = store.get(conversation.id)
    assert after.place == ReadingPlace(question.id, 0.5)
    assert after.updated == before.updated
    store.set_place(conversation.id, None)
    assert store.get(conversation.id).place is None
