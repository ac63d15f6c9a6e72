"""Placement of a model."""

from __future__ import annotations

import gc
import os

import pytest
import torch

from engine.device import default_threads, give_back_memory, is_out_of_memory, place, prepare_process, settle_objects
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


@pytest.mark.parametrize("threads", [-1, 10**6])
def test_no_number_of_threads_is_refused(threads: int) -> None:
    with pytest.raises(DeviceError, match="threads"):
        place(ModelChoice(device="cpu", threads=threads))


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
    monkeypatch.setattr("engine.device.computes_int8", lambda _device: False)
    with pytest.raises(DeviceError, match="VNNI"):
        place(ModelChoice(device="cpu", dtype="int8"))
    monkeypatch.setattr("engine.device.computes_int8", lambda _device: True)
    assert place(ModelChoice(device="cpu", dtype="int8")).precision == "int8"


@pytest.fixture
def one_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with one CUDA device, as far as torch is asked."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)


@pytest.mark.usefixtures("one_gpu")
def test_a_gpu_is_taken_first_and_computes_in_bfloat16() -> None:
    placement = place(ModelChoice(device="auto", dtype="auto"))
    assert (placement.device.type, placement.precision) == ("cuda", "bfloat16")
    assert place(ModelChoice(device="cuda:0", dtype="float32")).precision == "float32"


@pytest.mark.usefixtures("one_gpu")
def test_a_gpu_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(DeviceError, match="cuda:3"):
        place(ModelChoice(device="cuda:3"))


@pytest.mark.usefixtures("one_gpu")
def test_int8_is_refused_on_a_gpu_with_what_to_choose_instead() -> None:
    with pytest.raises(DeviceError, match="choose the precision “auto”"):
        place(ModelChoice(device="cuda", dtype="int8"))


def test_every_sign_that_memory_ran_out_is_known() -> None:
    for error in (
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory"),
        RuntimeError("could not create a primitive"),
    ):
        assert is_out_of_memory(error)
    assert not is_out_of_memory(RuntimeError("an illegal memory access was encountered"))
    assert not is_out_of_memory(ValueError("out of memory"))
    assert not is_out_of_memory(RuntimeError("could not create a primitive descriptor for a matmul primitive"))


def test_memory_that_really_ran_out_is_told_from_other_errors() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 47, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)


def test_memory_that_ran_out_while_recording_is_found_behind_the_error_about_the_recording() -> None:
    error = RuntimeError("operation failed due to a previous error during capture")
    assert not is_out_of_memory(error)
    error.__context__ = torch.OutOfMemoryError("CUDA out of memory")
    assert is_out_of_memory(error)


def test_memory_is_given_back_where_a_gpu_was_used(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: calls.append("empty"))
    give_back_memory()
    assert calls == []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    give_back_memory()
    assert calls == ["empty"]


def test_what_is_there_when_a_model_is_loaded_is_not_looked_through_again() -> None:
    gc.unfreeze()
    settle_objects()
    frozen = gc.get_freeze_count()
    assert frozen > 1000
    settle_objects()  # once is enough
    assert gc.get_freeze_count() == frozen
    gc.unfreeze()
