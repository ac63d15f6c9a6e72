"""What the user wants of the model, as a request: which spans of which text, with the settings as they are now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from app.editor.view import EditorView
from app.infill.context import CONTINUE, FILL, Prepared, Wish, next_seed, prepare, read_options
from app.infill.proposals import Proposals
from app.infill.rewriting import Rewriting, prepare_rewriting
from app.settings import Settings
from engine.types import InfillRequest, TextSpan

Order: TypeAlias = tuple[Prepared, Rewriting | None]
"""A request, and which words of a proposal it is about where it is not spans as a whole."""


class Requests:
    """Makes the requests of one view."""

    def __init__(self, view: EditorView, settings: Settings, proposals: Proposals) -> None:
        self._view, self._settings, self._proposals = view, settings, proposals

    def write(self, wish: Wish, spans: Sequence[TextSpan] = ()) -> Order:
        """To write these spans, or else the selected ones, or else those of the proposal at the caret, or else at the
        caret. Raises NothingToFillError."""
        self._view.surface.finish_composition()
        options = read_options(self._settings, next_seed(self._settings))
        return self._prepared(spans or self._wanted_spans(), self._view.caret_offset(), wish, options)

    def rewrite(self) -> Order | None:
        """To write anew what is masked in the proposal at the caret, or the only one, or all that is not locked;
        without such marks, all of it. None, having told why, when no proposal fits. Raises NothingToFillError."""
        self._view.surface.finish_composition()
        proposal, marks = self._proposals.apart.wanted_with_marks()
        if proposal is None:
            return None
        if not any(one.locked or one.masked for one in marks):
            return self.write(FILL, proposal.spans)
        options = read_options(self._settings, next_seed(self._settings))
        return prepare_rewriting(self._view, proposal, marks, options, self._extent)

    def again(self, options: InfillRequest, spans: Sequence[TextSpan]) -> Order:
        """To run what was run before once more, on these spans, with options that are not the settings. Raises
        NothingToFillError."""
        at_caret = all(span.start == span.end for span in spans)
        mode = FILL.mode if options.mode is CONTINUE.mode and not at_caret else options.mode
        wish = Wish(mode, at_caret, length_factor=options.length_factor, least_tokens=options.least_tokens)
        return self._prepared(spans, spans[0].start, wish, options)

    @property
    def _extent(self) -> int:
        return int(self._settings["infill.context_extent"])

    def _prepared(self, spans: Sequence[TextSpan], caret: int, wish: Wish, options: InfillRequest) -> Order:
        return prepare(self._view, spans, caret, wish, options, self._extent), None

    def _wanted_spans(self) -> list[TextSpan]:
        selected, spot = self._view.selections(), self._proposals.at_caret
        return selected if selected or spot is None else list(spot.proposal.spans)
