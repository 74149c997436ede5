"""What can be asked for over HTTP, and what comes back, without a network."""

import io
import re
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from nasty import nasty
from PIL import Image, PngImagePlugin
from PIL.PngImagePlugin import PngInfo
from starlette.testclient import TestClient
from support import checked, flat, picture

from lookbook.inference import Classifier
from lookbook.serving import answering
from lookbook.serving.limits import Limits


@pytest.fixture
def start(make_app, monkeypatch):
    """A function that returns a client of an application with some limits changed."""
    monkeypatch.setattr(PngImagePlugin, "MAX_TEXT_MEMORY", PngImagePlugin.MAX_TEXT_MEMORY)

    def client(**limits):
        return TestClient(make_app(Limits(**limits)), raise_server_exceptions=False)

    return client


@pytest.fixture
def client(start):
    return start()


def form(*contents):
    return [("picture", (f"{place}.png", content)) for place, content in enumerate(contents)]


def converted(mode, kind, **options):
    file = io.BytesIO()
    image = Image.open(io.BytesIO(picture(3))).convert("RGB")
    image.convert(mode).save(file, kind, **options)
    return file.getvalue()


def sixteen_bits():
    file = io.BytesIO()
    Image.fromarray(np.arange(400, dtype=np.uint16).reshape(20, 20) * 160).save(file, "PNG")
    return file.getvalue()


def animated():
    file = io.BytesIO()
    first, *more = [Image.open(io.BytesIO(flat(value))) for value in (20, 120, 250)]
    first.save(file, "GIF", save_all=True, append_images=more)
    return file.getvalue()


KINDS = {
    "grey": flat(130),
    "stranger": checked(),
    "noise": picture(1),
    "cmyk": converted("CMYK", "JPEG"),
    "palette": converted("P", "PNG"),
    "webp": converted("RGBA", "WEBP"),
    "16 bits": sixteen_bits(),
    "animated": animated(),
}


