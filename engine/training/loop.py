"""The training loop: a generator of steps over packed samples. No I/O, no clock of its own, no signals.

One step: 1. the next samples in this round's order, put into rows; 2. rows dealt out to batches of like size, and
batches to the workers; 3. loss and gradients of each batch; 4. gradients added up in a fixed order, clipped; 5. the
update.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.config import SpecialTokens
from engine.models.esolm_network import EsoLMNetwork
from engine.training.checkpoint import Progress
from engine.training.config import TrainConfig
from engine.training.forward import hidden_rows
from engine.training.head import weighted_loss
from engine.training.objective import Batch, Row, TargetKind, collate, make_row
from engine.training.optimizer import Optimizer, clip_gradients, trainable
from engine.training.samples import SampleStore


@dataclass(frozen=True, slots=True)
class StepReport:
    """What one step did: mean -ln p (nats a token) over the hole and the context targets, and the gradient's norm."""

    loss: float
    context_loss: float
    gradient_norm: float
    rate: float
    rows: int
    targets: int


class Trainer:
    """A network, its optimizer and its place in the samples.

    Attributes:
        network: in the working dtype, on the device. progress: updated after every step.
    """

    def __init__(
        self,
        config: TrainConfig,
        network: EsoLMNetwork,
        store: SampleStore,
        special: SpecialTokens,
        *,
        device: torch.device,
        dtype: torch.dtype,
        workers: int,
    ) -> None:
        self.network = network.to(device)
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(not name.endswith("modulation"))
        self.optimizer = Optimizer(self.network, weight_decay=config.weight_decay)
        self.network.to(dtype)
        self.progress = Progress()
        self._config = config
        self._store = store
        self._special = special
        self._device = device
        self._networks = [self.network] + [_twin(self.network) for _ in range(workers - 1)]
        self._hidden: Callable[[EsoLMNetwork, Batch], Tensor] = hidden_rows
        if config.compile:
            self._hidden = torch.compile(hidden_rows, dynamic=True)
        self._permutation: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, dtype=np.int64))

    def steps(self, share_done: Callable[[Progress], float]) -> Iterator[StepReport]:
        """Trains, one update per yield, until `share_done` (of the whole run) reaches 1."""
        # One thread per batch, not several threads per product: no barriers, so busy neighbours cost little.
        with ThreadPoolExecutor(len(self._networks), initializer=_use_one_thread(len(self._networks))) as pool:
            while (share := share_done(self.progress)) < 1:
                yield self._step(share, pool)

    def _step(self, share: float, pool: ThreadPoolExecutor) -> StepReport:
        config = self._config
        rows = self._next_rows(share)
        batches = [collate(group, self._special) for group in grouped(rows, config.rows_per_batch, len(self._networks))]
        total = float(sum(batch.weights.sum() for batch in batches))
        hands = [batches[worker :: len(self._networks)] for worker in range(len(self._networks))]
        jobs = [
            pool.submit(self._gradients, network, hand, total)
            for network, hand in zip(self._networks, hands, strict=True)
        ]
        sums = sum((job.result() for job in jobs), torch.zeros(2, 2, dtype=torch.float64))
        self._add_up_gradients()
        norm = clip_gradients(trainable(self.network).values(), config.clip)
        factor = trapezoid(share, config.warmup, config.cooldown)
        self.optimizer.step(
            config.matrix_rate * factor, config.rate * factor, lambda function, names: _all(pool, function, names)
        )
        progress = self.progress
        progress.step += 1
        progress.rows += sum(row.size for row in rows)
        progress.targets += sum(len(row.predicted) for row in rows)
        progress.tokens += sum(len(row.ids) for row in rows)
        means = (sums[:, 0] / sums[:, 1].clamp_min(1)).tolist()
        return StepReport(
            means[0], means[1], norm, factor, sum(row.size for row in rows), sum(len(row.predicted) for row in rows)
        )

    def _next_rows(self, share: float) -> list[Row]:
        """Step 1: samples from the cursor on, until there are enough rows."""
        config, progress = self._config, self.progress
        first, last = config.context_targets
        predict_context = first + (last - first) * share
        rows: list[Row] = []
        size = 0
        while size < config.rows_per_step:
            if progress.cursor == len(self._store):
                progress.cursor, progress.round = 0, progress.round + 1
            index = int(self._order()[progress.cursor])
            generator = np.random.default_rng((config.seed, progress.round, index))
            in_context, corrupt = generator.random() < predict_context, generator.random() < config.corrupted
            row = make_row(
                self._store[index],
                self._special,
                generator,
                vocab_size=config.vocab_size,
                context_targets=in_context,
                corrupt=config.corruption if corrupt else 0.0,
            )
            rows.append(row)
            size += row.size
            progress.cursor += 1
        return rows

    def _order(self) -> NDArray[np.int64]:
        """This round's order of the samples."""
        if self._permutation[0] != self.progress.round:
            generator = np.random.default_rng((self._config.seed, self.progress.round))
            self._permutation = (self.progress.round, generator.permutation(len(self._store)))
        return self._permutation[1]

    def _gradients(self, network: EsoLMNetwork, batches: Sequence[Batch], total: float) -> Tensor:
        """Step 3, on a worker: adds to the network's gradients; returns (kind, [sum of -ln p, count])."""
        sums = torch.zeros(2, 2, dtype=torch.float64)
        for batch in batches:
            batch = batch.to(self._device)
            linear = network.output_layer.linear
            hidden = self._hidden(network, batch)
            loss, each = weighted_loss(hidden, linear.weight, linear.bias, batch.targets, batch.weights)
            (loss / total).backward()  # type: ignore[no-untyped-call]
            for kind in (TargetKind.HOLE, TargetKind.CONTEXT):
                chosen = each[batch.kinds == kind]
                sums[kind] += torch.tensor([float(chosen.sum()), len(chosen)], dtype=torch.float64)
        return sums

    def _add_up_gradients(self) -> None:
        """Step 4: the twins' gradients into the network's, always in the same order."""
        for twin in self._networks[1:]:
            for own, other in zip(self.network.parameters(), twin.parameters(), strict=True):
                if other.grad is not None:
                    own.grad = other.grad if own.grad is None else own.grad.add_(other.grad)
                    other.grad = None


