"""mode=render: engrave and play ABC, MIDI or MusicXML files on a page, without a model.

python main.py mode=render render.input=tune.abc
python main.py mode=render render.input=FOLDER render.tempo=90 render.instrument=flute render.key=G
"""

from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from symbotunes.config.build import build
from symbotunes.errors import UserError
from symbotunes.render.files import RenderPlan, facts_of, read_files
from symbotunes.render.forms import chosen_forms
from symbotunes.render.gallery import refuse_other_files, write_gallery


def render(cfg: DictConfig) -> None:
    """Write the page of ``render.input``; files that cannot be read are named, the rest rendered.

    Raises:
        UserError: if there is nothing to render, or the folder cannot be written.
    """
    plan: RenderPlan = build(cfg.render)
    folder = Path(plan.out) if plan.out else Path(cfg.paths.run_dir)
    forms = chosen_forms("render.forms", plan.forms)
    refuse_other_files(folder)
    console = Console()
    with console.status(f"Rendering {plan.path.name}"):
        result = read_files(plan)
        facts = facts_of(result, plan)
        try:
            page = write_gallery(
                folder, result.pieces, heading=plan.path.stem, facts=facts, forms=forms
            )
        except OSError as error:
            reason = error.strerror or error
            raise UserError(f"pages cannot be written to {folder}: {reason}") from error
    count = len(result.pieces)
    console.print(f"Pieces  {count:,} rendered, {len(result.broken):,} could not be read")
    for name, reason in result.broken.items():
        console.print(f"        {name}: {reason}", soft_wrap=True, markup=False, highlight=False)
    console.print(f"Listen  {page}", soft_wrap=True, markup=False)
