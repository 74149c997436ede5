"""The shell in .github/workflows/metrics.yml, run here against repositories in folders."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from support import ROOT, run

WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/metrics.yml").read_text())
JOBS = WORKFLOW["jobs"]
STEPS = {step["name"]: step for job in JOBS.values() for step in job["steps"] if "name" in step}


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """A function that runs a step's shell as GitHub does, in a clone of a bare repository."""
    run("git", "init", "-q", "--bare", "origin.git", cwd=tmp_path)
    run("git", "clone", "-q", "origin.git", "work", cwd=tmp_path)
    folder = tmp_path / "work"
    (folder / "file").write_text("content")
    run("git", "add", "file", cwd=folder)
    run("git", "commit", "-qm", "start", cwd=folder)
    (folder / "comparison").mkdir()
    (folder / "comparison/report.md").write_text("## Against main\n")
    (tmp_path / "temp").mkdir()

    def call(name, **variables):
        shutil.rmtree(tmp_path / "temp")
        (tmp_path / "temp").mkdir()
        environment = {
            "RUNNER_TEMP": str(tmp_path / "temp"),
            "GITHUB_REPOSITORY": "team/lookbook",
            "GITHUB_RUN_ID": "7",
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
            "GALLERIES": WORKFLOW["env"]["GALLERIES"],
            "GATE": WORKFLOW["env"]["GATE"],
            "PR": "12",
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS[name]["run"]],
            cwd=folder, env=os.environ | environment | variables, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    call.folder = folder
    return call


def published(folder):
    run("git", "fetch", "-q", "origin", "lookbook-galleries", cwd=folder)
    commits = run("git", "rev-list", "--count", "FETCH_HEAD", cwd=folder).stdout.strip()
    return commits, run("git", "ls-tree", "-r", "--name-only", "FETCH_HEAD", cwd=folder).stdout


def test_galleries_of_the_last_run_of_each_pull_request_are_kept_in_one_commit(shell):
    pictures = shell.folder / "comparison"
    (pictures / "a_fixed.png").write_bytes(b"one")
    shell("Publish the galleries")
    assert published(shell.folder) == ("1", "12/7/a_fixed.png\n")
    shell("Publish the galleries", PR="13", GITHUB_RUN_ID="8")
    (pictures / "a_fixed.png").unlink()
    (pictures / "b_broken.png").write_bytes(b"two")
    shell("Publish the galleries", GITHUB_RUN_ID="9")
    assert published(shell.folder) == ("1", "12/9/b_broken.png\n13/8/a_fixed.png\n")
    assert run("git", "show", "FETCH_HEAD:12/9/b_broken.png", cwd=shell.folder).stdout == "two"
    (pictures / "b_broken.png").unlink()
    shell("Publish the galleries", GITHUB_RUN_ID="10")
    assert published(shell.folder) == ("1", "13/8/a_fixed.png\n")
    assert run("git", "log", "--oneline", cwd=shell.folder).stdout.count("\n") == 1


