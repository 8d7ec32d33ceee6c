"""Tables and closing lines for the console."""

from collections.abc import Mapping, Sequence
from functools import singledispatch
from pathlib import Path

from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

from symbotunes.config.commands import command, resume_settings
from symbotunes.data.cache.encoded import DROPPED, Encoded
from symbotunes.data.preparation.inventory import Entry
from symbotunes.data.receipt import BlockCount, Receipt
from symbotunes.data.split import SPLITS
from symbotunes.evaluation.latent.findings import LatentFindings, Notes
from symbotunes.evaluation.metrics.blocks import BlockFigures
from symbotunes.evaluation.metrics.bootstrap import Interval
from symbotunes.evaluation.metrics.figure import Figure
from symbotunes.evaluation.metrics.histograms import OVERLAP
from symbotunes.evaluation.metrics.infilling import INFILLING
from symbotunes.evaluation.metrics.losses import LOSSES
from symbotunes.evaluation.metrics.reconstruction import ACCURACIES, COSTS, DISTANCE
from symbotunes.evaluation.metrics.tunes import GRAMMAR, TUNES
from symbotunes.evaluation.metrics.windows import WINDOWS
from symbotunes.evaluation.sequences.baselines import NGRAM_NAMES, Baselines
from symbotunes.evaluation.sequences.findings import Findings, Infilling
from symbotunes.evaluation.windows.findings import WindowFindings
from symbotunes.models.quantities import LOSS, WORDS
from symbotunes.music.arrival.vocabulary import BLOCK, TRIPLET
from symbotunes.render.tables import Table as PageTable


def receipt_table(
    receipt: Receipt,
    title: str,
    *,
    examples: bool = False,
    blocks: Mapping[str, BlockCount] | None = None,
) -> Table:
    """How many pieces were read, kept for each split, and dropped for each reason.

    Args:
        receipt: of the corpus.
        title: its name.
        examples: whether a column names some of the dropped pieces.
        blocks: by split, if pieces are cut into blocks.
    """
    table = Table(title=f"Data of {escape(title)}", title_justify="left")
    table.add_column("pieces")
    table.add_column("count", justify="right")
    table.add_column("examples", justify="right")
    table.add_column("tokens", justify="right")
    if examples:
        table.add_column("for example")
    blank = [""] if examples else []
    table.add_row("read", f"{receipt.read:,}", "", "", *blank)
    for split in SPLITS:
        counts = (receipt.kept[split], receipt.examples[split], receipt.tokens[split])
        table.add_row(f"kept for {split}", *(f"{count:,}" for count in counts), *blank)
    for reason, count in receipt.dropped.most_common():
        example = [escape(", ".join(receipt.specimens.get(reason, [])[:2]))] if examples else []
        table.add_row(f"dropped: {escape(reason)}", f"{count:,}", "", "", *example)
    for reason, count in receipt.left_out.most_common():
        table.add_row(f"parts left out: {escape(reason)}", "", f"{count:,}", "", *blank)
    for remark, count in receipt.remarks.most_common():
        table.add_row(f"kept, but: {escape(remark)}", f"{count:,}", "", "", *blank)
    for split, cut in (blocks or {}).items():
        tokens = f"{cut.kept * TRIPLET * BLOCK:,}"
        table.add_row(f"blocks of {BLOCK} for {split}", "", f"{cut.kept:,}", tokens, *blank)
    if dropped := sum(cut.dropped for cut in (blocks or {}).values()):
        table.add_row("blocks left out: 100 s or more", "", f"{dropped:,}", "", *blank)
    table.add_row("vocabulary", f"{receipt.vocabulary:,}", "", "", *blank)
    return table


def dropped_line(encoded: Encoded) -> str:
    """Where every dropped piece is listed; empty if none was dropped."""
    if not encoded.receipt.dropped:
        return ""
    return escape(f"Every dropped piece, with reason and value: {encoded.folder / DROPPED}\n")


def quarantine_lines(receipt: Receipt) -> str:
    """The files that hung, or crashed their worker, or exhausted its memory; one per line."""
    lines = [f"Quarantined: {name}: {why}\n" for name, why in receipt.quarantined.items()]
    return escape("".join(lines))


