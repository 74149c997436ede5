"""Measure the page of `lookbook page` in a browser: the same answers, how quick, how accessible.

    python -m benchmarks.page digits=MODEL.tflite cats=MODEL.tflite mnist=MODEL.tflite

Any of the models may be left out. Answers are compared with those of `lookbook.inference` on the
same files: all digits of scikit-learn as PNG; 1,000 photos of the cats sample as PNG, as JPEG of
256 pixels, and 200 of them as JPEG of 12 megapixels. MNIST's test digits are put as ink on the
canvas of each page of digits. Needs LOOKBOOK_MIRROR, Chromium, playwright and
axe-playwright-python.
"""

import base64
import gzip
import io
import os
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from sklearn.datasets import load_digits

from lookbook.browser.page import write_page
from lookbook.inference.classifier import Classifier, Prediction

ROUNDS = 7
PHOTOS, LARGE, INK = 1_000, 200, 1_000
TWELVE_MEGAPIXELS = (4000, 3000)
SLOWER = 4
SLICE = 0.005  # seconds that a throttled browser runs at a time
BATCH = 50  # files that are given at once
MIRROR = Path(os.environ.get("LOOKBOOK_MIRROR", "mirror"))
PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")
THEMES = ("light", "dark")


class Tab:
    """A page in a browser, with what it complained of and asked for."""

    def __init__(self, browser: Browser, path: Path, **settings: object):
        self.context = browser.new_context(**settings)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.address = path.absolute().as_uri()

    def open(self) -> None:
        """Load the page and wait until it can classify."""
        self.page.goto(self.address)
        self.until("isReady")

    def until(self, expression: str) -> None:
        """Wait for it; the page's policy forbids what Playwright would wait with."""
        while not self.page.evaluate(expression):
            time.sleep(0.05)

    def ask(self, files: list[Path]) -> list[dict]:
        """Return what the page says of files, in the order of their names."""
        self.page.evaluate("forget()")
        for start in range(0, len(files), BATCH):
            self.page.set_input_files("#files", list(map(str, files[start : start + BATCH])))
            self.until("!isWorking && !waiting.length")
        return self.page.evaluate("pictures.map(({ said }) => said)")


@contextmanager
def chromium(**options: object) -> Iterator[Browser]:
    """Give a browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=PROGRAM, args=["--no-sandbox"], **options
        )
        yield browser
        browser.close()


@contextmanager
def slowed_down(factor: int) -> Iterator[None]:
    """Let the browser, with all that it starts, run for one slice of time in `factor`."""
    ended = threading.Event()
    groups = {os.getpgid(process.pid) for process in browsers()} - {os.getpgid(0)}

    def tell(action: int) -> None:
        for group in groups:
            os.killpg(group, action)

    def beat() -> None:
        while not ended.is_set():
            start = time.perf_counter()
            time.sleep(SLICE)
            ran = time.perf_counter() - start  # longer than that on a busy machine
            tell(signal.SIGSTOP)
            time.sleep((factor - 1) * ran)
            tell(signal.SIGCONT)

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def browsers() -> list[psutil.Process]:
    """Return the processes of the browser that this program started."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "chrom" in child.name()]


def startup(path: Path) -> None:
    """Print when the drop zone is in sight, and when the page can classify."""
    for words, throttle in (
        ("", None),
        (f", main thread {SLOWER}x slower (DevTools)", "main"),
        (f", every process {SLOWER}x slower", "all"),
    ):
        painted, ready = [], []
        for _ in range(ROUNDS):
            with chromium() as browser:
                tab = Tab(browser, path)
                if throttle == "main":
                    session = tab.context.new_cdp_session(tab.page)
                    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
                tab.page.goto("about:blank")
                if throttle == "all":
                    with slowed_down(SLOWER):
                        tab.open()
                else:
                    tab.open()
                painted.append(marked(tab, "first-contentful-paint"))
                ready.append(marked(tab, "ready"))
                tab.context.close()
        print(
            f"{path.stem}{words}: drop zone {statistics.median(painted):.2f} s, ready to classify "
            f"{statistics.median(ready):.2f} s ({min(ready):.2f}-{max(ready):.2f}), {ROUNDS} rounds"
        )


def marked(tab: Tab, name: str) -> float:
    """Return when something happened, in seconds from the start of the navigation."""
    return (
        tab.page.evaluate("(name) => performance.getEntriesByName(name)[0].startTime", name) / 1000
    )


