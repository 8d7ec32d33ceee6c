"""mode=report: write the table of a sweep, after it ends or while it runs.

python main.py mode=report sweep.dir=outputs/multirun/SWEEP
"""

from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from symbotunes.errors import UserError
from symbotunes.sweeps.jobs import read_jobs, record_the_dead
from symbotunes.sweeps.report import best_lines, newest_sweep, write_sweep_report


def report(cfg: DictConfig) -> None:
    """Write the report of ``sweep.dir``, or of the newest sweep."""
    folder = Path(cfg.sweep.dir) if cfg.sweep.dir else newest_sweep(Path(cfg.paths.root))
    if not folder.is_dir():
        raise UserError(f"sweep.dir={folder} does not exist")
    if not (folder / "sweep.yaml").is_file():
        raise UserError(f"sweep.dir={folder} is not a sweep folder (no sweep.yaml)")
    record_the_dead(read_jobs(folder))
    page = write_sweep_report(folder)
    for text in filter(None, (best_lines(folder), f"Report  {page}")):
        Console().print(text, soft_wrap=True, markup=False, highlight=False)
