import ast
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support import ROOT, checked, flat, light_card, picture

from lookbook.foundation.errors import LookbookError
from lookbook.inference import Classifier, Fault
from lookbook.inference.card import with_card

HEAVY = {"tensorflow", "keras", "dvc", "pandas", "sklearn", "scipy", "pydantic", "cv2", "joblib"}


@pytest.fixture
def classifier(export):
    return Classifier(export())


def test_what_a_model_says_of_a_file(classifier, tmp_path):
    path = tmp_path / "night.png"
    path.write_bytes(flat(0))
    [said] = classifier.predict([path])
    share = 1 / (1 + math.exp(-4))
    assert (said.answer, said.likeliest, said.in_question) == ("dark", "dark", ["dark"])
    assert said.probability == said.probabilities["dark"] == pytest.approx(share, abs=1e-6)
    assert said.probabilities["bright"] == pytest.approx(1 - share, abs=1e-6)
    assert said.strangeness == pytest.approx(0, abs=1e-6)
    assert said.reason == "dark (98 %)"


def test_unsure_and_none_of_these_say_why(classifier):
    unsure, stranger = classifier.predict([flat(130), checked()])
    assert (unsure.answer, unsure.likeliest) == ("unsure", "bright")
    assert unsure.in_question == ["dark", "bright"]
    assert unsure.reason == "bright (52 %) or dark (48 %)"
    assert stranger.answer == "none of these"
    assert stranger.strangeness == pytest.approx(0.5, abs=0.01)
    assert stranger.reason == "stranger than about 99 % of the pictures that it was checked with"


def test_no_class_may_be_likely_enough(export):
    [said] = Classifier(export(least_probability=0.99)).predict([flat(0)])
    assert (said.answer, said.in_question) == ("unsure", [])
    assert said.reason == "no class is likely enough, dark (98 %) the most"


def test_files_contents_and_pixels_are_the_same_to_it(classifier, tmp_path):
    pixels = np.random.default_rng(0).integers(90, 160, (31, 17), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    path = tmp_path / "a.png"
    wanted = [path, str(path), path.read_bytes(), pixels, pixels[..., np.newaxis]]
    first, *others = classifier.predict(wanted)
    assert others == [first] * 4
    assert classifier.predict(np.stack([pixels] * 2)[..., np.newaxis]) == [first] * 2


def test_colours_are_brought_to_grey(classifier):
    red = np.zeros((9, 9, 3), np.uint8)
    red[..., 0] = 255
    assert classifier.predict([red])[0].answer == "dark"


def test_what_cannot_be_read_is_a_fault_in_its_place(classifier, tmp_path):
    (tmp_path / "cut.png").write_bytes(picture(0)[:300])
    places = [tmp_path / "cut.png", tmp_path / "none.png", tmp_path, b"", b"text", "a\0b", flat(0)]
    *faults, said = classifier.predict(places)
    assert [fault.reason for fault in faults] == [
        "truncated or damaged",
        "no such file",
        "not a file",
        "empty",
        "not a picture",
        "no such file",
    ]
    assert said.answer == "dark"


def test_a_large_file_is_not_read(classifier, tmp_path, monkeypatch):
    monkeypatch.setattr("lookbook.inference.classifier.MOST_BYTES", 10)
    (tmp_path / "a.png").write_bytes(flat(0))
    assert classifier.predict([tmp_path / "a.png"]) == [Fault("over 10 bytes")]


@pytest.mark.parametrize(
    ("pictures", "expected"),
    [
        ("a.png", "Expected a list of pictures. Received: a single one."),
        (Path("a.png"), "Put it into a list."),
        (np.zeros((8, 8), np.uint8), "Received: shape (8, 8)."),
        ([np.zeros((8, 8))], "Received at place 0: float64 of shape (8, 8). Convert them"),
        ([b"", np.zeros((8, 8, 4), np.uint8)], "Received at place 1: uint8 of shape (8, 8, 4)."),
        ([np.zeros((0, 8), np.uint8)], "of shape (0, 8)"),
        ([None], "Received at place 0: NoneType."),
    ],
)
def test_wrong_pictures_have_a_sentence(classifier, pictures, expected):
    with pytest.raises(LookbookError) as raised:
        classifier.predict(pictures)
    assert expected in str(raised.value)


def test_threads_may_share_it(classifier):
    wanted = [flat(value) for value in range(0, 256, 5)]
    alone = [classifier.predict([content])[0] for content in wanted]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda content: classifier.predict([content])[0], wanted))
    assert together == alone == classifier.predict(wanted)
    assert 1 <= len(classifier._idle) <= 9


def test_many_are_answered_as_few_are(classifier, monkeypatch):
    wanted = [np.full((33, 21), value, np.uint8) for value in range(12)]
    few = classifier.predict(wanted)
    monkeypatch.setattr("lookbook.inference.classifier.MANY", 5)
    assert classifier.predict(wanted) == few


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"image_size": 9}, "Received: inputs {'pixels': (-1, 8, 8, 1)} and outputs ['calibrated'"),
        ({"class_names": ["a", "b", "c"]}, "Received: probabilities of 2 classes."),
    ],
)
def test_a_model_that_is_not_as_its_card_says_is_refused(export, changes, expected):
    with pytest.raises(LookbookError) as raised:
        Classifier(export(**changes))
    assert expected in str(raised.value)


def test_a_model_that_litert_refuses_has_a_sentence(tmp_path):
    path = tmp_path / "a.tflite"
    path.write_bytes(with_card(b"\x20\0\0\0TFL3" + bytes(100), light_card()))
    with pytest.raises(LookbookError) as raised:
        Classifier(path)
    assert "Run `dvc repro export` again." in str(raised.value)


def test_it_needs_nothing_of_the_pipeline_and_says_nothing(export, tmp_path):
    (tmp_path / "a.png").write_bytes(flat(255))
    code = f"""
import sys
from lookbook.inference import Classifier
print(Classifier({str(export())!r}).predict([{str(tmp_path / "a.png")!r}])[0].answer)
print(sorted({HEAVY} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr == ""
    answer, heavy = done.stdout.splitlines()
    assert answer == "bright"
    assert ast.literal_eval(heavy) == []
