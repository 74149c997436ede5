"""The results of a function for many items, in order: computed here, or on a cluster's workers."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from lookbook.cluster.connecting import connected
from lookbook.cluster.elsewhere import Elsewhere

Item = TypeVar("Item")
Result = TypeVar("Result")


def mapped(
    function: Callable[[Item], Result], items: Iterable[Item], elsewhere: Elsewhere
) -> Iterator[Result]:
    """Yield `function(item)` for each item, in order.

    Where the environment names a Dask cluster, its workers compute it, each an item at a time; an
    item of a worker that is lost goes to another one.

    Args:
        function: What is called here, without a cluster.
        items: What to call it with. Only a few are drawn ahead.
        elsewhere: The same function on workers.

    Raises:
        LookbookError: If there is a cluster and it cannot compute the same bytes, or is lost.
        Exception: What the function raises.
    """
    client = connected()
    if client is None:
        return map(function, items)
    from lookbook.cluster.sending import on_workers

    return on_workers(client, items, elsewhere)
