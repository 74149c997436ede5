"""`lookbook serve`: its arguments. What it does then is tested in tests/serving."""

import sys

import pytest
from support import light_card

from lookbook.commands import serve


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--port", "-1"], "Expected a port from 0 to 65535. Received: -1. Choose another."),
        (["--port", "65536"], "Expected a port from 0 to 65535. Received: 65536."),
        (["--workers", "0"], "Expected at least 1 worker. Received: 0."),
        (["--port", "http"], "argument --port: invalid int value: 'http'"),
        ([], "Expected exported models in models/export. Received: none."),
        (["--model", "none.tflite"], "Expected a model that Lookbook exported at none.tflite."),
    ],
)
def test_what_is_wrong_is_a_sentence(lookbook, words, expected):
    code, out, err = lookbook("serve", *words)
    assert (code, out) == (2, "")
    assert err.startswith("error: Expected ")
    assert expected in err


@pytest.mark.parametrize("package", ["fastapi", "uvicorn", "prometheus_client", "fastapi_offline"])
def test_without_its_extra_it_says_how_to_get_it(lookbook, monkeypatch, package):
    for name in [name for name in sys.modules if name.startswith("lookbook.serving")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    code, out, err = lookbook("serve")
    assert (code, out) == (2, "")
    assert err == (
        f"error: Expected what `lookbook serve` needs to be installed. Received: no {package}. Run "
        "`pip install 'lookbook[serve]'`, or `pip install '.[serve]'` in a clone.\n"
    )


def test_it_says_where_it_listens(capsys):
    serve.announce("http://127.0.0.1:8000", light_card())
    assert capsys.readouterr().out == (
        "CNN (train_cnn) answers at http://127.0.0.1:8000; Ctrl-C ends it\n"
    )