def grouped(rows: Sequence[Row], rows_per_batch: int, at_least: int = 1) -> list[list[Row]]:
    """Step 2: rows dealt out, longest first, to as many groups as keep each near `rows_per_batch`; no fewer than
    `at_least` (but never an empty one)."""
    total = sum(row.size for row in rows)
    count = min(len(rows), max(at_least, -(-total // rows_per_batch)))
    groups: list[list[Row]] = [[] for _ in range(count)]
    sizes = [0] * count
    for row in sorted(rows, key=lambda row: -row.size):
        lightest = sizes.index(min(sizes))
        groups[lightest].append(row)
        sizes[lightest] += row.size
    return groups


def trapezoid(share: float, warmup: float, cooldown: float) -> float:
    """The learning rate's factor at `share` of the run: up, flat, down to zero."""
    up = share / warmup if warmup > 0 else 1.0
    down = (1 - share) / cooldown if cooldown > 0 else 1.0
    return max(0.0, min(1.0, up + 1e-3, down))


def _twin(network: EsoLMNetwork) -> EsoLMNetwork:
    """A network with the same weights in the same memory, and gradients of its own."""
    twin = copy.deepcopy(network)
    for own, other in zip(network.parameters(), twin.parameters(), strict=True):
        other.data = own.data
    return twin


def _all(pool: ThreadPoolExecutor, function: Callable[[str], None], names: Iterable[str]) -> None:
    for _ in pool.map(function, names):
        pass


def _use_one_thread(workers: int) -> Callable[[], None]:
    def prepare() -> None:
        if workers > 1:
            torch.set_num_threads(1)

    return prepare
