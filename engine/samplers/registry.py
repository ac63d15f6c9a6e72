"""Samplers by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from engine.errors import RequestError
from engine.samplers.ancestral import AncestralSampler
from engine.samplers.base import Sampler
from engine.samplers.confidence import (
    ConfidenceSampler,
    EntropyBoundedSampler,
    MarginSampler,
    MaskGITPlusSampler,
    ThresholdSampler,
)
from engine.samplers.remasking import CoarseToFineSampler, P2Sampler, ReMDMSampler, RenoiseSampler

_ALL: tuple[type[Sampler], ...] = (
    AncestralSampler,
    ConfidenceSampler,
    ThresholdSampler,
    EntropyBoundedSampler,
    MarginSampler,
    MaskGITPlusSampler,
    ReMDMSampler,
    P2Sampler,
    CoarseToFineSampler,
    RenoiseSampler,
)
SAMPLERS: Mapping[str, Callable[[], Sampler]] = MappingProxyType({kind.name: kind for kind in _ALL})


def make_sampler(name: str) -> Sampler:
    """The sampler of that name.

    Raises:
        RequestError: there is none.
    """
    if name not in SAMPLERS:
        raise RequestError(f"There is no sampler “{name}”; choose one of {', '.join(SAMPLERS)}.")
    return SAMPLERS[name]()