def compare(tab: Tab, model: Path, files: list[Path], words: str) -> None:
    """Print how many answers of the page differ from those of `lookbook.inference`."""
    expected = Classifier(model).predict(files)
    watch = Memory()
    start = time.perf_counter()
    said = tab.ask(files)
    seconds = time.perf_counter() - start
    names = Classifier(model).card.class_names
    others = answers = 0
    apart = 0.0
    for one, other in zip(said, expected, strict=True):
        if not isinstance(other, Prediction):
            raise SystemExit(f"Expected pictures that can be read. Received: {other}.")
        others += names[one["likeliest"]] != other.likeliest
        answers += one["answer"] != other.answer
        apart = max(apart, abs(one["probability"] - other.probability))
    took = {
        key: statistics.median(one["milliseconds"][key] for one in said)
        for key in ("decode", "prepare", "model")
    }
    each = ", ".join(f"{key} {value:.1f}" for key, value in took.items())
    print(
        f"{model.parent.name} {words}: {others} of {len(files)} predictions changed "
        f"({100 * others / len(files):.2f} %), {answers} answers; probabilities within "
        f"{apart:.1e}; median ms: {each}; {1000 * seconds / len(files):.0f} ms a picture in all; "
        f"{watch.told()}"
    )


class Memory:
    """Memory of the browser's processes now and at the end, in MB."""

    def __init__(self) -> None:
        self.before = self._now()

    def _now(self) -> float:
        return sum(process.memory_full_info().pss for process in browsers()) / 2**20

    def told(self) -> str:
        return f"memory {self.before:.0f} to {self._now():.0f} MB"


def written(folder: Path, pictures: Iterator[Image.Image], suffix: str) -> list[Path]:
    """Write pictures as files, whose names have the order of the pictures."""
    folder.mkdir()
    paths = []
    for number, picture in enumerate(pictures):
        paths.append(folder / f"{number:05}.{suffix}")
        options = {"quality": 90} if suffix == "jpg" else {}
        picture.save(paths[-1], **options)
    return paths


