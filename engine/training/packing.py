"""Documents to samples: windows, tasks, holes with their slack, tokenized piece by piece.

1. A document is drawn by size and weight, half the samples from code; a window of it is cut at characters.
2. A task: one hole, two to four, continuation, a hole at the start, or uniform random masking at any rate.
3. Prefix, holes and what lies between are tokenized apart, as the editor will tokenize them.
4. Each hole gets a capacity: a tenth exactly its length, the rest up to 128 more, often up to the next grid position,
   so that capacity tells nothing about length.

Steps 1 and 2 are in `cutting`, 3 and 4 in `assembling`; here they are put together, in one process or in several.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing

from engine.errors import TrainingError
from engine.tokenization import Tokenizer
from engine.training.assembling import assemble
from engine.training.cutting import CutBatch, PackingRules, cut_batches
from engine.training.documents import Document
from engine.training.encoding import BulkEncoder
from engine.training.samples import Records, Sample, samples_of

__all__ = ["PackingRules", "pack", "pack_records"]

_MANY = 10_000
"""So many samples are worth starting processes for."""


def pack(
    documents: Sequence[Document], tokenizer: Tokenizer, count: int, rules: PackingRules, seed: int
) -> Iterator[list[Sample]]:
    """Yields `count` samples in all, in lists. The same arguments give the same samples.

    Raises:
        TrainingError: no document is long enough.
    """
    yield from map(samples_of, pack_records(documents, tokenizer, count, rules, seed, processes=0))


def pack_records(
    documents: Sequence[Document],
    tokenizer: Tokenizer,
    count: int,
    rules: PackingRules,
    seed: int,
    *,
    rows: int | None = None,
    processes: int | None = None,
) -> Iterator[Records]:
    """The samples of `pack` as records, made by several processes: this one cuts, the others tokenize.

    Args:
        rows: end before `count`, with the batch by which the network has so many rows to run, at least.
        processes: None starts one per core where there is much to do, and none where there is little.

    Raises:
        TrainingError: no document is long enough.
    """
    if processes is None:
        expected = count if rows is None else min(count, rows // min(size for size, _ in rules.windows))
        processes = (os.cpu_count() or 1) if expected >= _MANY else 0
    batches = cut_batches(documents, count, rules, seed)
    with closing(_assembled(batches, tokenizer, rules, processes)) as found:
        for records in found:
            yield records
            if rows is not None and (rows := rows - records.least_rows) <= 0:
                return


def _assembled(
    batches: Iterator[CutBatch], tokenizer: Tokenizer, rules: PackingRules, processes: int
) -> Generator[Records]:
    if not processes:
        encoder = BulkEncoder(tokenizer)
        for batch in batches:
            yield assemble(batch, encoder, rules)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_prepare_there, initargs=(tokenizer, rules)) as executor:
        waiting: deque[Future[Records]] = deque()
        try:
            for batch in batches:
                waiting.append(executor.submit(_records_there, batch))
                if len(waiting) > 2 * processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise TrainingError("A process that tokenizes has ended: is there too little memory?") from error
        finally:
            executor.shutdown(cancel_futures=True)


_there: list[tuple[BulkEncoder, PackingRules]] = []
"""In a process that tokenizes: its encoder."""


def _prepare_there(tokenizer: Tokenizer, rules: PackingRules) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal's Ctrl+C: the process that packs ends this one
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the processes share the cores already
    gc.disable()  # nothing made there refers to itself, and looking for that takes 3 % of the time
    _there[:] = [(BulkEncoder(tokenizer), rules)]


def _records_there(batch: CutBatch) -> Records:
    return assemble(batch, *_there[0])
