"""The commands of the Proposal menu."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from app.commands import Command
from app.infill.apart import TakenApart
from app.infill.proposals import Display, Proposals
from app.infill.wordmarks import Mark
from app.window.tabs import Tab

if TYPE_CHECKING:
    from app.window.main_window import MainWindow


def proposal_commands(window: MainWindow) -> list[Command]:
    """What can be done with what is proposed."""

    def on(act: Callable[[Proposals], object]) -> Callable[[], object]:
        return window.with_front(lambda tab: act(tab.controller.proposals))

    pending, any_ = window.has_pending, window.has_proposals
    return [
        Command("proposal.accept", "Accept", on(lambda it: it.accept()), (), pending, text_key="Tab"),
        Command("proposal.accept_span", "Accept This Span", on(lambda it: it.accept_span()), ("Ctrl+Alt+Y",), pending),
        Command(
            "proposal.accept_word", "Accept Next Word", on(lambda it: it.accept_word()), (), pending,
            text_key="Ctrl+Right",
        ),
        Command(
            "proposal.accept_line", "Accept Next Line", on(lambda it: it.accept_line()), (), pending,
            text_key="Ctrl+Down",
        ),
        Command(
            "proposal.accept_all", "Accept All", on(lambda it: it.accept_all()), ("Ctrl+Alt+Shift+Y",), pending
        ),
        Command(
            "proposal.reject", "Discard", on(lambda it: it.reject()), (), any_, starts_section=True, text_key="Esc"
        ),
        Command("proposal.reject_span", "Discard This Span", on(lambda it: it.reject_span()), ("Ctrl+Alt+N",), any_),
        Command("proposal.reject_all", "Discard All", on(lambda it: it.reject_all()), ("Ctrl+Alt+Shift+N",), any_),
        Command("proposal.next", "Go to Next", on(lambda it: it.step(1)), ("F8",), any_, starts_section=True),
        Command("proposal.previous", "Go to Previous", on(lambda it: it.step(-1)), ("Shift+F8",), any_),
        *_taken_apart(window),
        _shown_as(window, "before", "Show Old Text", Display.BEFORE, "Ctrl+Alt+B", starts_section=True),
        _shown_as(window, "words", "Show Changed Words", Display.DIFF, "Ctrl+Alt+W"),
        Command("proposal.unified", "Unified Diff…", window.show_diff, ("Ctrl+Alt+U",), pending),
    ]  # fmt: skip


def _taken_apart(window: MainWindow) -> list[Command]:
    """Variations, words and steps of a proposal."""

    def on(act: Callable[[TakenApart], object]) -> Callable[[], object]:
        return window.with_front(lambda tab: act(tab.controller.proposals.apart))

    def run_again(tab: Tab) -> None:
        window.engine.settle()
        tab.controller.rewrite()

    pending, rewrite = window.has_pending, window.with_front(run_again)
    lock, mask = (partial(window.proposal.mark, mark) for mark in (Mark.LOCK, Mark.MASK))
    return [
        Command(
            "proposal.next_variation", "Next Variation", on(lambda it: it.step_variation(1)), ("Alt+]",), pending,
            starts_section=True,
        ),
        Command(
            "proposal.previous_variation", "Previous Variation", on(lambda it: it.step_variation(-1)), ("Alt+[",),
            pending,
        ),
        Command(
            "proposal.panel", "Variations, Words and Steps", window.docks.show_proposal, ("Ctrl+Alt+V",),
            is_on=window.docks.proposal_shown,
        ),
        Command(
            "proposal.lock", "Lock Selected Words", lock, ("Alt+L",), pending,
            starts_section=True,
        ),
        Command("proposal.mask", "Mask Selected Words Again", mask, ("Alt+M",), pending),
        Command("proposal.rewrite", "Run Again", rewrite, ("Alt+R",), pending),
        Command(
            "proposal.earlier_step", "Earlier Step of the Run", on(lambda it: it.step_frame(-1)), ("Alt+,",), pending,
            starts_section=True,
        ),
        Command("proposal.later_step", "Later Step of the Run", on(lambda it: it.step_frame(1)), ("Alt+.",), pending),
        Command("proposal.take_step", "Take This Step", on(lambda it: it.take_frame()), (), pending),
    ]  # fmt: skip


def _shown_as(
    window: MainWindow, name: str, title: str, display: Display, key: str, *, starts_section: bool = False
) -> Command:
    def shown() -> Display:
        tab = window.tabs.current
        return tab.controller.proposals.display if tab is not None else Display.AFTER

    def turn(on: bool) -> None:
        tab = window.tabs.current
        if tab is not None:
            tab.controller.proposals.show_as(display if on else Display.AFTER)

    return Command(
        f"proposal.{name}",
        title,
        turn,
        (key,),
        window.has_tab,
        is_on=lambda: shown() is display,
        starts_section=starts_section,
    )
