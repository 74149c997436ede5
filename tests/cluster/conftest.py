import pytest
from clusters import Cluster

from lookbook.cluster import connecting


@pytest.fixture
def cluster(tmp_path_factory, monkeypatch):
    """A cluster without workers, which the environment names."""
    started = Cluster(tmp_path_factory.mktemp("cluster"))
    monkeypatch.setenv(connecting.ADDRESS, started.address)
    monkeypatch.setattr(connecting, "_clients", {})
    yield started
    for client in connecting._clients.values():
        connecting._close(client)
    started.close()
