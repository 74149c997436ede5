"""What a client is told that does not get what it asked for: a code and a sentence, as JSON."""

RETRY = {"Retry-After": "1"}  # seconds


class RefusalError(Exception):
    """A request that is not answered.

    Attributes:
        status: Of the response.
        sentence: What was expected, what was received, what to do.
        headers: Of the response, beside the usual ones.
        reason: In a few words, by which faults are counted.
    """

    def __init__(
        self, status: int, reason: str, sentence: str, headers: dict[str, str] | None = None
    ):
        super().__init__(sentence)
        self.status, self.reason, self.sentence = status, reason, sentence
        self.headers = headers or {}


def too_large(most: int) -> RefusalError:
    """Return the refusal of a body of too many bytes."""
    return RefusalError(
        413,
        "body too large",
        f"Expected at most {most:,} bytes. Received: more. Send fewer or smaller pictures.",
    )


def too_slow(seconds: float) -> RefusalError:
    """Return the refusal of a body that takes too long to arrive."""
    return RefusalError(
        408,
        "body too slow",
        f"Expected the whole body within {seconds:g} seconds. Received: a part of it. Send it "
        "again, or a smaller one.",
    )


def too_busy(received: str) -> RefusalError:
    """Return the refusal of a request that comes while too many others are answered."""
    return RefusalError(
        503,
        "busy",
        f"Expected fewer pictures at a time. Received: {received}. Send this one again later.",
        RETRY,
    )
