"""mode=prepare: prepare a dataset and show what is read, kept and dropped, and why.

python main.py mode=prepare dataset=folk
python main.py mode=prepare prepare.list=true      prepared corpora in the cache
python main.py mode=prepare prepare.clean=stale    remove those that no run will read again
"""

from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from symbotunes.config.assembly import build_chain, build_data
from symbotunes.data.preparation.inventory import clean, entries
from symbotunes.render.console import caches_table, dropped_line, quarantine_lines, receipt_table


def prepare(cfg: DictConfig) -> None:
    """Prepare the dataset, or open its cache if there is one, and print its receipt.

    With ``prepare.list`` or ``prepare.clean``, no dataset is read.
    """
    console = Console()
    cache = Path(cfg.loader.cache)
    if cfg.prepare.clean is not None:
        removed = clean(cache, str(cfg.prepare.clean))
        freed = sum(entry.bytes for entry in removed)
        console.print(f"Removed {len(removed)} caches, {freed / 1e6:,.1f} MB, from {cache}")
    if cfg.prepare.list:
        console.print(caches_table(entries(cache), str(cache)))
    if cfg.prepare.list or cfg.prepare.clean is not None:
        return
    data = build_data(cfg, build_chain(cfg))
    receipt = data.encoded.receipt
    blocks = data.count_blocks()
    console.print(receipt_table(receipt, data.corpus.name, examples=True, blocks=blocks))
    console.print(quarantine_lines(receipt), soft_wrap=True, end="")
    console.print(dropped_line(data.encoded), soft_wrap=True, end="")
    console.print(f"Prepared in {data.encoded.folder}", soft_wrap=True)
