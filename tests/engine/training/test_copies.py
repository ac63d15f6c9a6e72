from __future__ import annotations

from engine.training.copies import parts_of, without_copies
from engine.training.documents import Document


def test_what_stands_around_a_copy_stays_and_is_not_joined() -> None:
    parts = [f"Paragraph {name} has {name} words of its own, as every {name} has that I know." for name in "abc"]
    training = [Document("text", "made", "\n\n".join(parts))]
    kept, dropped = without_copies(training, [Document("text", "made", parts[1])])
    assert [document.text.strip() for document in kept] == [parts[0], parts[2]]
    assert dropped == len(parts[1]) + 2


def test_without_anything_held_out_nothing_is_a_copy() -> None:
    training = [Document("text", "made", "One paragraph of more than eight words, as it stands here and there.")]
    assert without_copies(training, []) == (training, 0)


def test_parts_joined_are_the_document() -> None:
    for kind, text in (("text", "One.\n\nTwo.\n \n\nThree.\n"), ("python", "a = 1\n\n\ndef f():\n\n    x\n\nb = 2\n")):
        parts = parts_of(Document(kind, "made", text), 0)
        assert "".join(parts) == text
        assert len(parts) == 3