@pytest.fixture
def github(tmp_path, monkeypatch):
    """A `gh` in PATH that notes how it was called and answers with what ANSWER says."""
    calls = tmp_path / "calls.json"
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin/gh"
    script.write_text(
        "#!/usr/bin/env bash\n"
        f"printf '%s\\n' \"$*\" >> {calls}\n"
        'case "$*" in *--paginate*) printf "%s" "$ANSWER";; esac\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")
    return lambda: calls.read_text().splitlines()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("", "api -X POST repos/team/lookbook/issues/12/comments -F body=@comment.md"),
        ("55\n66\n", "api -X PATCH repos/team/lookbook/issues/comments/55 -F body=@comment.md"),
    ],
)
def test_one_comment_is_written_and_then_updated(shell, github, answer, expected):
    shell("Comment", ANSWER=answer)
    assert github()[-1] == expected
    body = (shell.folder / "comment.md").read_text()
    assert body == "<!-- lookbook -->\n## Against main\n"


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """`lookbook` and `dvc` in PATH that note their arguments; lookbook exits as CODE says."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("lookbook", "dvc"):
        (folder / name).write_text(
            "#!/usr/bin/env bash\n"
            f'echo "{name} $*" >> {tmp_path}/said\n'
            'case "$*" in "remote list") printf "%s" "$REMOTES";; pull*) exit 1;;\n'
            'compare*) exit "${CODE:-0}";; esac\n'
        )
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return lambda: (tmp_path / "said").read_text().splitlines()


@pytest.mark.parametrize("code", ["0", "1", "2"])
@pytest.mark.parametrize("gate", ["", "train_ann train_cnn"])
def test_the_report_is_that_of_the_command_and_its_exit_code_is_kept(
    shell, programs, tmp_path, code, gate
):
    shell("Compare with the base", CODE=code, GATE=gate, BASE="main", IMAGES="https://x")
    gates = f" --gate {gate}" if gate else ""
    assert programs() == [f"lookbook compare origin/main --run{gates} --images-at https://x/12/7/"]
    assert (tmp_path / "output").read_text() == f"status={code}\n"
    assert (tmp_path / "summary").read_text() == "## Against main\n"


@pytest.mark.parametrize("remotes", ["", "shelf\t/mnt/shelf"])
def test_no_remote_and_a_remote_out_of_reach_are_no_failures(shell, programs, remotes):
    done = shell("Bring what the team has stored", REMOTES=remotes)
    assert ("dvc pull --run-cache --allow-missing" in programs()) == bool(remotes)
    assert ("::warning::" in done.stdout) == bool(remotes)


def test_no_job_that_runs_what_somebody_proposes_may_write():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert "permissions" not in JOBS["report"]
    assert JOBS["report"]["steps"][0]["with"]["persist-credentials"] is False
    publish = JOBS["publish"]
    assert "head.repo.full_name == github.repository" in publish["if"]
    assert set(publish["permissions"]) == {"contents", "pull-requests"}
    assert publish["steps"][0]["with"]["ref"] == "${{ github.base_ref }}"
    assert re.findall(r"^\s*(?:lookbook|dvc|make|python|pip)\b", shell_of("publish"), re.M) == []


def shell_of(job):
    return "\n".join(step.get("run", "") for step in JOBS[job]["steps"])


def test_every_action_is_pinned_to_a_commit():
    used = [step["uses"] for job in JOBS.values() for step in job["steps"] if "uses" in step]
    assert len(used) == 7
    assert [name for name in used if not re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", name)] == []


def test_the_workflows_pass_zizmor():
    run("zizmor", "--offline", "--quiet", ".github/workflows", cwd=ROOT)


ACTIONLINT = shutil.which("actionlint")


@pytest.mark.skipif(not ACTIONLINT, reason="actionlint is not on this machine")
def test_the_workflows_pass_actionlint():
    run(ACTIONLINT, *map(str, sorted(Path(ROOT, ".github/workflows").glob("*.yml"))), cwd=ROOT)


def test_gitlabs_example_is_a_job_that_makes_the_same_report():
    job = yaml.safe_load((ROOT / "docs/gitlab-ci.yml").read_text())["report"]
    script = "\n".join(job["script"])
    assert "lookbook compare FETCH_HEAD" in script
    assert "metrics/report.html" in job["artifacts"]["paths"]
    for part in (*job["before_script"], *job["script"]):
        done = subprocess.run(["bash", "-n", "-c", part], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_a_version_of_a_model_reaches_another_repository(tmp_path):
    """As docs/predict.md shows it, with two repositories and a remote in folders."""
    team, other = tmp_path / "team", tmp_path / "other"
    for folder in (team, other):
        folder.mkdir()
    artifacts = yaml.safe_load((ROOT / "dvc.yaml").read_text())["artifacts"]
    made = artifacts["classifier"]["path"]
    stage = {"cmd": f"mkdir -p {made} && echo model > {made}/a.tflite", "outs": [made]}
    run("git", "init", "-q", cwd=team)
    run("dvc", "init", "-q", cwd=team)
    run("dvc", "remote", "add", "-d", "store", str(tmp_path / "store"), cwd=team)
    pipeline = {"stages": {"export": stage}, "artifacts": artifacts}
    (team / "dvc.yaml").write_text(yaml.safe_dump(pipeline))
    run("dvc", "repro", "-q", cwd=team)
    run("git", "add", "-A", cwd=team)
    run("git", "commit", "-qm", "A model", cwd=team)
    run("dvc", "push", "-q", cwd=team)
    run("gto", "register", "classifier", "--version", "v1.0.0", cwd=team)
    run("gto", "assign", "classifier", "--version", "v1.0.0", "--stage", "prod", cwd=team)
    (team / made / "a.tflite").unlink()
    run("dvc", "artifacts", "get", str(team), "classifier", "--stage", "prod", cwd=other)
    assert (other / "export/a.tflite").read_text() == "model\n"
