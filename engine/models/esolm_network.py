"""The denoiser of Eso-LM (arXiv 2506.01928): a DiT without time conditioning, run along an order of tokens.

This is the plain network: training and reference passes use it as it is. Inference folds it (engine.models.esolm).

The published checkpoints' time conditioning is a constant at inference, so each sublayer has three plain vectors in its
place (shift, scale, gate). Attention is whatever `attend` does with queries, keys and values; the network itself knows
positions (for the rotary embedding) but neither order nor masks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(queries, keys, values), each (batch, heads, length, head_dim) with rotary applied -> output of the same shape."""


@dataclass(frozen=True, slots=True)
class EsoLMShape:
    """Sizes of a network. `masks_see_masks`: whether a mask also sees the masks before it in the same feed
    (published Eso-LM (B) does, ours does not)."""

    vocab_size: int
    hidden_size: int
    layers: int
    heads: int
    context_length: int
    mlp_ratio: int = 4
    rope_theta: float = 10_000.0
    norm_eps: float = 1e-5
    tie_embeddings: bool = True
    masks_see_masks: bool = False

    @property
    def head_dim(self) -> int:
        """Width of one head."""
        return self.hidden_size // self.heads


def parameter_shapes(shape: EsoLMShape) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a checkpoint's tensors; the head's weight is left out where it is tied."""
    width, inner = shape.hidden_size, shape.mlp_ratio * shape.hidden_size
    shapes: dict[str, tuple[int, ...]] = {"vocab_embed.embedding": (shape.vocab_size, width)}
    for layer in range(shape.layers):
        block: dict[str, tuple[int, ...]] = {
            "modulation": (6, width),
            "norm1.weight": (width,),
            "attn_qkv.weight": (3 * width, width),
            "attn_out.weight": (width, width),
            "norm2.weight": (width,),
            "mlp.0.weight": (inner, width),
            "mlp.0.bias": (inner,),
            "mlp.2.weight": (width, inner),
            "mlp.2.bias": (width,),
        }
        shapes |= {f"blocks.{layer}.{name}": size for name, size in block.items()}
    shapes["output_layer.norm_final.weight"] = (width,)
    shapes["output_layer.modulation"] = (2, width)
    if not shape.tie_embeddings:
        shapes["output_layer.linear.weight"] = (shape.vocab_size, width)
    shapes["output_layer.linear.bias"] = (shape.vocab_size,)
    return shapes


def rotary_tables(positions: Tensor, head_dim: int, theta: float) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the rotary embedding, float32, shape (*positions.shape, head_dim)."""
    frequencies = theta ** (-torch.arange(0, head_dim, 2, device=positions.device, dtype=torch.float32) / head_dim)
    angles = positions.float().unsqueeze(-1) * frequencies  # (*, head_dim / 2)
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos(), angles.sin()