def caches_table(entries: Sequence[Entry], title: str) -> Table:
    """Every cache with its contents and when it was last used."""
    table = Table(title=f"Caches in {escape(title)}", title_justify="left", box=SIMPLE)
    table.add_column("fingerprint", no_wrap=True)
    table.add_column("holds")
    for name in ("examples", "MB"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("last used", no_wrap=True)
    for entry in entries:
        holds = f"{entry.dataset}, {entry.transforms}"
        table.add_row(
            entry.fingerprint,
            escape(f"{holds}; stale: {entry.stale}" if entry.stale else holds),
            f"{entry.examples:,}",
            f"{entry.bytes / 1e6:,.1f}",
            f"{entry.used:%Y-%m-%d}",
        )
    return table


def closing_table(
    metric: str, value: float, baselines: Baselines, name: str, mode: str = "min"
) -> Table:
    """The best value of a training, next to n-gram models on the same tokens if there are any.

    Args:
        metric: what the value is, such as ``val/loss``.
        value: of the model.
        baselines: the n-gram models; only ``val/loss`` compares with theirs.
        name: of the model.
        mode: whether the value is the least (``min``) or greatest (``max``) of the training.
    """
    if metric != LOSS:
        table = Table(title="Best of the training", title_justify="left")
        table.add_column("model")
        table.add_column(f"{WORDS[mode]} {escape(metric)}", justify="right")
        table.add_row(f"[bold]{escape(name)}[/bold]", f"[bold]{value:.4g}[/bold]")
        return table
    return comparison_table(value, baselines, name)


def comparison_table(loss: float, baselines: Baselines, name: str) -> Table:
    """The model next to n-gram models on the same validation tokens."""
    parts = []
    if baselines.measured_on:
        parts.append(f"all on {baselines.measured_on} (trainer.limit_val_batches)")
    if baselines.fitted_on:
        parts.append(f"n-gram models are fitted on {baselines.fitted_on}")
    table = Table(
        title="Validation loss, nats per token (lower is better)",
        caption="; ".join(parts) or None,
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("model")
    table.add_column("nats per token", justify="right")
    table.add_column("this model's gain", justify="right")
    for order, value in sorted(baselines.losses.items()):
        label = NGRAM_NAMES.get(order, f"{order}-gram")
        table.add_row(f"{label} (Kneser-Ney)", f"{value:.3f}", f"{value - loss:+.3f}")
    table.add_row(f"[bold]{escape(name)}[/bold]", f"[bold]{loss:.3f}[/bold]", "")
    return table


@singledispatch
def findings_tables(findings: object) -> list[Table]:
    """An evaluation as tables. Register other kinds with ``findings_tables.register``."""
    raise TypeError(f"{type(findings).__name__} cannot be shown as tables: it is not registered")


@findings_tables.register
def language_tables(findings: Findings) -> list[Table]:
    """Losses, losses by class of token, and figures of tunes."""
    held_out, sets = findings.held_out, findings.sets
    nats = LOSSES["nats_per_token"]
    losses = _figure_table(
        f"{held_out.pieces:,} {held_out.split} tunes: losses, and what this model gains",
        ["model", *(figure.label for figure in LOSSES.values()), "gain"],
        [
            [
                escape(name),
                *(
                    (_span if figure is nats else _value)(figure, figures.get(key))
                    for key, figure in LOSSES.items()
                ),
                _span(nats, held_out.gains.get(name)),
            ]
            for name, figures in held_out.models.items()
        ],
    )
    classes = _figure_table(
        "Nats per token by kind of token",
        ["kind", "share", *map(escape, held_out.models)],
        [
            [
                escape(token_class.name),
                f"{100 * token_class.share:.1f} %",
                *(_value(nats, token_class.nats[name]) for name in held_out.models),
            ]
            for token_class in held_out.classes
        ],
    )
    tune_figures = _figure_table(
        f"{sets[0].tunes:,} tunes of this model",
        ["", *(tunes.name for tunes in sets)],
        [
            [figure.label, *(_span(figure, tunes.figures.get(name)) for tunes in sets)]
            for name, figure in TUNES.items()
            if any(name in tunes.figures for tunes in sets)
        ],
    )
    blocks = [] if held_out.blocks is None else [_block_table(held_out.blocks)]
    return [losses, *blocks, classes, tune_figures, *_infilling_tables(findings.infilling)]


def _block_table(figures: BlockFigures) -> Table:
    """Perplexities as the authors of arrival times report them, without intervals."""
    dropped = f"; {figures.dropped:,} of 100 s or more are left out" if figures.dropped else ""
    return _figure_table(
        f"Perplexities over {figures.blocks:,} blocks of {BLOCK} notes and rests{dropped}",
        ["event", "onset", "duration", "note", "bits per second"],
        [
            [
                f"{figures.event:.2f}",
                f"{figures.onset:.3f}",
                f"{figures.duration:.3f}",
                f"{figures.note:.3f}",
                f"{figures.bits_per_second:.1f}",
            ]
        ],
    )


def _infilling_tables(infilling: Infilling | None) -> list[Table]:
    if infilling is None:
        return []
    rows = [
        [figure.label, _span(figure, infilling.figures.get(key))]
        for key, figure in INFILLING.items()
    ]
    title = f"{infilling.bars} bars of each of {len(infilling.raw):,} held-out tunes, filled in"
    return [_figure_table(title, ["", "this model"], rows)]


@findings_tables.register
def latent_tables(findings: LatentFindings) -> list[Table]:
    """Accuracies, costs, distances along interpolations, and overlaps of notes."""
    reconstruction, path, prior = findings.reconstruction, findings.path, findings.prior
    accuracies = _figure_table(
        f"{reconstruction.windows:,} {reconstruction.split} windows: reconstruction accuracy",
        ["track", *(figure.label for figure in ACCURACIES.values())],
        [
            [escape(track), *(_span(figure, shares[key]) for key, figure in ACCURACIES.items())]
            for track, shares in reconstruction.accuracies.items()
        ],
    )
    costs = _figure_table(
        f"Costs; {reconstruction.active} of {reconstruction.latent} latent axes are active",
        ["", ""],
        [[figure.label, _span(figure, reconstruction.costs[key])] for key, figure in COSTS.items()],
    )
    points = [(index, share) for index, share in enumerate(path.shares) if not index % 2]
    distance_table = _figure_table(
        f"{DISTANCE.label} along {path.pairs:,} interpolations",
        ["", *(f"{share:g}" for _, share in points)],
        [
            [name, *(_value(DISTANCE, distances[index]) for index, _ in points)]
            for name, distances in path.distances.items()
        ],
    )
    notes = _notes_table(prior, findings.samples)
    return [accuracies, costs, distance_table, notes, *_grammar_table(findings)]


def _grammar_table(findings: LatentFindings) -> list[Table]:
    """Errors of new windows; no table where any windows are right."""
    if not findings.grammar:
        return []
    rows = [
        [figure.label, *(_span(figure, figures[key]) for figures in findings.grammar.values())]
        for key, figure in GRAMMAR.items()
    ]
    return [_figure_table(f"{findings.samples:,} new windows", ["", *findings.grammar], rows)]


@findings_tables.register
def window_tables(findings: WindowFindings) -> list[Table]:
    """Figures of windows, and overlaps of their notes."""
    sets = findings.sets
    figures = _figure_table(
        f"{sets[0].windows:,} windows of this model",
        ["", *(windows.name for windows in sets)],
        [
            [figure.label, *(_span(figure, windows.figures.get(name)) for windows in sets)]
            for name, figure in WINDOWS.items()
        ],
    )
    return [figures, _notes_table(findings.prior, sets[0].windows)]


def _notes_table(prior: Sequence[Notes], windows: int) -> Table:
    return _figure_table(
        f"{windows:,} new windows: {OVERLAP.label} with the training windows",
        ["", *(prior[0].overlaps if prior else [])],
        [
            [notes.name, *(_span(OVERLAP, value) for value in notes.overlaps.values())]
            for notes in prior
        ],
    )


def plain_table(title: str, content: PageTable) -> Table:
    """A table of a page, on the console; reasons are left to the page."""
    rows = [
        [
            escape(item if isinstance(item, str) else f"{item.value} {item.span}".strip() or "-")
            for item in row
        ]
        for row in content.rows
    ]
    return _figure_table(title, [escape(name) for name in content.head], rows)


def _figure_table(title: str, head: list[str], rows: list[list[str]]) -> Table:
    table = Table(title=title, title_justify="left")
    for index, name in enumerate(head):
        table.add_column(name, justify="right" if index else "left")
    for row in rows:
        table.add_row(*row)
    return table


def _value(figure: Figure, interval: Interval | None) -> str:
    return "" if interval is None or not interval.is_defined else figure.show(interval)[0]


def _span(figure: Figure, interval: Interval | None) -> str:
    if interval is None or not interval.is_defined:
        return ""
    value, span = figure.show(interval)
    return f"{value} {escape(span)}".rstrip()


def closing_lines(folder: Path, best: Path, listen: str, longer: str = "max_steps=N") -> str:
    """Where the run is and what to type next.

    Args:
        folder: of the run.
        best: its best checkpoint.
        listen: the page of its samples, or why there are none.
        longer: the limit to raise, if it shall go on for longer.
    """
    return "\n".join(
        [
            f"Run folder   {escape(str(folder))}",
            f"Listen       {escape(listen)}",
            f"Sample more  {escape(command({'mode': 'sample', 'ckpt': best}))}",
            f"Resume       {escape(command(resume_settings(folder)))} trainer.{longer}",
        ]
    )


def interrupted_lines(folder: Path) -> str:
    """What to type after a training was interrupted."""
    last = folder / "checkpoints" / "last.ckpt"
    if not last.is_file():
        return f"Interrupted before the first checkpoint; the run folder is {escape(str(folder))}"
    return f"Interrupted. To resume: {escape(command(resume_settings(folder)))}"
