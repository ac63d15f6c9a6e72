from __future__ import annotations

import threading
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QThread

from app.infill.bridge import EngineBridge, Mailbox
from engine.types import Cancelled, Failed, Frame, InfillRequest, ModelChoice, ModelLoading, ModelReady, RunStats
from tests.fakes import FAKE_MODEL, SteppedSession

REQUEST = InfillRequest("one two three", ())


def frame(job_id, step):
    return Frame(job_id, step, 100, (), RunStats())


class Heard:
    """Everything a bridge has emitted, and on which thread."""

    def __init__(self, bridge):
        self.events: list[Any] = []
        self.threads: set[QThread] = set()
        for signal in (bridge.frame, bridge.finished, bridge.cancelled, bridge.failed, bridge.model_state):
            signal.connect(self.hear)

    def hear(self, event):
        self.events.append(event)
        self.threads.add(QThread.currentThread())


@pytest.fixture
def session():
    return SteppedSession()


@pytest.fixture
def bridge(qapp, session):
    return EngineBridge(session)


def deliver():
    QCoreApplication.sendPostedEvents()


def test_a_mailbox_keeps_the_latest_frame_of_each_job_and_every_ending():
    box = Mailbox()
    assert box.put(frame(1, 1))
    assert not box.put(frame(1, 2))
    assert not box.put(frame(2, 1))
    first = Cancelled(1, REQUEST, (), RunStats())
    second = Failed(2, "No.", "EngineError")
    box.put(first)
    box.put(second)
    assert box.take() == [frame(1, 2), frame(2, 1), first, second]
    assert box.take() == []
    assert box.put(frame(1, 3)), "after it was emptied, the taker has to be told again"


def test_frames_of_a_fast_engine_on_another_thread_are_one_event_for_the_window(bridge, session):
    heard = Heard(bridge)
    bridge.submit(REQUEST, "key")
    run = session.run
    worker = threading.Thread(target=run.allow, args=(10_000,))
    worker.start()
    worker.join()
    assert heard.events == []
    deliver()
    assert [type(event).__name__ for event in heard.events] == ["Frame", "Finished"]
    assert heard.events[0].step == run.steps
    assert heard.threads == {bridge.thread()}


def test_endings_are_never_dropped(bridge, session):
    heard = Heard(bridge)
    for key in "abcde":
        bridge.submit(REQUEST, key)
    for run in session.runs[:3]:
        run.job.cancel()
        run.allow()
    session.runs[3].fail()
    session.runs[4].finish()
    deliver()
    assert [type(event).__name__ for event in heard.events] == ["Cancelled"] * 3 + ["Failed", "Finished"]


def test_a_newer_request_of_the_same_document_cancels_the_older(bridge, session):
    first = bridge.submit(REQUEST, "one")
    other = bridge.submit(REQUEST, "two")
    bridge.submit(REQUEST, "one")
    assert first.is_cancelled
    assert not other.is_cancelled


def test_the_state_of_the_model_is_told_apart_from_infills(bridge, session):
    states: list[object] = []
    failures: list[object] = []
    bridge.model_state.connect(states.append)
    bridge.failed.connect(failures.append)
    job = bridge.load_model(ModelChoice("other"))
    _, choice, on_event = session.loads[0]
    assert choice.name == "other"
    on_event(ModelLoading(job.id, "other", 0.5))
    session.finish_load()
    deliver()
    assert states == [ModelLoading(job.id, "other", 0.5), ModelReady(job.id, FAKE_MODEL)]
    job = bridge.load_model(ModelChoice("broken"))
    session.loads[1][2](Failed(job.id, "The file is truncated.", "ModelError"))
    deliver()
    assert isinstance(states[-1], Failed)
    assert failures == []


def test_a_slot_that_raises_does_not_keep_others_from_their_endings(bridge, session, caplog, qtbot):
    def broken(_event):
        raise ValueError("broken slot")

    heard: list[object] = []
    bridge.frame.connect(broken)
    bridge.finished.connect(heard.append)
    bridge.submit(REQUEST, "key")
    session.run.allow(1)
    session.run.finish()
    with qtbot.captureExceptions() as raised:
        deliver()
    assert len(heard) == 1
    assert raised or caplog.records


def test_after_closing_nothing_is_delivered_any_more(bridge, session):
    heard = Heard(bridge)
    bridge.submit(REQUEST, "key")
    run = session.run
    run.allow(1)
    assert bridge.close()
    run.finish()
    deliver()
    assert heard.events == []
    assert session.is_closed
    assert run.job.is_cancelled
