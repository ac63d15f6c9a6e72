"""Placement of a model."""

from __future__ import annotations

import os

import pytest
import torch

from engine.device import default_threads, place, prepare_process
from engine.errors import DeviceError
from engine.types import ModelChoice


def test_auto_resolves_to_a_device_that_is_there() -> None:
    placement = place(ModelChoice())
    assert placement.dtype in (torch.float32, torch.bfloat16)
    assert placement.threads >= 1
    if not torch.cuda.is_available() and not torch.backends.mps.is_available():
        assert placement.device.type == "cpu"


def test_chosen_values_win() -> None:
    placement = place(ModelChoice(device="cpu", dtype="float32", threads=3))
    assert (placement.device.type, placement.dtype, placement.threads) == ("cpu", torch.float32, 3)


def test_a_core_is_left_to_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(4)), raising=False)
    assert default_threads() == 3
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0}, raising=False)
    assert default_threads() == 1


def test_the_users_own_thread_settings_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    prepare_process()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"
    monkeypatch.delenv("OMP_WAIT_POLICY")
    prepare_process()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"


def test_int8_is_refused_where_the_processor_cannot_do_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.device._computes_int8", lambda _device: False)
    with pytest.raises(DeviceError, match="VNNI"):
        place(ModelChoice(device="cpu", dtype="int8"))
    monkeypatch.setattr("engine.device._computes_int8", lambda _device: True)
    assert place(ModelChoice(device="cpu", dtype="int8")).precision == "int8"
