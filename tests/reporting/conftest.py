"""Pages of made-up runs, and those pages in a browser."""

import pytest
from made_up import KINDS, write_run
from support import Watched


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """The pages of made-up runs: ten classes, two classes of photos, two hundred with any names."""
    made = {}
    for kind, options in KINDS.items():
        folder = tmp_path_factory.mktemp(kind)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            made[kind] = write_run(folder, **options)
    return made


@pytest.fixture
def opened(chromium, pages):
    """A function that opens the page of a kind of run; settings are those of the browser."""
    contexts = []

    def open_page(kind="ten", *, path=None, **settings):
        context = chromium.new_context(**settings)
        contexts.append(context)
        return Watched(context.new_page(), path or pages[kind])

    yield open_page
    for context in contexts:
        context.close()