def apply_rotary(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotates half against half (not interleaved). `x` (..., length, head_dim); tables broadcast against it."""
    half = x.shape[-1] // 2
    rotated = torch.cat((-x[..., half:], x[..., :half]), dim=-1)
    return x * cos + rotated * sin


class EsoLMBlock(nn.Module):
    """One transformer block: attention and a GELU(tanh) MLP, each normed, modulated and gated."""

    def __init__(self, shape: EsoLMShape) -> None:
        super().__init__()
        width = shape.hidden_size
        self._shape = shape
        self.norm1 = nn.LayerNorm(width, eps=shape.norm_eps, bias=False)
        self.attn_qkv = nn.Linear(width, 3 * width, bias=False)
        self.attn_out = nn.Linear(width, width, bias=False)
        self.norm2 = nn.LayerNorm(width, eps=shape.norm_eps, bias=False)
        self.mlp = nn.Sequential(
            nn.Linear(width, shape.mlp_ratio * width),
            nn.GELU(approximate="tanh"),
            nn.Linear(shape.mlp_ratio * width, width),
        )
        self.modulation = nn.Parameter(torch.zeros(6, width))  # shift, scale, gate of attention, then of the MLP
        with torch.no_grad():
            self.modulation[2] = 1.0
            self.modulation[5] = 1.0

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, attend: Attend) -> Tensor:
        """`x` (batch, length, width); `cos`, `sin` (batch, 1, length, head_dim), in `x`'s dtype or float32."""
        batch, length, width = x.shape
        shift, scale, gate, mlp_shift, mlp_scale, mlp_gate = self.modulation.to(x.dtype)
        qkv = self.attn_qkv(self.norm1(x) * (1 + scale) + shift)
        qkv = qkv.view(batch, length, 3, self._shape.heads, self._shape.head_dim).permute(2, 0, 3, 1, 4)
        q, k = (apply_rotary(part, cos, sin).to(x.dtype) for part in (qkv[0], qkv[1]))
        attended = attend(q, k, qkv[2]).transpose(1, 2).reshape(batch, length, width)
        x = x + gate * self.attn_out(attended)
        result: Tensor = x + mlp_gate * self.mlp(self.norm2(x) * (1 + mlp_scale) + mlp_shift)
        return result


class EsoLMOutput(nn.Module):
    """The last norm (modulated) and the vocabulary head; the head's weight is the embedding where they are tied."""

    def __init__(self, shape: EsoLMShape) -> None:
        super().__init__()
        self.norm_final = nn.LayerNorm(shape.hidden_size, eps=shape.norm_eps, bias=False)
        self.modulation = nn.Parameter(torch.zeros(2, shape.hidden_size))  # shift, scale
        self.linear = nn.Linear(shape.hidden_size, shape.vocab_size)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) -> logits (..., vocab)."""
        shift, scale = self.modulation.to(x.dtype)
        logits: Tensor = self.linear(self.norm_final(x) * (1 + scale) + shift)
        return logits


class Embedding(nn.Module):
    """Token embedding under the published key, `vocab_embed.embedding`."""

    def __init__(self, shape: EsoLMShape) -> None:
        super().__init__()
        self.embedding = nn.Parameter(torch.empty(shape.vocab_size, shape.hidden_size))

    def forward(self, ids: Tensor) -> Tensor:
        """(...) -> (..., width)."""
        return functional.embedding(ids, self.embedding)


class EsoLMNetwork(nn.Module):
    """The whole denoiser. `hidden` runs the blocks, `output_layer` turns chosen rows into logits."""

    def __init__(self, shape: EsoLMShape) -> None:
        super().__init__()
        self.shape = shape
        self.vocab_embed = Embedding(shape)
        self.blocks = nn.ModuleList(EsoLMBlock(shape) for _ in range(shape.layers))
        self.output_layer = EsoLMOutput(shape)
        self.reset_parameters()
        if shape.tie_embeddings:
            self.output_layer.linear.weight = self.vocab_embed.embedding

    def reset_parameters(self) -> None:
        """Normal weights of deviation 0.02; layers that write into the residual stream less by sqrt(2 layers)."""
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2 and not name.endswith("modulation"):
                residual = name.endswith(("attn_out.weight", "mlp.2.weight"))
                deviation = 0.02 / (2 * self.shape.layers) ** 0.5 if residual else 0.02
                nn.init.normal_(parameter, std=deviation)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def hidden(self, ids: Tensor, positions: Tensor, attend: Attend) -> Tensor:
        """Runs the blocks.

        Args:
            ids: (batch, length) token ids, in the order along which `attend` masks.
            positions: (batch, length) true positions, for the rotary embedding.
            attend: the attention, masks included.

        Returns:
            (batch, length, width), to be passed (or chosen rows of it) to `output_layer`.
        """
        cos, sin = rotary_tables(positions, self.shape.head_dim, self.shape.rope_theta)
        cos, sin = cos.unsqueeze(1), sin.unsqueeze(1)  # (batch, 1, length, head_dim)
        x = self.vocab_embed(ids)
        for block in self.blocks:
            x = block(x, cos, sin, attend)
        result: Tensor = x
        return result

    def forward(self, ids: Tensor, positions: Tensor, visible: Tensor) -> Tensor:
        """Logits (batch, length, vocab) of every row; `visible` (batch, 1 or heads, length, length) is True where a row
        (third axis) may see a column (fourth axis). The reference pass that tests compare everything else with."""
        x = self.hidden(ids, positions, lambda q, k, v: functional.scaled_dot_product_attention(q, k, v, visible))
        logits: Tensor = self.output_layer(x)
        return logits
