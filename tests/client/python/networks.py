"""Networks as people train them, with statistics as after training, in evaluation mode."""
import torch
from torch import nn
from torch.nn import functional


def trained(network, seed=0):
    """`network` with batch normalization as long training leaves it: spread, and some gammas negative."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for part in network.modules():
            if isinstance(part, nn.modules.batchnorm._BatchNorm):
                part.running_mean.copy_(torch.randn(part.num_features, generator=generator) * 0.5)
                part.running_var.copy_(torch.rand(part.num_features, generator=generator) + 0.2)
                part.num_batches_tracked.fill_(100)
                if part.affine:
                    part.weight.copy_(torch.rand(part.num_features, generator=generator) * 1.5 - 0.2)
                    part.bias.copy_(torch.randn(part.num_features, generator=generator) * 0.3)
    return network.eval()


def demonstration(channels=(64, 128, 64), inputs=1, classes=3):
    """The architecture of the demonstration model: BatchNorm at indices 1, 5 and 9."""
    layers, width = [], inputs
    for size in channels:
        layers += [nn.Conv1d(width, size, 3, padding=1, bias=False), nn.BatchNorm1d(size), nn.ReLU(), nn.Dropout(0.2)]
        width = size
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(width, classes))


class ResidualBlock(nn.Module):
    def __init__(self, width_in, width):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(width_in, width, 7, padding=3), nn.BatchNorm1d(width), nn.ReLU(),
            nn.Conv1d(width, width, 3, padding=1), nn.BatchNorm1d(width))
        # A shortcut of the same width is a BatchNorm with no convolution before it.
        self.shortcut = nn.BatchNorm1d(width) if width_in == width else nn.Sequential(
            nn.Conv1d(width_in, width, 1), nn.BatchNorm1d(width))

    def forward(self, x):
        return functional.relu(self.body(x) + self.shortcut(x))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(ResidualBlock(2, 16), ResidualBlock(16, 24), ResidualBlock(24, 24))
        self.head = nn.Linear(24, 5)

    def forward(self, x):
        pooled = functional.adaptive_avg_pool1d(self.blocks(x), 1)
        return self.head(pooled.view(pooled.size(0), -1))


class InceptionModule(nn.Module):
    def __init__(self, width_in, width):
        super().__init__()
        self.bottleneck = nn.Conv1d(width_in, width, 1, bias=False)
        self.branches = nn.ModuleList(nn.Conv1d(width, width, k, padding=k // 2, bias=False) for k in (19, 9, 5))
        self.pool = nn.MaxPool1d(3, stride=1, padding=1)
        self.after_pool = nn.Conv1d(width_in, width, 1, bias=False)
        self.norm = nn.BatchNorm1d(4 * width)

    def forward(self, x):
        narrow = self.bottleneck(x)
        return functional.relu(self.norm(torch.cat(
            [branch(narrow) for branch in self.branches] + [self.after_pool(self.pool(x))], dim=1)))


class Inception(nn.Module):
    """As InceptionTime: one BatchNorm after four concatenated convolutions."""

    def __init__(self):
        super().__init__()
        self.modules_ = nn.Sequential(InceptionModule(4, 8), InceptionModule(32, 8), InceptionModule(32, 8))
        self.shortcut = nn.Sequential(nn.Conv1d(4, 32, 1, bias=False), nn.BatchNorm1d(32))
        self.head = nn.Linear(32, 6)

    def forward(self, x):
        mixed = functional.relu(self.modules_(x) + self.shortcut(x))
        return self.head(functional.adaptive_avg_pool1d(mixed, 1).flatten(1))


class Dense(nn.Module):
    """BatchNorm on the raw input and after Linear layers, one of them without scale and shift. Of a fixed length."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(6)
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(6 * 24, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.3),
                                  nn.Linear(32, 16, bias=False), nn.BatchNorm1d(16, affine=False), nn.ReLU(),
                                  nn.Linear(16, 5))

    def forward(self, x):
        return self.body(self.norm(x))


class Streams(nn.Module):
    """Two inputs, three outputs, one of which has a time axis; a BatchNorm that runs twice."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(3, 8, 5, padding=2)
        self.second = nn.Conv1d(8, 8, 3, padding=1)
        self.norm = nn.BatchNorm1d(8)
        self.side = nn.Linear(4, 8)
        self.steps = nn.Conv1d(8, 2, 1)

    def forward(self, signal, covariates):
        hidden = functional.relu(self.norm(self.first(signal)))
        hidden = functional.relu(self.norm(self.second(hidden)))
        embedding = hidden.mean(dim=-1) + self.side(covariates)
        return embedding.sum(dim=1, keepdim=True), self.steps(hidden), embedding
