"""What is found in folders, archives, lists and at addresses, and what each wrong one is told."""

import os
import shutil
import tarfile
import tempfile
import unicodedata
import zipfile
from pathlib import Path

import pytest
from support import picture, send, write_photos

from lookbook.foundation.errors import LookbookError
from lookbook.own.scanning import (
    Columns,
    Grouping,
    Manner,
    check_class,
    class_of,
    grouping,
    look,
    portable,
    read_file,
)

USUAL, ALONE = Columns(), Grouping()


def found(place, columns=USUAL, groups=ALONE):
    return look("pets", str(place), Manner(columns, groups, frozenset()))


def sentence(place, **options):
    with pytest.raises(LookbookError) as error:
        found(place, **options)
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


def classes(place):
    return {photo.name: photo.class_name for photo in place.photos}


@pytest.fixture
def few(tmp_path):
    """A folder with 2 cats (0 and 1) and 2 dogs (2 and 3)."""
    return write_photos(tmp_path / "photos", {"cats": 2, "dogs": 2})


FEW = {"cats/0.png": "cats", "cats/1.png": "cats", "dogs/2.png": "dogs", "dogs/3.png": "dogs"}


def test_a_folder_has_one_folder_a_class(few):
    place = found(few)
    assert classes(place) == FEW
    assert place.label == str(few)
    assert place.archive is None
    assert place.others == []
    photo = place.photos[0]
    assert photo.path == few / "cats/0.png"
    assert photo.size == photo.path.stat().st_size
    assert photo.changed == photo.path.stat().st_mtime_ns
    assert (photo.published, photo.group) == ("", "")
    assert list(place.contents()) == [picture(seed) for seed in range(4)]


def test_published_splits_and_folders_below_classes_are_understood(tmp_path):
    for split in ("train", "test"):
        write_photos(tmp_path / "set" / split, {"cats/2020/may": 1, "dogs": 1})
    place = found(tmp_path / "set")
    assert [(photo.name, photo.class_name, photo.published) for photo in place.photos] == [
        ("test/cats/2020/may/0.png", "cats", "test"),
        ("test/dogs/1.png", "dogs", "test"),
        ("train/cats/2020/may/0.png", "cats", "train"),
        ("train/dogs/1.png", "dogs", "train"),
    ]


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_an_archive_has_what_its_folder_has(few, kind):
    (few / "notes.txt").write_text("holiday")
    name = {"zip": "zip", "tar": "tar", "tar.gz": "gztar"}[kind]
    archive = Path(shutil.make_archive(str(few), name, few.parent, "photos"))
    place = found(archive)
    assert {photo.name: photo.class_name for photo in place.photos} == {
        f"photos/{name}": class_name for name, class_name in FEW.items()
    }
    assert place.archive == archive
    assert place.label == str(archive)
    contents = dict(zip((photo.name for photo in place.photos), place.contents(), strict=True))
    assert contents == {f"photos/{name}": (few / name).read_bytes() for name in FEW}
    assert place.others == [("photos/notes.txt", "not a picture's name")]


def test_an_address_is_downloaded(few, serve):
    content = Path(shutil.make_archive(str(few), "zip", few)).read_bytes()
    base, requests = serve(lambda handler: send(handler, content))
    place = found(f"{base}/files/photos.zip")
    assert classes(place) == FEW
    assert place.label == f"{base}/files/photos.zip"
    assert requests == ["/files/photos.zip"]


def test_an_address_that_fails_has_a_sentence(serve):
    base, _ = serve(lambda handler: send(handler, b"", status=404))
    assert f"to download {base}/photos.zip. Received: HTTP status 404." in sentence(
        f"{base}/photos.zip"
    )
    base, _ = serve(lambda handler: send(handler, b"PK", promised=1000))
    assert "Check the address and the network" in sentence(f"{base}/photos.zip")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://u:secret@example.org/a.zip", "Received: https://example.org/a.zip."),
        ("https://example.org/a.zip?token=secret", "Received: https://example.org/a.zip."),
        ("https://example.org/page", "Received: https://example.org/page."),
    ],
)
def test_an_address_that_cannot_stand_on_a_card_is_refused(address, shown):
    said = sentence(address)
    assert "ends with the name of a zip, tar or tar.gz" in said
    assert shown in said
    assert "secret" not in said


@pytest.mark.parametrize("place", ["http://[::1/x.zip", "~nobody-of-this-name/x.zip"])
def test_an_address_or_a_home_that_is_none_has_a_sentence(place):
    assert f"Received: {place!r}, " in sentence(place)


