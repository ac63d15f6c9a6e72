"""Suffix first against prefix first: what typing before a hole costs, and how likely the true text is to the model.

For a text of Python's own library (part of the bundled model's training, so the bits compare the two orders and say
nothing of unseen text): 20 characters are typed right before a hole, one by one, and after each the context is
warmed as the editor does. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import inspect
import itertools
import json
import math
import statistics
import textwrap

from engine.bench import tokenizer_of
from engine.cache_pool import CachePool
from engine.framing import frame
from engine.likelihood import score_span
from engine.models.registry import load
from engine.runner import Runner
from engine.session import Job
from engine.types import ContextOrder, InfillRequest, Mode, ModelChoice, TextSpan

TYPED = "# a note before it \n"
DOCUMENT_TOKENS = 800
"""With the grid's slack and the hole's room this is about what a context of 1,024 takes whole."""


def main() -> None:
    """Prints a line an order, then the JSON object."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--model", default="redraft-mini")
    options.add_argument("--spans", type=int, default=40, help="lines whose likelihood is compared")
    given = options.parse_args()
    choice = ModelChoice(given.model, device="cpu", threads=1)
    runner = Runner(load(choice))
    text = _document(given.model)
    orders = {order.value: _figures(runner, text, order, given.spans) for order in ContextOrder}
    for name, figures in orders.items():
        print(name, figures)
    print(json.dumps({"model": runner.info.name, "typed": len(TYPED), "tokens": DOCUMENT_TOKENS, "orders": orders}))


def _figures(runner: Runner, text: str, order: ContextOrder, spans: int) -> dict[str, object]:
    computed = _typing(runner, text, order)
    return {
        "computed_tokens_a_key_median": statistics.median(computed),
        "computed_tokens_a_key_most": max(computed),
        "computed_tokens_after_all_keys_at_once": _typed_at_once(runner, text, order),
        "bits_per_byte_of_lines": round(_bits(runner, text, order, spans), 4),
    }


def _document(model: str) -> str:
    text = inspect.getsource(textwrap)
    ends = [end for _, end in tokenizer_of(model).encode_with_offsets(text)[1]]
    return text[: ends[min(DOCUMENT_TOKENS, len(ends)) - 1]]


def _request(text: str, order: ContextOrder, typed: str) -> InfillRequest:
    middle = text.index("\n", len(text) // 2) + 1
    end = text.index("\n", middle + 40)
    start = middle + len(typed)
    return InfillRequest(
        text[:middle] + typed + text[middle:], (TextSpan(start, end + len(typed)),), context_order=order, capacity=48
    )


def _typing(runner: Runner, text: str, order: ContextOrder) -> list[int]:
    runner.drop_caches()
    runner.prewarm(Job(1, ""), _request(text, order, ""))
    return [_warm(runner, _request(text, order, TYPED[:count])) for count in range(1, len(TYPED) + 1)]


def _typed_at_once(runner: Runner, text: str, order: ContextOrder) -> int:
    runner.drop_caches()
    runner.prewarm(Job(1, ""), _request(text, order, ""))
    return _warm(runner, _request(text, order, TYPED))


def _warm(runner: Runner, request: InfillRequest) -> int:
    return runner.prewarm(Job(1, ""), request).stats.computed_tokens


def _bits(runner: Runner, text: str, order: ContextOrder, spans: int) -> float:
    adapter = runner._adapter
    pool = CachePool(adapter.new_cache)
    starts = [0, *(index + 1 for index, sign in enumerate(text) if sign == "\n")]
    lines = [(a, b - 1) for a, b in itertools.pairwise(starts) if text[a : b - 1].strip()][:spans]
    nats, size = 0.0, 0
    for start, end in lines:
        request = InfillRequest(text, (TextSpan(start, end),), mode=Mode.REFINE)
        pieces = frame(request, adapter.config, adapter.tokenizer)
        index = next(index for index, piece in enumerate(pieces) if piece.span == 0)
        nats -= math.fsum(score_span(adapter, pool.lease, pieces, index, order))
        size += len(text[start:end].encode())
    return nats / math.log(2) / size


if __name__ == "__main__":
    main()
