"""A stand-in for CUDA graphs on the CPU: what a recording keeps, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from engine.config import read_config
from engine.device import Placement
from engine.models.esolm import shape_of
from engine.models.esolm_network import parameter_shapes
from engine.models.esolm_static import StaticEsoLMAdapter
from engine.models.graphs import Recorder, Work
from engine.models.weights import read_weights
from engine.tokenization import Tokenizer

WAITS_FOR_THE_DEVICE = ("_local_scalar_dense", "nonzero", "is_nonzero", "equal", "masked_select", "unique")
"""Operators that bring a value to Python: a CUDA graph cannot hold them."""

BRINGS_HOST_MEMORY = ("lift_fresh", "scalar_tensor")
"""Operators that make a tensor of a Python value, which a GPU would have to wait for: a CUDA graph refuses the copy."""


class _Tape(TorchDispatchMode):
    """Writes down every operator with the very tensors it was called with and the ones it returned."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, tuple[Any, ...], dict[str, Any], list[Tensor]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        chosen_by_truth = name == "index" and any(leaf.dtype is torch.bool for leaf in tree_leaves(args[1]))
        if name in (*WAITS_FOR_THE_DEVICE, *BRINGS_HOST_MEMORY) or chosen_by_truth:
            raise RuntimeError(f"operation not permitted when stream is capturing: {name}")
        result = func(*args, **(kwargs or {}))
        self.calls.append(
            (func, args, kwargs or {}, [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)])
        )
        return result

    def replay(self) -> None:
        """Every operator again, with its numbers of then, on the memory of then."""
        for func, args, kwargs, places in self.calls:
            again = [leaf for leaf in tree_leaves(func(*args, **kwargs)) if isinstance(leaf, Tensor)]
            for place, value in zip(places, again, strict=True):
                if place.data_ptr() != value.data_ptr():
                    place.copy_(value)


@dataclass
class TapeRecorder:
    """Implements `Recorder` as CUDA graphs do: the operators, their Python numbers and the memory they ran on are kept;
    no Python code runs at a replay. What should have been in memory and was not, is wrong at the second replay."""

    recorded: int = 0
    replayed: int = 0
    resets: int = 0
    fail: list[Exception] = field(default_factory=list)
    """Errors to be raised by the next recordings."""

    def record(self, work: Work) -> Work:
        if self.fail:
            raise self.fail.pop(0)
        tape = _Tape()
        with tape:
            result = work()
        for place in tree_leaves(result):
            place.fill_(torch.nan)  # a recording computes nothing until it is replayed
        self.recorded += 1

        def replay() -> Tensor:
            with torch.no_grad():
                tape.replay()
            self.replayed += 1
            return result

        return replay

    def reset(self) -> None:
        self.resets += 1


def load_static(
    folder: Path, recorder: Recorder | None, device: str = "cpu", dtype: torch.dtype = torch.float32
) -> StaticEsoLMAdapter:
    """The checkpoint in `folder` as a GPU runs it; on the CPU in float32 if not told otherwise."""
    config = read_config(folder)
    tokenizer = Tokenizer.load(config.folder, config.tokenizer_entry())
    weights = read_weights(folder, parameter_shapes(shape_of(config)))
    return StaticEsoLMAdapter(config, tokenizer, weights, Placement(torch.device(device), dtype, 1), recorder)
