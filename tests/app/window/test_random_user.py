"""A whole window under random use: what is real is what the user and accepted proposals alone would give."""

from __future__ import annotations

import random

import pytest

from .random_asks import watched
from .random_user import RandomUser

STEPS = 500


@pytest.mark.parametrize("seed", range(4))
def test_documents_and_files_are_what_the_user_and_accepted_proposals_alone_give(desk, seed):
    desk.window.settings["editor.wrap"] = False
    with watched() as watch:
        user = RandomUser(desk.window, desk.session, desk.folder, random.Random(seed))
        for _ in range(STEPS):
            user.act()
            user.check()
            assert watch.said == []
        user.unwind()
        user.end()
    assert watch.said == []
    assert user.seen >= {"idle", "running", "proposal", "accepted", "closed"}