def photos(count: int) -> Iterator[Image.Image]:
    """Yield photos of the cats sample, cats and dogs in turn."""
    with zipfile.ZipFile(MIRROR / "samples/cats_vs_dogs_sample.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        half = len(names) // 2
        for place in range(count):
            name = names[place // 2 + (half if place % 2 else 0)]
            yield Image.open(io.BytesIO(archive.read(name))).convert("RGB")


def shrunk(picture: Image.Image) -> Image.Image:
    """Return a photo of at most 256 pixels."""
    picture.thumbnail((256, 256))
    return picture


def mnist_test() -> tuple[np.ndarray, np.ndarray]:
    """Return pixels (n, 28, 28) and labels of some of MNIST's test digits."""
    images, labels = (
        np.frombuffer(
            gzip.decompress((MIRROR / f"mnist/t10k-{name}-ubyte.gz").read_bytes()), np.uint8
        )
        for name in ("images-idx3", "labels-idx1")
    )
    some = np.random.default_rng(0).choice(len(labels) - 8, INK, replace=False)
    return images[16:].reshape(-1, 28, 28)[some], labels[8:][some]


ON_PAPER = """async (text) => {
  const all = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const small = new OffscreenCanvas(28, 28).getContext("2d");
  const paper = byId("paper").getContext("2d");
  const said = [];
  for (let start = 0; start < all.length; start += 784) {
    const image = small.createImageData(28, 28);
    for (let at = 0; at < 784; at += 1) image.data.set([255, 255, 255, all[start + at]], 4 * at);
    small.putImageData(image, 0, 0);
    paper.clearRect(0, 0, 280, 280);
    paper.drawImage(small.canvas, 0, 0, 280, 280);
    const { likeliest, kind } = await ask("ink", { ink: inkOf(paper) });
    said.push([likeliest, kind]);
  }
  return said;
}"""


def ink(tab: Tab, name: str) -> None:
    """Print how many of MNIST's test digits, as ink on the canvas, are right."""
    pixels, labels = mnist_test()
    said = tab.page.evaluate(ON_PAPER, base64.b64encode(pixels.tobytes()).decode())
    right = np.array([likeliest for likeliest, _ in said]) == labels
    kinds = np.array([kind for _, kind in said])
    sure = kinds == "class"
    print(
        f"{name}: {INK:,} MNIST test digits as ink: {right.mean():.3f} right; {sure.mean():.3f} "
        f"answered, {right[sure].mean():.3f} of those right; {(kinds == 'stranger').mean():.3f} "
        "none of these"
    )


# Of what axe cannot decide: text against the nearest background that hides what is behind it.
CONTRAST = """(selectors) => {
  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const seen = (colours) => {
    context.clearRect(0, 0, 1, 1);
    for (const colour of colours) {
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
    }
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const light = ([red, green, blue]) => [red, green, blue].map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
  return selectors.map((selector) => {
    const element = document.querySelector(selector), behind = [];
    for (let one = element; one; one = one.parentElement) {
      behind.unshift(getComputedStyle(one).backgroundColor);
    }
    const paper = light(seen(["Canvas", ...behind]));
    const ink = light(seen(["Canvas", ...behind, getComputedStyle(element).color]));
    return [selector, (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05)];
  });
}"""


def accessible(browser: Browser, path: Path, files: list[Path]) -> None:
    """Print what axe finds in each theme, and the least contrast where it cannot decide."""
    for theme in THEMES:
        tab = Tab(browser, path, color_scheme=theme)
        tab.open()
        tab.ask(files)
        tab.page.evaluate(
            "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
        )
        if tab.page.query_selector("#draw"):
            tab.page.click("#draw")
        found = Axe().run(tab.page).response
        open_questions = [
            node["target"][0]
            for one in found["incomplete"]
            if one["id"] == "color-contrast"
            for node in one["nodes"]
        ]
        contrasts = tab.page.evaluate(CONTRAST, open_questions)
        others = sorted({one["id"] for one in found["incomplete"]} - {"color-contrast"})
        least = min((ratio for _, ratio in contrasts), default=None)
        print(
            f"{path.stem}, {theme}: {len(found['violations'])} violations, {len(found['passes'])} "
            f"rules passed; contrast left open of {len(contrasts)}, computed: at least "
            f"{'-' if least is None else f'{least:.2f}'}; other open rules: {others or 'none'}"
        )
        tab.context.close()


def main() -> None:
    """Measure all that the models on the command line allow."""
    models = dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word)
    if not models or not set(models) <= {"digits", "cats", "mnist"} or not PROGRAM:
        sys.exit("Expected Chromium, and models: python -m benchmarks.page cats=MODEL.tflite ...")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pages = {}
        for kind, model in models.items():
            pages[kind] = folder / f"{kind}.html"
            write_page(Path(model), pages[kind])
            print(f"{kind}: {pages[kind].stat().st_size / 1e6:.2f} MB")
        for path in pages.values():
            startup(path)
        with chromium() as browser:
            for kind, path in pages.items():
                tab = Tab(browser, path)
                tab.open()
                files: list[Path] = []
                for words, files in files_for(kind, folder):
                    compare(tab, Path(models[kind]), files, words)
                if kind != "cats":
                    ink(tab, kind)
                outside = [url for url in tab.requests if not url.startswith(("blob:", "file:"))]
                print(
                    f"{kind}: {len(tab.complaints)} lines on the console, {len(outside)} requests"
                )
                tab.context.close()
                accessible(browser, path, files[:3])


def files_for(kind: str, folder: Path) -> Iterator[tuple[str, list[Path]]]:
    """Yield words and files to compare answers about, for one kind of model."""
    if kind != "cats":
        yield "as PNG", written(folder / kind, map(as_digit, load_digits().images), "png")
        return
    yield "as PNG", written(folder / "png", photos(PHOTOS), "png")
    yield "as JPEG of 256 pixels", written(folder / "jpg", map(shrunk, photos(PHOTOS)), "jpg")
    yield "as JPEG of 12 megapixels", written(folder / "large", map(enlarged, photos(LARGE)), "jpg")


def enlarged(picture: Image.Image) -> Image.Image:
    """Return a photo of 12 megapixels."""
    return picture.resize(TWELVE_MEGAPIXELS, Image.Resampling.BICUBIC)


def as_digit(values: np.ndarray) -> Image.Image:
    """Return a digit of scikit-learn as the pipeline reads it: 0-16 spread over 0-255."""
    return Image.fromarray(((values.astype(int) * 255 + 8) // 16).astype(np.uint8))


if __name__ == "__main__":
    main()
