"""Several answers to one request, written at once."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any

import msgspec

from app.server.answering import Answering
from app.server.asked import Asked
from app.server.failures import Failure
from app.server.journal import RequestNote
from backends.protocol import Event

Indexed = tuple[int, Event]
Answer = AbstractAsyncContextManager[AsyncIterator[Event]]


@asynccontextmanager
async def answers(
    answering: Answering, asked: Sequence[Asked], note: RequestNote
) -> AsyncIterator[AsyncIterator[Indexed]]:
    """The events of all answers, each with the number of its own. Entering waits until all have begun.

    Raises `Failure` as `Answering.answer` does: that of the first that fails.
    """
    if len(asked) == 1:
        async with answering.answer(asked[0], note) as events, aclosing(_numbered(events)) as one:
            yield one
        return
    entering = [answering.answer(each, note) for each in asked]
    begun = [asyncio.ensure_future(each.__aenter__()) for each in entering]
    try:
        await asyncio.wait(begun)
        async with aclosing(_merged([each.result() for each in begun])) as merged:
            yield merged
    finally:
        # A client may leave while some have begun and others wait.
        for each in begun:
            each.cancel()
        await asyncio.wait(begun)
        for answer, each in zip(entering, begun, strict=True):
            if not each.cancelled() and each.exception() is None:
                await answer.__aexit__(None, None, None)


def variants(asked: Asked, count: int) -> list[Asked]:
    """The request `count` times. With a seed, each has one of its own, or all would be alike."""
    seed = asked.options.get("seed")
    if not isinstance(seed, int) or seed < 0 or count == 1:
        return [asked] * count
    return [
        msgspec.structs.replace(asked, options={**asked.options, "seed": (seed + number) % 2**31})
        for number in range(count)
    ]


async def _numbered(events: AsyncIterator[Event]) -> AsyncGenerator[Indexed, None]:
    async for event in events:
        yield 0, event


async def _merged(streams: Sequence[AsyncIterator[Event]]) -> AsyncGenerator[Indexed, None]:
    come: asyncio.Queue[Indexed | Failure | None] = asyncio.Queue()

    async def read(number: int, events: AsyncIterator[Event]) -> None:
        try:
            async for event in events:
                come.put_nowait((number, event))
        except Failure as failure:
            come.put_nowait(failure)
        else:
            come.put_nowait(None)

    readers: list[asyncio.Task[Any]] = [
        asyncio.create_task(read(number, events)) for number, events in enumerate(streams)
    ]
    try:
        left = len(readers)
        while left:
            match await come.get():
                case None:
                    left -= 1
                case Failure() as failure:
                    raise failure
                case tuple() as indexed:
                    yield indexed
    finally:
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
