"""Suffix first against prefix first: what typing before a hole costs, and how likely held-out text is to the model.

20 characters are typed right before a hole in a text of Python's own library, one by one, and after each the context is
warmed as the editor does: that counts tokens. The likelihood is that of missing lines of Python packages which training
has never seen, and with `--data` of phrases and sentences of held-out prose: the true text and its end, exact, in the
hole that the engine would make for it, the slack of the grid included. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import inspect
import json
import math
import statistics
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.bench import tokenizer_of
from engine.cache_pool import CachePool
from engine.canvas import Written
from engine.denoise import prefill
from engine.framing import canvas_of, frame
from engine.likelihood import canvas_likelihood
from engine.models.base import ModelAdapter
from engine.models.registry import load
from engine.runner import Runner
from engine.session import Job
from engine.training.corpus import read_held_out
from engine.training.questions import MissingLine
from engine.types import ContextOrder, InfillRequest, ModelChoice, TextSpan
from tests.bench.bench_ends import code_lines, near, prose_holes

TYPED = "# a note before it \n"
DOCUMENT_TOKENS = 800
"""With the grid's slack and the hole's room this is about what a context of 1,024 takes whole."""


def main() -> None:
    """Prints a line an order, then the JSON object."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--model", default="redraft-mini")
    options.add_argument("--spans", type=int, default=150, help="holes of a kind whose likelihood is compared")
    options.add_argument("--data", type=Path, help="the prose the model was trained on")
    given = options.parse_args()
    choice = ModelChoice(given.model, device="cpu", threads=1)
    runner = Runner(load(choice))
    text, kinds = _document(given.model), questions(given.data, given.spans)
    orders = {order.value: _figures(runner, text, order, kinds) for order in ContextOrder}
    for name, figures in orders.items():
        print(name, figures)
    print(json.dumps({"model": runner.info.name, "typed": len(TYPED), "tokens": DOCUMENT_TOKENS, "orders": orders}))


def questions(data: Path | None, count: int) -> dict[str, list[MissingLine]]:
    """Held-out holes by kind, each with a window of its text."""
    documents = read_held_out(data)
    kinds = {"python": code_lines(documents, count)}
    if data is not None:
        kinds["prose"] = prose_holes(documents, -(-count // 3))
    return {kind: [near(question) for question in holes] for kind, holes in kinds.items()}


def _figures(
    runner: Runner, text: str, order: ContextOrder, kinds: Mapping[str, Sequence[MissingLine]]
) -> dict[str, object]:
    computed = _typing(runner, text, order)
    return {
        "computed_tokens_a_key_median": statistics.median(computed),
        "computed_tokens_a_key_most": max(computed),
        "computed_tokens_after_all_keys_at_once": _typed_at_once(runner, text, order),
        **{f"{kind}_bits_per_byte": round(_bits(runner, holes, order), 4) for kind, holes in kinds.items()},
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


def _bits(runner: Runner, holes: Sequence[MissingLine], order: ContextOrder) -> float:
    adapter = runner._adapter
    pool = CachePool(adapter.new_cache)
    nats = [_nats(adapter, pool, hole, order) for hole in holes]
    return -math.fsum(nats) / math.log(2) / sum(len(hole.line.encode()) for hole in holes)


def _nats(adapter: ModelAdapter, pool: CachePool, hole: MissingLine, order: ContextOrder) -> float:
    """Exact log-likelihood of the true text of a hole, and of its end."""
    request = InfillRequest(
        hole.text,
        (TextSpan(hole.start, hole.end),),
        context_order=order,
        starts_document=False,
        ends_document=False,
    )
    canvas = canvas_of(frame(request, adapter.config, adapter.tokenizer), request, adapter.config)
    ids = adapter.tokenizer.encode(hole.line)
    ids += [] if canvas.empty is None else [canvas.empty]
    for position, token in enumerate(ids, start=canvas.holes[0].start):
        canvas.accept(position, Written(token, 1.0, 1))
    cache = pool.lease(canvas.context)
    for _ in prefill(adapter, cache, canvas.context):
        pass
    return canvas_likelihood(adapter, cache, canvas)[0]


if __name__ == "__main__":
    main()
