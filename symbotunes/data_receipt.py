"""mode=data: read a dataset and show what became of every piece."""

from omegaconf import DictConfig
from rich.console import Console

from symbotunes.config import build_chain, build_data
from symbotunes.reports import receipt_table


def show_data(cfg: DictConfig) -> None:
    """Prepare the dataset, from its cache if it was made before, and print its receipt."""
    data = build_data(cfg, build_chain(cfg))
    console = Console()
    console.print(receipt_table(data.encoded.receipt, type(data.corpus).__name__, examples=True))
    console.print(
        f"Tokenized and cached in {data.cache / data.encoded.fingerprint}", soft_wrap=True
    )
