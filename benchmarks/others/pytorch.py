"""The default train_cnn in PyTorch; options: channels_last, compile, bfloat16.

All training pictures are in memory, and a batch is gathered from them by index, which is faster
than PyTorch's DataLoader on pictures as small as these.
"""

import time

import torch
from rounds import Task, serve
from torch import nn

THREADS = 2
VALIDATED = 1000  # pictures at once


def network(task: Task) -> nn.Sequential:
    """Return the layers that `lookbook.networks.architectures.build_cnn` has, and its start."""
    settings, (side, _, channels) = task.settings, task.x_train.shape[1:]
    layers = []
    for block in settings.blocks:
        for place, width in enumerate(block):
            layers.append(
                nn.Conv2d(channels, width, settings.kernel_size, padding="same", bias=False)
            )
            if place == len(block) - 1:
                layers.append(nn.MaxPool2d(2))
            layers += [nn.BatchNorm2d(width, eps=1e-3, momentum=0.1), nn.ReLU(inplace=True)]
            channels = width
        side //= 2
    layers += [
        nn.Flatten(),
        nn.Dropout(settings.dropout),
        nn.Linear(channels * side * side, settings.dense_units, bias=False),
        nn.BatchNorm1d(settings.dense_units, eps=1e-3, momentum=0.1),
        nn.ReLU(inplace=True),
        nn.Dropout(settings.dropout),
        nn.Linear(settings.dense_units, task.classes),
    ]
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


class PyTorch:
    """A training loop as PyTorch's tutorials have it."""

    def __init__(self, task: Task):
        torch.set_num_threads(THREADS)
        torch.manual_seed(task.seed)
        self.task, self.step = task, 0
        self.layout = (
            torch.channels_last if "channels_last" in task.options else torch.contiguous_format
        )
        self.half = torch.autocast("cpu", torch.bfloat16, enabled="bfloat16" in task.options)
        self.network = network(task).to(memory_format=self.layout)
        self.trained = torch.compile(self.network) if "compile" in task.options else self.network
        self.pixels, self.labels = torch.from_numpy(task.x_train), torch.from_numpy(task.y_train)
        self.loss = nn.CrossEntropyLoss(label_smoothing=task.settings.label_smoothing)
        decayed = [weight for weight in self.network.parameters() if weight.ndim > 1]
        others = [weight for weight in self.network.parameters() if weight.ndim == 1]
        groups = [{"params": decayed}, {"params": others, "weight_decay": 0.0}]
        decay = task.settings.weight_decay
        self.optimizer = torch.optim.AdamW(groups, weight_decay=decay, eps=1e-7, fused=True)

    def scaled(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return what the network sees of uint8 pictures (n, height, width, channels)."""
        return (pixels.permute(0, 3, 1, 2).float() / 255).contiguous(memory_format=self.layout)

    def train(self) -> float:
        """Go through the training pictures once."""
        self.network.train()
        start, total, right = time.perf_counter(), torch.zeros(()), torch.zeros((), dtype=int)
        for batch in torch.randperm(len(self.labels)).split(self.task.settings.batch_size):
            for group in self.optimizer.param_groups:
                group["lr"] = self.task.rate(self.step)
            x, y = self.scaled(self.pixels[batch]), self.labels[batch].long()
            self.optimizer.zero_grad()
            with self.half:
                outputs = self.trained(x)
                loss = self.loss(outputs, y)
            loss.backward()
            self.optimizer.step()
            total += loss.detach()
            right += (outputs.argmax(1) == y).sum()
            self.step += 1
        assert torch.isfinite(total)
        return time.perf_counter() - start

    @torch.no_grad()
    def accuracy(self) -> float:
        """Return that on validation data."""
        self.network.eval()
        pixels = torch.from_numpy(self.task.x_validation).split(VALIDATED)
        with self.half:
            outputs = torch.cat([self.network(self.scaled(part)) for part in pixels])
        return (outputs.argmax(1).numpy() == self.task.y_validation).mean()


if __name__ == "__main__":
    serve(PyTorch(Task()))
