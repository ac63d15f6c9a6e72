"""What is asked of the engine: where to write and how, with which model, which text to judge."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
