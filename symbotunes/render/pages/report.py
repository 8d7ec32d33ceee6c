"""The page of an evaluation: one generic function for all kinds of findings."""

from functools import singledispatch
from pathlib import Path

from symbotunes.evaluation.latent.findings import LatentFindings
from symbotunes.evaluation.sequences.findings import Findings
from symbotunes.evaluation.windows.findings import WindowFindings
from symbotunes.render.pages import latent, sequences, windows


@singledispatch
def write_report(findings: object, folder: Path) -> Path:  # noqa: ARG001
    """Write ``report.json`` and ``index.html``; returns the page.

    Register other kinds of findings with ``write_report.register``.

    Raises:
        OSError: if the folder cannot be written.
    """
    raise TypeError(f"{type(findings).__name__} cannot be shown on a page: it is not registered")


@write_report.register
def _sequences(findings: Findings, folder: Path) -> Path:
    return sequences.write_report(folder, findings)


@write_report.register
def _latent(findings: LatentFindings, folder: Path) -> Path:
    return latent.write_latent_report(folder, findings)


@write_report.register
def _windows(findings: WindowFindings, folder: Path) -> Path:
    return windows.write_window_report(folder, findings)
