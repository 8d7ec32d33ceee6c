"""mode=listen: a page for blind listening, and what its listeners found.

python main.py mode=listen 'listen.ckpts=[A.ckpt,B.ckpt]'
python main.py mode=listen 'listen.ckpts=[A.ckpt,B.ckpt]' listen.prompt_bars=4
python main.py mode=listen 'listen.ratings=[FOLDER]'
"""

from collections.abc import Mapping
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from symbotunes.checkpoints.checkpoint import Checkpoint, unpack
from symbotunes.checkpoints.names import model_names, shown_name
from symbotunes.checkpoints.reopen import data_of, rebuild
from symbotunes.config.build import build
from symbotunes.config.overrides import FIXED, refuse_overrides
from symbotunes.data.cache.encoded import Encoded
from symbotunes.errors import UserError
from symbotunes.evaluation.listening.design import HELD_OUT, ListeningTest, designed
from symbotunes.evaluation.listening.pieces import (
    Source,
    continuations,
    free_pieces,
    held_out_pieces,
)
from symbotunes.evaluation.listening.plan import ListenPlan
from symbotunes.evaluation.listening.ratings import (
    KEY_FILE,
    Key,
    listeners_of,
    read_all,
    read_key,
)
from symbotunes.evaluation.listening.results import Results, least_units, measure
from symbotunes.evaluation.plan import EvaluationPlan
from symbotunes.generation.seeds import refuse_seeds, seed_everything
from symbotunes.generation.sequences.plan import SamplePlan
from symbotunes.render.console import plain_table
from symbotunes.render.earlier_set import refuse_other_page
from symbotunes.render.pages.listening_results import (
    differences_table,
    means_table,
    write_results,
)
from symbotunes.render.pages.listening_test import write_listening_test


def listen(cfg: DictConfig) -> None:
    """Write the page of a listening test, or the results of its ratings."""
    plan: ListenPlan = build(cfg.listen)
    if plan.ratings:
        write_what_was_found(cfg, plan)
    else:
        write_test(cfg, plan)


def write_test(cfg: DictConfig, plan: ListenPlan) -> None:
    """Write a test of the models of ``listen.ckpts``.

    Raises:
        UserError: if one of them cannot be opened or heard.
    """
    refuse_overrides(
        cfg,
        [group for group in FIXED if group != "dataset"],
        "a listening test uses the models of its checkpoints; choose other listen.ckpts",
    )
    evaluation: EvaluationPlan = build(cfg.evaluate)
    if evaluation.split == "train":
        raise UserError("evaluate.split=train: a listening test needs held-out pieces: test or val")
    sampling = build(cfg.sample).plain
    if sampling is None:
        raise UserError("mode=listen draws plain samples: use sample=default")
    refuse_seeds(sampling.seeds)
    folder, console = Path(cfg.paths.run_dir), Console()
    refuse_other_page(folder, KEY_FILE)
    with console.status("Reading the checkpoints"):
        checkpoints = [unpack(Path(path).expanduser()) for path in plan.ckpts]
        names = model_names(checkpoints)
        models = dict(zip(names, checkpoints, strict=True))
        corpora = {}
        if plan.held_out or plan.prompt_bars is not None:
            corpora = {name: data_of(model, cfg).encoded for name, model in models.items()}
    with console.status("Writing music"):
        seed_everything(int(cfg.seed))
        test = heard(models, corpora, plan, evaluation, sampling, int(cfg.seed))
    with console.status("Rendering"):
        page = write_listening_test(folder, test)
    for source in test.key()["sources"]:
        console.print(f"Heard   {source}", soft_wrap=True, markup=False, highlight=False)
    console.print(f"Key     {folder / KEY_FILE}: do not give it to listeners", soft_wrap=True)
    console.print(f"Listen  {page}", soft_wrap=True, markup=False)


