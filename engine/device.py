"""Where and in what precision a model runs. Importing this module imports no torch."""

from __future__ import annotations

import gc
import os
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import DeviceError
from engine.types import ModelChoice

if TYPE_CHECKING:
    import torch


MOST_THREADS = 1024
"""CPU threads that may be asked for."""


@dataclass(frozen=True, slots=True)
class Placement:
    """A resolved device, dtype and number of CPU threads. `int8`: the layers' products are of 8-bit integers; `dtype`
    is then that of everything else."""

    device: torch.device
    dtype: torch.dtype
    threads: int
    int8: bool = False

    @property
    def precision(self) -> str:
        """Name of the precision, as a user chooses it."""
        return "int8" if self.int8 else str(self.dtype).removeprefix("torch.")


def prepare_process() -> None:
    """Settings that must stand before torch is loaded: idle OpenMP threads sleep instead of spinning.

    Spinning at barriers is a disaster beside any other busy process: with one such process a run on all cores went
    from 234 ms to 1,774 ms; with sleeping threads from 234 to 196 (docs/benchmarks). The user's own settings win.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def settle_objects() -> None:
    """To be called when the first model was loaded: the garbage collector looks no more at what is there now.

    torch brings two hundred thousand objects that live as long as the process. Looking through them all holds the
    interpreter, and with it the window, for some 70 ms now and then.
    """
    if not gc.get_freeze_count():
        gc.collect()
        gc.freeze()


def place(choice: ModelChoice) -> Placement:
    """Resolves `auto` in a choice: CUDA, else MPS, else the CPU; bfloat16 where the hardware computes in it.

    The decision depends on hardware flags only, never on a timing, so that equal requests give equal results.

    Raises:
        DeviceError: the device or dtype that was asked for is not there, or the number of threads is none.
    """
    import torch

    device = _device(choice.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise DeviceError("No CUDA device was found; choose the device “auto” or “cpu” in the settings.")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("No MPS device was found; choose the device “auto” or “cpu” in the settings.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise DeviceError(f"There is no CUDA device “{device}”; there are {torch.cuda.device_count()}, from cuda:0 on.")
    int8 = choice.dtype == "int8"
    if int8 and device.type != "cpu":
        raise DeviceError("int8 is for processors; choose the precision “auto”, or the device “cpu”, in the settings.")
    if int8 and not computes_int8(device):
        raise DeviceError("int8 needs a processor with VNNI or AMX; choose the precision “auto” in the settings.")
    if not 0 <= choice.threads <= MOST_THREADS:
        raise DeviceError(f"threads must be from 0 (Redraft chooses) to {MOST_THREADS}.")
    dtype = _dtype("auto" if int8 else choice.dtype, device)
    return Placement(device, dtype, choice.threads or default_threads(), int8)


_SIGNS_OF_NO_MEMORY = ("not enough memory", "allocate memory", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED")
_ONEDNN_WITHOUT_MEMORY = ("could not create a primitive", "could not create a memory object")
"""All that oneDNN says when it has no memory for its own code or data; what it cannot compute it names."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on the processor or a GPU: torch has an error of its own for some cases, and plain
    RuntimeErrors for the others. A recording that memory ran out in may end in an error about the recording."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, MemoryError) or type(seen).__name__ == "OutOfMemoryError":
            return True
        if isinstance(seen, RuntimeError) and _tells_of_no_memory(str(seen)):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _tells_of_no_memory(message: str) -> bool:
    return any(sign in message for sign in _SIGNS_OF_NO_MEMORY) or message.strip() in _ONEDNN_WITHOUT_MEMORY


def give_back_memory() -> None:
    """Returns GPU memory that is not in use to the system; torch keeps it otherwise. Nothing without a GPU."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def _device(name: str) -> torch.device:
    import torch

    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda", "mps"):
        raise DeviceError(f"“{name}” is not a device Redraft knows; choose auto, cpu, cuda or mps.")
    return device


def _dtype(name: str, device: torch.device) -> torch.dtype:
    import torch

    known = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    if name == "auto":
        return torch.bfloat16 if computes_bfloat16(device) else torch.float32
    if name not in known:
        raise DeviceError(f"“{name}” is not a precision Redraft knows; choose auto, float32, bfloat16 or int8.")
    return known[name]


def computes_bfloat16(device: torch.device) -> bool:
    """bf16 pays on a CPU only with AVX512_BF16, AMX or Arm's bf16; elsewhere it is slower than float32."""
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "mps":
        return False
    if not hasattr(torch.cpu, "get_capabilities"):  # torch before 2.11
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(flag, False) for flag in ("avx512_bf16", "amx_bf16", "bf16"))


def computes_int8(device: torch.device) -> bool:
    """Whether products of 8-bit integers pay: on a CPU with VNNI or AMX."""
    import torch

    if device.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):
        return False
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(flag, False) for flag in ("avx512_vnni", "avx_vnni", "amx_int8"))


def default_threads() -> int:
    """All cores but one, so that the window keeps a core of its own."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min(cores - 1, 8))


def yield_to_the_window(niceness: int = 10) -> None:
    """Lowers the calling thread's priority (Linux only, where a thread has its own), so that the GUI goes first."""
    if sys.platform == "linux":
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
        except OSError:
            return
