"""Disables dropout during training, however the network was built."""

import lightning
from torch import nn

SHARES = ("dropout", "attention_dropout")  # attributes of networks


class NoDropout(lightning.Callback):
    """Sets every dropout of the network to 0 when training starts, so that it can memorize."""

    def on_fit_start(
        self,
        trainer: lightning.Trainer,  # noqa: ARG002
        pl_module: lightning.LightningModule,
    ) -> None:
        for module in pl_module.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
            for name in SHARES:
                if isinstance(getattr(module, name, None), float):
                    setattr(module, name, 0.0)
