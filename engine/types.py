"""What crosses the border between the engine's thread and everyone else: frozen plain values, no tensors, no torch.

An `InfillRequest` holds everything a result depends on: two equal requests give equal results on one machine.
Offsets are code points into `InfillRequest.text`, as Python counts them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Mode(StrEnum):
    """What is done with the spans."""

    FILL = "fill"
    """The whole span is masked and written anew."""
    REFINE = "refine"
    """Only a share (`strength`) of the span's tokens is masked, the least likely first; the others stay as clues."""
    CONTINUE = "continue"
    """The spans are carets (start == end): new text goes in there."""


class ContextOrder(StrEnum):
    """In which order the clean context is fed (and so cached) before the holes."""

    SUFFIX_FIRST = "suffix_first"
    PREFIX_FIRST = "prefix_first"


class CellState(StrEnum):
    """How far one cell of a draft has come."""

    MASKED = "masked"
    REVEALED = "revealed"
    """Accepted in the step that this frame shows."""
    ACCEPTED = "accepted"
    """Accepted in an earlier step."""
    KEPT = "kept"
    """Not masked in this run (refine): the user's own text."""
    DOUBTFUL = "doubtful"
    """Accepted, with a probability under the doubt threshold."""


@dataclass(frozen=True, slots=True)
class TextSpan:
    """Half-open range of code points [start, end) in the request's text."""

    start: int
    end: int


SAMPLER_NAMES = (
    "ancestral", "confidence", "threshold", "entropy-bounded", "margin", "maskgit-plus", "remdm", "p2",
    "coarse-to-fine", "renoise",
)  # fmt: skip
"""What `engine.samplers` has, for those who offer a choice without loading it."""
SCHEDULE_NAMES = ("log-linear", "binomial", "cosine", "subcontext", "left-to-right")
"""What `engine.schedule` has."""


@dataclass(frozen=True, slots=True)
class InfillRequest:
    """One complete wish. Frozen; nothing is read later from anywhere else.

    Attributes:
        text: the text around and in the spans (the document, or a window of it that the app has cut).
        spans: where to write, ascending and disjoint; one canvas, denoised together.
        starts_document / ends_document: whether `text` begins / ends where the document does.
        steps: most denoising steps of the diffusion phase, at least 1.
        alpha_0: share of a hole's positions that is written by diffusion, in [0, 1]; the rest left to right.
        strength: share of a span's tokens that refine masks, in (0, 1].
        temperature: 0 takes the likeliest token. top_p: nucleus, in (0, 1]. top_k: the likeliest k tokens; 0: all.
        min_p: tokens with at least this share of the likeliest one's probability, in [0, 1].
        repetition_penalty: how much less likely a token is made that would repeat text nearby, from 1 (off) up.
        banned: words that are never written, in this spelling.
        capacity: positions a hole has; None chooses from the span's length.
        length_factor: tokens of a span's new text, in fill, as a multiple of those it replaces, kept to within a fifth;
            in [0.1, 4]; None leaves the length to the model.
        least_tokens: fewest tokens that a hole gets; None chooses.
        variations: how many results, with seeds seed, seed + 1, ...
        sampler: one of SAMPLER_NAMES. schedule: one of SCHEDULE_NAMES.
        correction_passes: how often the finished text is judged, and its doubtful words written anew, from 0 up.
        context_tokens: most tokens of context (clean tokens and holes together); None takes the model's.
    """

    text: str
    spans: tuple[TextSpan, ...]
    mode: Mode = Mode.FILL
    steps: int = 16
    alpha_0: float = 0.5
    strength: float = 0.5
    temperature: float = 0.7
    top_p: float = 0.9
    seed: int = 0
    capacity: int | None = None
    variations: int = 1
    sampler: str = "ancestral"
    schedule: str = "log-linear"
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    banned: tuple[str, ...] = ()
    length_factor: float | None = None
    least_tokens: int | None = None
    correction_passes: int = 0
    context_order: ContextOrder = ContextOrder.SUFFIX_FIRST
    context_tokens: int | None = None
    use_cache: bool = True
    starts_document: bool = True
    ends_document: bool = True


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which model is to answer, and where it is to run: part of what a result depends on."""

    name: str = "redraft-mini"
    """A name known to the registry, or the path of a model folder."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:N or mps."""
    dtype: str = "auto"
    """auto, float32, bfloat16 or int8."""
    threads: int = 0
    """CPU threads; 0 chooses."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What is to be known of a loaded model."""

    name: str
    family: str
    parameters: int
    context_length: int
    device: str
    dtype: str
    threads: int
    trained_alpha_0: tuple[float, float]
    """Range of alpha_0 in training."""
    context_orders: tuple[ContextOrder, ...] = (ContextOrder.SUFFIX_FIRST, ContextOrder.PREFIX_FIRST)
    """Orders in which it was trained to read the context."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A piece of a draft: whole characters only (a byte-level token that is half a character is held back).

    A masked cell has no text and stands for one position. `confidence` is the probability with which the token was
    chosen (0 to 1; 0 for masked cells, 1 for kept ones).
    """

    text: str
    state: CellState
    confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class SpanDraft:
    """The state of one span in one frame."""

    cells: tuple[Cell, ...]

    @property
    def text(self) -> str:
        """What is revealed so far, masks left out."""
        return "".join(cell.text for cell in self.cells)


