"""The two pages of the server in Chromium; skipped where there is none."""

import time

import pytest
from support import flat

from lookbook.browser.page import page_of


@pytest.fixture
def tab(chromium):
    """A tab that keeps what it asked for."""
    page = chromium.new_page()
    page.asked, page.complaints = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("console", lambda message: page.complaints.append(message.text))
    yield page
    page.close()


def test_the_page_answers_under_the_servers_policy(listen, export, tmp_path, tab):
    client = listen()
    (tmp_path / "served/page.html").write_text(page_of(export()), encoding="utf-8")
    (tmp_path / "night.png").write_bytes(flat(0))
    address = f"http://127.0.0.1:{client.port}/"
    tab.goto(address)
    tab.set_input_files("#files", str(tmp_path / "night.png"))
    deadline = time.monotonic() + 30
    while "dark" not in tab.inner_text("main").split() and time.monotonic() < deadline:
        time.sleep(0.1)
    said = tab.evaluate("pictures.map(({ said }) => said.answer)")
    assert said == ["dark"]
    assert [url for url in tab.asked if not url.startswith("blob:")] == [address]
    assert tab.complaints == []


def test_the_documentation_offers_to_choose_a_file_and_answers(listen, tmp_path, tab):
    (tmp_path / "night.png").write_bytes(flat(0))
    address = f"http://127.0.0.1:{listen().port}/"
    tab.goto(address + "docs")
    tab.click(".opblock-summary-post")
    tab.click(".try-out__btn")
    tab.set_input_files("input[type=file]", str(tmp_path / "night.png"))
    tab.click(".execute")
    tab.wait_for_selector(".live-responses-table .response", timeout=30_000)
    assert '"answer": "dark"' in tab.inner_text(".live-responses-table .response")
    assert all(url.startswith(address) for url in tab.asked)
