"""Samplers: which masked positions a step looks at, and which tokens are clean after it."""

from engine.samplers.base import Moment, Proposal, Sampler
from engine.samplers.registry import SAMPLERS, make_sampler

__all__ = ["SAMPLERS", "Moment", "Proposal", "Sampler", "make_sampler"]