def test_links_are_followed_but_not_in_circles(few):
    elsewhere = write_photos(few.parent / "elsewhere", {".": 1}, first=9)
    (few / "cats/linked").symlink_to(elsewhere)
    (few / "dogs/circle").symlink_to(few)
    (few / "dogs/linked.png").symlink_to(elsewhere / "9.png")
    assert classes(found(few)) == FEW | {
        "cats/linked/9.png": "cats",
        "dogs/linked.png": "dogs",
    }


def test_links_that_lead_nowhere_are_left_out(few):
    (few / "cats/lost.png").symlink_to(few / "not there.png")
    (few / "dogs/self.png").symlink_to(few / "dogs/self.png")
    place = found(few)
    assert classes(place) == FEW
    assert place.others == [
        ("cats/lost.png", "a link that leads nowhere"),
        ("dogs/self.png", "a link that leads nowhere"),
    ]


def test_what_systems_hide_is_passed_over(few):
    for hidden in (".thumbnails", "@eaDir", "__MACOSX"):
        write_photos(few / hidden, {"cats": 1})
        write_photos(few / "cats" / hidden, {".": 1})
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store", "._0.png"):
        (few / "cats" / name).write_bytes(b"x")
    place = found(few)
    assert classes(place) == FEW
    assert place.others == []
    archive = Path(shutil.make_archive(str(few), "zip", few))
    place = found(archive)
    assert classes(place) == FEW
    assert place.others == []


def test_what_is_no_photo_is_named(few):
    (few / "cats/notes.txt").write_text("holiday")
    (few / "cover.png").write_bytes(picture(5))
    place = found(few)
    assert classes(place) == FEW
    assert place.others == [
        ("cats/notes.txt", "not a picture's name"),
        ("cover.png", "in no class folder"),
    ]


def test_what_never_ends_is_left_out(few):
    (few / "cats/zero.png").symlink_to("/dev/zero")
    assert ("cats/zero.png", "not a plain file") in found(few).others


def test_a_pipe_is_left_out(few):
    os.mkfifo(few / "cats/pipe.png")
    place = found(few)
    assert classes(place) == FEW
    assert place.others == [("cats/pipe.png", "not a plain file")]


def test_a_name_with_control_characters_is_left_out(few):
    (few / "cats/a\nb.png").write_bytes(picture(5))
    Path(os.fsdecode(bytes(few / "cats") + b"/\xff.png")).write_bytes(picture(6))
    place = found(few)
    assert classes(place) == FEW
    assert [reason for _, reason in place.others] == ["a name with control characters"] * 2


UNUSUAL = ["1 at 9.41.00\u202fAM.png", "🐈‍⬛.png", "ein Löwe.PNG", "a,b;'c\".png", "-r.png"]


def test_unusual_names_are_taken_in_from_a_folder(few):
    for seed, name in enumerate(UNUSUAL, start=10):
        (few / "cats" / name).write_bytes(picture(seed))
    assert classes(found(few)) == FEW | {f"cats/{name}": "cats" for name in UNUSUAL}


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_names_are_taken_in_from_an_archive(few, name):
    (few / "cats" / name).write_bytes(picture(10))
    archive = Path(shutil.make_archive(str(few), "zip", few))
    assert classes(found(archive)) == FEW | {f"cats/{name}": "cats"}


def test_two_unicode_forms_of_a_class_are_one(few):
    for form in ("NFC", "NFD"):
        write_photos(few, {unicodedata.normalize(form, "Löwen"): 1}, first=ord(form[-1]))
    names = [photo.class_name for photo in found(few).photos]
    lions = unicodedata.normalize("NFC", "Löwen")
    assert sorted(names) == [lions] * 2 + ["cats"] * 2 + ["dogs"] * 2


def empty_folder(folder):
    shutil.rmtree(folder)
    folder.mkdir()


def empty_class(folder):
    (folder / "birds").mkdir()


def same_names(folder):
    shutil.copytree(folder / "cats", folder / "Cats ")


def no_class_folders(folder):
    for path in list(folder.rglob("*.png")):
        path.rename(folder / path.name)
    for name in ("cats", "dogs"):
        (folder / name).rmdir()


def one_class(folder):
    shutil.rmtree(folder / "dogs")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (empty_folder, "Received: no picture. Add pictures"),
        (empty_class, "Received: none in 'birds'"),
        (same_names, "'Cats ' and 'cats', the same but for blanks and case"),
        (no_class_folders, "Received: 4 pictures and no such folders"),
        (one_class, "at least two classes"),
    ],
)
def test_each_unsorted_folder_has_a_sentence(few, fault, expected):
    fault(few)
    assert expected in sentence(few)


def test_what_is_not_there_has_a_sentence(tmp_path):
    assert "nowhere, no such file or folder. Name one of them." in sentence(tmp_path / "nowhere")
    (tmp_path / "x.yaml").write_text("a: 1")
    assert "x.yaml, a file of another kind." in sentence(tmp_path / "x.yaml")


