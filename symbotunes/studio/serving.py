"""The studio's server: from its settings to its end by Ctrl-C."""

import secrets
import socket
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn

from symbotunes.errors import UserError
from symbotunes.studio.app import Studio, build_app
from symbotunes.studio.forms import Renderings
from symbotunes.studio.menu import Menu
from symbotunes.studio.security import TOKEN, Door
from symbotunes.studio.session import Session
from symbotunes.studio.settings import StudioSettings
from symbotunes.studio.tasks import Task, Tasks
from symbotunes.studio.warm import WarmModels
from symbotunes.studio.writing import DataOf, Writing

GRACE_SECONDS = 5  # for answers that are being sent when the studio ends


class Server(uvicorn.Server):
    """A server that cancels what is being written before it waits for pages to be answered.

    Args:
        config: of uvicorn.
        tasks: what is being written.
    """

    def __init__(self, config: uvicorn.Config, tasks: Tasks) -> None:
        super().__init__(config)
        self._tasks = tasks

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._tasks.stop()
        super().handle_exit(sig, frame)


@dataclass(frozen=True)
class Opened:
    """A studio whose socket listens, so that its address is known."""

    studio: Studio
    listening: socket.socket
    address: str
    door: Door


def open_studio(
    settings: StudioSettings, *, menu: Menu, session: Session, data_of: DataOf
) -> Opened:
    """A studio that is ready to answer.

    Args:
        settings: where it listens.
        menu: its models.
        session: where its pieces are kept.
        data_of: reads the training data of a model.

    Raises:
        UserError: if the address is taken or does not exist.
    """
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        listening = socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        raise UserError(
            f"play.host={settings.host} play.port={settings.port}: {error.strerror or error}; "
            "play.port=0 takes a free port"
        ) from error
    token = secrets.token_urlsafe(24)
    port = listening.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    models, tasks = WarmModels(), Tasks()
    renderings = Renderings()
    writing = Writing(menu, models, session, renderings, data_of)
    studio = Studio(menu, models, session, renderings, tasks, writing)
    door = Door(token, settings.names, settings.remote)
    return Opened(studio, listening, f"http://{host}:{port}/?{TOKEN}={token}", door)


def serve(opened: Opened, *, show: Callable[[str], object] | None = webbrowser.open) -> None:
    """Answer until the program is told to end; then finish what is being written.

    Args:
        opened: the studio.
        show: called with the address once it answers; ``None``: nobody is.
    """
    app = build_app(opened.studio, opened.door)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # which would show tokens
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    tasks = opened.studio.tasks
    if show is not None:
        show(opened.address)
    try:
        Server(config, tasks).run(sockets=[opened.listening])
    finally:
        tasks.close()
        opened.studio.renderings.close()
        opened.listening.close()


def preload(studio: Studio, wanted: str | None = None) -> None:
    """Load the first model of the menu as the first task, so that it is warm when it is asked for.

    Args:
        studio: the studio.
        wanted: another model than the first.
    """
    entries = studio.menu.entries()
    chosen = [entry for entry in entries if entry.id == wanted] or entries

    def load(_: Task) -> None:
        studio.models.get(chosen[0])

    if chosen:
        studio.tasks.add(load, followed=False)


def folder_of(settings: StudioSettings, run: Path) -> Path:
    """The folder of the session: an earlier one, or that of this run.

    Raises:
        UserError: if the earlier one does not exist.
    """
    if settings.session is None:
        return run
    folder = Path(settings.session).expanduser()
    if not folder.is_dir():
        raise UserError(f"play.session={folder}: there is no such folder")
    return folder
