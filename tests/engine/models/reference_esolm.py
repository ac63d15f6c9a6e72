"""Eso-LM written down from its definitions (arXiv 2506.01928, sections 3 and 4; DiT, arXiv 2212.09748), as plainly as
possible: whole forward passes in float32, an explicit mask matrix, the noise level's modulation computed every time.

It shares no code with the engine and has no cache. Everything the engine does for a published model is held to it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

BIDIRECTIONAL_CONTEXT = "A"
CAUSAL = "B"


@dataclass(frozen=True)
class Sizes:
    vocab: int
    width: int = 32
    layers: int = 3
    heads: int = 2
    condition: int = 8
    length: int = 160


def normed(x: Tensor, weight: Tensor) -> Tensor:
    centered = x - x.mean(-1, keepdim=True)
    return centered / torch.sqrt((centered**2).mean(-1, keepdim=True) + 1e-5) * weight


def gelu(x: Tensor) -> Tensor:
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def silu(x: Tensor) -> Tensor:
    return x / (1 + torch.exp(-x))


def rotated(x: Tensor, positions: Tensor) -> Tensor:
    """Features i and i + half are one complex number, turned by position * 10000^(-2i / dim). `x` (heads, n, dim)."""
    half = x.shape[-1] // 2
    angles = positions[:, None].double() * 10_000.0 ** (-torch.arange(half).double() / half)
    turned = torch.complex(x[..., :half].double(), x[..., half:].double()) * torch.polar(
        torch.ones_like(angles), angles
    )
    return torch.cat((turned.real, turned.imag), dim=-1).float()


class Weight(nn.Module):
    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(*shape))


class Embedding(nn.Module):
    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.embedding = nn.Parameter(torch.empty(sizes.vocab, sizes.width))


class Level(nn.Module):
    """Embeds the noise level: 128 cosines, 128 sines, two layers."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(256, sizes.condition), nn.SiLU(), nn.Linear(sizes.condition, sizes.condition)
        )

    def forward(self, level: float) -> Tensor:
        angles = level * torch.tensor([10_000.0 ** (-i / 128) for i in range(128)])
        result: Tensor = self.mlp(torch.cat((angles.cos(), angles.sin())))
        return result


class Rotary(nn.Module):
    inv_freq: Tensor

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        dim = sizes.width // sizes.heads
        self.register_buffer("inv_freq", 10_000.0 ** (-torch.arange(0, dim, 2).float() / dim))


class Block(nn.Module):
    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width = sizes.width
        self.heads = sizes.heads
        self.norm1 = Weight(width)
        self.attn_qkv = nn.Linear(width, 3 * width, bias=False)
        self.attn_out = nn.Linear(width, width, bias=False)
        self.norm2 = Weight(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.Identity(), nn.Linear(4 * width, width))
        self.adaLN_modulation = nn.Linear(sizes.condition, 6 * width)

    def forward(self, x: Tensor, positions: Tensor, visible: Tensor, condition: Tensor) -> Tensor:
        """x (n, width); visible (n, n), True where the row sees the column."""
        shift, scale, gate, mlp_shift, mlp_scale, mlp_gate = self.adaLN_modulation(condition).chunk(6)
        count, width = x.shape
        q, k, v = self.attn_qkv(normed(x, self.norm1.weight) * (1 + scale) + shift).chunk(3, dim=-1)
        q, k, v = (part.view(count, self.heads, -1).transpose(0, 1) for part in (q, k, v))
        q, k = rotated(q, positions), rotated(k, positions)
        scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])
        weights = torch.where(visible, scores, torch.tensor(-math.inf)).softmax(-1)
        x = x + gate * self.attn_out((weights @ v).transpose(0, 1).reshape(count, width))
        inner = gelu(self.mlp[0](normed(x, self.norm2.weight) * (1 + mlp_scale) + mlp_shift))
        result: Tensor = x + mlp_gate * self.mlp[2](inner)
        return result


class Output(nn.Module):
    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.norm_final = Weight(sizes.width)
        self.linear = nn.Linear(sizes.width, sizes.vocab)
        self.adaLN_modulation = nn.Linear(sizes.condition, 2 * sizes.width)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        shift, scale = self.adaLN_modulation(condition).chunk(2)
        result: Tensor = self.linear(normed(x, self.norm_final.weight) * (1 + scale) + shift)
        return result


class ReferenceEsoLM(nn.Module):
    """The network under its published names; the last id is the mask's."""

    def __init__(self, sizes: Sizes, seed: int = 0) -> None:
        super().__init__()
        self.sizes, self.mask = sizes, sizes.vocab - 1
        self.vocab_embed = Embedding(sizes)
        self.sigma_map = Level(sizes)
        self.rotary_emb = Rotary(sizes)
        self.blocks = nn.ModuleList(Block(sizes) for _ in range(sizes.layers))
        self.output_layer = Output(sizes)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.copy_(1 + 0.2 * noise if "norm" in name else 0.25 * noise)

    @torch.no_grad()
    def forward(self, tokens: Sequence[int], positions: Sequence[int], visible: Tensor) -> Tensor:
        """Logits (n, vocab) of every row, the mask's at -1e6."""
        condition = silu(self.sigma_map(0.0))
        places = torch.tensor(list(positions))
        x = self.vocab_embed.embedding[torch.tensor(list(tokens))]
        for block in self.blocks:
            x = block(x, places, visible, condition)
        logits: Tensor = self.output_layer(x, condition)
        logits[:, self.mask] = -1e6
        return logits


def step_mask(context: int, run: int, masks: int, variant: str) -> Tensor:
    """What a row of [context, run written one by one, masks] sees while text is written.

    (B): those before it, and itself. (A): so too, but the context, which in the diffusion phase is all that is clean,
    sees all of itself.
    """
    n = context + run + masks
    visible = torch.zeros(n, n, dtype=torch.bool)
    for row in range(n):
        for column in range(n):
            in_context = row < context and column < context
            visible[row, column] = column <= row or (variant == BIDIRECTIONAL_CONTEXT and in_context)
    return visible


def sequential_mask(context: int, run: int, variant: str) -> Tensor:
    """What a row of [context, run of tokens, a mask for each token of the run] sees when a run's likelihood is taken.

    Clean rows: the tokens before them and themselves, and in (A) the context all of itself. The mask of a token: what
    is before that token, and itself, but no other mask.
    """
    clean = context + run
    visible = torch.zeros(clean + run, clean + run, dtype=torch.bool)
    for row in range(clean):
        for column in range(clean):
            in_context = row < context and column < context
            visible[row, column] = column <= row or (variant == BIDIRECTIONAL_CONTEXT and in_context)
    for index in range(run):
        visible[clean + index, : context + index] = True
        visible[clean + index, clean + index] = True
    return visible


def drawn(logits: Tensor, uniform: float) -> int:
    """The first token whose cumulative probability passes the uniform number."""
    cumulative = logits.softmax(-1).double().cumsum(-1)
    return int((cumulative <= uniform * cumulative[-1]).sum())