@dataclass(frozen=True, slots=True)
class RunStats:
    """True figures of a run so far. `nfe` counts forward passes after the prefill of the context."""

    nfe: int = 0
    written_tokens: int = 0
    reused_tokens: int = 0
    computed_tokens: int = 0
    elapsed_ms: float = 0.0
    first_frame_ms: float = 0.0
    prefill_ms: float = 0.0

    @property
    def tokens_per_s(self) -> float:
        """Tokens written a second of denoising (the prefill not counted)."""
        denoising_ms = self.elapsed_ms - self.prefill_ms
        return 1000.0 * self.written_tokens / denoising_ms if denoising_ms > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Frame:
    """One denoising step of a running job. May be dropped on the way; endings may not.

    `step` counts from 1; `steps` is the planned number in all (it only ever shrinks during a run).
    """

    job_id: int
    step: int
    steps: int
    spans: tuple[SpanDraft, ...]
    stats: RunStats
    variation: int = 0
    remaining_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Variation:
    """One result: for each span of the request its new text, with the log-likelihood (nats) the sampler gave it."""

    texts: tuple[str, ...]
    spans: tuple[SpanDraft, ...]
    seed: int
    log_likelihood: float


@dataclass(frozen=True, slots=True)
class Finished:
    """The run came to its end."""

    job_id: int
    request: InfillRequest
    variations: tuple[Variation, ...]
    stats: RunStats
    model: ModelInfo


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The job was stopped; `spans` is what was revealed until then (empty when it never began). `request` is None for
    the loading of a model."""

    job_id: int
    request: InfillRequest | ScoreRequest | DoubtRequest | None
    spans: tuple[SpanDraft, ...]
    stats: RunStats


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """A wish to know how likely a text is: the whole of it from left to right, or a span of it given both sides.

    `orders`: over so many random orders a span's likelihood is bounded too (see `Scored.bounds`); 0: not at all.
    """

    text: str
    span: TextSpan | None = None
    starts_document: bool = True
    ends_document: bool = True
    orders: int = 0


@dataclass(frozen=True, slots=True)
class TokenScore:
    """Exact log-likelihood (nats) of the token that covers the code points [start, end) of the request's text."""

    start: int
    end: int
    log_likelihood: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """Upper bounds of a span's bits per byte, where the order in which it is written is not given.

    Attributes:
        importance_weighted: from the mean likelihood over random orders (Eso-LM, arXiv 2506.01928).
        nelbo: of the span as a masked diffusion model writes it, any number of tokens at a time (arXiv 2502.09992).
    """

    importance_weighted: float
    nelbo: float


@dataclass(frozen=True, slots=True)
class Scored:
    """The answer to a `ScoreRequest`. `bits_per_byte` counts UTF-8 bytes of what was scored."""

    job_id: int
    request: ScoreRequest
    tokens: tuple[TokenScore, ...]
    bits_per_byte: float
    model: ModelInfo
    bounds: Bounds | None = None


@dataclass(frozen=True, slots=True)
class DoubtRequest:
    """A wish to know which words of a text are unlikely, each given everything around it, and what is likelier there.

    Attributes:
        span: what to judge; None: the whole text.
        threshold: only words less likely than this, in (0, 1), get candidates.
        least_doubt: nor do words with less doubt (`WordDoubt.doubt`) than this.
        most_candidates: for each of them, at most.
    """

    text: str
    span: TextSpan | None = None
    threshold: float = 0.001
    least_doubt: float = 8.0
    most_candidates: int = 5
    starts_document: bool = True
    ends_document: bool = True


@dataclass(frozen=True, slots=True)
class Candidate:
    """One or two whole words that could stand in a word's place, with their log-likelihood (nats) there."""

    text: str
    log_likelihood: float


@dataclass(frozen=True, slots=True)
class WordDoubt:
    """The word that covers the code points [start, end) of the request's text.

    `log_likelihood` (nats) is exact, given everything around the word. `doubt` (nats) ranks words: how much likelier
    another text would be there, less for names and numbers. `candidates` are all likelier, the likeliest first.
    """

    start: int
    end: int
    log_likelihood: float
    doubt: float
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class Doubted:
    """The answer to a `DoubtRequest`: every word of the span, in order."""

    job_id: int
    request: DoubtRequest
    words: tuple[WordDoubt, ...]
    model: ModelInfo


@dataclass(frozen=True, slots=True)
class Prewarmed:
    """The context of a request was computed ahead of it."""

    job_id: int
    stats: RunStats


@dataclass(frozen=True, slots=True)
class Failed:
    """The run, or the loading of a model, failed. `message` is one sentence for the user."""

    job_id: int
    message: str
    kind: str
    """Name of the error class."""


@dataclass(frozen=True, slots=True)
class ModelLoading:
    """A model is being loaded; `progress` in [0, 1].

    Also sent by a job of another kind that finds no model loaded: at the end then with the model's `info`.
    """

    job_id: int
    name: str
    progress: float
    info: ModelInfo | None = None


@dataclass(frozen=True, slots=True)
class ModelReady:
    """A model is loaded and answers."""

    job_id: int
    info: ModelInfo


Ending: TypeAlias = Finished | Scored | Doubted | Prewarmed | Cancelled | Failed | ModelReady
Event: TypeAlias = Frame | ModelLoading | Ending
