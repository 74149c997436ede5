"""The Dask cluster that the environment names, if it names one."""

import atexit
import contextlib
import importlib.metadata
import logging
import os
from typing import TYPE_CHECKING

from lookbook.foundation.errors import LookbookError

if TYPE_CHECKING:
    from distributed import Client

ADDRESS = "DASK_SCHEDULER_ADDRESS"  # Dask's own name for it
CONNECTING_SECONDS = 10
WORKERS_SECONDS = 20  # in which the first worker must have come
CLOSING_SECONDS = 2
SETTINGS = {
    # A batch of pictures is a large task, and meant to be.
    "distributed.admin.large-graph-warning-threshold": "1 TiB",
    # What counts is said in sentences.
    "logging": {"distributed": "critical", "distributed.client": "critical"},
}
PACKAGES = ("dask", "distributed")  # whose versions scheduler and client share

logger = logging.getLogger(__name__)

_clients: dict[str, "Client"] = {}


def connected() -> "Client | None":
    """Return a client of the cluster whose scheduler's address the environment has, once a process.

    Returns:
        None if the environment has no address.

    Raises:
        LookbookError: If Dask is not installed, there is no such scheduler, it is of another
            version, or it has no workers.
    """
    address = scheduler_address()
    if not address:
        return None
    client = _clients.get(address)
    if client is None or client.status != "running":
        client = _clients[address] = _connect(address)
    return client


def scheduler_address() -> str:
    """Return the address that the environment has; empty if it has none."""
    return os.environ.get(ADDRESS, "").strip()


def _connect(address: str) -> "Client":
    import asyncio

    try:
        import dask

        dask.config.set(SETTINGS)
        from distributed import Client, Security, rpc
    except ModuleNotFoundError as error:
        raise LookbookError(
            f"Expected Dask, since {ADDRESS} is set. Received: no {error.name}. Run `pip install "
            f"'.[cluster]'`, or unset {ADDRESS}."
        ) from None

    async def versions() -> dict[str, str]:
        encryption = Security().get_connection_args("client")
        async with (
            asyncio.timeout(CONNECTING_SECONDS),
            rpc(address, connection_args=encryption) as service,
        ):
            kind = (await service.identity())["type"]
            if kind != "Scheduler":
                raise ValueError(f"a {kind}")
            return (await service.versions())["packages"]

    try:
        _check_versions(asyncio.run(versions()), address)  # a client would wait without end
        client = Client(address, timeout=CONNECTING_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        reason = str(error).strip().partition("\n")[0] or f"nothing in {CONNECTING_SECONDS} s"
        raise LookbookError(
            f"Expected a Dask scheduler at {address}, as {ADDRESS} says. Received: {reason}. "
            f"Start one (`dask scheduler`), or unset {ADDRESS} to compute here."
        ) from None
    atexit.register(_close, client)
    try:
        _say(client, address)
    except BaseException:
        _close(client)
        raise
    return client


def _check_versions(there: dict[str, str], address: str) -> None:
    here = {name: importlib.metadata.version(name) for name in PACKAGES}
    others = [
        f"{name} {there.get(name)} (here {here[name]})"
        for name in here
        if there.get(name) != here[name]
    ]
    if others:
        raise LookbookError(
            f"Expected a scheduler at {address} of the version that is installed here. Received: "
            f"{', '.join(others)}. Install the same on both."
        )


def _say(client: "Client", address: str) -> None:
    """Log how many workers there are, once there are some, and where the dashboard is."""
    try:
        client.wait_for_workers(1, timeout=WORKERS_SECONDS)
    except TimeoutError:
        raise no_workers(WORKERS_SECONDS) from None
    count = len(workers(client))
    logger.info(
        "computing on %d worker%s of the Dask cluster at %s; its dashboard: %s",
        count,
        "s" if count > 1 else "",
        address,
        client.dashboard_link,
    )


def workers(client: "Client") -> list[str]:
    """Return the addresses of a cluster's workers."""
    return list(client.scheduler_info(n_workers=-1)["workers"])


def no_workers(seconds: int) -> LookbookError:
    """Return the error of a cluster that had no worker for so many seconds."""
    address = scheduler_address()
    return LookbookError(
        f"Expected workers of the Dask scheduler at {address}. Received: none in {seconds} s. "
        f"Start some (`dask worker {address}`), or unset {ADDRESS} to compute here."
    )


def _close(client: "Client") -> None:
    with contextlib.suppress(Exception):  # it is the end, and the scheduler may be gone
        client.close(timeout=CLOSING_SECONDS)
