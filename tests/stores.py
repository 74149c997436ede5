"""Stores on this machine, for the tests: a server of S3, and an SSH server with keys of its own."""

import getpass
import json
import logging
import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

KEYS = {"AWS_ACCESS_KEY_ID": "somebody", "AWS_SECRET_ACCESS_KEY": "hunter2-of-the-store"}
REGION = "us-east-1"
SSHD_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
KbdInteractiveAuthentication no
PasswordAuthentication no
PidFile none
StrictModes no
Subsystem sftp internal-sftp
UsePAM no
"""


class S3:
    """A server of S3, with what it was asked for."""

    def __init__(self):
        self.port, self.requests, self._server = 0, [], None
        self.when_asked = None  # called with each request, if it is set
        log = logging.getLogger("werkzeug")
        log.setLevel(logging.INFO)
        log.propagate = False
        log.handlers = [_Handler(self._note)]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, on the port that it had before; what it holds it still has."""
        from moto.server import ThreadedMotoServer

        self._server = ThreadedMotoServer("127.0.0.1", self.port, verbose=False)
        self._server.start()
        self.port = self._server.get_host_and_port()[1]

    def stop(self) -> None:
        self._server.stop()

    def client(self):
        import boto3

        secrets = {name.lower(): value for name, value in KEYS.items()}
        return boto3.client("s3", endpoint_url=self.address, region_name=REGION, **secrets)

    def clear(self) -> None:
        """Forget all it holds, but for an empty bucket `shelf`, and all it was asked for."""
        from moto.moto_api._internal.models import moto_api_backend

        moto_api_backend.reset()
        self.client().create_bucket(Bucket="shelf")
        self.when_asked = None
        self.requests.clear()

    def upload(self, folder: Path, prefix: str, bucket: str = "shelf") -> None:
        """Put the files of a folder into a bucket, below a prefix; that is no request."""
        client = self.client()
        for path in filter(Path.is_file, folder.rglob("*")):
            key = f"{prefix}/{path.relative_to(folder).as_posix()}"
            client.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
        self.requests.clear()

    def put(self, bucket: str, key: str, content: bytes) -> None:
        """Put an object there, under a name that addresses would change."""
        from moto.backends import get_backend
        from moto.core import DEFAULT_ACCOUNT_ID

        get_backend("s3")[DEFAULT_ACCOUNT_ID]["aws"].put_object(bucket, key, content)

    def shut(self, bucket: str) -> None:
        """Make a bucket in which nobody may do anything."""
        where = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
        rule = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": where}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [rule]})
        self.client().create_bucket(Bucket=bucket)
        self.client().put_bucket_policy(Bucket=bucket, Policy=policy)

    def fetched(self) -> list[str]:
        """Return the keys of the objects that were asked for since they were put there."""
        paths = [request.split()[1] for request in self.requests if request.startswith("GET ")]
        return sorted(path.partition("/")[2].lstrip("/") for path in paths if "?" not in path)

    def listings(self) -> int:
        """Return how many pages of a list were asked for."""
        return sum("list-type=2" in request for request in self.requests)

    def _note(self, line: str) -> None:
        request = line.partition('"')[2].partition('"')[0]
        self.requests.append(request)
        if self.when_asked:
            self.when_asked(request)


class _Handler(logging.Handler):
    def __init__(self, note):
        super().__init__()
        self._note = note

    def emit(self, record):
        self._note(record.getMessage())


@contextmanager
def ssh_server(home: Path):
    """Run an SSH server for the user of the tests; yield its address, `ssh://127.0.0.1:PORT`.

    Args:
        home: Gets the user's key and the host's, and so is made the home folder.
    """
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if not program or not shutil.which("ssh-keygen"):
        pytest.skip("there is no sshd on this machine")
    folder = home / ".ssh"
    folder.mkdir(mode=0o700)
    for name in ("host", "user"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True
        )
    shutil.copy(folder / "user", folder / "id_ed25519")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    (folder / "config").write_text(f"Host *\n  User {getpass.getuser()}\n")
    (folder / "sshd_config").write_text(SSHD_CONFIG.format(folder=folder, port=port))
    log = folder / "log"
    with log.open("w") as file:
        command = [program, "-D", "-e", "-f", str(folder / "sshd_config")]
        server = subprocess.Popen(command, stderr=file)
    try:
        while "Server listening" not in log.read_text():
            if server.poll() is not None:
                pytest.skip(f"sshd does not start on this machine: {log.read_text().strip()}")
            time.sleep(0.05)
        yield f"ssh://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()
