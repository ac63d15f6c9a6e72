"""Runs in a window that keeps them."""

from __future__ import annotations


def settle(desk):
    """Everything is kept and shown."""
    assert desk.window.history.history.finish()
    assert desk.window.history.history.finish()  # what was asked for by what was told


def run(desk, text, *, accept=False):
    desk.fill(text)
    desk.allow(4)
    if accept:
        desk.do("proposal.accept")
    else:
        desk.do("proposal.reject")
    settle(desk)


def generated(tab):
    text = tab.view.text()
    return [text[span.start : span.end] for span in tab.view.generated.ranges]
