"""Samplers: which masked positions a step looks at, and which of their tokens it accepts."""

from engine.samplers.base import Proposal, Sampler
from engine.samplers.registry import SAMPLERS, make_sampler

__all__ = ["SAMPLERS", "Proposal", "Sampler", "make_sampler"]
