"""Work in threads: decoding images waits for no interpreter lock."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], ahead: int = 64
) -> Iterator[Result]:
    """`map(function, items)` computed in threads, in the order of the items.

    Args:
        function: Called in several threads at once.
        items: Read no further than needed.
        ahead: The most results that wait in memory for their turn.

    Yields:
        The results; an error of the function is raised where its result would be.
    """
    waiting: collections.deque[Future[Result]] = collections.deque()
    with ThreadPoolExecutor() as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
