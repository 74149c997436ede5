"""All checks in their order, each mended before the next looks."""

from collections.abc import Iterator
from pathlib import Path

from dvc.config import Config

from lookbook.doctor import environment, running, sets
from lookbook.doctor.content import Content
from lookbook.doctor.finding import Finding
from lookbook.doctor.lock import check_lock, outputs, sound_stages
from lookbook.doctor.remotes import check_remote


def examine(*, repair: bool) -> Iterator[tuple[Finding, bool]]:
    """Yield what is wrong, and whether it was mended.

    Args:
        repair: Whether to mend what can be mended.

    Raises:
        LookbookError: If a DVC is at work in this clone: what it has half done is no fault.
    """
    running.check_nothing_runs()
    for finding in _findings():
        yield finding, bool(repair and finding.mend and finding.mend())


def cache_of_dvc() -> Path:
    """Return the folder of DVC's cache."""
    return Path(Config.from_cwd()["cache"].get("dir") or ".dvc/cache")


def _findings() -> Iterator[Finding]:
    cache = cache_of_dvc()
    yield from environment.check_python()
    yield from environment.check_packages()
    yield from environment.check_disk(cache)
    yield from environment.check_open_files()
    yield from running.check_orphans()
    yield from running.check_locks()
    yield from running.check_partial(cache)
    yield from check_lock()
    stages = sound_stages()
    content = Content(cache, outputs(stages))
    yield from content.check_cache()
    yield from content.check_missing()
    yield from content.check_tree()
    yield from sets.check_cards_of_sets(content.is_sound)
    yield from sets.check_active_card(stages)
    yield from check_remote(content)