def test_bad_archives_are_refused(tmp_path):
    path = tmp_path / "photos.tar"
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("../../outside.jpg"))
    assert "'../../outside.jpg', a name that leads out of its folder" in sentence(path)
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("/etc/cats/1.jpg", b"")
    assert "'/etc/cats/1.jpg', an absolute name" in sentence(tmp_path / "photos.zip")
    (tmp_path / "broken.zip").write_bytes(b"PK no more")
    assert "to be a whole archive" in sentence(tmp_path / "broken.zip")


def test_a_place_in_the_home_folder_is_written_with_a_tilde(few, monkeypatch):
    monkeypatch.setenv("HOME", str(few.parent))
    assert portable(few) == "~/photos"
    assert found("~/photos").label == "~/photos"
    monkeypatch.chdir(few.parent)
    assert found("photos").label == "~/photos"
    assert portable(Path("/elsewhere")) == "/elsewhere"


def test_a_file_that_may_not_be_read_is_left_out(few, monkeypatch):
    if os.geteuid() != 0:
        pytest.skip("needs root, to become somebody who may not read")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        copy = Path(shutil.copytree(few, Path(folder, "photos")))
        (copy / "cats/0.png").chmod(0)
        os.seteuid(65534)
        try:
            contents = [read_file(photo) for photo in found(copy).photos]
        finally:
            os.seteuid(0)
    assert contents == ["may not be read", *(picture(seed) for seed in (1, 2, 3))]


def test_a_file_that_is_gone_or_too_large_is_left_out(few, monkeypatch):
    photos = found(few).photos
    photos[0].path.unlink()
    monkeypatch.setattr("lookbook.own.scanning.MAX_PICTURE_BYTES", photos[2].size - 1)
    assert read_file(photos[0]._replace(size=1)) == "gone"
    assert read_file(photos[2]) == f"file over {photos[2].size - 1:,} bytes"


# Lists


def write_table(folder, text, name="labels.csv"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


TABLE = "file,label\ncats/0.png,cat\ncats/1.png,cat\ndogs/2.png,dog\ndogs/3.png,dog\n"


def test_a_list_names_files_and_labels(few):
    place = found(write_table(few, TABLE))
    assert classes(place) == {
        "cats/0.png": "cat",
        "cats/1.png": "cat",
        "dogs/2.png": "dog",
        "dogs/3.png": "dog",
    }
    assert list(place.contents()) == [picture(seed) for seed in range(4)]
    assert place.label == str(few / "labels.csv")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.tsv", "file\tlabel\ncats/0.png\tcat\ndogs/2.png\tdog\n"),
        ("labels.csv", "\ufefffile,label\ncats/0.png,cat\ndogs/2.png,dog\n"),
        ("labels.csv", "file,label\r\ncats/0.png,cat\r\n\r\ndogs/2.png,dog"),
        ("labels.csv", 'Class,PATH\n cat ,"cats/0.png"\ndog, dogs/2.png\n'),
        ("LABELS.CSV", "extra,Label ,Image\n1,cat,cats/0.png\n2,dog,dogs/2.png\n"),
    ],
)
def test_lists_come_in_several_shapes(few, name, text):
    place = found(write_table(few, text, name))
    assert classes(place) == {"cats/0.png": "cat", "dogs/2.png": "dog"}


def test_columns_may_be_named(few):
    text = "a,b,c\ncats/0.png,cat,tom\ncats/1.png,cat,\ndogs/2.png,dog,rex\n"
    place = found(write_table(few, text), columns=Columns("a", "B", "c"))
    assert [(photo.class_name, photo.group) for photo in place.photos] == [
        ("cat", "tom"),
        ("cat", ""),
        ("dog", "rex"),
    ]


