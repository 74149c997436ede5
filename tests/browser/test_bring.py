"""LiteRT's web runtime: the files that are committed, and what brings others."""

import base64
import gzip
import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path

import pytest
from support import ROOT

from lookbook.browser import bring, runtime
from lookbook.foundation.errors import LookbookError

CORE = f"""const first = 1;
{bring.IMPORT}
const LiteRt = class {{}};
export {{
  LiteRt,
  first
}};
//# sourceMappingURL=index.js.map"""


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def test_the_committed_files_are_those_that_were_brought():
    about = json.loads(runtime.ABOUT.read_text())
    names = {path.name for path in runtime.FOLDER.iterdir()}
    assert names == {*about["files"], "runtime.json", "LICENSE.txt"}
    for name, hashes in about["files"].items():
        content = (runtime.FOLDER / name).read_bytes()
        assert sha256(content) == hashes["sha256"]
        assert sha256(gzip.decompress(content)) == hashes["content_sha256"]
    read = runtime.read_runtime()
    assert gzip.decompress(read.program)[:4] == b"\0asm"
    assert b"const LiteRT = " in gzip.decompress(read.script)
    assert (read.package, read.version) == (about["package"], about["version"])


def test_its_licence_is_told():
    read = runtime.read_runtime()
    assert read.licence == bring.LICENCE
    assert "Apache License" in read.licence_text
    assert read.package in (ROOT / "NOTICE").read_text()


def test_a_module_becomes_a_script_with_what_it_exports():
    script = bring.as_script("var ModuleFactory;", CORE)
    assert script.startswith("var ModuleFactory;\nconst LiteRT = (")
    assert bring.WITHOUT_IMPORT in script
    assert "return {\n  LiteRt,\n  first\n};" in script
    assert "import " not in script
    assert "export " not in script


@pytest.mark.parametrize(
    "core",
    [
        CORE.replace(bring.IMPORT, ""),
        CORE.replace(bring.IMPORT, bring.IMPORT + 'import { other } from "other";\n'),
        CORE.replace("export {", "export default {"),
        CORE.replace("  first\n", "  first as second\n"),
    ],
)
def test_a_module_of_another_form_is_refused(core):
    with pytest.raises(LookbookError, match="with one import and one list of exports"):
        bring.as_script("", core)


def packed(members):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A function that puts npm in front of a package with some members and a hash."""
    for name in ("ABOUT", "SCRIPT", "PROGRAM"):
        monkeypatch.setattr(bring, name, tmp_path / getattr(runtime, name).name)

    def publish(members, integrity=None, licence=bring.LICENCE):
        package = packed(members)
        right = f"sha512-{base64.b64encode(hashlib.sha512(package).digest()).decode()}"
        published = {
            "version": "3.0.0",
            "license": licence,
            "dist": {"integrity": integrity or right},
        }

        def npm(command, *words):
            if command == "view":
                return json.dumps(published)
            (folder,) = words[-1:]
            Path(folder, "core.tgz").write_bytes(package)
            return ""

        monkeypatch.setattr(bring, "_npm", npm)
        return tmp_path

    return publish


MEMBERS = {bring.CORE: CORE.encode(), bring.GLUE: b"var ModuleFactory;", bring.MODULE: b"\0asm"}


def test_the_same_version_makes_the_same_files(registry):
    folder = registry(MEMBERS)
    about = bring.bring("latest")
    assert about["version"] == "3.0.0"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert before.keys() == {"runtime.json", "litert.js.gz", "litert.wasm.gz"}
    assert sha256(before["litert.wasm.gz"]) == about["files"]["litert.wasm.gz"]["sha256"]
    bring.bring("3.0.0")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("published", "sentence"),
    [
        ({"members": MEMBERS, "integrity": "sha512-other"}, "Expected a package of hash sha512-"),
        ({"members": MEMBERS, "licence": "GPL"}, "under the Apache License 2.0"),
        ({"members": {bring.CORE: b""}}, f"Expected {bring.GLUE} in the package"),
    ],
)
def test_what_is_not_as_it_should_be_changes_nothing(registry, published, sentence):
    folder = registry(**published)
    with pytest.raises(LookbookError, match=sentence):
        bring.bring("latest")
    assert list(folder.iterdir()) == []


def test_what_npm_says_is_told(monkeypatch):
    def refuses(command, **_):
        return subprocess.CompletedProcess(command, 1, "", "npm error 404\nnpm error No match\nlog")

    monkeypatch.setattr(bring.subprocess, "run", refuses)
    with pytest.raises(LookbookError, match="Received: npm error 404 npm error No match. Check"):
        bring.bring("9.9.9")