@pytest.mark.parametrize("content", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream", "text/plain", None])
def test_a_body_is_answered_as_the_classifier_does_whatever_it_is_called(
    client, export, content, kind
):
    [said] = Classifier(export()).predict([content])
    headers = {"Content-Type": kind} if kind else {}
    response = client.post("/predict", content=content, headers=headers)
    assert response.status_code == 200
    assert response.json() == {
        "model": "train_cnn",
        "model_sha256": "ab" * 32,
        "data_sha256": "cd" * 32,
        "pictures": [{"name": None, **vars(said)}],
    }


def test_a_form_of_several_is_answered_in_order_with_names_and_what_could_not_be_read(client):
    cut = picture(0)[:300]
    response = client.post(
        "/predict", files=[*form(flat(0), b"", cut, b"no picture"), ("other", ("ä.png", flat(255)))]
    )
    assert response.status_code == 200
    told = [
        (one["name"], one.get("answer", one.get("error"))) for one in response.json()["pictures"]
    ]
    assert told == [
        ("0.png", "dark"),
        ("1.png", "empty"),
        ("2.png", "truncated or damaged"),
        ("3.png", "not a picture"),
        ("ä.png", "bright"),
    ]


@pytest.mark.parametrize(
    ("content", "status", "reason"),
    [
        (b"no picture", 415, "not a picture"),
        (b"", 422, "empty"),
        (picture(0)[:300], 422, "truncated or damaged"),
    ],
)
def test_a_picture_that_cannot_be_read_has_a_code_and_a_sentence(client, content, status, reason):
    response = client.post("/predict", content=content)
    assert response.status_code == status
    assert response.json()["error"] == (
        f"Expected a JPEG, PNG, GIF, BMP, WebP or AVIF picture. Received: {reason}. Send another "
        "file, or the same as a smaller JPEG."
    )
    assert response.json()["pictures"] == [{"name": None, "error": reason}]


def test_one_file_of_another_reason_than_its_kind_is_what_the_code_says(client):
    assert client.post("/predict", files=form(b"a", b"b")).status_code == 415
    assert client.post("/predict", files=form(b"a", b"")).status_code == 422


def test_a_body_over_the_limit_is_refused_announced_or_not(start):
    client = start(body_bytes=1000)
    for content in (bytes(1001), (bytes(100) for _ in range(11))):
        response = client.post("/predict", content=content)
        assert response.status_code == 413
        assert response.json() == {
            "error": "Expected at most 1,000 bytes. Received: more. Send fewer or smaller pictures."
        }
    assert client.post("/predict", content=bytes(1000)).status_code == 415
    assert client.post("/predict", files=form(bytes(900))).status_code == 413


@pytest.mark.parametrize(
    ("request_", "received"),
    [
        ({"files": {"text": (None, "no file")}}, "no file"),
        ({"files": form(*[b""] * 4)}, "Too many files. Maximum number of files is 3"),
        ({"data": b"--a", "headers": {"Content-Type": "multipart/form-data"}}, "Missing boundary"),
        (
            {"data": b"no form", "headers": {"Content-Type": "multipart/form-data; boundary=a"}},
            "Invalid multipart data",
        ),
    ],
)
def test_what_is_no_form_of_pictures_is_told(start, request_, received):
    if "data" in request_:
        request_ = {"content": request_.pop("data"), **request_}
    response = start(pictures=3).post("/predict", **request_)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error.startswith(f"Expected a form of 1 to 3 files. Received: {received}")


@pytest.mark.parametrize("charset", ["utf-7", "raw_unicode_escape", "none", "bz2"])
def test_a_name_in_any_charset_is_answered(client, charset):
    part = b'--b\r\nContent-Disposition: form-data; name="a"; filename="+2AA-\\ud800"\r\n\r\n'
    response = client.post(
        "/predict",
        content=part + flat(0) + b"\r\n--b--\r\n",
        headers={"Content-Type": f"multipart/form-data; boundary=b; charset={charset}"},
    )
    assert response.status_code == 200
    assert response.json()["pictures"][0]["answer"] == "dark"


def test_no_path_is_sent_to_another_host(client):
    response = client.post("/predict/", headers={"Host": "evil.example"}, follow_redirects=False)
    assert response.status_code == 404


def test_too_many_pixels_are_refused_by_the_header(start):
    client = start(pixels=399)
    response = client.post("/predict", content=flat(0))
    assert response.status_code == 422
    assert response.json()["pictures"] == [{"name": None, "error": "too many pixels: 20 x 20"}]


def test_texts_that_unpack_to_more_than_the_limit_are_damage(start):
    content, texts = io.BytesIO(), PngInfo()
    for place in range(10):
        texts.add_text(f"text {place}", "a" * 1000, zip=True)
    Image.new("L", (20, 20)).save(content, "PNG", pnginfo=texts)
    for text_bytes, status in ((20_000, 200), (5000, 422)):
        response = start(text_bytes=text_bytes).post("/predict", content=content.getvalue())
        assert response.status_code == status


def test_large_pictures_are_answered_the_same(start, export):
    content = picture(1, side=300)
    [said] = Classifier(export()).predict([content])
    for large_bytes in (1, 10**9):
        response = start(large_bytes=large_bytes).post("/predict", content=content)
        assert response.json()["pictures"] == [{"name": None, **vars(said)}]


def test_no_more_pictures_wait_than_the_limit(start):
    client = start(waiting=2)
    assert client.post("/predict", files=form(flat(0), flat(0))).status_code == 200
    response = client.post("/predict", files=form(flat(0), flat(0), flat(0)))
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert response.json() == {
        "error": "Expected fewer pictures at a time. Received: 3. Send this one again later."
    }
    assert client.post("/predict", content=flat(0)).status_code == 200


def test_no_more_bytes_are_held_than_the_limit_and_they_are_given_back(start):
    client = start(held_bytes=500)
    for _ in range(3):
        assert client.post("/predict", content=bytes(501)).status_code == 503
        assert client.post("/predict", content=flat(0)).status_code == 200


def test_an_answer_that_takes_too_long_is_given_up(start, monkeypatch):
    client = start(answer_seconds=0.01)
    monkeypatch.setattr(answering.Desk, "_answer_small", lambda *_: time.sleep(0.1))
    response = client.post("/predict", content=flat(0))
    assert response.status_code == 503
    assert "more than can be answered within 0.01 seconds" in response.json()["error"]


def test_health_and_readiness(client, export):
    assert client.get("/health").json() == {"healthy": True}
    assert client.get("/ready").json() == {
        "model": "train_cnn",
        "model_sha256": "ab" * 32,
        "data_sha256": "cd" * 32,
        "ready": True,
        "note": None,
    }
    path = export()  # the same again
    assert client.get("/ready").json()["note"] is None
    export(model_sha256="ef" * 32)
    for _ in range(2):
        response = client.get("/ready")
        assert response.status_code == 200
        assert response.json()["model_sha256"] == "ab" * 32
        assert response.json()["note"].startswith("Another file lies at the model's place by now")
        path.unlink(missing_ok=True)
    assert client.post("/predict", content=flat(0)).json()["model_sha256"] == "ab" * 32


def test_a_model_that_is_overwritten_in_place_goes_on_answering(client, export):
    before = client.post("/predict", content=flat(0)).json()
    path = export()
    path.write_bytes(bytes(path.stat().st_size))
    with ThreadPoolExecutor(4) as threads:
        after = list(threads.map(lambda _: client.post("/predict", content=flat(0)), range(20)))
    assert [response.json() for response in after] == [before] * 20


def test_metrics_count_requests_answers_and_faults(client):
    for content in (flat(0), flat(255), flat(255), flat(130), checked(), b"", b"text"):
        client.post("/predict", content=content)
    client.get("/none/such")
    client.get("/predict")
    response = client.get("/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    lines = response.text.splitlines()
    assert {
        'lookbook_requests_total{route="/predict",status="200"} 5.0',
        'lookbook_requests_total{route="/predict",status="405"} 1.0',
        'lookbook_requests_total{route="/predict",status="415"} 1.0',
        'lookbook_requests_total{route="/predict",status="422"} 1.0',
        'lookbook_requests_total{route="other",status="404"} 1.0',
        'lookbook_request_seconds_count{route="/predict"} 8.0',
        'lookbook_request_seconds_bucket{le="+Inf",route="/predict"} 8.0',
        'lookbook_pictures_total{answer="dark"} 1.0',
        'lookbook_pictures_total{answer="bright"} 2.0',
        'lookbook_pictures_total{answer="unsure"} 1.0',
        'lookbook_pictures_total{answer="none of these"} 1.0',
        'lookbook_faults_total{reason="empty"} 1.0',
        'lookbook_faults_total{reason="not a picture"} 1.0',
    } <= set(lines)


def test_reasons_are_counted_without_their_figures(start):
    client = start(pixels=1, body_bytes=5000)
    client.post("/predict", files=form(flat(0), flat(0, side=9)))
    client.post("/predict", content=bytes(6000))
    text = client.get("/metrics").text
    assert 'lookbook_faults_total{reason="too many pixels"} 2.0' in text
    assert 'lookbook_faults_total{reason="body too large"} 1.0' in text


def test_the_page_is_sent_once_and_says_itself_what_it_may_load(client):
    response = client.get("/")
    assert response.text == "page" * 2**20
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    tag = {"If-None-Match": response.headers["ETag"]}
    again = client.get("/", headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/", headers={"If-None-Match": '"other"'}).status_code == 200


def test_the_documentation_needs_no_other_server(client):
    page = client.get("/docs").text
    addresses = re.findall(r"(?:src|href|url)[=:] ?[\"']([^\"']+)", page)
    assert len(addresses) >= 3
    for address in addresses:
        assert address.startswith("/")
        assert client.get(address).status_code == 200
    described = client.get("/openapi.json").json()
    assert sorted(described["paths"]) == ["/health", "/metrics", "/predict", "/ready"]
    predict = described["paths"]["/predict"]["post"]
    assert sorted(predict["responses"]) == ["200", "400", "408", "413", "415", "422", "503"]
    assert "multipart/form-data" in predict["requestBody"]["content"]
    answer = described["components"]["schemas"]["Answer"]["properties"]
    row = client.post("/predict", content=flat(0)).json()["pictures"][0]
    assert sorted(answer) == sorted(row)


def in_form(name):
    """A file's name as the client writes it into a form."""
    return re.sub(r'["\x00-\x1a\x1c-\x1f]', lambda letter: f"%{ord(letter[0]):02X}", name)


def test_names_of_any_kind_are_only_text(make_app, export):
    names = ["<img src=x onerror=alert(1)>", "[x](javascript:alert(1))"]
    client = TestClient(make_app(Limits(), class_names=names))
    files = nasty(100)
    said = client.post("/predict", files=[("picture", (name, flat(0))) for name in files])
    assert said.headers["Content-Type"] == "application/json"
    assert [one["name"] for one in said.json()["pictures"]] == list(map(in_form, files))
    assert {one["answer"] for one in said.json()["pictures"]} == {names[0]}
    described = client.get("/openapi.json").json()["info"]["description"]  # Markdown
    assert described == (r"CNN: &lt;img src=x onerror=alert(1)&gt;, \[x\](javascript:alert(1)).")
    assert f'lookbook_pictures_total{{answer="{names[0]}"}} 100.0' in client.get("/metrics").text
    assert names[0] not in client.get("/docs").text


@pytest.mark.parametrize("path", ["/health", "/predict", "/docs", "/none", "/openapi.json"])
def test_no_response_may_be_framed_sniffed_or_read_by_other_sites(client, path):
    headers = client.get(path, headers={"Origin": "https://example.com"}).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert not [name for name in headers if name.lower().startswith("access-control")]


def test_no_other_site_is_allowed_to_ask_first(client):
    response = client.options(
        "/predict",
        headers={"Origin": "https://example.com", "Access-Control-Request-Method": "POST"},
    )
    assert response.status_code == 405
    assert "Access-Control-Allow-Origin" not in response.headers


def test_other_paths_and_methods_have_a_sentence(client):
    response = client.get("/none")
    assert response.status_code == 404
    assert response.json()["error"].endswith("Received: another path. See /docs.")
    response = client.get("/predict")
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")
    assert response.json() == {"error": "Expected POST here. Received: another method. See /docs."}


def test_a_defect_is_no_traceback_for_the_client(client, monkeypatch):
    monkeypatch.setattr(answering.Desk, "_answer_small", lambda *_: 1 / 0)
    response = client.post("/predict", content=flat(0))
    assert response.status_code == 500
    assert response.json() == {
        "error": "Expected an answer. Received: a defect of the server. See its log."
    }
    assert 'route="/predict",status="500"} 1.0' in client.get("/metrics").text
