"""Muon for the blocks' matrices, AdamW for everything else, on float32 masters of the network's weights.

Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon): the momentum of a matrix is replaced by the nearest
orthogonal one, found by five Newton-Schulz steps in bfloat16.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

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
        masters: float32 weights by name. step_count: updates so far.
    """

    def __init__(self, network: nn.Module, *, weight_decay: float) -> None:
        self._parameters = trainable(network)
        self._weight_decay = weight_decay
        self.masters = {name: value.detach().float().clone() for name, value in self._parameters.items()}
        self._first = {name: torch.zeros_like(value) for name, value in self.masters.items()}
        self._second = {
            name: torch.zeros_like(value) for name, value in self.masters.items() if not self._is_matrix(name)
        }
        self.step_count = 0

    def _is_matrix(self, name: str) -> bool:
        return name.startswith("blocks.") and self.masters[name].dim() == 2

    def step(self, matrix_rate: float, rate: float, run: Map | None = None) -> None:
        """One update with the gradients in the network, which are freed."""
        self.step_count += 1

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
        correction = (1 - _BETAS[1] ** self.step_count) ** 0.5 / (1 - _BETAS[0] ** self.step_count)
        master.addcdiv_(first, second.sqrt().add_(_EPS), value=-rate * correction)

    def state(self) -> dict[str, Tensor]:
        """Masters and moments, flat, for a checkpoint."""
        groups = {"master": self.masters, "first": self._first, "second": self._second}
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
    """Newton-Schulz: singular values pushed to about 1, in bfloat16."""
    a, b, c = _NEWTON_SCHULZ
    x = matrix.bfloat16()
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = x.t()
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        square = x @ x.t()
        x = torch.addmm(x, torch.addmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x.t() if tall else x


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
