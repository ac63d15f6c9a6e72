"""Muon for the blocks' matrices, AdamW for everything else, on float32 masters of the network's weights.

Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon): the momentum of a matrix is replaced by the nearest
orthogonal one, found by five Newton-Schulz steps in bfloat16.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from engine.errors import TrainingError

_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
_MOMENTUM = 0.95
_BETAS = (0.9, 0.97)
_EPS = 1e-10

Map = Callable[[Callable[[str], None], Iterable[str]], None]
"""Runs a function over names, perhaps on several threads."""


def trainable(network: nn.Module) -> dict[str, nn.Parameter]:
    """The weights that training changes, each once. The modulation vectors stand in for a time conditioning that we do
    not have; norms and matrices beside them can express the same, so they rest."""
    return {name: parameter for name, parameter in network.named_parameters() if not name.endswith("modulation")}


class Optimizer:
    """Updates masters from the gradients that are in the network's parameters, then writes the network.

    Attributes:
        masters: float32 weights by name. averages: their running averages, if they are kept. step_count: updates
            so far.

    Args:
        together: update all weights of a kind with the same few kernels, as a GPU likes it, and not name by name.
        ema: of an average, the share that an update keeps (less in the first updates); 0 keeps no averages.
    """

    def __init__(self, network: nn.Module, *, weight_decay: float, together: bool = False, ema: float = 0.0) -> None:
        self._one_at_a_time = not together
        self._ema = ema
        self._parameters = trainable(network)
        self._weight_decay = weight_decay
        self.masters = {name: value.detach().float().clone() for name, value in self._parameters.items()}
        self._first = {name: torch.zeros_like(value) for name, value in self.masters.items()}
        self._second = {
            name: torch.zeros_like(value) for name, value in self.masters.items() if not self._is_matrix(name)
        }
        self.averages = {name: value.clone() for name, value in self.masters.items()} if ema else {}
        self.step_count = 0

    @property
    def weights(self) -> dict[str, Tensor]:
        """The weights that the run is for, in float32: the averages, if they are kept, else the masters."""
        return self.averages or self.masters

    def _is_matrix(self, name: str) -> bool:
        return name.startswith("blocks.") and self.masters[name].dim() == 2

    def step(self, matrix_rate: float, rate: float, run: Map | None = None) -> None:
        """One update with the gradients in the network, which are freed."""
        self.step_count += 1
        if not self._one_at_a_time:
            self._step_together(matrix_rate, rate)
            return

        @torch.no_grad()  # per thread
        def update(name: str) -> None:
            parameter = self._parameters[name]
            if parameter.grad is None:
                return
            gradient = parameter.grad.float()
            parameter.grad = None
            if self._is_matrix(name):
                self._muon(name, gradient, matrix_rate)
            else:
                self._adam(name, gradient, rate)
            if self.averages:
                self.averages[name].lerp_(self.masters[name], self._newness())
            parameter.copy_(self.masters[name])

        (run or _one_by_one)(update, sorted(self._parameters, key=lambda name: -self.masters[name].numel()))

    def _muon(self, name: str, gradient: Tensor, rate: float) -> None:
        master, momentum = self.masters[name], self._first[name]
        momentum.lerp_(gradient, 1 - _MOMENTUM)
        ahead = gradient.lerp(momentum, _MOMENTUM)  # Nesterov
        master.mul_(1 - rate * self._weight_decay)
        for part, piece in zip(self._pieces(name, master), self._pieces(name, ahead), strict=True):
            shape = max(1.0, piece.shape[0] / piece.shape[1]) ** 0.5
            part.add_(orthogonal(piece).to(part.dtype), alpha=-rate * shape)

    def _pieces(self, name: str, matrix: Tensor) -> tuple[Tensor, ...]:
        """Queries, keys and values are three matrices in one."""
        return matrix.chunk(3) if name.endswith("attn_qkv.weight") else (matrix,)

    def _adam(self, name: str, gradient: Tensor, rate: float) -> None:
        master, first, second = self.masters[name], self._first[name], self._second[name]
        first.lerp_(gradient, 1 - _BETAS[0])
        second.lerp_(gradient.square(), 1 - _BETAS[1])
        master.addcdiv_(first, second.sqrt().add_(_EPS), value=-rate * self._correction())

    def _correction(self) -> float:
        """Adam's correction of both moments' start at zero."""
        return float((1 - _BETAS[1] ** self.step_count) ** 0.5 / (1 - _BETAS[0] ** self.step_count))

    def _newness(self) -> float:
        """How much of the present weights goes into their averages: more in the first updates, so that these do not
        remember the start for long. It depends on the number of updates alone."""
        return 1 - min(self._ema, (1 + self.step_count) / (10 + self.step_count))

    @torch.no_grad()
    def _step_together(self, matrix_rate: float, rate: float) -> None:
        names = [name for name, parameter in self._parameters.items() if parameter.grad is not None]
        for matrices in (True, False):
            chosen = [name for name in names if self._is_matrix(name) == matrices]
            if chosen:
                gradients = [cast(Tensor, self._parameters[name].grad).float() for name in chosen]
                (self._muon_together if matrices else self._adam_together)(
                    chosen, gradients, matrix_rate if matrices else rate
                )
        if self.averages:
            averages, masters = ([group[name] for name in names] for group in (self.averages, self.masters))
            torch._foreach_lerp_(averages, masters, self._newness())
        parameters: list[Tensor] = [self._parameters[name] for name in names]
        torch._foreach_copy_(parameters, [self.masters[name] for name in names])
        for parameter in parameters:
            parameter.grad = None

    def _muon_together(self, names: Sequence[str], gradients: list[Tensor], rate: float) -> None:
        """`_muon` of all matrices: those of one shape are made orthogonal in one batch."""
        momenta = [self._first[name] for name in names]
        masters = [self.masters[name] for name in names]
        torch._foreach_lerp_(momenta, gradients, 1 - _MOMENTUM)
        ahead = torch._foreach_lerp(gradients, momenta, _MOMENTUM)
        torch._foreach_mul_(masters, 1 - rate * self._weight_decay)
        alike: dict[torch.Size, list[tuple[Tensor, Tensor]]] = {}
        for name, master, matrix in zip(names, masters, ahead, strict=True):
            for part, piece in zip(self._pieces(name, master), self._pieces(name, matrix), strict=True):
                alike.setdefault(piece.shape, []).append((part, piece))
        for shape, pairs in alike.items():
            turned = orthogonal(torch.stack([piece for _, piece in pairs])).float()
            scale = max(1.0, shape[0] / shape[1]) ** 0.5
            torch._foreach_add_([part for part, _ in pairs], list(turned.unbind()), alpha=-rate * scale)

    def _adam_together(self, names: Sequence[str], gradients: list[Tensor], rate: float) -> None:
        """`_adam` of all the rest."""
        first = [self._first[name] for name in names]
        second = [self._second[name] for name in names]
        torch._foreach_lerp_(first, gradients, 1 - _BETAS[0])
        torch._foreach_lerp_(second, torch._foreach_mul(gradients, gradients), 1 - _BETAS[1])
        roots = torch._foreach_sqrt(second)
        torch._foreach_add_(roots, _EPS)
        torch._foreach_addcdiv_([self.masters[name] for name in names], first, roots, -rate * self._correction())

    def state(self) -> dict[str, Tensor]:
        """Masters, moments and averages, flat, for a checkpoint."""
        groups = {"master": self.masters, "first": self._first, "second": self._second, "average": self.averages}
        return {f"{group}/{name}": value for group, values in groups.items() for name, value in values.items()}

    @torch.no_grad()
    def restore(self, state: Mapping[str, Tensor], step_count: int) -> None:
        """Takes back what `state` gave, and writes the network.

        Raises:
            TrainingError: something is missing or has another shape.
        """
        for key, value in self.state().items():
            if key not in state or state[key].shape != value.shape:
                raise TrainingError(f"The training checkpoint does not fit this model: {key} is missing or differs.")
            value.copy_(state[key])
        for name, parameter in self._parameters.items():
            parameter.copy_(self.masters[name])
        self.step_count = step_count


def orthogonal(matrix: Tensor) -> Tensor:
    """Newton-Schulz: singular values pushed to about 1, in bfloat16. One matrix, or a batch of them."""
    a, b, c = _NEWTON_SCHULZ
    x = matrix.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    added = torch.addmm if x.dim() == 2 else torch.baddbmm
    for _ in range(5):
        square = x @ x.mT
        x = added(x, added(square, square, square, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


def clip_gradients(parameters: Iterable[Tensor], largest: float) -> float:
    """Scales all gradients so that their norm is at most `largest`; returns the norm before."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if not gradients:
        return 0.0
    total = torch.linalg.vector_norm(torch.stack([gradient.float().norm() for gradient in gradients]))
    scale = (largest / (total + 1e-6)).clamp(max=1.0)
    if float(scale) < 1.0:
        for gradient in gradients:
            gradient.mul_(scale.to(gradient.dtype))
    return float(total)


def _one_by_one(function: Callable[[str], None], names: Iterable[str]) -> None:
    for name in names:
        function(name)
