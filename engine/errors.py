"""Every error the engine raises on purpose: typed here, an event at the thread's border, one sentence in the window."""

from __future__ import annotations


class EngineError(Exception):
    """Base of all errors raised on purpose. `str(error)` is one sentence for the user: what happened, what to do."""


class RequestError(EngineError):
    """The request itself cannot be carried out (overlapping spans, alpha_0 outside [0, 1], no room for a hole)."""


class ModelError(EngineError):
    """A model cannot be loaded or used."""


class ModelNotFoundError(ModelError):
    """There is no model of that name, or its folder or one of its files is missing."""


class UnknownFamilyError(ModelError):
    """The checkpoint's config names a model family that this version does not know."""


class CorruptCheckpointError(ModelError):
    """A file of the checkpoint is truncated, has wrong shapes, misses tensors or holds values that are not finite."""


class UnsafeCheckpointError(ModelError):
    """A file of the checkpoint names code that has no place in a model; nothing of it was run."""


class TokenizerError(ModelError):
    """The tokenizer is missing, broken or does not fit the checkpoint's vocabulary."""


class DeviceError(EngineError):
    """The chosen device is not there or cannot run the model."""


class OutOfMemoryError(EngineError):
    """Memory ran out during a job; the cache was dropped and the engine goes on."""


class TrainingError(EngineError):
    """Training cannot start or go on (no usable text, a corrupt training checkpoint, a full disk)."""


class StoppedError(Exception):
    """The job was cancelled between two passes. Not a failure, so not an `EngineError`: whoever runs the job catches it
    and tells that it was cancelled."""
