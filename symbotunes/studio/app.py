"""The studio's answers to its page."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from symbotunes.errors import UserError, first_line
from symbotunes.studio.archive import zip_bytes
from symbotunes.studio.byte_ranges import ranged
from symbotunes.studio.changes import Change, changed
from symbotunes.studio.description import described
from symbotunes.studio.forms import Renderings
from symbotunes.studio.menu import Menu
from symbotunes.studio.notation import notation_of_text
from symbotunes.studio.opening import add_opened, add_typed, problem_in, problem_in_prompt
from symbotunes.studio.origins import Changed
from symbotunes.studio.piece import StudioPiece
from symbotunes.studio.security import Door, Guard, TooLarge
from symbotunes.studio.session import Session
from symbotunes.studio.tasks import Event, Task, Tasks
from symbotunes.studio.wanted import Wanted
from symbotunes.studio.warm import WarmModels
from symbotunes.studio.writing import Writing

PAGE = "page/"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Files that are opened by themselves must not run anything in the studio's name.
SANDBOX = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
Answer = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Studio:
    """What the answers come from.

    Attributes:
        menu: the models.
        models: those that are loaded.
        session: the pieces.
        renderings: of the pieces.
        tasks: what models are writing.
        writing: how they do.
    """

    menu: Menu
    models: WarmModels
    session: Session
    renderings: Renderings
    tasks: Tasks
    writing: Writing

    # The page itself.

    async def index(self, _: Request) -> Response:
        return _asset("index.html")

    async def asset(self, request: Request) -> Response:
        return _asset(request.path_params["name"])

    # Models and what they write.

    async def list_models(self, _: Request) -> Response:
        entries = await run_in_threadpool(self.menu.entries)
        return JSONResponse([entry.as_json() for entry in entries])

    async def add_task(self, request: Request) -> Response:
        wanted = Wanted.read(await _json(request))
        work = await run_in_threadpool(self.writing.work, wanted)
        return JSONResponse({"task": self.tasks.add(work).id})

    async def cancel_task(self, request: Request) -> Response:
        self.tasks.cancel(self._task(request))
        return JSONResponse({})

    async def follow_task(self, request: Request) -> Response:
        return StreamingResponse(
            _stream(self._task(request).follow()),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no"},
        )

    # Pieces.

    async def add_piece(self, request: Request) -> Response:
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            async with request.form(max_files=1, max_fields=4) as form:
                file = form.get("file")
                if not isinstance(file, UploadFile):
                    raise UserError("no file was sent")
                name, content = file.filename or "file", await file.read()
            return self._told(await run_in_threadpool(add_opened, self.session, name, content))
        body = await _json(request)
        text, parent = body.get("abc"), body.get("parent")
        if not isinstance(text, str) or not isinstance(parent, str | None):
            raise UserError("no ABC was sent")
        return self._told(await run_in_threadpool(add_typed, self.session, text, parent))

    async def change_piece(self, request: Request) -> Response:
        change = Change.read(await _json(request))
        piece = self.session.piece(request.path_params["piece"])
        sample = await run_in_threadpool(changed, piece.sample, change)
        return self._told(self.session.add(sample, Changed(change), piece.id))

    async def notation(self, request: Request) -> Response:
        piece = self.session.piece(request.path_params["piece"])
        return JSONResponse(await run_in_threadpool(self.renderings.notation, piece))

    async def file(self, request: Request) -> Response:
        piece = self.session.piece(request.path_params["piece"])
        file = await run_in_threadpool(self.renderings.file, piece, request.path_params["form"])
        kind = "inline" if file.media_type.startswith("audio/") else "attachment"
        headers = {"Content-Disposition": f'{kind}; filename="{file.name}"', **SANDBOX}
        return ranged(request, file.content, file.media_type, headers)

    async def command(self, request: Request) -> Response:
        return JSONResponse({"command": self.session.command(request.path_params["piece"])})

    def _told(self, piece: StudioPiece) -> Response:
        return JSONResponse(described(piece, unsaved=self.session.why_unsaved(piece.id)))

    # Text that is not a piece yet.

    async def check(self, request: Request) -> Response:
        body = await _json(request)
        problem = await run_in_threadpool(self._problem, body)
        if problem is None:
            return JSONResponse({"ok": True, "error": None, "position": None})
        return JSONResponse({"ok": False, "error": problem.message, "position": problem.position})

    async def draw_text(self, request: Request) -> Response:
        text = (await _json(request)).get("abc")
        if not isinstance(text, str):
            raise UserError("no ABC was sent")
        engraver = self.renderings.engraver
        return JSONResponse(await run_in_threadpool(notation_of_text, text, engraver.run))

    def _problem(self, body: dict[str, Any]) -> Any:
        text, prompt, model = body.get("abc"), body.get("prompt"), body.get("model")
        if isinstance(text, str):
            return problem_in(text)
        if not isinstance(prompt, str) or not isinstance(model, str):
            raise UserError("no ABC was sent")
        tokenizer = self.models.get(self.menu.entry(model)).tokenizer.text
        return None if tokenizer is None else problem_in_prompt(tokenizer, prompt)

    # The session.

    async def show_session(self, _: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self._session))

    async def zip(self, _: Request) -> Response:
        content = await run_in_threadpool(zip_bytes, self.session)
        name = quote(f"{self.session.name}.zip")  # of a folder that the user may have named
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return Response(content, headers=headers, media_type="application/zip")

    def _session(self) -> dict[str, Any]:
        session = self.session
        pieces = [
            described(piece, unsaved=session.why_unsaved(piece.id)) for piece in session.pieces
        ]
        return {"pieces": pieces, "commands": session.commands()}

    def _task(self, request: Request) -> Task:
        try:
            return self.tasks.get(request.path_params["task"])
        except KeyError:
            raise HTTPException(404, "there is no such task any more") from None


def build_app(studio: Studio, door: Door) -> ASGIApp:
    """The application.

    Args:
        studio: what the answers come from.
        door: who may ask.
    """
    piece = "/api/pieces/{piece}"
    routes = [
        Route("/", studio.index),
        Route("/page/{name}", studio.asset),
        Route("/api/models", studio.list_models),
        Route("/api/tasks", studio.add_task, methods=["POST"]),
        Route("/api/tasks/{task}", studio.cancel_task, methods=["DELETE"]),
        Route("/api/tasks/{task}/events", studio.follow_task),
        Route("/api/pieces", studio.add_piece, methods=["POST"]),
        Route(f"{piece}/change", studio.change_piece, methods=["POST"]),
        Route(f"{piece}/notation", studio.notation),
        Route(f"{piece}/command", studio.command),
        Route(f"{piece}/files/{{form}}", studio.file),
        Route("/api/check", studio.check, methods=["POST"]),
        Route("/api/notation", studio.draw_text, methods=["POST"]),
        Route("/api/session", studio.show_session),
        Route("/api/session.zip", studio.zip),
    ]
    errors = (UserError, HTTPException, TooLarge, OSError, Exception)
    handlers: Any = dict.fromkeys(errors, _failed)
    return Guard(Starlette(routes=routes, exception_handlers=handlers), door, free=f"/{PAGE}")


async def _json(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise UserError("the request is not a JSON object")
    return body


async def _stream(events: AsyncIterator[Event]) -> AsyncIterator[str]:
    """As server-sent events; leaving early closes `events`, which cancels the task."""
    try:
        async for event in events:
            yield f"event: {event.name}\ndata: {json.dumps(event.data)}\n\n"
    finally:
        await events.aclose()  # type: ignore[attr-defined]


def _asset(name: str) -> Response:
    """A file of the page; its look is that of all pages."""
    folder = ("render", "templates") if name == "look.css" else ("studio", "page")
    path = files("symbotunes").joinpath(*folder, name)
    suffix = PurePosixPath(name).suffix
    if suffix not in TYPES or "/" in name or "\\" in name or not path.is_file():
        return PlainTextResponse("There is no such file.\n", 404)
    return Response(path.read_bytes(), media_type=TYPES[suffix])


def _failed(_: Request, error: Exception) -> Response:
    """A line about an error; of one that nobody foresaw, the terminal has the traceback."""
    line, status = first_line(error), 500
    headers = {}
    if isinstance(error, UserError):
        status = 400
    elif isinstance(error, HTTPException):
        line, status = error.detail, error.status_code
    elif isinstance(error, TooLarge):
        status, headers = 413, {"Connection": "close"}  # the rest of the request is not read
    elif isinstance(error, OSError):
        line = f"{error.filename or 'a file'} cannot be used: {error.strerror or error}"
    else:
        line = f"{type(error).__name__}: {line}"
    return JSONResponse({"error": line}, status, headers)
