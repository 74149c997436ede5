from pathlib import Path

import pytest


@pytest.mark.parametrize(("is_there", "words"), [(True, "in your browser"), (False, "open it in")])
def test_the_page_is_opened_or_named(lookbook, monkeypatch, is_there, words):
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or is_there)
    Path("metrics/report.html").write_text("page")
    code, out, _ = lookbook("report")
    assert code == 0
    assert out.startswith(f"metrics/report.html: {words}")
    assert opened == [Path("metrics/report.html").absolute().as_uri()]


def test_a_page_that_is_missing_has_a_sentence(lookbook):
    code, _, err = lookbook("report")
    assert code == 2
    assert "Expected the page on a run, metrics/report.html. Received: no such file." in err
