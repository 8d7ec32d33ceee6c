"""mode=benchmark: measure the rows of a leaderboard that have no result, and write its page.

python main.py mode=benchmark                                     benchmark=folk, all rows
python main.py mode=benchmark 'benchmark.rows=[unigram,5-gram]'   only these
python main.py mode=benchmark 'benchmark.rows=[]'                 only the page
"""

from pathlib import Path

from omegaconf import DictConfig, open_dict
from rich.console import Console

from symbotunes.config.assembly import build_chain, build_data
from symbotunes.config.build import build
from symbotunes.config.compose import recomposed
from symbotunes.config.overrides import FIXED, refuse_overrides
from symbotunes.data.module import MusicData
from symbotunes.errors import UserError
from symbotunes.evaluation.metrics.bootstrap import Bootstrap
from symbotunes.files import atomic_write
from symbotunes.leaderboard.ngrams import measure_ngram
from symbotunes.leaderboard.plan import Benchmark, read_row
from symbotunes.leaderboard.results import environment, read_result, result_file, write_result
from symbotunes.leaderboard.trainings import measure_training
from symbotunes.render.pages.leaderboard import Line, leaderboard_page

CONFIDENCE, SEED = 0.95, 0  # of all intervals


def benchmark(cfg: DictConfig) -> None:
    """Measure what has not been measured, then write the page of all benchmarks."""
    refuse_overrides(cfg, FIXED, "a benchmark fixes data and models; see benchmark.rows")
    plan: Benchmark = build(cfg.benchmark)
    console = Console()
    rows = plan.chosen_rows()
    missing = [row for row in rows if read_result(result_file(plan, row)) is None]
    for row in rows:
        if row not in missing:
            console.print(
                f"Skipped   {row.name}: {result_file(plan, row)} is there", soft_wrap=True
            )
    data = fixed_data(cfg, plan) if missing else None
    bootstrap, here = Bootstrap(plan.resamples, CONFIDENCE, SEED), environment()
    for row in missing:
        assert data is not None
        content = data.encoded.identity.content
        if row.order is not None:
            runs = [measure_ngram(data, row.order, bootstrap)]
        else:
            folder = Path(cfg.paths.root) / "benchmark" / plan.name / row.name
            runs = [
                measure_training(
                    plan,
                    row,
                    seed,
                    folder=folder / f"seed_{seed}",
                    content=content,
                    bootstrap=bootstrap,
                )
                for seed in row.seeds
            ]
        file = write_result(plan, row, content=content, measured_by=here, runs=runs)
        console.print(f"Measured  {row.name}: {file}", soft_wrap=True)
    atomic_write(Path(plan.page), page_of(Path(plan.folder)))
    console.print(f"Read      {plan.page}", soft_wrap=True)


def fixed_data(cfg: DictConfig, plan: Benchmark) -> MusicData:
    """The data of a benchmark.

    Raises:
        UserError: if they are not those that its rows are measured on.
    """
    fixed = recomposed(list(plan.words))
    with open_dict(fixed):
        fixed.paths = cfg.paths
    data = build_data(fixed, build_chain(fixed))
    content = data.encoded.identity.content
    if plan.content not in (None, content):
        raise UserError(
            f"benchmark={plan.name} is measured on data with SHA-256 {plan.content}, and these "
            f"have {content}: another version of Symbotunes or of the corpus has made them"
        )
    return data


def page_of(folder: Path) -> str:
    """The page of all benchmarks with rows in a folder."""
    boards = {}
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        rows = [read_row(file) for file in sorted(place.glob("*.yaml"))]
        boards[place.name] = [
            Line(row.name, row.about, row.minutes, read_result(place / f"{row.name}.json"))
            for row in rows
        ]
    return leaderboard_page(boards)
