"""A folder of a store (S3, Google Cloud Storage, Azure, SSH), listed and brought into the cache.

The store is asked once what it has: names, sizes, and a mark of each version, such as an ETag. In
the user's cache a file is called by the hash of these three. So one that is there is as the store
has it, one that has changed there is another file, and nothing else needs to be remembered: what
the cache has lost is fetched again.

Endpoints, regions, profiles and keys are those of the environment, as the store's own library reads
them: `AWS_ENDPOINT_URL`, `AWS_PROFILE`, `GOOGLE_APPLICATION_CREDENTIALS`,
`AZURE_STORAGE_CONNECTION_STRING`, `~/.ssh/config` and their like.
"""

import errno
import hashlib
import importlib.util
import logging
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from tqdm import tqdm

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import forget_abandoned
from lookbook.foundation.names import is_harmful
from lookbook.foundation.parallel import in_parallel
from lookbook.foundation.places import cache_folder

FETCHES = 16  # at once: a store answers many, and each takes its time
MARKS = ("ETag", "generation", "etag", "mtime", "created")  # of S3, Google, Azure, SSH, memory
LONGEST_REASON = 200  # characters of what a library says
TALKATIVE = (
    "adlfs",
    "asyncssh",
    "azure",
    "botocore",
    "gcsfs",
    "google",
    "s3fs",
)  # what they log, they raise

logger = logging.getLogger("add")


class Kind(NamedTuple):
    """A kind of store.

    Attributes:
        extra: Of pyproject.toml, which brings what it needs.
        package: That speaks to it.
        connecting: Options of that package.
        listing: Options of its `find`.
    """

    extra: str
    package: str
    connecting: dict[str, Any] = {}
    listing: dict[str, Any] = {}


_AFRESH = {"use_listings_cache": False}
# One part of a file at a time, since parts that come side by side are held in memory.
_IN_ORDER = _AFRESH | {"max_concurrency": 1}
# s3fs tries five times; botocore, which it calls, would do so each time.
_ONCE = {"config_kwargs": {"retries": {"total_max_attempts": 1}}}
# sshfs checks no host's key unless it is told to: `()` is ~/.ssh/known_hosts. A folder that may not
# be listed would be passed over.
_SSH = Kind(
    "ssh",
    "sshfs",
    {"known_hosts": (), "connect_timeout": 30, "keepalive_interval": 30},
    {"on_error": "raise"},
)
KINDS = {
    "s3": Kind("s3", "s3fs", _IN_ORDER | _ONCE),
    "gs": Kind("gs", "gcsfs", _AFRESH),
    "az": Kind("azure", "adlfs", _IN_ORDER),
    "ssh": _SSH,
    "sftp": _SSH,
}


class File(NamedTuple):
    """A file of a store: its size in bytes, and the mark of its version."""

    size: int
    mark: str


