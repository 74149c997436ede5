"""`lookbook predict`: what it finds, what it writes, what it does with what is wrong."""

import csv
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile

import pandas as pd
import pytest
from support import checked, flat, run

from lookbook.predicting import finding

COLUMNS = ["path", "answer", "probability", "in_question", "p_dark", "p_bright"]
COLUMNS += ["strangeness", "model", "data", "revision", "error"]


@pytest.fixture
def predict(lookbook, export, tmp_path):
    """A function that calls the command beside a model that is the picked one."""
    export(tmp_path / "models/export/light.tflite")

    def call(*words):
        return lookbook("predict", *words)

    return call


@pytest.fixture
def album(tmp_path):
    """A folder with pictures of each kind, at several depths."""
    folder = tmp_path / "album"
    for name, content in {
        "b/night.png": flat(10),
        "b/deep/er/day.png": flat(250),
        "a.png": flat(130),
        "c.PNG": checked(),
        "d.jpg": b"no picture",
        "notes.txt": b"",
        ".hidden/x.png": flat(0),
        ".x.png": flat(0),
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "b/round").symlink_to(folder)
    return folder


def table(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def answers(rows):
    return {row["path"]: row["answer"] for row in rows}


EXPECTED = {
    "album/a.png": "unsure",
    "album/b/deep/er/day.png": "bright",
    "album/b/night.png": "dark",
    "album/c.PNG": "none of these",
    "album/d.jpg": "",
}


def test_a_folder_becomes_rows_in_the_order_of_its_names(predict, album):
    code, out, err = predict("album")
    rows = table(out)
    assert code == 0
    assert out.splitlines()[0] == ",".join(COLUMNS)
    assert list(answers(rows).items()) == list(EXPECTED.items())
    assert err == (
        "album/d.jpg: not a picture\n"
        "4 answered; 1 could not be read; 1 left out, no pictures by their names\n"
    )
    first, bad = rows[0], rows[-1]
    assert first["in_question"] == "dark;bright"
    assert float(first["p_dark"]) + float(first["p_bright"]) == pytest.approx(1, abs=2e-6)
    assert first["probability"] == first["p_bright"]
    assert (first["model"], first["data"], first["revision"]) == ("ab" * 6, "cd" * 6, "")
    assert (bad["error"], bad["probability"]) == ("not a picture", "")


def test_the_commit_of_the_models_clone_is_told(predict, album, tmp_path):
    run("git", "init", "-q", cwd=tmp_path)
    run("git", "commit", "-q", "--allow-empty", "-m", "x", cwd=tmp_path)
    head = run("git", "rev-parse", "HEAD", cwd=tmp_path).stdout.strip()
    assert table(predict("album/a.png")[1])[0]["revision"] == head[:12]


@pytest.mark.parametrize("name", ["album.zip", "album.tar", "album.tar.gz"])
def test_archives_are_read_as_folders_are(predict, album, tmp_path, name):
    paths = sorted(path for path in album.rglob("*") if path.is_file() and "round" not in str(path))
    if name.endswith(".zip"):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in paths:
                archive.write(path, path.relative_to(tmp_path))
    else:
        with tarfile.open(tmp_path / name, "w:gz" if name.endswith("gz") else "w") as archive:
            for path in paths:
                archive.add(path, path.relative_to(tmp_path))
    code, out, _ = predict(name)
    assert code == 0
    assert answers(table(out)) == {f"{name}::{path}": said for path, said in EXPECTED.items()}
    assert not list(tmp_path.rglob("night.png"))[1:]


def test_damaged_archives_and_large_members_are_faults(predict, tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("large.png", bytes(20_000))
        archive.writestr("small.png", flat(0))
        archive.writestr("torn.png", flat(200) * 3)
    content = bytearray((tmp_path / "a.zip").read_bytes())
    at = content.index(b"torn.png") + len("torn.png")
    content[at : at + 20] = bytes(20)
    (tmp_path / "a.zip").write_bytes(content)
    (tmp_path / "b.zip").write_bytes(b"PK\3\4")
    with tarfile.open(tmp_path / "c.tar", "w") as archive:
        for name in ("one.png", "two.png"):
            member = tarfile.TarInfo(name)
            member.size = 20_000
            archive.addfile(member, io.BytesIO(bytes(20_000)))
    monkeypatch.setattr(finding, "MOST_BYTES", 10_000)
    code, out, err = predict("a.zip", "b.zip", "c.tar")
    assert code == 0
    assert answers(table(out))["a.zip::small.png"] == "dark"
    assert err.splitlines() == [
        "a.zip::large.png: over 268,435,456 bytes",
        "a.zip::torn.png: damaged in the archive",
        "b.zip: an archive that is damaged, or none",
        "c.tar::one.png: over 268,435,456 bytes",
        "c.tar::two.png: over 268,435,456 bytes",
        "1 answered; 5 could not be read",
    ]


@pytest.mark.parametrize(("words", "end"), [(["-"], "\n"), (["-0", "-"], "\0"), (["-"], "")])
def test_names_come_from_standard_input(export, album, tmp_path, words, end):
    separator = "\0" if "-0" in words else "\n"
    names = separator.join(["album/a.png", "album/b", "gone.png"]) + end
    command = [sys.executable, "-m", "lookbook", "predict", *words, "--model", str(export())]
    done = subprocess.run(command, cwd=tmp_path, input=names.encode(), capture_output=True)
    expected = ["album/a.png", "album/b/deep/er/day.png", "album/b/night.png", "gone.png"]
    assert [row["path"] for row in table(done.stdout.decode())] == expected
    assert b"gone.png: no such file" in done.stderr


def test_odd_names_are_safe(predict, tmp_path):
    folder = tmp_path / "odd"
    folder.mkdir()
    names = ['a,"b".png', "line\nbreak.png", "car\rriage.png", "\x1b[31mred.png"]
    for name in names:
        (folder / name).write_bytes(flat(0))
    (folder / "\x1b]bad.png").write_bytes(b"")
    (tmp_path / "=1+1.png").write_bytes(flat(0))
    (folder / os.fsdecode(b"\xff.png")).write_bytes(flat(0))
    _, out, err = predict("odd", "=1+1.png")
    paths = {row["path"] for row in table(out)}
    assert paths >= {f"odd/{name}" for name in names}
    assert paths >= {"'=1+1.png", "odd/\\udcff.png"}
    assert "\x1b" not in err
    assert "odd/\\x1b]bad.png: empty" in err


def read(path):
    if path.suffix == ".csv":
        return pd.read_csv(path, keep_default_na=False).to_dict("records")
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    return pd.read_parquet(path).astype(object).fillna("").to_dict("records")


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_table_gets_rows_for_what_is_new(predict, album, tmp_path, suffix):
    path = tmp_path / f"answers.{suffix}"
    assert predict("album", "--output", path)[:2] == (0, "")
    before = read(path)
    assert list(before[0]) == COLUMNS
    assert [row["answer"] or "" for row in before] == list(EXPECTED.values())
    content = path.read_bytes()
    (album / "b/again.png").write_bytes(flat(0))
    (album / "a.png").write_bytes(flat(255))  # known by its path
    code, _, err = predict("album", "--output", path)
    assert code == 0
    assert "1 answered; 5 had their rows already" in err
    after = read(path)
    assert [row["path"] for row in after[len(before) :]] == ["album/b/again.png"]
    assert str(after[: len(before)]) == str(before)
    if suffix != "parquet":
        assert path.read_bytes().startswith(content)
    assert not list(tmp_path.glob(".partial-*"))


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_rows_of_another_model_and_other_files_are_not_touched(
    predict, export, album, tmp_path, suffix
):
    path = tmp_path / f"answers.{suffix}"
    predict("album", "--output", path)
    content = path.read_bytes()
    other = export(tmp_path / "other.tflite", model_sha256="ef" * 32)
    code, _, err = predict("album", "--output", path, "--model", other)
    assert code == 2
    assert "to be of the model efefefefefef. Received: rows of abababababab." in err
    named = export(tmp_path / "named.tflite", class_names=["x", "y"])
    code, _, err = predict("album", "--output", path, "--model", named)
    assert code == 2
    assert "of a model with the same classes" in err
    assert path.read_bytes() == content
    assert predict("album", "--output", path, "--model", other, "--force")[0] == 0
    assert {row["model"] for row in read(path)} == {"efefefefefef"}
    path.write_bytes(b"my own notes\n")
    code, _, err = predict("album", "--output", path)
    assert code == 2
    assert f"Expected {path} to be a table of `lookbook predict`" in err
    assert path.read_bytes() == b"my own notes\n"


def test_a_full_disk_loses_no_row(predict, album, tmp_path, monkeypatch):
    path = tmp_path / "answers.csv"
    predict("album/a.png", "--output", path)
    content = path.read_bytes()

    def full(self, row):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lookbook.predicting.tables.CsvRows.write", full)
    code, _, err = predict("album", "--output", path)
    assert code == 2
    assert "No space left on device" in err
    assert path.read_bytes() == content
    assert not list(tmp_path.glob(".partial-*"))


def test_parquet_without_pyarrow_and_unknown_suffixes_have_sentences(predict, album, monkeypatch):
    assert "to end in .csv, .jsonl, .parquet. Received: a.xlsx" in predict(
        "album", "--output", "a.xlsx"
    )[2]  # fmt: skip
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    code, _, err = predict("album", "--output", "a.parquet")
    assert code == 2
    assert "pip install 'lookbook[parquet]'" in err


def test_pictures_are_sorted_and_never_overwritten(predict, album, tmp_path):
    (album / "z").mkdir()
    (album / "z/night.png").write_bytes(flat(20))
    for _ in range(2):
        assert predict("album", "--sort-into", "sorted")[0] == 0
    folder = tmp_path / "sorted"
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))
    assert found == [
        "bright/day-2.png",
        "bright/day.png",
        "dark/night-2.png",
        "dark/night-3.png",
        "dark/night-4.png",
        "dark/night.png",
        "none of these/c-2.PNG",
        "none of these/c.PNG",
        "unsure/a-2.png",
        "unsure/a.png",
    ]
    assert (tmp_path / "sorted/dark/night.png").read_bytes() == flat(10)
    assert (tmp_path / "sorted/dark/night-2.png").read_bytes() == flat(20)
    code, _, err = predict("album", "--sort-into", "album/sorted")
    assert code == 2
    assert "Expected --sort-into outside of what is looked at" in err


