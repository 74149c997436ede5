"""Archives that a careless or a hostile person might hand us."""

import bz2
import gzip
import io
import lzma
import random
import stat
import tarfile
import zipfile

import pytest

from lookbook.datasets.archives import (
    MAX_MEMBER_BYTES,
    MODEST_BYTES,
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


@pytest.fixture(scope="module")
def photos():
    """Eighty names with content that no compression makes smaller."""
    rng = random.Random(0)
    return [(f"cats/{i}.jpg", rng.randbytes(rng.randrange(99, 999))) for i in range(80)]


def read_all(path):
    names = {member.name for member in list_members(path)}
    return list(read_members(path, names, 10**6))


@pytest.mark.parametrize("kind", ["tar", "tar.gz"])
def test_a_tar_that_is_cut_off_between_two_files_is_refused_with_a_count(tmp_path, photos, kind):
    path = make(tmp_path / "set.tar", photos)
    with tarfile.open(path) as archive:
        after_59 = archive.getmembers()[59].offset
    cut = path.read_bytes()[:after_59]
    path = tmp_path / f"set.{kind}"
    path.write_bytes(gzip.compress(cut) if kind == "tar.gz" else cut)
    with pytest.raises(LookbookError, match=r"whole archive .* after 59 files\. Fetch or pack"):
        list_members(path)


def test_a_damaged_header_of_a_tar_is_not_taken_for_its_end(tmp_path, photos):
    path = make(tmp_path / "set.tar", photos)
    with tarfile.open(path) as archive:
        header = archive.getmembers()[20].offset
    content = bytearray(path.read_bytes())
    content[header + 3] ^= 1
    path.write_bytes(content)
    with pytest.raises(LookbookError, match=r"Received: bad checksum.*, after 20 files"):
        list_members(path)


def test_a_second_archive_behind_a_tars_end_is_not_passed_over(tmp_path, photos):
    path = make(tmp_path / "set.tar", photos[:3])
    more = make(tmp_path / "more.tar", photos[3:]).read_bytes()
    path.write_bytes(path.read_bytes() + more)
    with pytest.raises(LookbookError, match="Received: more behind its end, after 3 files"):
        list_members(path)


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_every_flipped_bit_is_noticed_or_harmless(tmp_path, photos, kind):
    path = make(tmp_path / f"set.{kind}", photos[:9])
    whole, rng = path.read_bytes(), random.Random(1)
    assert read_all(path) == [content for _, content in photos[:9]]
    for _ in range(1000):
        damaged = bytearray(whole)
        damaged[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            contents = read_all(path)
        except LookbookError:
            continue
        harmed = [got for got, (_, sent) in zip(contents, photos[:9], strict=True) if got != sent]
        assert set(harmed) <= {"damaged in the archive", "file over 1,000,000 bytes"}


@pytest.mark.parametrize(
    ("pack", "name"), [(bz2.compress, "bzip2"), (lzma.compress, "xz")], ids=["bzip2", "xz"]
)
def test_a_tar_of_another_compression_is_refused_by_its_name(tmp_path, photos, pack, name):
    path = make(tmp_path / "set.tar", photos[:3])
    path.write_bytes(pack(path.read_bytes()))
    with pytest.raises(
        LookbookError, match=f"gzipped or not. Received: one that is packed with {name}"
    ):
        list_members(path)


@pytest.mark.parametrize(
    ("method", "name"), [(zipfile.ZIP_LZMA, "LZMA"), (zipfile.ZIP_BZIP2, "BZIP2")]
)
def test_a_zip_of_another_compression_is_refused_by_its_name(tmp_path, method, name):
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("cats/1.jpg", b"x" * 999)
    with pytest.raises(LookbookError, match=f"'cats/1.jpg', compressed with {name}, not deflated"):
        list_members(path)


def test_a_zip_whose_directory_lacks_files_is_refused(tmp_path, photos):
    path = make(tmp_path / "set.zip", photos[:9])
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\5\6") + 10] -= 1
    path.write_bytes(content)
    with pytest.raises(LookbookError, match="a directory of 9 files that says 8"):
        list_members(path)


def test_a_name_that_is_not_in_the_encoding_that_a_zip_says_has_a_sentence(tmp_path):
    path = make(tmp_path / "set.zip", [("cats/\N{CAT}.jpg", b"x")])
    path.write_bytes(path.read_bytes().replace("\N{CAT}".encode(), b"\xff\xfe\xfd\xfc"))
    with pytest.raises(LookbookError, match=r"set.zip to be a whole archive .* Received: 'utf-8'"):
        list_members(path)


def test_a_name_beside_a_members_content_that_is_no_text_has_a_sentence(tmp_path):
    path = make(tmp_path / "set.zip", [("cats/\N{CAT}.csv", b"x")])
    path.write_bytes(path.read_bytes().replace("\N{CAT}".encode(), b"\xff\xfe\xfd\xfc", 1))
    with (
        pytest.raises(LookbookError, match=r"set.zip to be a whole archive .* Received: 'utf-8'"),
        open_member(path, "cats/\N{CAT}.csv"),
    ):
        pass


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_name_is_refused(tmp_path, kind):
    path = make(tmp_path / f"set.{kind}", [("", b"x")])
    with pytest.raises(LookbookError, match="'', a name that is empty"):
        list_members(path)


@pytest.mark.parametrize(
    "headers",
    [{"size": "-5000"}, {"GNU.sparse.map": "0,x"}, {"GNU.sparse.size": "x"}],
    ids=str,
)
def test_pax_headers_that_hold_no_numbers_or_lead_back_have_a_sentence(tmp_path, headers):
    path = tmp_path / "set.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("cats/1.jpg")
        info.pax_headers = headers
        archive.addfile(info)
    with pytest.raises(LookbookError, match=r"Expected set.tar to "):
        read_all(path)


def test_a_sparse_file_is_refused(tmp_path):
    path = tmp_path / "set.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("cats/1.jpg")
        info.pax_headers = {"GNU.sparse.map": "0,1", "GNU.sparse.size": "999999999"}
        archive.addfile(info)
    with pytest.raises(LookbookError, match="'cats/1.jpg', a sparse file"):
        list_members(path)


def test_a_bomb_of_many_modest_files_is_refused_by_their_total(tmp_path):
    path = make(tmp_path / "set.zip", [(f"cats/{i}.jpg", b"x" * 77_777) for i in range(9)])
    each = 2**29
    path.write_bytes(
        path.read_bytes().replace((77_777).to_bytes(4, "little"), each.to_bytes(4, "little"))
    )
    assert 3 * each > MODEST_BYTES
    with pytest.raises(
        LookbookError, match=f"'cats/2.jpg', with which it comes to {3 * each:,} bytes"
    ):
        list_members(path)


def test_headers_of_a_tar_cannot_fill_the_memory_or_the_stack(tmp_path):
    path = tmp_path / "set.tar"
    name = tarfile.TarInfo("name")
    name.type, name.size = tarfile.GNUTYPE_LONGNAME, 2**32
    path.write_bytes(name.tobuf())
    with pytest.raises(LookbookError, match="Received: a header of 4,294,967,296 bytes"):
        list_members(path)
    name.size = 0
    path.write_bytes(name.tobuf() * 5000)
    with pytest.raises(LookbookError, match="recursion depth"):
        list_members(path)
