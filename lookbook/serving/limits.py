"""How much a client may ask for. All bounds hold for one worker."""

from dataclasses import dataclass

MEGABYTE = 2**20


@dataclass(frozen=True)
class Limits:
    """What is refused, and when waiting ends.

    Memory follows from `held_bytes`, and from `decoded_bytes` of one large picture and of a small
    one for each thread.

    Attributes:
        body_bytes: Of one request.
        held_bytes: Of the bodies of all requests that are being read or answered.
        pictures: In one request.
        waiting: Pictures that are being answered or wait for it.
        pixels: Of a picture.
        decoded_bytes: That a picture takes in memory while it is decoded, see `weighing`.
        large_bytes: From how many of them on a picture is decoded only while no other such is.
        text_bytes: Of a PNG's texts, which may be compressed, and are unpacked with its header.
        scans: Of a JPEG that stores its picture in several: each costs a walk over all of it.
        worker_bytes: That a worker may take beside what it takes when it starts. No other bound
            holds where a file lies: an AVIF may be larger than its header says. From there on
            memory is refused to it, and the file counts as damaged.
        head_seconds: Until a request's head is whole.
        body_seconds: Until its body is whole.
        answer_seconds: From there to the answers.
        request_seconds: For all of it, the client's reading of the answer included.
        farewell_seconds: How long a connection without a request stays open when the server ends,
            for a request that may be on its way.
        idle_seconds: Between two requests of a connection.
        head_bytes: Of a request's first line and headers.
        read_bytes: That are read of a connection before others have their turn: a chunk of a body
            may hold a single byte, and costs as much time as a large one.
        connections: That are open. For one more, the one that was idle for longest is closed.
    """

    body_bytes: int = 16 * MEGABYTE
    held_bytes: int = 48 * MEGABYTE
    pictures: int = 100
    waiting: int = 128
    pixels: int = 50_000_000
    decoded_bytes: int = 160_000_000
    large_bytes: int = 16_000_000
    text_bytes: int = 8 * MEGABYTE
    scans: int = 30
    worker_bytes: int = 320 * MEGABYTE
    head_seconds: float = 10
    body_seconds: float = 30
    answer_seconds: float = 30
    request_seconds: float = 120
    farewell_seconds: float = 0.5
    idle_seconds: float = 10
    head_bytes: int = 2**14
    read_bytes: int = 2**13
    connections: int = 200
