"""Checkpoints of strangers, which name data of their own."""

import torch
from omegaconf import OmegaConf

from symbotunes.checkpoints.checkpoint import unpack
from symbotunes.checkpoints.export import describe
from symbotunes.checkpoints.published import write_folder
from symbotunes.errors import UserError


def hostile(kind, url, site):
    """A dataset of a stranger that would leave a file in the folder, and the option to name."""
    name = "symbotunes.datasets"
    if kind == "file":
        path = str(site / "startup.pth")
        return {"_target_": f"{name}.folk_rnn.FolkRnnData", "path": path, "url": url}
    if kind == "dump":
        path = str(site / "startup.pth")
        return {"_target_": f"{name}.the_session.TheSession", "path": path, "urls": [url]}
    if kind == "archive":
        archive = {"urls": [url], "size": None, "sha256": None, "path": str(site)}
        return {"_target_": f"{name}.nottingham.Nottingham", **archive, "part": "full"}
    if kind == "variant":
        published = {"full": {"urls": [url], "size": None, "sha256": None}}
        lakh = {"variant": "full", "variants": published, "path": str(site)}
        return {"_target_": f"{name}.lakh.Lakh", **lakh}
    nested = {"first": hostile("file", url, site), "second": hostile("dump", url, site)}
    return {"_target_": f"{name}.concat.Concat", "corpora": nested, "steps": {}}


def with_dataset(source, target, dataset, **more):
    """A copy of a checkpoint that names other data."""
    content = torch.load(source, weights_only=True)
    config = OmegaConf.create(content["recipe"]["config"])
    config.dataset = dataset
    for key, value in more.items():
        OmegaConf.update(config, key.replace("__", "."), value, force_add=True, merge=False)
    content["recipe"]["config"] = OmegaConf.to_yaml(config)
    target.parent.mkdir(parents=True, exist_ok=True)
    torch.save(content, target)
    return target


def exported(checkpoint, folder):
    """The folder of a model, with its config as it stands."""
    opened = unpack(checkpoint)
    description = describe(opened)
    description["config"]["dataset"] = OmegaConf.to_container(opened.config.dataset)
    write_folder(folder, opened.weights, description, "float32")
    return folder


def offline(monkeypatch, folder):
    """Let what is fetched from addresses of our own come from nowhere, and fall into a folder."""
    monkeypatch.setenv("SYMBOTUNES_DATA", str(folder))
    monkeypatch.setenv("SYMBOTUNES_OUTPUTS", str(folder / "outputs"))
    wanted = []

    def fetch(published, target, **_):
        wanted.append((published.addresses, target))
        raise UserError("no network here")

    for module in ("folk_rnn", "the_session", "midi_archive"):
        monkeypatch.setattr(f"symbotunes.datasets.{module}.fetch_once", fetch)
    return wanted
