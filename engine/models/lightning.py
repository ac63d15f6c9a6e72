"""Checkpoints of PyTorch Lightning (`.ckpt`): the zip format of `torch.save`, read without running any of its code.

The file is a zip of one pickle (`data.pkl`) and of one uncompressed entry a storage (`data/0`, `data/1`, ...). The
pickle is read by `engine.models.unpickling`; a tensor's bytes are only read when it is asked for, so the optimizer's
state, twice the size of the weights, never enters memory.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import torch
from torch import Tensor

from engine.errors import CorruptCheckpointError, ModelNotFoundError
from engine.models.unpickling import MOST_BYTES, Placeholder, StoredTensor, read_pickle


class LightningFile:
    """An open checkpoint; use it as a context manager.

    Attributes:
        content: the checkpoint's outermost dict, of plain values, `StoredTensor`s and `Placeholder`s.
    """

    def __init__(self, path: Path) -> None:
        """Opens `path` and reads its pickle.

        Raises:
            ModelNotFoundError: there is no such file.
            CorruptCheckpointError: it is no checkpoint, or damaged or cut short.
            UnsafeCheckpointError: its pickle names code that has no place in a checkpoint.
        """
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except FileNotFoundError:
            raise ModelNotFoundError(f"There is no file {path}.") from None
        except (OSError, zipfile.BadZipFile, ValueError) as error:
            raise CorruptCheckpointError(
                f"{path} is not a checkpoint of torch 1.6 or later, or it is cut short ({error})."
            ) from error
        try:
            self._root = self._find_root()
            self._check_byte_order()
            content = read_pickle(self._read("data.pkl"), str(path))
            if not isinstance(content, dict):
                raise CorruptCheckpointError(f"{path} holds no checkpoint of Lightning.")
            self.content: Mapping[object, object] = content
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> LightningFile:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def tensor(self, stored: StoredTensor) -> Tensor:
        """Reads one tensor, in the dtype it is stored in, contiguous, on the CPU.

        Raises:
            CorruptCheckpointError: its storage is missing or damaged, or it reaches beyond it.
        """
        last = stored.offset + sum((size - 1) * stride for size, stride in zip(stored.size, stored.stride, strict=True))
        if math.prod(stored.size) and last >= stored.elements:
            raise CorruptCheckpointError(f"{self.path}: a tensor reaches beyond its data.")
        if not stored.storage.isdecimal() or math.prod(stored.size) > stored.elements:
            raise CorruptCheckpointError(f"{self.path}: a tensor is not described as one.")
        data = bytearray(self._read(f"data/{stored.storage}", stored.elements * stored.dtype.itemsize))
        if not data:
            return torch.empty(stored.size, dtype=stored.dtype)
        return torch.frombuffer(data, dtype=stored.dtype).as_strided(stored.size, stored.stride, stored.offset).clone()

    def _find_root(self) -> str:
        roots = [name.removesuffix("data.pkl") for name in self._zip.namelist() if name.endswith("/data.pkl")]
        if len(roots) != 1:
            raise CorruptCheckpointError(f"{self.path} is not a checkpoint of torch: it holds {len(roots)} pickles.")
        return roots[0]

    def _check_byte_order(self) -> None:
        if f"{self._root}byteorder" in self._zip.namelist() and self._read("byteorder") != b"little":
            raise CorruptCheckpointError(f"{self.path} was written on a machine of another byte order.")

    def _read(self, name: str, size: int | None = None) -> bytes:
        """Bytes of an entry. Only uncompressed ones, as torch writes them: nothing swells in memory."""
        try:
            entry = self._zip.getinfo(self._root + name)
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
                raise CorruptCheckpointError(f"{self.path}: {name} is compressed, which torch never does.")
            if entry.file_size != size if size is not None else entry.file_size > MOST_BYTES:
                raise CorruptCheckpointError(f"{self.path}: {name} has {entry.file_size} bytes, which cannot be right.")
            return self._zip.read(entry)
        except KeyError:
            raise CorruptCheckpointError(f"{self.path} misses {name}.") from None
        except (OSError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise CorruptCheckpointError(f"{self.path} is damaged or cut short ({name}: {error}).") from error


def setting(config: object, *path: str) -> object:
    """A scalar of an OmegaConf config as `unpickling` left it (or of plain dicts); None where there is none.

    A config is a tree of DictConfig (their `_content`) and of value nodes (their `_val`), which all pickle as their
    attributes. An interpolation stays the string it is.
    """
    value = _unwrapped(config)
    for key in path:
        value = _unwrapped(value.get(key)) if isinstance(value, dict) else None
    return value if isinstance(value, str | int | float) else None


def tokenizer_json(tokenizer: object) -> str | None:
    """The JSON of a pickled tokenizer of transformers, or None.

    `tokenizers.Tokenizer` pickles as its own tokenizer.json; transformers keeps one in the attribute `_tokenizer`.
    """
    if isinstance(tokenizer, Placeholder) and isinstance(tokenizer.state, dict):
        tokenizer = tokenizer.state.get("_tokenizer")
    if not (isinstance(tokenizer, Placeholder) and tokenizer.name == "tokenizers.Tokenizer"):
        return None
    return tokenizer.state.decode("utf-8", errors="replace") if isinstance(tokenizer.state, bytes) else None


def _unwrapped(value: object) -> object:
    for _ in range(2):  # a value node, or a config in a config's attribute
        if isinstance(value, Placeholder) and value.name.startswith("omegaconf.") and isinstance(value.state, dict):
            value = value.state.get("_content", value.state.get("_val"))
    return value
