from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.attention.flex_attention import BlockMask, create_mask, flex_attention

from engine.models.esolm_network import EsoLMNetwork, EsoLMShape
from engine.training.bpe import special_tokens
from engine.training.documents import Document
from engine.training.flex import BLOCK, Attention, Blocks
from engine.training.forward import hidden_rows, hidden_rows_blocked
from engine.training.head import weighted_loss
from engine.training.objective import Batch, collate, make_row
from engine.training.packing import PackingRules, pack
from tests.engine.training.small import VOCAB, documents, small_tokenizer


def batch_of_samples() -> Batch:
    rules = PackingRules(windows=((64, 0.3), (256, 0.7)), context_length=256)
    special = special_tokens(VOCAB)
    samples = next(pack(documents(), small_tokenizer(), 12, rules, 0))
    return collate(
        [
            make_row(sample, special, np.random.default_rng(number), vocab_size=VOCAB, context_targets=number % 2 == 0,
                     corrupt=0.05)
            for number, sample in enumerate(samples)
        ],
        special,
    )  # fmt: skip


def dense(q: Tensor, k: Tensor, v: Tensor, *, block_mask: BlockMask) -> Tensor:
    """What FlexAttention computes, blocks and all, in a form that has a backward pass on a CPU."""
    rows = q.shape[2]
    allowed = create_mask(block_mask.mask_mod, None, None, rows, rows, device="cpu")
    seen = torch.zeros(rows // BLOCK, rows // BLOCK, dtype=torch.bool)
    assert block_mask.full_kv_num_blocks is not None
    assert block_mask.full_kv_indices is not None
    full = torch.zeros_like(seen)
    for table, counts, columns in (
        (seen, block_mask.kv_num_blocks, block_mask.kv_indices),
        (full, block_mask.full_kv_num_blocks, block_mask.full_kv_indices),
    ):
        for row, count in enumerate(counts[0, 0].tolist()):
            table[row, columns[0, 0, row, :count].long()] = True
    assert not (seen & full).any()
    grown = [table.repeat_interleave(BLOCK, 0).repeat_interleave(BLOCK, 1) for table in (seen, full)]
    return functional.scaled_dot_product_attention(q, k, v, (allowed & grown[0]) | grown[1])


def network() -> EsoLMNetwork:
    torch.manual_seed(0)
    made = EsoLMNetwork(EsoLMShape(VOCAB, 32, 2, 2, 256))
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return made


def blocks_of(batch: Batch) -> Blocks:
    assert batch.blocks is not None
    return batch.blocks


def losses_and_gradients(batch: Batch, attention: Attention | None = None) -> tuple[Tensor, dict[str, Tensor]]:
    net = network()
    if attention is None:
        hidden = hidden_rows(net, batch)
    else:
        mask = blocks_of(batch).block_mask()
        hidden = hidden_rows_blocked(net, batch.ids, batch.positions, batch.rows, mask, attention)
    linear = net.output_layer.linear
    loss, each = weighted_loss(hidden, linear.weight, linear.bias, batch.targets, batch.weights)
    loss.backward()
    gradients = {name: value.grad for name, value in net.named_parameters() if value.grad is not None}
    return torch.cat((loss.detach()[None], each)), gradients


def test_the_blocks_give_the_loss_and_the_gradients_of_the_cpu_path() -> None:
    batch = batch_of_samples()
    padded = batch.blocked(1024)
    assert len(padded.ids) % 1024 == len(padded.targets) % 1024 == 0
    plain, wanted = losses_and_gradients(batch)
    blocked, found = losses_and_gradients(padded, dense)
    assert torch.allclose(plain, blocked[: len(plain)], atol=1e-4, rtol=1e-4)
    assert wanted.keys() == found.keys()
    for name, value in wanted.items():
        assert torch.allclose(found[name], value, atol=1e-4 * float(value.abs().max()), rtol=1e-3), name


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
def test_flex_attention_itself_agrees_in_its_forward_pass() -> None:
    batch = batch_of_samples()
    padded = batch.blocked(1024)
    net = network()
    with torch.no_grad():
        plain = hidden_rows(net, batch)
        mask = blocks_of(padded).block_mask()
        blocked = hidden_rows_blocked(net, padded.ids, padded.positions, padded.rows, mask, flex_attention)
    assert torch.allclose(plain, blocked[: len(plain)], atol=1e-4)


def test_most_blocks_are_left_out_and_some_need_no_mask() -> None:
    special = special_tokens(VOCAB)
    text = "".join(document.text for document in documents(40) if not document.is_code)
    rules = PackingRules(windows=((1024, 1.0),))
    samples = next(pack([Document("fiction", "made", text)], small_tokenizer(), 8, rules, 0))
    rows = [make_row(sample, special, np.random.default_rng(0), vocab_size=VOCAB) for sample in samples]
    blocks = blocks_of(collate(rows, special).blocked(BLOCK))
    count = len(blocks.partial_counts)
    assert int(blocks.full_counts.sum()) > 0
    assert int(blocks.partial_counts.sum() + blocks.full_counts.sum()) < count**2 / 4


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_the_compiled_network_on_a_gpu_agrees_with_the_cpu() -> None:
    batch = batch_of_samples()
    padded = batch.blocked(2048)
    cpu, gpu = network(), network().cuda()
    there = padded.to(torch.device("cuda"))
    run = torch.compile(hidden_rows_blocked, dynamic=False)
    far = run(gpu, there.ids, there.positions, there.rows, blocks_of(there).block_mask())
    near = hidden_rows(cpu, batch)
    for net, hidden, part in ((cpu, near, batch), (gpu, far, there)):
        linear = net.output_layer.linear
        weighted_loss(hidden, linear.weight, linear.bias, part.targets, part.weights)[0].backward()
    assert torch.allclose(near, far.cpu()[: len(near)], atol=5e-3)
    for (name, left), right in zip(cpu.named_parameters(), gpu.parameters(), strict=True):
        if left.grad is not None and right.grad is not None:
            assert torch.allclose(left.grad, right.grad.cpu(), atol=2e-2 * float(left.grad.abs().max())), name
