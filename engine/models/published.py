"""The published Eso-LM weights (github.com/s-sahoo/Eso-LMs): their names, their order, and how they become ours.

The published network conditions each sublayer on a noise level (adaLN, as in DiT), but the level is always zero: the
shifts, scales and gates are constants, computed here once.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from engine.models.esolm_network import EsoLMShape

PREFIX = "backbone."
FREQUENCIES = 256
"""Width of the sinusoidal embedding of the noise level."""

MASK_LOGIT = -1e6
"""The reference sets the mask's logit to this after every pass; here the head's bias does."""


def published_shapes(shape: EsoLMShape, cond_size: int) -> dict[str, tuple[int, ...]]:
    """Names (without `PREFIX`) and shapes of all parameters, in the order of `parameters()`: so the moving
    average in a `.ckpt` lists them, without names. Buffers (the rotary frequencies) are not among them."""
    width, inner = shape.hidden_size, shape.mlp_ratio * shape.hidden_size
    shapes: dict[str, tuple[int, ...]] = {
        "vocab_embed.embedding": (shape.vocab_size, width),
        "sigma_map.mlp.0.weight": (cond_size, FREQUENCIES),
        "sigma_map.mlp.0.bias": (cond_size,),
        "sigma_map.mlp.2.weight": (cond_size, cond_size),
        "sigma_map.mlp.2.bias": (cond_size,),
    }
    block: dict[str, tuple[int, ...]] = {
        "norm1.weight": (width,),
        "attn_qkv.weight": (3 * width, width),
        "attn_out.weight": (width, width),
        "norm2.weight": (width,),
        "mlp.0.weight": (inner, width),
        "mlp.0.bias": (inner,),
        "mlp.2.weight": (width, inner),
        "mlp.2.bias": (width,),
        "adaLN_modulation.weight": (6 * width, cond_size),
        "adaLN_modulation.bias": (6 * width,),
    }
    for layer in range(shape.layers):
        shapes |= {f"blocks.{layer}.{name}": size for name, size in block.items()}
    return shapes | {
        "output_layer.norm_final.weight": (width,),
        "output_layer.linear.weight": (shape.vocab_size, width),
        "output_layer.linear.bias": (shape.vocab_size,),
        "output_layer.adaLN_modulation.weight": (2 * width, cond_size),
        "output_layer.adaLN_modulation.bias": (2 * width,),
    }


def fold(weights: Mapping[str, Tensor], shape: EsoLMShape, mask: int) -> dict[str, Tensor]:
    """Our parameters from the published ones (names without `PREFIX`, already checked), all float32.

    Per block the modulation holds shift, scale and gate of attention, then of the MLP; the output layer's holds shift
    and scale. The head never gives the mask any probability.
    """
    condition = _condition(weights)
    folded: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        layer, _, last = name.rpartition("adaLN_modulation.")
        if name.startswith("sigma_map.") or (layer and last == "bias"):
            continue
        if layer:
            modulation = tensor.double() @ condition + weights[f"{layer}adaLN_modulation.bias"].double()
            folded[f"{layer}modulation"] = modulation.view(-1, shape.hidden_size).float().contiguous()
        else:
            folded[name] = tensor.float().contiguous()
    for name, value in (("output_layer.linear.weight", 0.0), ("output_layer.linear.bias", MASK_LOGIT)):
        folded[name] = folded[name].clone()
        folded[name][mask] = value
    return folded


def _condition(weights: Mapping[str, Tensor]) -> Tensor:
    """(cond,): what every adaLN layer sees. The sinusoidal embedding of level 0 is cos 0 = 1, then sin 0 = 0."""
    embedded = torch.cat((torch.ones(FREQUENCIES // 2), torch.zeros(FREQUENCIES // 2))).double()
    first, first_bias, second, second_bias = (
        weights[f"sigma_map.mlp.{name}"].double() for name in ("0.weight", "0.bias", "2.weight", "2.bias")
    )
    return functional.silu(second @ functional.silu(first @ embedded + first_bias) + second_bias)
