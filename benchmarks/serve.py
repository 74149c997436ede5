"""Measure `lookbook serve`: what a request costs, what memory it takes, and what clients can do.

    python -m benchmarks.serve MODEL.tflite

Each part starts a server of its own and prints its figures: 10,000 requests of 8 clients; memory
with the largest pictures of each kind; each refusal with its code; others' requests while clients
are slow, endless or idle; requests that are here when SIGTERM comes; a worker that is killed.
"""

import contextlib
import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from lookbook.inference import Classifier
from lookbook.serving.limits import Limits
from lookbook.serving.weighing import DECODERS, OPAQUE, TRANSPARENT

REQUESTS, CLIENTS = 10_000, 8
IDLE, SLOW = 200, 20  # connections
PICTURES = 64  # that differ
LIMITS = Limits()


@dataclass
class Server:
    """A server in a process of its own.

    Attributes:
        process: It, and above its workers.
        port: Where it listens.
    """

    process: subprocess.Popen
    port: int

    @property
    def family(self) -> list[psutil.Process]:
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    @property
    def workers(self) -> list[psutil.Process]:
        """Those that are not another process's watchman."""
        found = []
        for process in self.family[1:]:
            with contextlib.suppress(psutil.Error):
                if "spawn_main" in " ".join(process.cmdline()):
                    found.append(process)
        return found

    @property
    def cpu(self) -> float:
        """Seconds of processor time so far."""
        return sum(sum(process.cpu_times()[:2]) for process in self.family)

    @property
    def memory(self) -> float:
        """MB that it has in memory."""
        return sum(process.memory_info().rss for process in self.family) / 2**20

    @contextlib.contextmanager
    def peak(self) -> Iterator[Callable[[], float]]:
        """Give what says by how many MB memory grew at most inside the block."""
        before, pid = self.memory, self.process.pid
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins anew

        def growth() -> float:
            status = Path(f"/proc/{pid}/status").read_text()
            return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024 - before

        yield growth

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def ask(self, content: bytes, path: str = "/predict") -> tuple[int, dict]:
        """Return status and answer to a picture, over a connection of its own."""
        with contextlib.closing(self.connect()) as connection:
            connection.request("POST", path, content)
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    def open(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=120)