class Store:
    """A folder of a store as it was listed.

    Attributes:
        address: How it is called on the card.
        files: What is below it, by name, with `/` between folders; in alphabetical order.
        others: Name and reason of what is no file.
    """

    def __init__(self, dataset: str, address: str):
        """List a folder.

        Args:
            dataset: The set's name, for the cache.
            address: Such as `s3://bucket/prefix`.

        Raises:
            LookbookError: If it cannot be had; says why.
        """
        kind = _kind_of(address)
        self.address = address.rstrip("/")
        digest = hashlib.sha256(self.address.encode()).hexdigest()
        self._cache = cache_folder(f"{dataset}.downloads") / digest[:16]
        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        import fsspec  # a tenth of a second, a second with its package

        logger.info("%s: listing", self.address)
        with _explaining(f"to list {self.address}", ""):
            self._system, root = fsspec.url_to_fs(
                self.address, skip_instance_cache=True, **kind.connecting
            )
            self._root = root.rstrip("/")
            self._check_folder()
            found = self._system.find(self._root, detail=True, **kind.listing)
        self.files: dict[str, File] = {}
        self.others: list[tuple[str, str]] = []
        for path in sorted(found):
            info = found.pop(path)
            name = path.removeprefix(f"{self._root}/")
            if path.endswith("/") or name == path:  # what stands for a folder
                continue
            if info["type"] == "file":
                mark = next((str(info[key]) for key in MARKS if info.get(key)), "")
                self.files[name] = File(info["size"], mark)
            else:
                self.others.append((name, "not a plain file"))

    def path(self, name: str) -> Path:
        """Return where a file is in the cache once it was fetched."""
        key = "\0".join([name, *map(str, self.files[name])])
        return self._cache / hashlib.sha256(key.encode()).hexdigest()[:32]

    def fetch(self, names: Collection[str]) -> None:
        """Bring files into the cache, those that are not there, and forget all others.

        One that has gone from the store since it was listed is not there afterwards either.

        Raises:
            LookbookError: If the disk is too small, or the store fails; what came is kept.
        """
        wanted = {self.path(name) for name in names}
        missing = [name for name in names if not self._is_here(name)]
        needed = sum(self.files[name].size for name in missing)
        logger.info(
            "%s: %d files, %d of them to fetch (%d bytes)",
            self.address, len(self.files), len(missing), needed,
        )  # fmt: skip
        self._cache.mkdir(parents=True, exist_ok=True)
        self._check_space(needed)
        forget_abandoned(self._cache)
        expected = f"to fetch {len(missing):,} files from {self.address}"
        kept = "; what has come is kept, and is not fetched again"
        bar = tqdm(
            total=needed, unit="B", unit_scale=True, desc="fetching", disable=None, leave=False
        )
        with (
            bar,
            TemporaryDirectory(prefix=".partial-", dir=self._cache) as arriving,
            _explaining(expected, kept),
        ):
            fetch_one = partial(self._fetch_one, Path(arriving))
            for size in in_parallel(fetch_one, missing, threads=FETCHES):
                bar.update(size)
        for path in self._cache.iterdir():
            if path not in wanted and not path.name.startswith("."):
                path.unlink(missing_ok=True)

    def _fetch_one(self, arriving: Path, name: str) -> int:
        """Fetch a file; return its size in bytes."""
        from fsspec.callbacks import Callback

        def bound(_: int | None, value: int) -> None:
            if value > size:
                raise EOFError(f"more than the {size:,} bytes of {name}")

        size, target = self.files[name].size, self.path(name)
        partial = arriving / target.name
        try:
            self._system.get_file(
                f"{self._root}/{name}", str(partial), callback=Callback(hooks={"bound": bound})
            )
        except FileNotFoundError:
            return size
        received = partial.stat().st_size
        if received != size:
            raise EOFError(f"{received:,} of the {size:,} bytes of {name}")
        partial.replace(target)
        return size

    def _is_here(self, name: str) -> bool:
        path = self.path(name)
        return path.is_file() and path.stat().st_size == self.files[name].size

    def _check_folder(self) -> None:
        try:
            kind = self._system.info(self._root)["type"]
        except FileNotFoundError:
            bucket = self._root.partition("/")[0]
            is_bucket = bool(bucket) and not self._system.exists(bucket)
            kind = f"no such bucket, {bucket}" if is_bucket else "nothing of that name"
        if kind == "directory":
            return
        received = "a file" if kind == "file" else kind
        raise LookbookError(
            f"Expected a folder with one folder a class at {self.address}. Received: {received}. "
            "Mend the address; an archive or a list, fetch it and name its path."
        )

    def _check_space(self, needed: int) -> None:
        free = shutil.disk_usage(self._cache).free
        if needed > free:
            raise LookbookError(
                f"Expected {needed:,} bytes of free disk space for the photos of {self.address}. "
                f"Received: {free:,} at {self._cache}. Free some, or let LOOKBOOK_CACHE name a "
                "folder on a larger disk; nothing was fetched."
            )


def _kind_of(address: str) -> Kind:
    """Return the kind of an address.

    Raises:
        LookbookError: If there is none, it is not installed, or the address has a secret in it,
            which is not shown.
    """
    scheme, _, rest = address.partition("://")
    kind = KINDS.get(scheme)
    if kind is None:
        known = ", ".join(f"{name}://" for name in ("http", "https", *KINDS))
        raise LookbookError(
            f"Expected an address that begins with one of {known}. Received: {scheme + '://'!r}. "
            "Mend it, or fetch the photos and name their folder."
        )
    is_host = kind.extra == "ssh"
    host, _, folder = rest.partition("/")
    user = rest.rpartition("@")[0]
    has_user = "@" in host and not is_host
    example = f"{scheme}://{'host' if is_host else 'bucket'}/folder"
    is_odd = any(mark in rest for mark in ("?", "#", "::")) or any(map(is_harmful, rest))
    if has_user or ":" in user or is_odd:
        raise LookbookError(
            f"Expected an address like {example}, without a password, a key, a question mark, # or "
            "::, since it will stand on the card. Received: one with such. Leave those to the "
            "environment, as docs/sharing.md says."
        )
    if not host or (is_host and not folder.strip("/")):
        raise LookbookError(
            f"Expected an address like {example}. Received: {address!r}. Complete it."
        )
    if importlib.util.find_spec(kind.package) is None:
        raise LookbookError(
            f"Expected what {scheme}:// needs to be installed. Received: no {kind.package}. Run "
            f"`pip install 'lookbook[{kind.extra}]'`, or `make repro` in a clone."
        )
    return kind


@contextmanager
def _explaining(expected: str, kept: str) -> Iterator[None]:
    """Tell in a sentence what a store or its library complains of."""
    try:
        yield
    except LookbookError:
        raise
    except Exception as error:  # the library of each kind of store has its own
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        lines = str(error).splitlines() or [type(error).__name__]
        said = re.sub(r"\?\S+", "", lines[0])[:LONGEST_REASON].rstrip(". ")  # no signed address
        if isinstance(error, PermissionError):
            said = f"no right to do so ({said})"
        raise LookbookError(
            f"Expected {expected}. Received: {said}{kept}. Check the address, the network and your "
            "rights there (docs/sharing.md), then run the command again."
        ) from None
