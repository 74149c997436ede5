"""The programs of docs/examples say what the model says."""

import io
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from support import ROOT, checked, flat

from lookbook.inference import Classifier

EXAMPLES = ROOT / "docs/examples"


def run(*words):
    return subprocess.run(
        list(map(str, words)), cwd=ROOT, capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def pictures(tmp_path):
    """Three pictures that can be read, and one that cannot."""
    contents = {"a b.png": flat(0), "b.png": flat(130), "c.png": checked(), "d.png": b"text"}
    paths = [tmp_path / name for name in contents]
    for path, content in zip(paths, contents.values(), strict=True):
        path.write_bytes(content)
    return paths


@pytest.fixture
def address(listen):
    return f"http://127.0.0.1:{listen().port}"


def lines(pictures):
    a, b, c, _ = pictures
    return [
        f"{a}: dark, 0.982 for dark",
        f"{b}: unsure, 0.520 for bright",
        f"{c}: none of these, 0.500 for dark",
    ]


def test_inference_in_python(export, pictures):
    done = run(sys.executable, EXAMPLES / "predict.py", export(), *pictures)
    assert (done.returncode, done.stdout.splitlines()) == (0, lines(pictures))
    assert done.stderr == f"{pictures[-1]}: not a picture\n"


def test_the_server_in_python(address, pictures):
    done = run(sys.executable, EXAMPLES / "ask.py", address, *pictures)
    assert (done.returncode, done.stdout.splitlines()) == (0, lines(pictures))
    assert done.stderr.startswith(f"{pictures[-1]}: 415 Expected a JPEG, ")


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
def test_the_server_with_curl(address, pictures):
    done = run("sh", EXAMPLES / "ask.sh", address, *pictures)
    assert done.returncode == 0, done.stderr
    one, same, every = (json.loads(line)["pictures"] for line in done.stdout.splitlines())
    assert one == same
    assert one[0]["answer"] == "dark"
    assert [picture["name"] for picture in every] == [path.name for path in pictures]
    assert [picture.get("answer") for picture in every] == ["dark", "unsure", "none of these", None]
    refused = run("sh", EXAMPLES / "ask.sh", address, pictures[-1])
    assert refused.returncode
    assert "Received: not a picture" in refused.stdout


@pytest.mark.skipif(not shutil.which("node"), reason="no Node")
@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_the_runtime_of_browsers_in_node(export, tmp_path, resize, mode):
    shape = (61, 90) if mode == "L" else (61, 90, 3)
    pixels = np.random.default_rng(1).integers(90, 120, shape, np.uint8)
    path, model = tmp_path / "a.ppm", export(resize=resize)
    Image.fromarray(pixels).save(path)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    [expected] = Classifier(model).predict([file.getvalue()])
    done = run("node", EXAMPLES / "classify.mjs", model, path)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    for name in ("answer", "likeliest", "in_question", "reason"):
        assert said[name] == getattr(expected, name)
    assert said["probabilities"] == pytest.approx(list(expected.probabilities.values()), abs=1e-6)
    assert said["strangeness"] == pytest.approx(expected.strangeness, abs=1e-6)
