"""Reads the pickle in a checkpoint without running any of it.

A pickle is a program: its opcodes name functions of any installed package and call them. This reader knows no function
of any package. It builds plain containers, `StoredTensor`s (where a tensor lies, not the tensor) and `Placeholder`s,
which stand for the objects of a few known packages (a tokenizer, a training config) and do nothing but keep what the
pickle says of them. Nothing is ever imported, and every other name is refused.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import torch

from engine.errors import CorruptCheckpointError, UnsafeCheckpointError

MOST_BYTES = 256 * 2**20
_ERRORS = (
    pickle.UnpicklingError,
    ArithmeticError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)


class StoredTensor(NamedTuple):
    """Where a tensor lies in the file. Nothing here is checked yet: see `engine.models.lightning`."""

    storage: str
    dtype: torch.dtype
    elements: int
    """Of the whole storage."""
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


class Placeholder:
    """Stands for an object of another package. Keeps what the pickle would have passed to it, and does nothing.

    Attributes:
        name: the class or function the pickle names, "module.name".
        args: what it would have been called with.
        state: what its `__setstate__` would have been given.
        items: what would have been appended to it, and (key, value) pairs that would have been set on it.
    """

    __slots__ = ("args", "items", "state")

    name: ClassVar[str] = ""

    def __new__(cls, *args: object, **_named: object) -> Placeholder:
        made = super().__new__(cls)
        made.args, made.state, made.items = args, None, []
        return made

    def __init__(self, *_args: object, **_named: object) -> None:
        self.args: tuple[object, ...]
        self.state: object
        self.items: list[object]

    def __setstate__(self, state: object) -> None:
        self.state = state

    def __setitem__(self, key: object, value: object) -> None:
        self.items.append((key, value))

    def append(self, item: object) -> None:
        """Keeps `item`."""
        self.items.append(item)

    def __repr__(self) -> str:
        return f"<{self.name}>"


_INERT_PACKAGES = frozenset(
    {"collections", "enum", "functools", "hydra", "lightning", "lightning_fabric", "numpy", "omegaconf", "pathlib"}
    | {"pytorch_lightning", "tokenizers", "torch", "torchmetrics", "transformers", "typing"}
)
"""Packages whose objects are found in published checkpoints; each becomes a placeholder, whatever it is called."""

_INERT_NAMES = frozenset(
    {f"builtins.{name}" for name in ("bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int")}
    | {f"builtins.{name}" for name in ("list", "long", "object", "range", "set", "slice", "str", "tuple", "unicode")}
    | {"copyreg._reconstructor"}
)

_STORAGES: MappingProxyType[str, torch.dtype] = MappingProxyType(
    {
        "torch.DoubleStorage": torch.float64,
        "torch.FloatStorage": torch.float32,
        "torch.HalfStorage": torch.float16,
        "torch.BFloat16Storage": torch.bfloat16,
        "torch.LongStorage": torch.int64,
        "torch.IntStorage": torch.int32,
        "torch.ShortStorage": torch.int16,
        "torch.CharStorage": torch.int8,
        "torch.ByteStorage": torch.uint8,
        "torch.BoolStorage": torch.bool,
    }
)


def read_pickle(data: bytes, what: str) -> object:
    """Builds the object in `data`. `what` names the file in an error.

    Raises:
        UnsafeCheckpointError: the pickle names code that has no place in a checkpoint. Nothing of it was run.
        CorruptCheckpointError: the pickle is damaged or cut short, or makes no sense.
    """
    if len(data) > MOST_BYTES:
        raise CorruptCheckpointError(f"{what} holds {len(data)} bytes of description; no model needs so much.")
    try:
        _check_opcodes(data)
        return _Reader(data, what).load()
    except _ERRORS as error:
        raise CorruptCheckpointError(f"{what} is damaged or cut short ({type(error).__name__}: {error}).") from error


def _check_opcodes(data: bytes) -> None:
    """Refuses opcodes that a checkpoint has no use for: codes of the extension registry, which are looked up without
    asking `find_class`, and memo slots far beyond what was stored, which would only claim memory."""
    for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        if opcode.name.startswith("EXT"):
            raise pickle.UnpicklingError(f"{opcode.name} is not allowed")
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and not 0 <= int(argument or 0) <= count:
            raise pickle.UnpicklingError(f"memo slot {argument} after {count} opcodes")


class _Reader(pickle.Unpickler):
    """`pickle.Unpickler` with every way out closed: `find_class` is the only place where a name turns into an object,
    and what it returns is defined in this module."""

    def __init__(self, data: bytes, what: str) -> None:
        super().__init__(io.BytesIO(data), encoding="utf-8")
        self._what = what
        self._found: dict[str, Any] = {}

    def find_class(self, module: str, name: str) -> Any:
        """What stands for `module.name`; nothing is imported."""
        full = f"{'builtins' if module == '__builtin__' else module}.{name}"
        if full not in self._found:
            self._found[full] = self._stand_in(full)
        return self._found[full]

    def _stand_in(self, full: str) -> Any:
        if full in _BUILDERS:
            return _BUILDERS[full]
        if full in _STORAGES:
            return _STORAGES[full]
        if full in _INERT_NAMES or full.split(".", maxsplit=1)[0] in _INERT_PACKAGES:
            return type("Placeholder", (Placeholder,), {"__slots__": (), "name": full})
        raise UnsafeCheckpointError(
            f"{self._what} names code that has no place in a model ({full}). None of it was run; do not use this file."
        )

    def persistent_load(self, pid: Any) -> tuple[str, torch.dtype, int]:
        """A storage: (its name in the file, dtype, number of elements)."""
        kind, dtype, key, _location, elements = pid
        if kind != "storage" or not isinstance(dtype, torch.dtype) or not _is_count(elements):
            raise pickle.UnpicklingError("a tensor's storage is not described as one")
        return str(key), dtype, elements


def _tensor(storage: object, offset: object, size: object, stride: object, *_rest: object) -> StoredTensor:
    """In place of `torch._utils._rebuild_tensor_v2`."""
    if not (isinstance(storage, tuple) and len(storage) == 3 and isinstance(storage[1], torch.dtype)):
        raise pickle.UnpicklingError("a tensor without a storage")
    if not (_is_count(offset) and _are_counts(size) and _are_counts(stride) and len(size) == len(stride)):  # type: ignore[arg-type]
        raise pickle.UnpicklingError("a tensor with an impossible shape")
    return StoredTensor(*storage, offset, size, stride)  # type: ignore[arg-type]


def _parameter(data: object, *_rest: object) -> StoredTensor:
    """In place of `torch._utils._rebuild_parameter`."""
    if not isinstance(data, StoredTensor):
        raise pickle.UnpicklingError("a parameter that is no tensor")
    return data


def _mapping(pairs: object = ()) -> dict[object, object]:
    """In place of `collections.OrderedDict`; the old way of pickling one passes its pairs."""
    if not isinstance(pairs, list | tuple):
        raise pickle.UnpicklingError("an OrderedDict of something odd")
    return dict(pairs)


def _mapping_with_default(*_factory: object) -> dict[object, object]:
    """In place of `collections.defaultdict`."""
    return {}


def _encoded(text: object, encoding: object) -> bytes:
    """In place of `_codecs.encode`, by which older protocols write bytes."""
    if not isinstance(text, str) or encoding != "latin1":
        raise pickle.UnpicklingError("bytes in an unknown encoding")
    return text.encode("latin-1")


class _Builder:
    """A function the pickle may call and cannot change (a BUILD opcode sets attributes on whatever it is given)."""

    __slots__ = ("_build",)

    def __init__(self, build: Callable[..., object]) -> None:
        self._build = build

    def __call__(self, *args: object) -> object:
        return self._build(*args)

    def __setstate__(self, _state: object) -> None:
        raise pickle.UnpicklingError("a state for a function")


_BUILDERS: MappingProxyType[str, _Builder] = MappingProxyType(
    {
        "torch._utils._rebuild_tensor_v2": _Builder(_tensor),
        "torch._utils._rebuild_parameter": _Builder(_parameter),
        "collections.OrderedDict": _Builder(_mapping),
        "collections.defaultdict": _Builder(_mapping_with_default),
        "_codecs.encode": _Builder(_encoded),
    }
)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**40


def _are_counts(values: object) -> bool:
    return isinstance(values, tuple) and len(values) <= 8 and all(_is_count(value) for value in values)
