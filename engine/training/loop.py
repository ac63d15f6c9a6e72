"""The training loop: a generator of steps over packed samples. No I/O, no clock of its own, no signals.

One step: 1. this process's batches of the step (engine.training.feeding); 2. dealt out to the workers; 3. loss and
gradients of each batch, added up; 4. gradients of workers and processes added up in a fixed order, clipped; 5. the
update.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from engine.config import SpecialTokens
from engine.models.esolm_network import EsoLMNetwork
from engine.training.checkpoint import Progress
from engine.training.config import ANY_ORDER, TrainConfig
from engine.training.feeding import Feed, Recipe, Work
from engine.training.flops import flops_of
from engine.training.forward import hidden_rows, hidden_rows_blocked
from engine.training.head import weighted_loss
from engine.training.objective import Batch, TargetKind
from engine.training.optimizer import Optimizer, clip_gradients, trainable
from engine.training.peers import Alone, Peers, add_up_gradients


@dataclass(frozen=True, slots=True)
class StepReport:
    """What one step did: mean -ln p (nats a token) over the hole targets, and over the context's, those that clean rows
    predict among them; the gradient's norm, the rates' factor; rows, targets and floating-point operations of all
    processes together."""

    loss: float
    context_loss: float
    gradient_norm: float
    rate: float
    rows: int
    targets: int
    flops: float = 0.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process computes. `workers`: threads that each run their own batches, on a CPU; `makers`: processes that
    make batches, 0 for a thread."""

    device: torch.device
    dtype: torch.dtype
    workers: int = 1
    makers: int = 0


class Trainer:
    """A network, its optimizer and its place in the samples.

    Attributes:
        network: in the working dtype, on the device. progress: updated after every step.
    """

    def __init__(
        self,
        config: TrainConfig,
        network: EsoLMNetwork,
        samples: Path,
        special: SpecialTokens,
        place: Place,
        peers: Peers | None = None,
    ) -> None:
        self.network = network.to(place.device)
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(not name.endswith("modulation"))
        cuda = place.device.type == "cuda"
        self.optimizer = Optimizer(self.network, weight_decay=config.weight_decay, together=cuda, ema=config.ema)
        self.network.to(place.dtype)
        self.progress = Progress()
        self._config = config
        self._place = place
        self._peers = peers or Alone()
        blocked = cuda and config.compile and config.objective == ANY_ORDER
        self._recipe = Recipe(config, samples, special, blocked=blocked)
        self._networks = [self.network] + [_twin(self.network) for _ in range(place.workers - 1)]
        self._hidden_blocked: Callable[..., Tensor] = hidden_rows_blocked
        if config.compile and cuda:
            self._hidden_blocked = torch.compile(hidden_rows_blocked, dynamic=False)

    def steps(self, share_done: Callable[[Progress], float]) -> Generator[StepReport]:
        """Trains, one update per yield, until `share_done` (of the whole run; the first process's counts) reaches 1."""
        peers, workers = self._peers, len(self._networks)
        feed = Feed(self._recipe, rank=peers.rank, size=peers.size, passes=workers, makers=self._place.makers)
        # One thread per batch, not several threads per product: no barriers, so busy neighbours cost little.
        with feed, ThreadPoolExecutor(workers, initializer=_prepare_worker(workers, self._place.device)) as pool:
            while (share := peers.first(share_done(self.progress))) < 1:
                yield self._step(share, feed, pool)

    def _step(self, share: float, feed: Feed, pool: ThreadPoolExecutor) -> StepReport:
        config, progress = self._config, self.progress
        work = feed.take(progress.cursor, progress.round, progress.share, share)
        weight, rows, targets, tokens, flops = self._peers.add_up(self._counts(work)).tolist()
        hands = [work.batches[worker :: len(self._networks)] for worker in range(len(self._networks))]
        jobs = [
            pool.submit(self._gradients, network, hand, weight)
            for network, hand in zip(self._networks, hands, strict=True)
        ]
        sums = self._peers.add_up(sum((job.result() for job in jobs), torch.zeros(2, 2, dtype=torch.float64)))
        self._add_up_gradients()
        norm = clip_gradients(trainable(self.network).values(), config.clip)
        factor = trapezoid(share, config.warmup, config.cooldown)
        self.optimizer.step(
            config.matrix_rate * factor, config.rate * factor, lambda function, names: _all(pool, function, names)
        )
        progress.step += 1
        progress.cursor, progress.round, progress.share = work.cursor, work.round, share
        progress.rows += int(rows)
        progress.targets += int(targets)
        progress.tokens += int(tokens)
        means = (sums[:, 0] / sums[:, 1].clamp_min(1)).tolist()
        return StepReport(means[0], means[1], norm, factor, int(rows), int(targets), flops)

    def _counts(self, work: Work) -> Tensor:
        """[weight of all targets, rows, targets, clean tokens, operations] of this process's part of a step."""
        weight = sum(batch.total for batch in work.batches)
        flops = sum(flops_of(batch, self.network.shape) for batch in work.batches)
        return torch.tensor([weight, work.rows, work.targets, work.tokens, flops], dtype=torch.float64)

    def _gradients(self, network: EsoLMNetwork, batches: Sequence[Batch], total: float) -> Tensor:
        """Step 3, on a worker: adds to the network's gradients; returns (kind, [sum of -ln p, count])."""
        sums = torch.zeros(len(TargetKind), 2, device=self._place.device)
        for batch in batches:
            batch = batch.to(self._place.device)
            linear = network.output_layer.linear
            loss, each = weighted_loss(
                self._hidden(network, batch), linear.weight, linear.bias, batch.targets, batch.weights
            )
            (loss / total).backward()  # type: ignore[no-untyped-call]
            if batch.tokens:
                sums[TargetKind.HOLE] += torch.stack((loss.detach(), loss.new_tensor(batch.tokens)))
            else:
                sums.index_add_(0, batch.kinds, torch.stack((each, torch.ones_like(each)), dim=1))
        sums[TargetKind.CONTEXT] += sums[TargetKind.NEXT]
        return sums[: TargetKind.CORRECTION].double().cpu()

    def _hidden(self, network: EsoLMNetwork, batch: Batch) -> Tensor:
        if batch.blocks is None:
            return hidden_rows(network, batch)
        return self._hidden_blocked(network, batch.ids, batch.positions, batch.rows, batch.blocks.block_mask())

    def _add_up_gradients(self) -> None:
        """Step 4: the twins' gradients into the network's, always in the same order, and then those of the peers."""
        for twin in self._networks[1:]:
            for own, other in zip(self.network.parameters(), twin.parameters(), strict=True):
                if other.grad is not None:
                    own.grad = other.grad if own.grad is None else own.grad.add_(other.grad)
                    other.grad = None
        add_up_gradients(self._peers, list(trainable(self.network).values()))


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


def _prepare_worker(workers: int, device: torch.device) -> Callable[[], None]:
    def prepare() -> None:
        if workers > 1:
            torch.set_num_threads(1)
        if device.type == "cuda":
            torch.cuda.set_device(device)

    return prepare
