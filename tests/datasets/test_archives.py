"""Archives that a careless or a hostile person might hand us."""

import io
import stat
import tarfile
import zipfile

import pytest

from lookbook.datasets.archives import (
    MAX_MEMBER_BYTES,
    is_picture,
    list_members,
    open_member,
    read_members,
)
from lookbook.foundation.errors import LookbookError

KINDS = ["zip", "tar", "tar.gz", "tgz"]


def make(path, members):
    """Write an archive of names with their content; a list, since names may come twice."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members:
                archive.writestr(zipfile.ZipInfo(name), content)
        return path
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_members_are_read_in_order_without_unpacking(tmp_path, kind):
    content = [(f"./a//{i}.jpg", bytes([i]) * 1000) for i in (3, 1, 2)] + [("note.txt", b"x")]
    path = make(tmp_path / f"set.{kind}", content)
    names = [member.name for member in list_members(path)]
    assert names == ["a/3.jpg", "a/1.jpg", "a/2.jpg", "note.txt"]
    assert [member.bytes for member in list_members(path)] == [1000] * 3 + [1]
    wanted = {"a/2.jpg", "a/3.jpg"}
    assert list(read_members(path, wanted, 1000)) == [content[0][1], content[2][1]]
    assert list(read_members(path, wanted, 999)) == ["file over 999 bytes"] * 2
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (["/etc/x.jpg"], "'/etc/x.jpg', an absolute name"),
        (["C:\\x.jpg"], "an absolute name"),
        (["\\\\server\\x.jpg"], "an absolute name"),
        (["a/../../x.jpg"], "'a/../../x.jpg', a name that leads out of its folder"),
        (["a\\..\\x.jpg"], "a name that leads out"),
        (["a/\x1b[2J.jpg"], "control characters"),
        (["a/x.jpg", "a/X.jpg"], "'a/X.jpg', the same as 'a/x.jpg' but for case"),
        (["a/x.jpg", "./a/x.jpg"], "'a/x.jpg', there twice"),
    ],
)
def test_harmful_names_are_refused(tmp_path, kind, names, fault):
    path = make(tmp_path / f"set.{kind}", [(name, b"x") for name in names])
    with pytest.raises(LookbookError) as error:
        list_members(path)
    assert fault in str(error.value)
    assert path.name in str(error.value)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind):
    path = tmp_path / "set.tar"
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("cats/x.jpg")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(LookbookError, match=r"'cats/x.jpg', a link or a device"):
        list_members(path)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_in_a_zip_are_refused(tmp_path, kind):
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("cats/x.jpg")
        info.external_attr = (kind | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(LookbookError, match=r"'cats/x.jpg', a link or a device"):
        list_members(path)


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_ten_gigabytes_of_zeros_are_refused_by_name_before_they_are_read(tmp_path, kind):
    path = make(tmp_path / f"set.{kind}", [("cats/x.jpg", b"\0" * 100_000)])
    huge = 10 * 2**30
    if kind == "zip":  # as its header says it; the content need not be written to be refused
        path.write_bytes(path.read_bytes().replace((100_000).to_bytes(4, "little"), b"\xfe" * 4))
        huge = 0xFEFEFEFE
    else:
        with tarfile.open(path, "w:gz") as archive:
            info = tarfile.TarInfo("cats/x.jpg")
            info.size = huge
            archive.fileobj.write(info.tobuf())
    assert huge > MAX_MEMBER_BYTES
    with pytest.raises(LookbookError, match=f"'cats/x.jpg', {huge:,} bytes when unpacked"):
        list_members(path)


def test_an_encrypted_zip_is_refused(tmp_path):
    path = make(tmp_path / "set.zip", [("cats/x.jpg", b"x")])
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(LookbookError, match=r"'cats/x.jpg', encrypted"):
        list_members(path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_archive_has_a_sentence(tmp_path, kind):
    path = make(tmp_path / f"set.{kind}", [(f"a/{i}.jpg", bytes(5000)) for i in range(9)])
    whole = path.read_bytes()
    for damaged in (b"", b"not an archive" * 99, whole[: len(whole) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(LookbookError, match=r"Expected set\..* to be a whole archive"):
            names = {member.name for member in list_members(path)}
            list(read_members(path, names, 10**6))


def test_a_damaged_member_of_a_zip_is_told_in_its_place(tmp_path):
    content = [("a/1.jpg", b"1" * 99), ("a/2.jpg", b"2" * 99), ("a/3.jpg", b"3" * 99)]
    path = make(tmp_path / "set.zip", content)
    path.write_bytes(path.read_bytes().replace(b"2" * 99, b"2" * 98 + b"!"))
    names = {name for name, _ in content}
    assert list(read_members(path, names, 99)) == [b"1" * 99, "damaged in the archive", b"3" * 99]


def test_a_member_that_is_not_there_lists_those_that_are(tmp_path):
    path = make(tmp_path / "set.zip", [("a.csv", b"x"), ("b.csv", b"x")])
    with (
        pytest.raises(LookbookError, match=r"Expected c.csv in set.zip. Received: a.csv, b.csv"),
        open_member(path, "c.csv"),
    ):
        pass


def test_what_counts_as_a_picture_goes_by_the_name():
    assert all(map(is_picture, ["a/b.jpg", "B.JPEG", "c.PnG", "d.gif", "e.bmp", "f.webp"]))
    others = ["Thumbs.db", "a/.DS_Store", "a/._b.jpg", "__MACOSX/a/b.jpg", "note.txt", "jpg"]
    assert not any(map(is_picture, others))