@contextlib.contextmanager
def serving(model: Path, workers: int = 1) -> Iterator[Server]:
    """Start a server, and end it if the block did not."""
    command = [sys.executable, "-m", "lookbook", "serve", "--model", str(model), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--workers", str(workers)], stdout=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline()
        server = Server(process, int(re.search(r":(\d+);", line)[1]))
        with contextlib.closing(server.connect()) as connection:
            connection.request("GET", "/ready")
            connection.getresponse().read()
        yield server
    finally:
        process.terminate()
        process.wait()


def encoded(pixels: np.ndarray, kind: str, mode: str | None = None, **options: object) -> bytes:
    """Return a picture's file."""
    file = io.BytesIO()
    if mode == "I;16":
        pixels = pixels.astype(np.uint16) * 257
    picture = Image.fromarray(pixels, "CMYK") if mode == "CMYK" else Image.fromarray(pixels)
    picture.save(file, kind, **options)
    return file.getvalue()


def small_pictures(side: int, channels: int) -> list[bytes]:
    """Return PNGs that differ, of the model's own size."""
    shape = (side, side) if channels == 1 else (side, side, channels)
    rng = np.random.default_rng(0)
    return [encoded(rng.integers(0, 256, shape, np.uint8), "PNG") for _ in range(PICTURES)]


@dataclass
class Load:
    """What clients met.

    Attributes:
        seconds: Of each request that was answered.
        answered: By the answer's status, or `lost` where a connection broke.
        wrong: How many answers were not the model's own.
    """

    seconds: list[float] = field(default_factory=list)
    answered: Counter = field(default_factory=Counter)
    wrong: int = 0

    def __str__(self) -> str:
        p50, p99 = (1000 * float(np.quantile(self.seconds, q)) for q in (0.5, 0.99))
        return f"{dict(self.answered)}, p50 {p50:.1f} ms, p99 {p99:.1f} ms"


def ask_many(
    server: Server, pictures: list[bytes], expected: list[dict], count: int, load: Load
) -> None:
    """Ask over one connection, again and again."""
    with contextlib.closing(server.connect()) as connection:
        for number in range(count):
            place = number % len(pictures)
            start = time.perf_counter()
            connection.request("POST", "/predict", pictures[place])
            response = connection.getresponse()
            answer = json.loads(response.read())
            load.seconds.append(time.perf_counter() - start)
            load.answered[response.status] += 1
            load.wrong += {**answer["pictures"][0], "name": None} != expected[place]


def at_once(function: Callable, *arguments: object, clients: int = CLIENTS) -> None:
    """Call a function in several threads."""
    threads = [threading.Thread(target=function, args=arguments) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def measure_requests(model: Path, pictures: list[bytes]) -> None:
    """Print what a request costs."""
    expected = [{"name": None, **vars(said)} for said in Classifier(model).predict(pictures)]
    with serving(model) as server:
        fresh = server.memory
        ask_many(server, pictures, expected, 200, Load())
        load, cpu, start = Load(), server.cpu, time.perf_counter()
        at_once(ask_many, server, pictures, expected, REQUESTS // CLIENTS, load)
        seconds, cpu = time.perf_counter() - start, server.cpu - cpu
        print(
            f"{REQUESTS:,} requests of {CLIENTS} clients: {load}, "
            f"{load.wrong} not the model's own; {REQUESTS / seconds:.0f} a second, "
            f"{1000 * cpu / REQUESTS:.2f} CPU ms each; "
            f"{fresh:.0f} MB at first, {server.memory:.0f} MB after"
        )


def large_pictures() -> dict[str, bytes]:
    """Return large pictures by what they are: over the limits, and the largest within them."""

    def drawn(megapixels: float, channels: int) -> np.ndarray:
        side = int((megapixels * 1e6) ** 0.5) // 16
        coarse = np.random.default_rng(0).integers(0, 256, (side, side, channels), np.uint8)
        pixels = np.kron(coarse, np.ones((16, 16, 1), np.uint8))
        return pixels[..., 0] if channels == 1 else pixels

    def within(kind: str, channels: int) -> float:
        weight = TRANSPARENT if channels == 4 else OPAQUE
        return 0.99 * LIMITS.decoded_bytes / (weight + DECODERS.get(kind, 0)) / 1e6

    cases = {
        "49 MP, PNG with transparency": encoded(drawn(49, 4), "PNG", compress_level=1),
        "49 MP, WebP": encoded(np.zeros((7000, 7000, 3), np.uint8), "WEBP", method=0),
        "49 MP, progressive JPEG": encoded(drawn(49, 3), "JPEG", progressive=True, quality=30),
        "49 MP, baseline JPEG": encoded(drawn(49, 3), "JPEG", quality=30),
        "49 MP, CMYK JPEG": encoded(drawn(49, 4), "JPEG", mode="CMYK", quality=10),
    }
    for name, kind, channels, options in (
        ("PNG", "PNG", 3, {"compress_level": 1}),
        ("16-bit PNG", "PNG", 1, {"compress_level": 1, "mode": "I;16"}),
        ("PNG with transparency", "PNG", 4, {"compress_level": 1}),
        ("GIF", "GIF", 1, {}),
        ("WebP", "WEBP", 3, {"method": 0}),
        ("WebP with transparency", "WEBP", 4, {"method": 0}),
        ("AVIF", "AVIF", 3, {"speed": 10}),
        ("AVIF with transparency", "AVIF", 4, {"speed": 10}),
        ("progressive JPEG", "JPEG", 3, {"progressive": True, "subsampling": 0, "quality": 50}),
    ):
        most = within(kind, channels)
        cases[f"{most:.1f} MP, {name}"] = encoded(drawn(most, channels), kind, **options)
    return cases


def measure_memory(model: Path) -> None:
    """Print by how much memory grows with large pictures, one at a time and all at once."""
    pictures = large_pictures()
    with serving(model) as server:
        server.ask(encoded(np.zeros((500, 500, 4), np.uint8), "PNG"))
        alone = Counter()
        for name, content in pictures.items():
            with server.peak() as growth:
                status, answer = server.ask(content)
                said = answer.get("error", "answered")
                alone[status] += 1
                print(f"{name}, {len(content):,} bytes: {status} {said}; +{growth():.0f} MB")
    with serving(model) as server, server.peak() as growth:
        with ThreadPoolExecutor(len(pictures)) as clients:
            together = Counter(status for status, _ in clients.map(server.ask, pictures.values()))
        print(
            f"all of them at once: {dict(together)}, alone {dict(alone)}; +{growth():.0f} MB, "
            f"{server.memory:.0f} MB after"
        )


def show_refusals(model: Path) -> None:
    """Print each refusal."""
    tall = zlib.compress(bytes(2_000_000))
    header = b"IHDR" + (10_000).to_bytes(4, "big") + (6_000).to_bytes(4, "big") + b"\x08\x02\0\0\0"
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(
        (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
        for body in (header, b"IDAT" + tall, b"IEND")
    )
    cases = {
        "no picture": b"text",
        "0 bytes": b"",
        "60 megapixels in a header": bomb,
        "cut off": encoded(np.zeros((500, 500, 3), np.uint8), "JPEG")[:-900],
    }
    with serving(model) as server:
        for name, content in cases.items():
            status, answer = server.ask(content)
            print(f"{name}: {status} {answer['error']}")
        print("over the limit, announced:", _raw(server, b"Content-Length: 99999999", b""))
        chunk = b"100000\r\n" + bytes(2**20) + b"\r\n"
        print("over the limit, in chunks:", _raw(server, b"Transfer-Encoding: chunked", chunk * 17))
        print("slow body:", _raw(server, b"Content-Length: 1000", b"x"))
        with server.open() as connection:
            connection.sendall(b"POST /predict HTTP/1.1\r\nHost:")
            print("slow head:", connection.recv(4096).splitlines()[0].decode())
        print("no HTTP:", _raw(server, b"\0", b""))


def _raw(server: Server, header: bytes, body: bytes) -> str:
    with server.open() as connection:
        connection.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\n" + header + b"\r\n\r\n")
        with contextlib.suppress(OSError):
            connection.sendall(body)
        received = b""
        while b"}" not in received and (part := connection.recv(4096)):
            received += part
    error = json.loads(received.partition(b"\r\n\r\n")[2])["error"]
    return f"{received.split()[1].decode()} {error}"


def measure_bad_company(model: Path, pictures: list[bytes]) -> None:
    """Print how others are answered while clients are slow, endless and idle."""
    expected = [{"name": None, **vars(said)} for said in Classifier(model).predict(pictures)]
    with serving(model) as server:
        alone = Load()
        ask_many(server, pictures, expected, 500, alone)
        print(f"alone: {alone}")
        stop = threading.Event()

        def send_slowly() -> None:
            while not stop.is_set():
                with contextlib.suppress(OSError), server.open() as connection:
                    connection.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 900")
                    connection.sendall(b"\r\n\r\n")
                    while not stop.wait(0.2):
                        connection.sendall(b"x")

        def send_for_ever() -> None:
            chunk = b"10000\r\n" + bytes(2**16) + b"\r\n"
            while not stop.is_set():
                with contextlib.suppress(OSError), server.open() as connection:
                    connection.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\n")
                    connection.sendall(b"Transfer-Encoding: chunked\r\n\r\n")
                    while not stop.is_set():
                        connection.sendall(chunk)

        for name, function, count in (
            ("slow bodies", send_slowly, SLOW),
            ("an endless body", send_for_ever, 1),
        ):
            stop.clear()
            threads = [threading.Thread(target=function) for _ in range(count)]
            for thread in threads:
                thread.start()
            time.sleep(1)
            load = Load()
            ask_many(server, pictures, expected, 500, load)
            stop.set()
            for thread in threads:
                thread.join()
            print(f"beside {count} {name}: {load}")
        with contextlib.ExitStack() as stack:
            for _ in range(IDLE):
                stack.enter_context(server.open())
            load = Load()
            for _ in range(50):  # each with a connection of its own
                ask_many(server, pictures, expected, 1, load)
            print(f"beside {IDLE} idle connections: {load}")


def measure_end(model: Path, pictures: list[bytes], *, workers: int, keeps: bool) -> None:
    """Print what becomes of requests when SIGTERM comes while 8 clients ask."""
    load, stop = Load(), threading.Event()
    with serving(model, workers) as server:

        def ask_until_refused() -> None:
            connection, number = server.connect(), 0
            while not stop.is_set():
                number += 1
                if not keeps or connection.sock is None:
                    connection.close()
                    try:
                        connection.connect()
                    except OSError:
                        return  # nobody listens any more
                try:
                    start = time.perf_counter()
                    connection.request("POST", "/predict", pictures[number % len(pictures)])
                    response = connection.getresponse()
                    response.read()
                    load.seconds.append(time.perf_counter() - start)
                    load.answered[response.status] += 1
                except (OSError, http.client.HTTPException) as error:
                    load.answered[f"lost: {type(error).__name__}"] += 1
                    connection.close()

        clock = threading.Timer(2, server.process.send_signal, [signal.SIGTERM])
        clock.start()
        at_once(ask_until_refused)
        code, how = server.process.wait(), "kept" if keeps else "new"
        print(f"SIGTERM, {workers} workers, {how} connections: {load}; exit code {code}")


def measure_death(model: Path, pictures: list[bytes]) -> None:
    """Print how long a killed worker is missed, and that its counts are not."""
    with serving(model, 2) as server:
        for content in pictures:
            server.ask(content)
        victim = server.workers[0]
        start = time.perf_counter()
        os.kill(victim.pid, signal.SIGKILL)
        statuses = Counter(server.ask(content)[0] for content in pictures)
        while len(server.workers) < 2:
            time.sleep(0.05)
        seconds = time.perf_counter() - start
        with contextlib.closing(server.connect()) as connection:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
        counted = sum(map(float, re.findall(r"^lookbook_pictures_total.* (\S+)$", text, re.M)))
        print(
            f"a worker killed: {dict(statuses)} meanwhile, another after {seconds:.1f} s; "
            f"{counted:.0f} of {2 * len(pictures)} pictures counted; {server.memory:.0f} MB"
        )


def main() -> None:
    """Measure all."""
    if len(sys.argv) != 2:
        sys.exit("Expected an exported model: python -m benchmarks.serve MODEL.tflite")
    model = Path(sys.argv[1])
    form = Classifier(model).form
    pictures = small_pictures(form.image_size, form.channels)
    measure_requests(model, pictures)
    measure_memory(model)
    show_refusals(model)
    measure_bad_company(model, pictures)
    for workers in (1, 2):
        for keeps in (True, False):
            measure_end(model, pictures, workers=workers, keeps=keeps)
    measure_death(model, pictures)


if __name__ == "__main__":
    main()
