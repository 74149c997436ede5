"""Draw the README's two pictures from the run in the work tree. `make pictures` calls this.

In: metrics/ladder.svg and metrics/report.html. Out: docs/ladder.png, the chart on white, and
docs/report.png, the beginning of the page.

A browser without a window draws them, so that they look as they do to a reader; Pillow cuts off
the empty rest and keeps each below 200 KB.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw

ROOT = Path(__file__).parents[1]
LADDER, REPORT = ROOT / "metrics/ladder.svg", ROOT / "metrics/report.html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = (
    "--headless",
    "--no-sandbox",  # what it opens is our own, and root has no sandbox
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
)
MARGIN, BORDER = 24, "#d0d7de"  # pixels; GitHub's own lines are of that grey
MOST_BYTES = 200_000
BEGINNING = 640  # CSS pixels of the page

CHART = """<body style="margin:0; background:#fff"><img src="{}" width="720"></body>"""


def photographed(page: str, folder: Path, *, width: int, height: int, scale: float) -> Image.Image:
    """Return what a browser shows of a page, in RGB.

    Args:
        page: HTML.
        folder: An empty folder.
        width: Of the window, in CSS pixels.
        height: Likewise.
        scale: Pixels of the picture in a CSS pixel.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit(
            f"error: Expected one of {', '.join(BROWSERS)} in PATH, to draw the pictures. "
            "Received: none. Install Chromium."
        )
    source, target = folder / "page.html", folder / "page.png"
    source.write_text(page, encoding="utf-8")
    done = subprocess.run(
        [browser, *OPTIONS, f"--user-data-dir={folder / 'profile'}",
         f"--window-size={width},{height}", f"--force-device-scale-factor={scale}",
         f"--screenshot={target}", source.as_uri()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    if not target.is_file():
        sys.exit(f"error: Expected {browser} to draw a page. Received: {done.stderr.strip()}")
    with Image.open(target) as picture:
        return picture.convert("RGB")


def keep(picture: Image.Image, path: Path) -> None:
    """Cut off what is empty, add a margin, and write a PNG of as many colours as fit."""
    white = Image.new("RGB", picture.size, "white")
    cut = picture.crop(ImageChops.difference(picture, white).getbbox())
    framed = Image.new("RGB", (cut.width + 2 * MARGIN, cut.height + 2 * MARGIN), "white")
    framed.paste(cut, (MARGIN, MARGIN))
    ImageDraw.Draw(framed).rectangle((0, 0, framed.width - 1, framed.height - 1), outline=BORDER)
    for colours in (256, 128, 64, 32):
        framed.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size < MOST_BYTES:
            break
    size = f"{framed.width}x{framed.height}, {path.stat().st_size:,} bytes"
    print(f"{path.relative_to(ROOT)}: {size}")


def main() -> None:
    """Draw both."""
    missing = [path for path in (LADDER, REPORT) if not path.is_file()]
    if missing:
        sys.exit(f"error: Expected {missing[0].relative_to(ROOT)}. Received: no such file. Run "
                 "`dvc repro`, or `dvc checkout` to bring it back.")  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        chart = CHART.format(LADDER.as_uri())
        picture = photographed(chart, Path(name), width=720, height=500, scale=2)
        keep(picture, ROOT / "docs/ladder.png")
    with tempfile.TemporaryDirectory() as name:
        page = REPORT.read_text(encoding="utf-8")
        picture = photographed(page, Path(name), width=1000, height=BEGINNING, scale=1.4)
        keep(picture, ROOT / "docs/report.png")


if __name__ == "__main__":
    main()
