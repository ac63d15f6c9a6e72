"""What a training process asks of the operating system about its memory. Does nothing where glibc is not."""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_GIBIBYTE = 1 << 30


def keep_memory() -> None:
    """Lets glibc keep freed memory: activations are freed and wanted again each step, and asking the kernel for fresh
    pages each time costs a tenth of the run."""
    library = _glibc()
    if library is not None:
        library.mallopt(_M_MMAP_THRESHOLD, _GIBIBYTE)
        library.mallopt(_M_TRIM_THRESHOLD, 2 * _GIBIBYTE - 1)


def give_memory_back() -> None:
    """Lets the kernel have all free pages: sizes differ from step to step, and what is kept grows to several times what
    a step needs. For now and then."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        library = ctypes.CDLL("libc.so.6")
    except OSError:
        return None
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
