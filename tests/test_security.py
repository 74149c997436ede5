"""Secrets that a clone holds."""

from support import ROOT, run

SECRET = "hunter2-of-the-remote"  # noqa: S105


def test_the_password_of_a_remote_is_in_no_output_and_no_file_of_git(project):
    run("git", "init", "-q", cwd=project)
    for words in (
        ("dvc", "remote", "add", "-q", "-d", "shelf", "http://127.0.0.1:9/shelf"),
        ("dvc", "remote", "modify", "-q", "--local", "shelf", "auth", "basic"),
        ("dvc", "remote", "modify", "-q", "--local", "shelf", "user", "somebody"),
        ("dvc", "remote", "modify", "-q", "--local", "shelf", "password", SECRET),
        ("git", "add", "-A"),
        ("git", "commit", "-qm", "Ours"),
    ):
        run(*words, cwd=project)
    assert SECRET in (project / ".dvc/config.local").read_text()
    assert run("git", "grep", "-c", SECRET, "HEAD", cwd=project, check=False).returncode == 1
    for words in (("compare", "HEAD"), ("log", "pets"), ("status", "pets")):
        done = run("python", "-m", "lookbook", *words, cwd=project, check=False)
        assert done.returncode == 2, done.stdout + done.stderr
        assert SECRET not in done.stdout + done.stderr
    for path in project.rglob("*"):
        if path.is_file() and path.name != "config.local":
            assert SECRET.encode() not in path.read_bytes(), path
    assert (ROOT / ".dvc/.gitignore").read_text().splitlines()[0] == "/config.local"
