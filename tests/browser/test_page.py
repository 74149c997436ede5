"""The page without a browser: its text, its policy, what it holds, and what it refuses."""

import base64
import gzip
import hashlib
import json
import re

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from nasty import check_names_are_text, nasty, nasty_classes
from support import checked, flat, run

from lookbook import stderr_aside
from lookbook.browser import page
from lookbook.browser.runtime import PROGRAM, SCRIPT
from lookbook.foundation.errors import LookbookError
from lookbook.inference.card import FORMAT
from lookbook.inference.single import with_batch_of_one
from lookbook.pictures.decoding import Form, decoded


def held(text, name):
    """The bytes that the page holds compressed under a name."""
    (content,) = re.findall(rf'<script type="text/plain" id="{name}">([^<]*)</script>', text)
    return gzip.decompress(base64.b64decode(content))


def hash_of(content):
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


def test_the_page_is_whole_and_names_no_other_place(export):
    text = page.page_of(export())
    assert text.startswith("<!DOCTYPE html>\n")
    assert text.endswith("</html>\n")
    assert not re.findall(r'\s(?:src|href)="(?!data:)', text)
    outside = re.sub(r"<pre.*?</pre>", "", text, flags=re.DOTALL)  # but the licence's own address
    assert not re.findall(r"https?:", outside)
    assert page.page_of(export()) == text


def test_its_policy_allows_its_own_script_and_style_alone(export):
    text = page.page_of(export())
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert policy.replace("&#39;", "'").split("; ") == [
        "default-src 'none'",
        f"script-src '{hash_of(script)}' 'wasm-unsafe-eval'",
        "worker-src blob:",
        f"style-src '{hash_of(style)}'",
        "img-src blob: data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert not re.findall(r'\sstyle="|\son\w+="', text)


def test_what_must_be_in_sight_comes_before_what_is_large(export):
    text = page.page_of(export())
    assert text.index("Drop photos here") < text.index("Loading the model:") < 20_000
    assert text.index("<script>") < text.index('id="runtime"') < text.index('id="program"')


def test_it_holds_the_runtime_as_it_lies_in_the_package(export):
    text = page.page_of(export())
    assert held(text, "runtime") == gzip.decompress(SCRIPT.read_bytes())
    assert held(text, "program") == gzip.decompress(PROGRAM.read_bytes())


def test_it_holds_the_model_for_one_picture_that_answers_the_same(export):
    path = export()
    single = held(page.page_of(path), "model")
    assert single == with_batch_of_one(path.read_bytes())
    with stderr_aside():
        one, many = (
            Interpreter(model_content=content).get_signature_runner()
            for content in (single, path.read_bytes())
        )
    assert one.get_input_details()["pixels"]["shape_signature"].tolist() == [1, 8, 8, 1]
    assert many.get_input_details()["pixels"]["shape_signature"].tolist() == [-1, 8, 8, 1]
    for content in (flat(30), flat(200), checked()):
        pixels = decoded(content, Form(8, 1, "stretch"))[0].reshape(1, 8, 8, 1)
        said, expected = one(pixels=pixels), many(pixels=pixels)
        assert said.keys() == expected.keys()
        for name in said:
            np.testing.assert_array_equal(said[name], expected[name])


@pytest.mark.parametrize("count", [3, 200])
def test_names_are_only_text(named, count):
    classes, plain = nasty_classes(count), [f"class {place}" for place in range(count)]
    others = nasty(8)
    text = named(classes, others)
    first = f"{classes[0][0].upper()}{classes[0][1:]}" if count == 3 else classes[0]  # a heading
    shown = [first, *classes[1:], others[0].replace("/", "|"), others[2], *others[6:]]
    check_names_are_text(text, named(plain, list("abcdefgh")), shown)
    (about,) = re.findall(r'id="about-model">(.*?)</script>', text, re.DOTALL)
    assert json.loads(about)["card"]["class_names"] == classes


def test_it_says_what_the_model_is_and_how_good(export):
    text = " ".join(page.page_of(export()).split())
    assert "<h1><bdi>Dark</bdi> or <bdi>bright</bdi>?</h1>" in text
    assert "right on 90.0 % of 50 test pictures" in text
    assert "right on 80.0 to 95.0 % (the 95 % interval)" in text
    assert "in question for 95 % of pictures like these" in text
    assert "stranger than 99 % of those" in text
    assert "8 x 8 pixels, grey: a picture is stretched to a square" in text
    assert "lookbook predict photo.jpg --model <bdi>light.tflite</bdi>" in text
    assert "Apache License" in text
    other = page.page_of(export(class_names=list("abcdef"), resize="pad"))
    assert "<h1>Which of these 6 is it?</h1>" in other
    assert "it says which: <bdi>a</bdi>, <bdi>b</bdi>" in other
    assert "all of it, with black around" in other


def test_drawing_is_offered_where_the_model_sees_grey(export):
    assert 'id="paper"' in page.page_of(export(channels=1))
    assert 'id="paper"' not in page.page_of(export(channels=3))


def test_rows_are_stamped_with_the_commit_of_the_models_clone(export, tmp_path):
    def stamp():
        (about,) = re.findall(r'id="about-model">(.*?)</script>', page.page_of(export()))
        return json.loads(about)["stamp"]

    assert stamp() == {"model": "ab" * 6, "data": "cd" * 6, "revision": ""}
    run("git", "init", "-q", cwd=tmp_path)
    run("git", "commit", "-q", "--allow-empty", "-m", "x", cwd=tmp_path)
    assert stamp()["revision"] == run("git", "rev-parse", "HEAD", cwd=tmp_path).stdout[:12]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda path: path.unlink(), "no such file. Run `dvc repro export`, which makes it."),
        (lambda path: path.write_bytes(b"text"), "a file of another kind."),
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "a model without a card"),
    ],
)
def test_what_is_no_model_is_refused(export, change, sentence):
    path = export()
    change(path)
    with pytest.raises(LookbookError, match=sentence):
        page.page_of(path)


def test_a_newer_format_is_refused(export):
    with pytest.raises(LookbookError, match=f"Bring Lookbook up to date: it knows {FORMAT}"):
        page.page_of(export(format=FORMAT + 1))
