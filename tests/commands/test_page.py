"""`lookbook page`: which model it takes, and that it overwrites nothing but its own page."""

import builtins
import sys
from pathlib import Path

import pytest
from support import run

HEAVY = {"tensorflow", "keras", "dvc", "pandas", "sklearn", "scipy", "pydantic", "cv2", "yaml"}


@pytest.fixture
def page(lookbook, export, tmp_path):
    """A function that calls the command beside a model that is the picked one."""
    export(tmp_path / "models/export/light.tflite")
    export(tmp_path / "models/export/other.tflite", is_picked=False, class_names=["x", "y"])

    def call(*words):
        return lookbook("page", *words)

    return call


def test_the_picked_models_page_is_written_and_replaced(page, tmp_path):
    code, out, _ = page()
    path = tmp_path / "page.html"
    assert code == 0
    size = f"{path.stat().st_size / 1e6:.1f} MB"
    model = Path("models/export/light.tflite")
    assert out == f"page.html: {size}, with {model}; open it in a browser\n"
    assert "<title>Dark or bright?</title>" in path.read_text()
    assert page("--model", "models/export/other.tflite")[0] == 0
    assert "<title>X or y?</title>" in path.read_text()


def test_another_file_is_overwritten_with_force_alone(page, tmp_path):
    path = tmp_path / "diary.html"
    path.write_text("<!DOCTYPE html>\nDear diary")
    code, _, err = page("--output", "diary.html")
    assert code == 2
    assert err == (
        "error: Expected nothing at diary.html, or a page that `lookbook page` wrote. Received: "
        "another file of that name. Name another with --output, or overwrite it with --force.\n"
    )
    assert path.read_text().endswith("Dear diary")
    assert page("--output", "diary.html", "--force")[0] == 0
    assert path.read_text().endswith("</html>\n")


@pytest.mark.parametrize("words", [[], ["--force"]])
def test_a_folder_is_never_overwritten(page, tmp_path, words):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/photo.jpg").write_bytes(b"")
    code, _, err = page("--output", "folder", *words)
    assert code == 2
    assert "Received: folder, a folder. Name a file in it" in err
    assert (tmp_path / "folder/photo.jpg").exists()


def test_without_an_export_it_says_what_makes_one(lookbook):
    code, _, err = lookbook("page")
    assert code == 2
    assert err.startswith("error: Expected exported models in models")
    assert "Run `dvc repro export`" in err


def test_without_jinja_it_names_the_extra(page, monkeypatch, tmp_path):
    real = builtins.__import__

    def without(name, *rest):
        if name == "lookbook.browser.page":
            raise ModuleNotFoundError("No module named 'jinja2'", name="jinja2")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    code, _, err = page()
    assert code == 2
    assert "Received: no jinja2. Install it with `pip install 'lookbook[page]'`." in err
    assert not (tmp_path / "page.html").exists()


def test_it_needs_nothing_of_the_pipeline(export, tmp_path):
    code = f"""
import sys
sys.argv = ["lookbook", "page", "--model", {str(export())!r}, "--output", "light.html"]
from lookbook.__main__ import main
main()
print(*sorted({HEAVY} & set(sys.modules)), file=sys.stderr)
"""
    done = run(sys.executable, "-c", code, cwd=tmp_path)
    assert done.stderr.strip() == ""
    assert (tmp_path / "light.html").exists()
