"""mode=play: open the studio, a page on this machine that writes music while you listen.

python main.py mode=play                           the models included here and every finished run
python main.py mode=play play.port=8000 'play.models=[FOLDER,hub:owner/name]'
python main.py mode=play play.session=outputs/play/SESSION
"""

import webbrowser
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from symbotunes.checkpoints.reopen import data_of
from symbotunes.checkpoints.trained_model import TrainedModel
from symbotunes.config.build import build
from symbotunes.config.overrides import FIXED, refuse_overrides
from symbotunes.data.cache.encoded import Encoded
from symbotunes.errors import UserError
from symbotunes.studio.menu import Menu
from symbotunes.studio.session import Session
from symbotunes.studio.settings import StudioSettings

EXTRA = "play"  # of the package


def play(cfg: DictConfig) -> None:
    """Answer the studio's page until the program is told to end.

    Raises:
        UserError: if a package is missing, the address is taken, or there is no model.
    """
    settings: StudioSettings = build(cfg.play)
    refuse_overrides(cfg, FIXED, "the studio uses the models of its menu; see play.models")
    try:
        from symbotunes.studio.serving import folder_of, open_studio, preload, serve
    except ModuleNotFoundError as error:
        raise UserError(
            f"mode=play needs the package {error.name}: run "
            f"python -m pip install 'symbotunes[{EXTRA}]' (in a checkout, -e '.[{EXTRA}]')"
        ) from error
    named = [*([str(cfg.ckpt)] if cfg.ckpt else []), *settings.models]
    menu = Menu(Path(cfg.paths.root), named)
    console = Console()
    with console.status("Reading the models"):
        entries = menu.entries()
    for source, reason in menu.left_out.items():
        console.print(f"Left out  {source}: {reason}", soft_wrap=True, markup=False)
    if not entries:
        raise UserError(f"no model below {cfg.paths.root}: train one, or set play.models=[PATH]")
    folder = folder_of(settings, Path(cfg.paths.run_dir))

    def training_data(model: TrainedModel) -> Encoded:
        return data_of(model.checkpoint, cfg).encoded

    session = Session.open(folder) if settings.session else Session.create(folder)
    studio = open_studio(settings, menu=menu, session=session, data_of=training_data)
    preload(studio.studio)
    models = f"{len(entries)} model{'s'[: len(entries) - 1]}"
    console.print(f"Studio  {models}; pieces are kept in {folder}", soft_wrap=True, markup=False)
    console.print(f"Open    {studio.address}", soft_wrap=True, markup=False)
    console.print("Ctrl-C ends it", markup=False)
    serve(studio, show=webbrowser.open if settings.open else None)