def test_links_are_made_where_they_can_be(predict, album, tmp_path, monkeypatch):
    predict("album/b/night.png", "--sort-into", "linked", "--link")
    assert (tmp_path / "linked/dark/night.png").samefile(album / "b/night.png")

    def other_disk(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", other_disk)
    _, _, err = predict("album/b/night.png", "--sort-into", "copied", "--link")
    assert (tmp_path / "copied/dark/night.png").read_bytes() == flat(10)
    assert "1 could not be linked and were copied" in err
    assert "Expected --sort-into with --link" in predict("album", "--link")[2]


def labelled(folder, **values):
    for name, greys in values.items():
        (folder / name).mkdir(parents=True)
        for number, grey in enumerate(greys):
            (folder / name / f"{number}.png").write_bytes(flat(grey))
    return folder


def test_a_score_says_how_often_the_likeliest_class_is_right(predict, tmp_path):
    labelled(tmp_path / "known", dark=[0, 10, 120, 200], bright=[255, 240])
    code, out, _ = predict("known", "--score")
    assert code == 0
    assert out.splitlines() == [
        "accuracy: 83.3 % of 6 pictures (95 % interval: 43.6 to 97.0 %), where each gets its "
        "likeliest class, sure or not",
        "unsure: 1 (17 %)",
        "none of these: 0 (0 %)",
        "rows: true classes; columns: likeliest classes",
        "         1 2",
        "1 dark   3 1",
        "2 bright 0 2",
    ]
    assert predict("known", "--score", "--output", "rows.csv")[0] == 0
    assert len(read(tmp_path / "rows.csv")) == 6
    assert "Expected a new file for --output" in predict(
        "known", "--score", "--output", "rows.csv"
    )[2]  # fmt: skip


def test_folders_that_are_no_classes_have_a_sentence(predict, tmp_path):
    labelled(tmp_path / "known", drak=[0], bright=[255])
    code, _, err = predict("known", "--score")
    assert code == 2
    assert "classes of the model: dark, bright. Received: drak. Is drak dark? Rename them." in err
    (tmp_path / "empty").mkdir()
    assert "Received: none." in predict("empty", "--score")[2]
    assert "Received: nowhere." in predict("nowhere", "--score")[2]
    assert "Received: 2 paths." in predict("known", "empty", "--score")[2]


def test_without_a_picture_there_is_a_sentence_and_no_table(predict, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/notes.txt").write_text("")
    code, _, err = predict("empty", "--output", "a.csv")
    assert code == 2
    assert "Expected pictures in empty. Received: 1 other files." in err
    assert not (tmp_path / "a.csv").exists()


def test_the_exit_code_is_a_fault_only_if_nothing_could_be_read(predict, album):
    assert predict("album/d.jpg", "gone.png")[0] == 2
    assert predict("album/d.jpg", "album/a.png")[0] == 0


def test_the_model_is_the_picked_one(lookbook, export, album, tmp_path):
    code, _, err = lookbook("predict", "album")
    assert code == 2
    assert (
        "Expected exported models in models/export. Received: none. Run `dvc repro export`" in err
    )
    folder = tmp_path / "models/export"
    export(folder / "a.tflite", is_picked=False)
    code, _, err = lookbook("predict", "album")
    assert "Received: 0 out of a.tflite. Name one with --model." in err
    export(folder / "b.tflite", model_sha256="12" * 32)
    assert table(lookbook("predict", "album")[1])[0]["model"] == "12" * 6


def test_it_runs_anywhere(export, album, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    words = ["-m", "lookbook", "predict", "../album/a.png", "--model", str(export())]
    done = run(sys.executable, *words, cwd=elsewhere)
    assert table(done.stdout)[0]["answer"] == "unsure"


def test_a_terminal_gets_lines_for_people(predict, album, monkeypatch):
    monkeypatch.setattr("lookbook.commands.predict.on_terminal", lambda: True)
    _, out, _ = predict("album")
    assert out.splitlines() == [
        "unsure          52 %  album/a.png  (bright (52 %) or dark (48 %))",
        "bright          98 %  album/b/deep/er/day.png",
        "dark            98 %  album/b/night.png",
        "none of these   50 %  album/c.PNG  (stranger than about 99 % of the pictures that it was "
        "checked with)",
    ]
