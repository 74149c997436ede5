"""Pages of models in a browser."""

import time
from pathlib import Path

import pytest
from support import Watched, light_card

from lookbook.browser.page import FOLDER, page_of, write_page
from lookbook.inference.card import with_card

PATIENCE = 30  # seconds that a page may take for anything


class Opened(Watched):
    """A page of a model in a browser."""

    def until(self, expression):
        """Wait for it; the page's policy forbids what Playwright would wait with."""
        end = time.monotonic() + PATIENCE
        while not self.tab.evaluate(expression):
            assert time.monotonic() < end, f"waited for {expression}: {self.complaints}"
            time.sleep(0.02)

    def ask(self, *files):
        """Choose files and return what the page says of all that it was given so far."""
        self.tab.set_input_files("#files", [str(file) for file in files])
        self.until("isReady && !isWorking && !waiting.length")
        return self.tab.evaluate("pictures.map(({ name, said }) => ({ name, ...said }))")


@pytest.fixture
def opened(chromium, export, tmp_path):
    """A function that opens the page of an exported model; keywords change its card."""
    contexts = []

    def open_page(model=None, *, settings=None, **changes):
        path = tmp_path / "model.html"
        write_page(model or export(**changes), path)
        context = chromium.new_context(**(settings or {}))
        contexts.append(context)
        return Opened(context.new_page(), path)

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def scripts(chromium):
    """A tab with the worker's scripts, but for the model."""
    tab = chromium.new_page()
    names = ("unpacking", "rounding", "answers", "files", "pictures", "ink", "worker")
    for name in names:
        tab.add_script_tag(content=Path(FOLDER, "scripts", f"{name}.js").read_text())
    yield tab
    tab.close()


@pytest.fixture
def named(tmp_path, monkeypatch):
    """A function that makes the page of a model with other names, which has a card and no more."""
    monkeypatch.setattr("lookbook.browser.page.with_batch_of_one", lambda model: model)

    def make(classes, others):
        file, title, dataset, *versions = others[:6]
        data, base = others[6:]
        path = tmp_path / file.replace("/", "|")
        card = light_card(
            class_names=classes, title=title, dataset=dataset,
            versions=dict.fromkeys(versions, "1"), licences={"data": data, "base": base},
        )  # fmt: skip
        path.write_bytes(with_card(b"\0\0\0\0TFL3", card))
        return page_of(path)

    return make