def test_files_of_a_list_that_are_not_there_are_left_out(few):
    text = TABLE + "cats/gone.png,cat\ncats,cat\ncats/0.png/x.png,cat\n"
    place = found(write_table(few, text))
    assert len(place.photos) == 4
    assert place.others == [
        ("cats/gone.png", "in labels.csv, but not there"),
        ("cats", "not a plain file"),
        ("cats/0.png/x.png", "in labels.csv, but not there"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "Received: an empty file"),
        ("file,label\n", "Received: none that is there"),
        ("file,label\nnowhere.png,cat\n", "Received: none that is there"),
        ("a,label\n", "one of name, file, filename, file_name, path, image, id in"),
        ("file;label\ncats/0.png;cat\n", "Received: file;label. Name it with --name-column."),
        ("file,kind\n", "one of label, class, category, target in"),
        (TABLE + "cats/0.png\n", "2 values in {folder}/labels.csv, line 6. Received: 1."),
        (TABLE + "cats/0.png, \n", "a label in {folder}/labels.csv, line 6. Received: nothing."),
        (TABLE + "../secret.png,cat\n", "line 6. Received: '../secret.png'."),
        (TABLE + "cats/../../secret.png,cat\n", "line 6. Received: 'cats/../../secret.png'."),
        (TABLE + "/etc/passwd,cat\n", "line 6. Received: '/etc/passwd'."),
        (TABLE + "link.png,cat\n", "line 6. Received: 'link.png'."),
        (TABLE + "cats/\0.png,cat\n", "line 6. Received: 'cats/\\x00.png'"),
        (TABLE.replace("1.png,cat", '1.png,"cat'), "a table in UTF-8 whose quotes are closed"),
        (TABLE.replace("1.png,cat", '1.png,"c"at'), "a table in UTF-8 whose quotes are closed"),
    ],
)
def test_each_wrong_list_has_a_sentence(few, text, expected):
    (few.parent / "secret.png").write_bytes(picture(99))
    (few / "link.png").symlink_to(few.parent / "secret.png")
    assert expected.format(folder=few) in sentence(write_table(few, text))


def test_a_list_that_is_not_in_utf_8_has_a_sentence(few):
    (few / "labels.csv").write_bytes("file,label\ncats/0.png,Löwe\n".encode("latin-1"))
    assert "to be a table in UTF-8" in sentence(few / "labels.csv")


def test_a_column_that_is_not_there_has_a_sentence(few):
    path = write_table(few, TABLE)
    assert "the column 'name' in" in sentence(path, columns=Columns(name="name"))
    assert "Name it with --label-column" in sentence(path, columns=Columns(label="x"))
    assert "Name it with --group-column" in sentence(path, columns=Columns(group="x"))


# Classes and groups


@pytest.mark.parametrize(
    ("folder", "name"), [(" cats ", "cats"), ("Lo\u0308wen", "Löwen"), ("a b", "a b")]
)
def test_the_name_of_a_class(folder, name):
    assert class_of(folder) == name
    check_class(name)


@pytest.mark.parametrize(
    ("name", "received"),
    [
        ("", "Received: nothing."),
        ("a\tb", r"Received: 'a\tb'."),
        ("a\u202eb", r"Received: 'a\u202eb'."),
        ("x" * 101, "1 to 100 printable characters"),
        ("none of these", "what is said of pictures of no class"),
        ("None Of These", "what is said of pictures of no class"),
        ("unsure", "what is said of pictures of no class"),
    ],
)
def test_what_a_class_may_not_be_called(name, received):
    with pytest.raises(LookbookError) as error:
        check_class(name)
    assert received in str(error.value)


@pytest.mark.parametrize(
    ("pattern", "name", "group"),
    [
        (r"IMG_(\d+)", "cats/IMG_12_a.png", "12"),
        (r"IMG_\d+", "cats/IMG_12_a.png", "IMG_12"),
        (r"IMG_(\d+)", "cats/1.png", ""),
        (r"IMG_(x)?", "cats/IMG_1.png", ""),
        (r"^[^/]+/", "cats/1.png", "cats/"),
    ],
)
def test_a_pattern_finds_the_group_in_the_name(pattern, name, group):
    assert grouping(pattern, None).of(name) == group


@pytest.mark.parametrize(
    ("level", "group"), [(1, "p/cats/may"), (2, "p/cats"), (3, "p"), (4, ""), (5, ""), (9, "")]
)
def test_a_level_takes_the_group_from_the_folders(level, group):
    assert grouping(None, level).of("p/cats/may/1.png") == group


@pytest.mark.parametrize(
    ("pattern", "level", "received"),
    [
        ("(", None, "Received: '(', which is none: missing )"),
        ("*", None, "Received: '*', which is none: nothing to repeat"),
        ("a", 1, "Received: 'a' and 1."),
        (None, 0, "Received: None and 0."),
        (None, -1, "Received: None and -1."),
    ],
)
def test_each_wrong_grouping_has_a_sentence(pattern, level, received):
    with pytest.raises(LookbookError) as error:
        grouping(pattern, level)
    assert received in str(error.value)


def test_photos_of_a_folder_have_their_groups(few):
    place = found(few, groups=Grouping(level=1))
    assert [photo.group for photo in place.photos] == ["cats", "cats", "dogs", "dogs"]
    archive = Path(shutil.make_archive(str(few), "zip", few))
    place = found(archive, groups=Grouping(pattern=r"\d+"))
    assert sorted(photo.group for photo in place.photos) == ["0", "1", "2", "3"]
