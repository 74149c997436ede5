"""The page in a browser: it sees what Python sees, answers the same, and says what is wrong."""

import base64
import csv
import io
import struct
import zlib

import numpy as np
import pytest
from nasty import nasty, nasty_classes
from PIL import Image
from support import Watched, checked, flat

from lookbook.foundation.names import from_cell, in_line
from lookbook.inference import Classifier
from lookbook.inference.card import read_card
from lookbook.pictures.decoding import Form, decoded
from lookbook.predicting.tables import columns_of, row_of, stamp_of


def encoded(pixels, kind="PNG", **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def noise(rng, width, height, channels):
    pixels = rng.integers(0, 256, (height, width, channels), np.uint8)
    return pixels[..., 0] if channels == 1 else pixels


def prepared(tab, content, forms):
    """The pixels that the browser makes of a file, in each form."""
    texts = tab.evaluate(
        """async ([text, forms]) => {
          const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
          const bitmap = await decoded(new Blob([bytes]), examined(bytes));
          return forms.map((form) => {
            const pixels = prepared(bitmap, form);
            return btoa(Array.from(pixels, (value) => String.fromCharCode(value)).join(""));
          });
        }""",
        [
            base64.b64encode(content).decode(),
            [
                {"image_size": form.image_size, "channels": form.channels, "resize": form.resize}
                for form in forms
            ],
        ],
    )
    contents = map(base64.b64decode, texts)
    return [
        np.frombuffer(content, np.uint8).reshape(form.shape)
        for content, form in zip(contents, forms, strict=True)
    ]


SIZES = [(1, 1), (7, 300), (28, 28), (31, 17), (57, 56), (160, 161), (333, 251), (640, 480)]
SIZES += [(5000, 40)]
FORMS = [
    Form(side, channels, resize)
    for side in (8, 28, 160)
    for channels in (1, 3)
    for resize in ("stretch", "crop", "pad")
]


@pytest.mark.parametrize("depth", [1, 3, 4], ids=["grey", "coloured", "transparent"])
def test_pictures_are_prepared_to_the_same_whole_numbers(scripts, depth):
    rng = np.random.default_rng(0)
    for width, height in SIZES:
        content = encoded(noise(rng, width, height, depth))
        for form, pixels in zip(FORMS, prepared(scripts, content, FORMS), strict=True):
            expected = decoded(content, form)[0].reshape(form.shape)
            message = f"{width} x {height} to {form}"
            np.testing.assert_array_equal(pixels, expected, err_msg=message)


def test_a_photo_is_turned_as_its_camera_says(scripts):
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[:, :40] = 255
    for turned in (3, 6, 8):
        exif = Image.Exif()
        exif[0x0112] = turned
        content = encoded(pixels, "JPEG", quality=100, exif=exif)
        forms = [Form(16, 3, resize) for resize in ("stretch", "crop")]
        for form, seen in zip(forms, prepared(scripts, content, forms), strict=True):
            assert np.abs(seen.astype(int) - decoded(content, form)[0]).max() <= 4


@pytest.fixture
def album(tmp_path):
    """Pictures that the model answers in each of its ways."""
    rng = np.random.default_rng(1)
    contents = {"night": flat(0), "dusk": flat(130), "day": flat(250), "fields": checked()}
    contents |= {f"n{n}": encoded(noise(rng, 9 + 7 * n, 30, 3)) for n in range(5)}
    paths = []
    for name, content in contents.items():
        paths.append(tmp_path / f"{name}.png")
        paths[-1].write_bytes(content)
    return sorted(paths)


@pytest.mark.parametrize("changes", [{}, {"least_probability": 0.99}, {"most_strangeness": 0.0}])
def test_it_answers_as_python_does_and_asks_nobody(opened, export, album, changes):
    page = opened(**changes)
    card = read_card(export(**changes))
    said = page.ask(*album)
    assert [one["name"] for one in said] == [path.name for path in album]
    for one, expected in zip(said, Classifier(export(**changes)).predict(album), strict=True):
        assert one["answer"] == expected.answer
        assert one["reason"] == expected.reason
        assert card.class_names[one["likeliest"]] == expected.likeliest
        assert [card.class_names[at] for at in one["in_question"]] == expected.in_question
        shares = list(expected.probabilities.values())
        assert one["probabilities"] == pytest.approx(shares, abs=1e-5)
        assert one["strangeness"] == pytest.approx(expected.strangeness, abs=1e-5)
    assert page.complaints == []
    assert [url for url in page.requests if not url.startswith(("blob:", "file:"))] == []
    assert len([url for url in page.requests if url.startswith("file:")]) == 1


def test_what_is_given_before_the_model_is_ready_waits_for_it(opened, album):
    page = opened()
    page.tab.set_input_files("#files", [str(path) for path in album])
    page.until("pictures.length === 9 && !isWorking")
    assert page.tab.inner_text("#counts") == "9 pictures"
    assert page.tab.inner_text("#status") == "Ready."


def test_stop_leaves_out_what_waits(opened, album):
    page = opened()
    # At once, before another program gets its turn.
    stop = "byId('files').addEventListener('change', () => byId('stop').click(), {once: true})"
    page.tab.evaluate(stop)
    page.tab.set_input_files("#files", [str(path) for path in album])
    page.until("isReady && !isWorking")
    assert page.tab.evaluate("waiting.length") == 0
    assert page.tab.evaluate("pictures.length") < len(album)
    assert page.ask(album[0])[-1]["name"] == album[0].name


def test_the_table_that_it_saves_is_that_of_predict(opened, export, album, tmp_path):
    path = tmp_path / '=1+1,"a".png'
    path.write_bytes(flat(9))
    (tmp_path / "empty.png").write_bytes(b"")
    files = [*album, path, tmp_path / "empty.png"]
    page = opened()
    page.ask(*files)
    with page.tab.expect_download() as download:
        page.tab.click("#save")
    with download.value.path().open(encoding="utf-8", newline="") as file:
        saved = list(csv.reader(file))
    classifier = Classifier(export())
    columns = columns_of(classifier.card.class_names)
    assert saved[0] == columns
    order = sorted(files, key=lambda file: file.name)
    for cells, file, said in zip(saved[1:], order, classifier.predict(order), strict=True):
        row = row_of(file.name, said, stamp_of(classifier.card, ""))
        for column, cell in zip(columns, cells, strict=True):
            expected = row.get(column)
            if isinstance(expected, float):
                assert float(cell) == pytest.approx(expected, abs=1e-5)
            else:
                assert from_cell(cell) == (expected or "")


ANSWER = """(names) => {
  const shares = card.class_names.map(() => 0.01);
  for (const name of names) {
    const said = predictionOf({ probabilities: shares, calibrated: shares, strangeness: 0 }, card);
    pictures.push({ name, said });
    addRow(pictures.at(-1));
    show(pictures.at(-1));
  }
  count(names.length);
  const shown = (place) => [...document.querySelectorAll(place)].map((one) => one.textContent);
  return {
    cells: shown("tbody td button > bdi:only-child"),
    headed: shown("#answer .source > bdi:only-child"),
    classes: shown("#answer .bars .name > bdi:only-child"),
    reasons: shown("tbody .reason > bdi"),
    elements: document.querySelectorAll("tbody *").length,
    table: csvOf(pictures, about),
  };
}"""


def test_names_of_every_kind_are_only_text_and_no_cell_is_a_formula(named, chromium, tmp_path):
    classes, files = nasty_classes(200), nasty(200)
    path = tmp_path / "page.html"
    path.write_text(named(classes, nasty(8)), encoding="utf-8")
    tab = Watched(chromium.new_page(), path).tab
    shown = tab.evaluate(ANSWER, files)
    assert shown["cells"] == list(map(in_line, files))
    assert shown["headed"] == [in_line(files[-1])]
    assert shown["classes"] == classes[:5]
    assert shown["reasons"] == [classes[0]] * 200
    assert shown["elements"] == 200 * 9
    first, *rows = csv.reader(io.StringIO(shown["table"], newline=""))
    assert list(map(from_cell, first)) == columns_of(classes)
    assert [from_cell(cells[0]) for cells in rows] == files
    formulas = ("=", "+", "-", "@", "\t", "\r")
    assert not [cell for cells in [first, *rows] for cell in cells if cell.startswith(formulas)]


def png_of_size(width, height):
    """A PNG file of which only the header is true."""

    def chunk(kind, content):
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


JPEG = encoded(noise(np.random.default_rng(0), 90, 90, 3), "JPEG")
WEBP = encoded(noise(np.random.default_rng(0), 90, 90, 3), "WEBP")
FAULTS = {
    "empty.jpg": (b"", "Empty. It has 0 bytes: copy it again."),
    "huge.png": (png_of_size(9000, 8000), "Too many pixels. It has 72 megapixels, and this page "
                 "reads 60: save it smaller."),
    "hollow.png": (png_of_size(90, 80), "Truncated or damaged. Copy it again from where it came "
                   "from."),
    "cut.png": (flat(0, 200)[:-20], "Truncated or damaged."),
    "cut.jpg": (JPEG[: len(JPEG) // 2], "Truncated or damaged."),
    "cut.webp": (WEBP[: len(WEBP) // 2], "Truncated or damaged."),
    "short.gif": (b"GIF89a", "Truncated or damaged."),
    "drawing.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG, which is no picture of "
                    "pixels. Save it as PNG."),
    "paper.pdf": (b"%PDF-1.4", "PDF, which is no picture. Save its page as PNG or JPEG."),
    "scan.tif": (b"II*\0" + bytes(50), "TIFF, which browsers do not read."),
    "phone.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), "HEIC, which this browser "
                   "does not read. Save it as JPEG,"),
    "notes.txt": (b"notes", "Not a picture. Choose a JPEG, PNG, GIF, BMP, WebP or AVIF file."),
}  # fmt: skip


def test_each_file_that_cannot_be_read_gets_its_sentence(opened, tmp_path):
    for name, (content, _) in FAULTS.items():
        (tmp_path / name).write_bytes(content)
    page = opened()
    page.ask(*(tmp_path / name for name in FAULTS))
    cells = page.tab.evaluate(
        "[...document.querySelectorAll('tbody tr')].map((row) => "
        "[...row.cells].slice(1).map((cell) => cell.textContent))"
    )
    rows = {name: (answer, why) for name, answer, why in cells}
    for name, (_, sentence) in FAULTS.items():
        assert rows[name][0] == "cannot be read"
        assert rows[name][1].startswith(sentence)
    assert page.complaints == []


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_what_moves_the_first_picture_counts(opened, tmp_path, kind):
    frames = [Image.new("RGB", (20, 20), (value,) * 3) for value in (0, 250, 120)]
    path = tmp_path / f"moves.{kind.lower()}"
    frames[0].save(path, kind, save_all=True, append_images=frames[1:], duration=50, lossless=True)
    page = opened()
    (said,) = page.ask(path)
    assert (said["answer"], said["moves"]) == ("dark", True)
    assert "It moves: its first picture was looked at." in page.tab.inner_text("#answer")


GIVE = """([kind, text, name]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  if (name) transfer.items.add(new File([bytes], name));
  else transfer.items.add("words", "text/plain");
  window.dispatchEvent(kind === "paste" ? new ClipboardEvent(kind, { clipboardData: transfer })
    : new DragEvent(kind, { dataTransfer: transfer, cancelable: true }));
}"""


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_pictures_are_dropped_and_pasted(opened, kind):
    page = opened()
    page.tab.evaluate(GIVE, [kind, base64.b64encode(flat(250)).decode(), "day.png"])
    page.until("pictures.length === 1 && !isWorking")
    assert page.tab.inner_text("#answer h2") == "bright"
    assert page.tab.inner_text("#said") == "day.png: bright, 98 %"
    page.tab.evaluate(GIVE, [kind, "", ""])
    page.until("byId('status').textContent.startsWith('There was no file in it.')")


def test_a_folder_gives_its_pictures_and_says_what_it_left_out(opened, tmp_path):
    for name in ("b/2.png", "a/1.png", "a/.hidden.png", "a/notes.txt"):
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_bytes(flat(0))
    page = opened()
    page.tab.set_input_files("#directory", str(tmp_path / "folder"))
    page.until("pictures.length === 2 && !isWorking")
    names = page.tab.evaluate("pictures.map(({ name }) => name)")
    assert names == ["folder/a/1.png", "folder/b/2.png"]
    assert "2 other files left out" in page.tab.inner_text("#status")


def test_a_row_shows_its_picture_again_and_the_list_can_be_cleared(opened, album):
    page = opened()
    page.ask(*album)
    page.tab.click("text=night.png")
    page.until("byId('said').textContent.startsWith('night.png: dark')")
    page.tab.click("#forget")
    assert page.tab.evaluate("pictures.length") == 0
    assert not page.tab.is_visible("#pictures")


def test_a_drawing_is_answered_with_a_mouse_and_with_keys(opened):
    page = opened(image_size=8)
    page.until("isReady")
    page.tab.click("#draw")
    box = page.tab.locator("#paper").bounding_box()
    page.tab.mouse.move(box["x"] + 60, box["y"] + 60)
    page.tab.mouse.down()
    page.tab.mouse.move(box["x"] + 160, box["y"] + 200, steps=5)
    page.tab.mouse.up()
    page.until("byId('said').textContent.startsWith('Your drawing: ')")
    page.tab.click("#clear")
    page.until("byId('said').textContent === ''")
    assert page.tab.inner_text("#answer").startswith("The answer appears here")
    assert page.tab.evaluate("inkOf(byId('paper').getContext('2d')).data.some(Boolean)") is False
    page.tab.focus("#paper")
    for key in ("Space", "ArrowDown", "ArrowDown", "ArrowRight", "Space"):
        page.tab.keyboard.press(key)
    page.until("byId('said').textContent.startsWith('Your drawing: ')")
    page.tab.click("#photos")
    assert page.tab.is_visible("#drop")
    assert page.complaints == []


def test_ink_is_fitted_in_both_manners(scripts):
    """A leaning bar becomes one as MNIST has it, and an upright one as high as the picture."""
    ink = np.zeros((280, 280), np.uint8)
    for row in range(40, 140):
        left = 200 - row // 2
        ink[row, left : left + 30] = 255
    mnist, digits = scripts.evaluate(
        """([width, height, data]) => fittings({ width, height, data }, { image_size: 28 })
          .map((pixels) => Array.from(pixels))""",
        [280, 280, ink.ravel().tolist()],
    )
    mnist, digits = (np.array(pixels, float).reshape(28, 28) for pixels in (mnist, digits))
    rows, columns = np.mgrid[:28, :28]
    middle = [(mnist * places).sum() / mnist.sum() for places in (rows, columns)]
    assert middle == pytest.approx([14, 14], abs=0.3)
    inked = np.flatnonzero((mnist > 127).any(axis=1))
    assert len(inked) == pytest.approx(20, abs=1)
    assert (digits > 127).any(axis=1).all()
    half = [(digits[part] * columns[part]).sum() / digits[part].sum() for part in (
        slice(0, 14), slice(14, 28))]  # fmt: skip
    assert half[0] == pytest.approx(half[1], abs=1)
    assert digits.mean() / 255 == pytest.approx(0.306, abs=0.03)


def test_without_scripts_the_page_says_what_to_do(opened):
    page = opened(settings={"java_script_enabled": False})
    assert "This page needs scripts" in page.tab.inner_text("noscript")
    assert "lookbook predict photo.jpg" in page.tab.inner_text("noscript")
    assert not page.tab.is_visible("#choose")
    assert "right on 90.0 %" in page.tab.inner_text("main")


def test_a_browser_that_lacks_something_is_told(opened, chromium, tmp_path):
    page = opened()
    page.until("isReady")
    tab = page.tab.context.new_page()
    tab.add_init_script("delete window.DecompressionStream")
    tab.goto(page.tab.url)
    tab.wait_for_selector("#status.fault")
    assert "(it has no DecompressionStream)" in tab.inner_text("#status")
    tab.set_input_files("#files", [{"name": "a.png", "mimeType": "", "buffer": flat(0)}])
    assert "(it has no DecompressionStream)" in tab.inner_text("#status")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_and_nothing_is_too_wide(opened, album, tmp_path, theme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    (tmp_path / "bad.png").write_bytes(b"")
    size = {"width": width, "height": 800}
    page = opened(settings={"color_scheme": theme, "viewport": size})
    page.ask(*album, tmp_path / "bad.png")
    page.tab.click("#draw")
    page.tab.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    found = axe.run(page.tab).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []
    assert page.tab.evaluate("document.documentElement.scrollWidth") == width
