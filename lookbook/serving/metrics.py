"""What is counted, in Prometheus's text form.

With several workers each writes its counts into files of one folder, which the environment names
before prometheus_client is imported; whichever worker is asked adds all of them up, those of
workers that are gone too.
"""

import os

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the environment's name for the workers' folder
MEDIA_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class Metrics:
    """The counts of one worker, and the text about all."""

    def __init__(self) -> None:
        disable_created_metrics()  # as it is with several workers
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "lookbook_requests",
            "Requests, by route and status; 499: the client went away.",
            ["route", "status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "lookbook_request_seconds",
            "Seconds from a request's head to the end of its response.",
            ["route"],
            registry=registry,
            buckets=SECONDS,
        )
        self.pictures = Counter(
            "lookbook_pictures",
            "Pictures that were answered: by class, unsure, none of these.",
            ["answer"],
            registry=registry,
        )
        self.faults = Counter(
            "lookbook_faults",
            "Pictures that could not be read and requests that were refused, by reason.",
            ["reason"],
            registry=registry,
        )

    def text(self) -> bytes:
        """Return the counts of all workers."""
        if FOLDER not in os.environ:
            return generate_latest(self._registry)
        all_workers = CollectorRegistry()
        MultiProcessCollector(all_workers)
        return generate_latest(all_workers)
