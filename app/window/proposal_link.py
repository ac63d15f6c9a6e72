"""Joins the proposal panel to the document in front: shows the proposal at the caret, does what is asked of it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from app.infill.apart import TakenApart
from app.infill.proposal import Proposal
from app.infill.proposals import Proposals
from app.infill.variations import figure, likelihood, steps_lead_to
from app.infill.wordmarks import Mark
from app.panels.proposal_panel import PanelState, ProposalPanel
from app.panels.variation_rows import VariationRow
from app.window.tabs import Tab, Tabs

_MOST_SHOWN = 600
"""Characters of a variation in the list."""


class ProposalLink(QObject):
    """Keeps the panel true while it is on the screen."""

    def __init__(self, tabs: Tabs, panel: ProposalPanel) -> None:
        super().__init__(panel)
        self._tabs, self._panel = tabs, panel
        tabs.current_tab_changed.connect(self.refresh)
        panel.variation_asked.connect(self._on_it(lambda it, at, index: it.choose_variation(at.id, index)))
        panel.keep_asked.connect(self._on_it(lambda it, at, index: it.keep_variation(at.id, index)))
        panel.pin_asked.connect(self._on_it(lambda it, at, index, on: it.pin_variation(at.id, index, on=on)))
        panel.discard_asked.connect(self._on_it(lambda it, at, index: it.discard_variation(at.id, index)))
        panel.frame_asked.connect(self._on_it(_show_frame))
        panel.take_asked.connect(self._on_it(lambda it, _at: it.take_frame()))
        for signal, mark in ((panel.lock_asked, Mark.LOCK), (panel.mask_asked, Mark.MASK),
                             (panel.clear_asked, Mark.CLEAR)):  # fmt: skip
            signal.connect(lambda mark=mark: self.mark(mark))

    def watch(self, tab: Tab) -> None:
        """Follows a new tab."""
        tab.controller.proposals.changed.connect(self.refresh)
        tab.view.caret_moved.connect(self.refresh)

    def refresh(self, *_: object) -> None:
        """Shows the proposal at the caret, or the only one, if the panel is on the screen."""
        if self._panel.isVisible():
            tab = self._tabs.current
            proposals = tab.controller.proposals if tab is not None else None
            wanted = proposals.wanted if proposals is not None else None
            self._panel.show_state(_state(proposals, wanted) if proposals is not None and wanted is not None else None)

    def mark(self, mark: Mark) -> None:
        """Locks or masks the words that are selected in the panel, or takes their marks off."""
        tab = self._tabs.current
        proposal = tab.controller.proposals.wanted if tab is not None else None
        if tab is None or proposal is None:
            return
        if not self._panel.isVisible():
            tab.controller.message.emit("Open the proposal panel, and select the words there.")
            return
        for place, span in self._panel.words.chosen():
            tab.controller.proposals.apart.mark_words(proposal.id, place, span, mark)

    def _on_it(self, act: Callable[..., object]) -> Callable[..., None]:
        def on_it(*values: object) -> None:
            tab = self._tabs.current
            proposals = tab.controller.proposals if tab is not None else None
            if proposals is not None and proposals.wanted is not None:
                act(proposals.apart, proposals.wanted, *values)

        return on_it


def _show_frame(apart: TakenApart, proposal: Proposal, index: int) -> None:
    apart.show_frame(proposal.id if index < len(proposal.frames) else None, index)


def _state(proposals: Proposals, proposal: Proposal) -> PanelState:
    marks, frame = proposals.apart.marks_of(proposal), proposals.apart.frame
    return PanelState(
        rows=tuple(_row(proposal, index) for index in range(len(proposal.variations))),
        shown=proposal.shown,
        pinned=proposal.pinned,
        texts=proposal.texts,
        locked=tuple(one.locked for one in marks),
        masked=tuple(one.masked for one in marks),
        frames=len(proposal.frames),
        frame=frame[1] if frame is not None and frame[0] == proposal.id else None,
        frames_of=steps_lead_to(proposal),
    )


def _row(proposal: Proposal, index: int) -> VariationRow:
    variation, run = proposal.variations[index], proposal.runs[index]
    parts = ["likelihood unknown" if likelihood(variation) is None else figure(variation), f"seed {run.seed}"]
    parts += ["from a step"] if run.is_partial else []
    parts += ["pinned"] if index in proposal.pinned else []
    return VariationRow(" · ".join(parts), " ⋯ ".join(variation.texts)[:_MOST_SHOWN] or "(nothing)")
