"""The routes: what can be asked for over HTTP, and what comes back."""

import asyncio
import logging
import warnings
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi_offline import FastAPIOffline
from PIL import Image, PngImagePlugin
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from lookbook.foundation.files import sha256_of
from lookbook.foundation.names import in_markdown
from lookbook.inference import Classifier, Fault, Prediction
from lookbook.serving.answering import Desk
from lookbook.serving.answers import Answers, Healthy, Model, NoAnswers, Ready, Refused
from lookbook.serving.bodies import Held, Picture, pictures_of
from lookbook.serving.limits import Limits
from lookbook.serving.metrics import MEDIA_TYPE, Metrics
from lookbook.serving.refusals import RefusalError
from lookbook.serving.source import Source
from lookbook.serving.watching import GONE, Watch

OTHER_KINDS = {"not a picture", "HEIC, which needs pi-heif"}  # reasons that call for another file
BYTES = {"type": "string", "format": "binary"}  # which is what the docs page knows a file by
FORM = {"type": "object", "properties": {"picture": {"type": "array", "items": BYTES}}}
REQUEST_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {"schema": FORM},
        "image/*": {"schema": BYTES},
        "application/octet-stream": {"schema": BYTES},
    },
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    400: {"model": Refused, "description": "No form, though the request says that it is one"},
    408: {"model": Refused, "description": "The body took too long"},
    413: {"model": Refused, "description": "The body is too large"},
    415: {"model": NoAnswers, "description": "No picture of a known kind"},
    422: {"model": NoAnswers, "description": "No picture that can be read"},
    503: {"model": Refused, "description": "Too much to do; try again after `Retry-After` seconds"},
}
NO_FRAME = "frame-ancestors 'none'"
POLICIES = {
    "/": NO_FRAME,  # what it may load the page says itself; this cannot be said in a page
    "/docs": "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' "
    f"'unsafe-inline'; img-src 'self' data:; connect-src 'self'; {NO_FRAME}",
}
NOTE = (
    "Another file lies at the model's place by now, or none. The one that was loaded goes on "
    "answering; start the server again for the new one."
)


def create_app(source: Source, page: Path, limits: Limits) -> FastAPI:
    """Return the application.

    Args:
        source: The model.
        page: What `/` shows, an HTML file.
        limits: What is refused.

    Raises:
        LookbookError: If the model cannot be loaded.
    """
    # Pillow and the forms' parser warn of what is refused and counted here.
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    PngImagePlugin.MAX_TEXT_MEMORY = limits.text_bytes
    metrics = Metrics()
    classifier = Classifier(source.copy)
    app = FastAPIOffline(
        title="Lookbook",
        description=in_markdown(
            f"{classifier.card.title}: {', '.join(classifier.card.class_names)}."
        ),
        version=classifier.card.model_sha256[:12],
        redoc_url=None,
        redirect_slashes=False,  # to whatever host a request names
    )
    app.add_middleware(Watch, metrics=metrics, policies=POLICIES)
    _add_handlers(app, metrics)
    _add_predict(app, classifier, metrics, limits)
    _add_reports(app, classifier, metrics, source)
    _add_page(app, page)
    return app


def _add_predict(app: FastAPI, classifier: Classifier, metrics: Metrics, limits: Limits) -> None:
    desk, held = Desk(classifier, limits), Held(limits.held_bytes)
    model = _model(classifier)

    @app.post(
        "/predict",
        response_model=Answers,
        responses=RESPONSES,
        openapi_extra={"requestBody": REQUEST_BODY},
    )
    async def predict(request: Request) -> Response:
        """Say what the model sees in one picture, or in each of up to a hundred.

        A picture is the whole body, or a file of a form, whatever its field is called.
        """
        try:
            with held.share() as share:
                pictures = await pictures_of(request, limits, share)
                said = await desk.answers(pictures)
        except ClientDisconnect:
            return Response(status_code=GONE)
        return _answered(model, pictures, said, metrics)


def _answered(
    model: Model, pictures: list[Picture], said: list[Prediction | Fault], metrics: Metrics
) -> Response:
    rows: list[dict[str, Any]] = []
    for picture, one in zip(pictures, said, strict=True):
        if isinstance(one, Fault):
            metrics.faults.labels(one.reason.partition(":")[0]).inc()
            rows.append({"name": picture.name, "error": one.reason})
        else:
            metrics.pictures.labels(one.answer).inc()
            rows.append({"name": picture.name, **vars(one)})
    content = {**vars(model), "pictures": rows}
    reasons = {one.reason for one in said if isinstance(one, Fault)}
    if any(isinstance(one, Prediction) for one in said):
        return JSONResponse(content)
    error = (
        "Expected a JPEG, PNG, GIF, BMP, WebP or AVIF picture. Received: "
        f"{'; '.join(sorted(reasons))}. Send another file, or the same as a smaller JPEG."
    )
    status = 415 if reasons <= OTHER_KINDS else 422
    return JSONResponse({"error": error, **content}, status)


def _add_reports(app: FastAPI, classifier: Classifier, metrics: Metrics, source: Source) -> None:
    model = _model(classifier)

    @app.get("/health", response_model=Healthy)
    async def health() -> Response:
        """Say that the process lives."""
        return JSONResponse({"healthy": True})

    @app.get("/ready", response_model=Ready)
    async def ready() -> Response:
        """Say that the model is loaded, and whether its file is still the same."""
        note = NOTE if await asyncio.to_thread(source.has_changed) else None
        return JSONResponse({**vars(model), "ready": True, "note": note})

    @app.get("/metrics", response_class=Response)
    async def report() -> Response:
        """Give requests, pictures and faults in Prometheus's text form."""
        return Response(metrics.text(), media_type=MEDIA_TYPE)


def _add_page(app: FastAPI, page: Path) -> None:
    tag = f'"{sha256_of(page)}"'
    headers = {"ETag": tag}

    @app.get("/", include_in_schema=False)
    async def show(request: Request) -> Response:
        if request.headers.get("If-None-Match") == tag:
            return Response(status_code=304, headers=headers)
        return FileResponse(page, headers=headers, media_type="text/html")


def _add_handlers(app: FastAPI, metrics: Metrics) -> None:
    @app.exception_handler(RefusalError)
    async def refuse(_request: Request, refusal: RefusalError) -> Response:
        metrics.faults.labels(refusal.reason).inc()
        return JSONResponse({"error": refusal.sentence}, refusal.status, refusal.headers)

    @app.exception_handler(HTTPException)
    async def explain(request: Request, error: HTTPException) -> Response:
        known = "/predict, /health, /ready, /metrics, /docs or /openapi.json"
        expected = (error.headers or {}).get("Allow")
        sentence = (
            f"Expected {expected} here. Received: another method. See /docs."
            if expected
            else f"Expected one of /, {known}. Received: another path. See /docs."
        )
        return JSONResponse({"error": sentence}, error.status_code, error.headers)

    @app.exception_handler(Exception)
    async def apologize(_request: Request, _error: Exception) -> Response:
        sentence = "Expected an answer. Received: a defect of the server. See its log."
        return JSONResponse({"error": sentence}, 500)


def _model(classifier: Classifier) -> Model:
    card = classifier.card
    return Model(card.name, card.model_sha256, card.data_sha256)
