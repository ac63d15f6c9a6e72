"""What a checkpoint folder says of itself: `config.json`, read strictly. Nothing is guessed from tensor shapes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from engine.errors import CorruptCheckpointError, ModelNotFoundError, TokenizerError
from engine.types import ContextOrder

FORMAT = 1


class Attention(StrEnum):
    """What clean tokens see (arXiv 2506.01928, section 4): CAUSAL, Eso-LM (B), those before them in the order; MIXED2,
    Eso-LM (A), in the diffusion phase all of each other."""

    CAUSAL = "causal"
    MIXED2 = "mixed2"


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """Ids that stand for no text. A family that lacks one has None there; every family has a mask."""

    mask: int
    begin: int | None = None
    end: int | None = None
    empty: int | None = None
    pad: int | None = None

    @classmethod
    def from_config(cls, config: Mapping[str, object]) -> SpecialTokens:
        """Reads `special_tokens` of a checkpoint's config.

        Raises:
            TokenizerError: the entry is missing, names an unknown token or holds something that is not an id.
        """
        entry = config.get("special_tokens")
        if not isinstance(entry, Mapping) or "mask" not in entry:
            raise TokenizerError("The model's config names no mask token (special_tokens.mask).")
        ids: dict[str, int] = {}
        for name, value in entry.items():
            if name not in cls.__slots__:
                raise TokenizerError(f"The model's config names an unknown special token, {name!r}.")
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise TokenizerError(f"The model's config gives no usable id for the special token {name!r}.")
            ids[name] = value
        if "mask" not in ids:
            raise TokenizerError("The model's config names no mask token (special_tokens.mask).")
        return cls(**ids)

    def ids(self) -> frozenset[int]:
        """All ids in use."""
        every = (self.mask, self.begin, self.end, self.empty, self.pad)
        return frozenset(token for token in every if token is not None)

    def never_written(self) -> tuple[int, ...]:
        """Ids that may not be sampled into a hole (`empty` may)."""
        ids = (self.mask, self.begin, self.end, self.pad)
        return tuple(token for token in ids if token is not None)


@dataclass(frozen=True, slots=True)
class CheckpointConfig:
    """One checkpoint: its family, sizes, special tokens, and how it was trained to be used.

    Attributes:
        suffix_grid: the text after a hole starts at multiples of this position (1: right after the hole).
        max_slack: most unused positions between a hole's text and what follows that training has shown.
        masks_see_masks: whether a mask sees earlier masks of its feed (published Eso-LM (B)).
        trained_alpha_0: range of alpha_0 in training.
        text_tokens: how many tokens the tokenizer has that the model was trained with, where the checkpoint says it: a
            vocabulary may be larger than that.
    """

    folder: Path
    name: str
    family: str
    vocab_size: int
    hidden_size: int
    layers: int
    heads: int
    context_length: int
    special_tokens: SpecialTokens
    mlp_ratio: int = 4
    rope_theta: float = 10_000.0
    norm_eps: float = 1e-5
    tie_embeddings: bool = True
    masks_see_masks: bool = False
    attention: Attention = Attention.CAUSAL
    context_orders: tuple[ContextOrder, ...] = (ContextOrder.PREFIX_FIRST,)
    suffix_grid: int = 1
    max_slack: int = 0
    tokenizer: str = "tokenizer.json"
    text_tokens: int | None = None
    trained_alpha_0: tuple[float, float] = (1.0, 1.0)
    training: dict[str, Any] = field(default_factory=dict, compare=False)

    def tokenizer_entry(self) -> dict[str, object]:
        """What `Tokenizer.load` needs to know."""
        return {
            "tokenizer": self.tokenizer,
            "vocab_size": self.vocab_size,
            "text_tokens": self.text_tokens,
            "special_tokens": asdict(self.special_tokens),
        }


def read_config(folder: Path) -> CheckpointConfig:
    """Reads and checks `folder/config.json`.

    Raises:
        ModelNotFoundError: the folder or the file is not there.
        CorruptCheckpointError: the file is not JSON, or a field is missing or odd.
    """
    path = folder / "config.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelNotFoundError(
            f"There is no model in {folder}: config.json is missing. Choose another model or its folder."
        ) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CorruptCheckpointError(f"{path} cannot be read ({error}). Install the model again.") from error
    try:
        return parse_config(folder, raw)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"field {error} is missing" if isinstance(error, KeyError) else str(error)
        raise CorruptCheckpointError(f"{path} is not a valid model description: {reason}.") from error


def parse_config(folder: Path, raw: Mapping[str, Any]) -> CheckpointConfig:
    """What a model's description says.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: a field is missing or odd.
    """
    if raw["format"] != FORMAT:
        raise ValueError(f"format {raw['format']} is not known to this version (it knows {FORMAT})")
    sizes = {key: _positive(raw, key) for key in ("vocab_size", "hidden_size", "layers", "heads", "context_length")}
    if sizes["hidden_size"] % (2 * sizes["heads"]):
        raise ValueError("hidden_size is not an even multiple of heads")
    low, high = raw.get("trained_alpha_0", (1.0, 1.0))
    return CheckpointConfig(
        folder=folder,
        name=str(raw["name"]),
        family=str(raw["family"]),
        **sizes,
        special_tokens=_special_tokens(raw, sizes["vocab_size"]),
        mlp_ratio=int(raw.get("mlp_ratio", 4)),
        rope_theta=float(raw.get("rope_theta", 10_000.0)),
        norm_eps=float(raw.get("norm_eps", 1e-5)),
        tie_embeddings=bool(raw.get("tie_embeddings", True)),
        masks_see_masks=bool(raw.get("masks_see_masks", False)),
        attention=Attention(raw.get("attention", Attention.CAUSAL)),
        context_orders=tuple(ContextOrder(order) for order in raw.get("context_orders", ["prefix_first"])),
        suffix_grid=_positive(raw, "suffix_grid", 1),
        max_slack=int(raw.get("max_slack", 0)),
        tokenizer=str(raw.get("tokenizer", "tokenizer.json")),
        text_tokens=None if raw.get("text_tokens") is None else _positive(raw, "text_tokens"),
        trained_alpha_0=(float(low), float(high)),
        training=dict(raw.get("training", {})),
    )


def _positive(raw: Mapping[str, Any], key: str, default: int | None = None) -> int:
    value = raw[key] if default is None else raw.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{key} must be a whole number above 0, not {value!r}")
    return value


def _special_tokens(raw: Mapping[str, Any], vocab_size: int) -> SpecialTokens:
    tokens = SpecialTokens.from_config(raw)
    outside = [token for token in tokens.ids() if token >= vocab_size]
    if outside:
        raise ValueError(f"special token {outside[0]} is outside the vocabulary of {vocab_size}")
    return tokens