def heard(
    models: Mapping[str, Checkpoint],
    corpora: Mapping[str, Encoded],
    plan: ListenPlan,
    evaluation: EvaluationPlan,
    sampling: SamplePlan,
    seed: int,
) -> ListeningTest:
    """The test of some models.

    Args:
        models: by the names that tell them apart.
        corpora: the data of each, if held-out pieces are needed.
        plan: what is heard.
        evaluation: split of held-out pieces, and device.
        sampling: how music is drawn.
        seed: of everything random.
    """
    sources = []
    for name, checkpoint in models.items():
        net, tokenizer = rebuild(checkpoint)
        net.to(evaluation.torch_device).eval()
        sources.append(Source(name, net, tokenizer))
    held_out = (
        held_out_pieces(corpora, sources[0].tokenizer, evaluation.split, seed) if corpora else None
    )
    if plan.prompt_bars is not None and held_out is not None:
        pieces = continuations(
            sources, held_out, plan, sampling, seed, prompt_bars=plan.prompt_bars
        )
    else:
        pieces = free_pieces(sources, held_out, plan, sampling, seed)
    return designed(
        pieces,
        seed,
        rounds_heard=plan.rounds_heard,
        seconds=plan.seconds,
        prompt_bars=plan.prompt_bars,
        facts={
            **{name: shown_name(checkpoint.path) for name, checkpoint in models.items()},
            **sampling.without_beginning.facts,
            **plan.sound_facts,
            "seed": str(seed),
        },
    )


def write_what_was_found(cfg: DictConfig, plan: ListenPlan) -> None:
    """Write the results of ``listen.ratings``.

    Raises:
        UserError: if there are no ratings of a test whose key is known.
    """
    evaluation: EvaluationPlan = build(cfg.evaluate)
    folder, console = Path(cfg.paths.run_dir), Console()
    refuse_other_page(folder, "results.json")
    contents, skipped = read_all([Path(path).expanduser() for path in plan.ratings])
    tests = sorted({str(content["test"]) for content in contents.values()})
    key = the_key(plan, tests, Path(cfg.paths.root)) if tests else None
    listeners, others = listeners_of(contents, key) if key is not None else ([], {})
    skipped |= others
    for path, reason in skipped.items():
        console.print(f"Skipped  {path}: {reason}", soft_wrap=True, markup=False, highlight=False)
    if key is None or not listeners:
        raise UserError("listen.ratings: no file holds ratings that can be used")
    results = measure(key, listeners, evaluation.bootstrap(int(cfg.seed)))
    facts = {
        "test": key.test,
        "listeners": f"{len(listeners):,}",
        "pieces rated": f"{sum(results.ratings.values()):,}",
        "intervals": f"{100 * evaluation.confidence:g} %, {evaluation.resamples:,} draws",
    }
    page = write_results(
        folder, results, (key, listeners), facts=facts, remarks=_remarks(results, skipped)
    )
    console.print(plain_table("Mean ratings, 1 to 5", means_table(results, spans=False)))
    console.print(plain_table("Differences overall", differences_table(results, results.overall)))
    for line in results.sentences:
        console.print(f"Result  {line}", soft_wrap=True, markup=False, highlight=False)
    console.print(f"Read  {page}", soft_wrap=True, markup=False)


def the_key(plan: ListenPlan, tests: list[str], root: Path) -> Key:
    """The key that is named, or that of the only test that ratings are of.

    Raises:
        UserError: if there is none, or ratings are of several tests.
    """
    if plan.listening_key is not None:
        return read_key(Path(plan.listening_key).expanduser())
    if len(tests) > 1:
        raise UserError(
            f"listen.ratings are of the tests {', '.join(tests)}; name one of their keys with "
            "listen.listening_key=PATH/key.json"
        )
    for path in sorted(root.glob(f"listen/*/{KEY_FILE}")):
        try:
            key = read_key(path)
        except UserError:
            continue
        if key.test == tests[0]:
            return key
    raise UserError(
        f"no key of test {tests[0]} is below {root}; name it with "
        "listen.listening_key=PATH/key.json"
    )


def _remarks(results: Results, skipped: Mapping[str, str]) -> list[str]:
    """What a reader must know."""
    remarks = []
    least = least_units(len(results.overall), results.alpha)
    if min(results.listeners, results.rounds) < least:
        remarks.append(
            f"with {len(results.sources)} sources, fewer than {least} listeners and {least} rounds "
            "cannot establish any difference"
        )
    if HELD_OUT not in results.sources:
        remarks.append("without held-out music, these ratings have nothing to be compared with")
    if skipped:
        reasons = "; ".join(f"{Path(path).name}: {why}" for path, why in skipped.items())
        remarks.append(f"skipped files: {reasons}")
    return remarks
