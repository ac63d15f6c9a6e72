"""Samplers against cases worked out by hand."""

from __future__ import annotations

import pytest

from engine.errors import RequestError
from engine.samplers import SAMPLERS, Proposal, make_sampler


def test_ancestral_looks_only_at_the_steps_own_positions_and_accepts_them_all() -> None:
    sampler = make_sampler("ancestral")
    assert sampler.look_at([9, 4, 7, 1], 2) == [9, 4]
    assert list(sampler.accept(Proposal([9, 4], [1, 2], [0.1, 0.9]), 2)) == [0, 1]


def test_confidence_looks_at_everything_and_accepts_the_surest() -> None:
    sampler = make_sampler("confidence")
    assert sampler.look_at([9, 4, 7, 1], 2) == [9, 4, 7, 1]
    proposal = Proposal([9, 4, 7, 1], [1, 2, 3, 4], [0.2, 0.9, 0.5, 0.9])
    assert list(sampler.accept(proposal, 3)) == [3, 1, 2]


def test_an_unknown_sampler_is_refused_by_name() -> None:
    with pytest.raises(RequestError, match="magic"):
        make_sampler("magic")


def test_every_sampler_is_known_by_its_own_name() -> None:
    for name, make in SAMPLERS.items():
        assert make().name == name
