"""Panels for a project's runs on Weights & Biases, created with its own library.

python -m pip install wandb-workspaces
python launch/wandb/workspace.py ENTITY [PROJECT]
"""

import sys

import wandb_workspaces.reports.v2 as panels
import wandb_workspaces.workspaces as ws

STEP = "trainer/global_step"
LINES = {  # section -> metrics in one chart, and what its axis measures
    "Losses": [
        (["train/loss"], "nats per token"),
        (["val/loss"], "nats per token"),
        (["val/best_loss"], "nats per token"),
    ],
    "Latent models": [
        (["train/kl_nats", "val/kl_nats"], "nats per window"),
        (["train/reconstruction_nats", "val/reconstruction_nats"], "nats per window"),
        (["val/active_units"], "latent axes"),
    ],
    "Optimization": [
        (["optim/learning_rate"], "learning rate"),
        (["optim/gradient_norm"], "L2 norm before clipping"),
    ],
    "Speed and memory": [
        (["speed/tokens_per_second"], "tokens per second"),
        (["speed/mfu"], "fraction of the peak, 0 to 1"),
        (["memory/peak_gib"], "GiB"),
    ],
}
CLOSED = {"Latent models"}
SAMPLES = 4  # samples per panel, see callbacks.panel.num
FORMS = ("audio", "roll", "notation")
TABLES = ("samples/table", "data/receipt", "evaluation/losses", "evaluation/tunes", "sweep/jobs")
SEARCHED = {"model.optimizer.lr": True, "model.net.width": True, "model.net.dropout": False}  # log?


def chart(metrics: list[str], axis: str) -> panels.LinePlot:
    """Metrics over optimizer steps; those that span decades use a logarithmic axis."""
    return panels.LinePlot(
        title=", ".join(metrics),
        x=STEP,
        y=list(metrics),
        title_x="optimizer steps",
        title_y=axis,
        log_y=metrics == ["optim/gradient_norm"],
    )


def samples() -> ws.Section:
    """Sample panels with fixed seeds; each form of each sample has its own key."""
    browsers = [
        panels.MediaBrowser(
            title=form,
            media_keys=[f"samples/sample_{n:02d}/{form}" for n in range(1, SAMPLES + 1)],
            num_columns=2,
        )
        for form in FORMS
    ]
    return ws.Section(name="Samples", panels=browsers, is_open=True)


def searches() -> ws.Section:
    """How the best loss depends on the values that a sweep varies."""
    columns = [
        panels.ParallelCoordinatesPlotColumn(panels.Config(key), log=log)
        for key, log in SEARCHED.items()
    ]
    result = panels.ParallelCoordinatesPlotColumn(panels.SummaryMetric("val/best_loss"))
    charts = [
        panels.ParallelCoordinatesPlot(columns=[*columns, result], title="best loss"),
        panels.ParameterImportancePlot(with_respect_to="val/best_loss"),
    ]
    return ws.Section(name="Sweeps", panels=charts)


def tables() -> ws.Section:
    """Samples, data, evaluations and sweeps as tables."""
    charts = [panels.WeavePanelSummaryTable(table_name=name) for name in TABLES]
    return ws.Section(name="Tables", panels=charts)


def workspace(entity: str, project: str) -> ws.Workspace:
    """The whole view; nothing is sent before it is saved."""
    lines = [
        ws.Section(name=name, panels=[chart(*each) for each in charts], is_open=name not in CLOSED)
        for name, charts in LINES.items()
    ]
    return ws.Workspace(
        entity=entity,
        project=project,
        name="Symbotunes",
        sections=[*lines, samples(), searches(), tables()],
        settings=ws.WorkspaceSettings(x_axis=STEP),
    )


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 3:
        sys.exit("usage: python launch/wandb/workspace.py ENTITY [PROJECT]")
    view = workspace(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else "symbotunes")
    view.save()
    print(view.url)
