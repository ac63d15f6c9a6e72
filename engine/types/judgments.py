"""What the engine thinks of a text: how likely its tokens and words are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TokenScore:
    """Exact log-likelihood (nats) of the token that covers the code points [start, end) of the request's text."""

    start: int
    end: int
    log_likelihood: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """Upper bounds of a span's bits per byte, where the order in which it is written is not given: that of the alpha_0
    the model was trained for, or any order, where it was trained for a range of them.

    Attributes:
        importance_weighted: from the mean likelihood over random orders (Eso-LM, arXiv 2506.01928). None for a model
            whose clean tokens see one another (Eso-LM (A)), but at alpha_0 = 0: an order is not one pass there.
        nelbo: of the span as a masked diffusion model writes it, any number of tokens at a time (arXiv 2502.09992).
    """

    importance_weighted: float | None
    nelbo: float


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
