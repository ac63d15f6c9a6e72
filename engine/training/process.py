"""What a training process asks of the operating system. Only the command does this, never a library call."""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_GIBIBYTE = 1 << 30


def keep_memory() -> None:
    """Lets glibc keep freed memory: activations are freed and wanted again each step, and asking the kernel for fresh
    pages each time costs a tenth of the run."""
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return  # another C library
    mallopt(_M_MMAP_THRESHOLD, _GIBIBYTE)
    mallopt(_M_TRIM_THRESHOLD, 2 * _GIBIBYTE - 1)
