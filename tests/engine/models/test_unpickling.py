"""The restricted reader: whatever a pickle says, nothing runs, and what is dangerous or odd is refused."""

from __future__ import annotations

import contextlib
import copyreg
import os
import pickle
import random
import subprocess
import sys
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.errors import CorruptCheckpointError, UnsafeCheckpointError
from engine.models import unpickling
from engine.models.unpickling import Placeholder, StoredTensor, read_pickle

Attack = Callable[[str], bytes]


class Calls:
    """Pickles as a call."""

    def __init__(self, function: Callable[..., object], *args: object) -> None:
        self.call = function, args

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def pickled(function: Callable[..., object], *args: object) -> bytes:
    return pickle.dumps({"state_dict": {}, "hyper_parameters": [Calls(function, *args)]}, 2)


def stack_global(module: str, name: str, argument: str) -> bytes:
    """Protocol 4: the names come from the stack."""
    strings = b"".join(b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, name))
    return b"\x80\x04" + strings + b"\x93" + b"X" + len(argument).to_bytes(4, "little") + argument.encode() + b"\x85R."


ATTACKS: dict[str, Attack] = {
    "os.system": lambda command: pickled(os.system, command),
    "subprocess": lambda command: pickled(subprocess.check_output, ["sh", "-c", command]),
    "eval": lambda command: pickled(eval, f"__import__('os').system({command!r})"),
    "exec": lambda command: pickled(exec, f"import os; os.system({command!r})"),
    "import": lambda command: pickled(__import__, "os"),
    "getattr": lambda command: pickled(getattr, "text", "upper"),
    "open": lambda command: pickled(open, command.removeprefix("touch "), "w"),
    "Python 2's builtins": lambda command: (
        b"c__builtin__\neval\n(S'" + f"open({command[6:]!r},'w')".encode() + b"'\ntR."
    ),
    "inside an inert call": lambda command: pickled(partial, os.system, command),
    "as a dict's key": lambda command: pickle.dumps({Calls(os.system, command): 1}, 2),
    "as an object's state": lambda command: (
        b"comegaconf.base\nNode\n)\x81cos\nsystem\n(V" + command.encode() + b"\ntRb."
    ),
    "INST": lambda command: b"(V" + command.encode() + b"\nios\nsystem\n.",
    "OBJ": lambda command: b"(cos\nsystem\nV" + command.encode() + b"\no.",
    "STACK_GLOBAL": lambda command: stack_global("os", "system", command),
    "a dotted name": lambda command: stack_global("os.path", "os.system", command),
    "runpy": lambda command: stack_global("runpy", "_run_code", command),
    "a module of this engine": lambda command: stack_global("engine.models.registry", "load", command),
    "code of a test": lambda command: pickle.dumps(Calls, 2),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_a_pickle_with_code_in_it_is_refused_and_does_nothing(attack: Attack, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    with pytest.raises(UnsafeCheckpointError, match="no place in a model"):
        read_pickle(attack(f"touch {marker}"), "bad.ckpt")
    assert not marker.exists()


@pytest.mark.parametrize(("function", "argument"), [(torch.hub.load, "someone/repository"), (torch.load, "other.ckpt")])
def test_a_call_of_a_known_package_is_only_noted(function: Callable[..., object], argument: str) -> None:
    content: Any = read_pickle(pickled(function, argument), "odd.ckpt")
    (noted,) = content["hyper_parameters"]
    assert isinstance(noted, Placeholder)
    assert noted.name == f"{function.__module__}.{function.__name__}"
    assert noted.args == (argument,)


def test_foreign_objects_are_kept_as_data_and_nothing_is_imported() -> None:
    data = b"c" + b"omegaconf.dictconfig\nDictConfig\n)\x81}(X\x01\x00\x00\x00aK\x07ub."
    content: Any = read_pickle(data, "good.ckpt")
    assert content.name == "omegaconf.dictconfig.DictConfig"
    assert content.state == {"a": 7}
    assert "omegaconf" not in sys.modules


def test_a_subclass_of_a_container_keeps_what_is_put_into_it() -> None:
    data = b"clightning.AttributeDict\nAttributeDict\n)\x81K\x01K\x02sK\x03a(K\x04K\x05e."
    content: Any = read_pickle(data, "good.ckpt")
    assert content.items == [(1, 2), 3, 4, 5]


@pytest.mark.parametrize("protocol", range(6))
def test_plain_containers_come_out_as_they_are(protocol: int) -> None:
    value = {"a": [1, -2.5, None, True, "ü\n", b"\x00\xff"], 3: (1, (2, "x")), "long": 2**70, "empty": {}}
    assert read_pickle(pickle.dumps(value, protocol), "good.ckpt") == value


def test_ordered_dicts_become_dicts_and_sets_placeholders() -> None:
    ordered = OrderedDict(a=1, b=OrderedDict(c=2))
    assert read_pickle(pickle.dumps(ordered, 2), "good.ckpt") == {"a": 1, "b": {"c": 2}}
    by_default: defaultdict[str, int] = defaultdict(int, x=3)
    assert read_pickle(pickle.dumps(by_default, 2), "good.ckpt") == {"x": 3}
    assert isinstance(read_pickle(pickle.dumps({1, 2}, 2), "good.ckpt"), Placeholder)


REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no pickle at all",
        pickle.dumps({"a": [1] * 50})[:-9],
        b"\x80\x63.",
        b"cos\n",
        b"K\x01K\x02R.",  # a call of a number
        b"(cbuiltins\nint\nK\x01a.",  # an append to a class
        REBUILD + b"}b.",  # a state for a function
        REBUILD + b"(N}X\x0c\x00\x00\x00__defaults__)stb.",
        REBUILD + b"(NK\x00(K\x02t(K\x01tI00\nNtR.",  # a tensor without a storage
        REBUILD + b"((X\x01\x00\x00\x000ctorch\nFloatStorage\nK\x04tK\x00(J\xff\xff\xff\xfft(K\x01ttR.",  # a size of -1
        REBUILD + b"((X\x01\x00\x00\x000ctorch\nFloatStorage\nK\x04tK\x00(K\x01t)tR.",  # sizes without strides
        b"ctorch._utils\n_rebuild_parameter\n(K\x01tR.",
        b"ccollections\nOrderedDict\n(K\x01tR.",
        b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x05\x00\x00\x00rot13tR.",
        b"ctorch\nFloatStorage\n}b.",
        b"ctorch\nFloatStorage\n(tR.",
        b"(X\x07\x00\x00\x00storageK\x01K\x02K\x03K\x04tQ.",  # a storage of no dtype
        b"Pfile\n.",
        b"K\x01r\xff\xff\xff\x7f.",  # a memo slot that would claim gigabytes
        b"K\x01p99999999999\n.",
        b"\x82\x01.",  # the extension registry
    ],
)
def test_a_pickle_that_makes_no_sense_is_said_to_be_damaged(data: bytes) -> None:
    with pytest.raises(CorruptCheckpointError, match=r"odd\.ckpt"):
        read_pickle(data, "odd.ckpt")


def test_the_extension_registry_is_never_asked() -> None:
    copyreg.add_extension("os", "system", 201)
    try:
        pickle.loads(b"\x82\xc9.")  # fills the registry's own cache
        with pytest.raises(CorruptCheckpointError, match="EXT1"):
            read_pickle(b"\x82\xc9(Vtrue\ntR.", "odd.ckpt")
    finally:
        copyreg.remove_extension("os", "system", 201)


def test_too_much_description_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpickling, "MOST_BYTES", 1000)
    with pytest.raises(CorruptCheckpointError, match="no model needs so much"):
        read_pickle(bytes(1001), "odd.ckpt")


def test_deep_nesting_does_no_harm() -> None:
    depth = 20_000
    content = read_pickle(b"(" * depth + b"l" * depth + b".", "deep.ckpt")
    assert content == [] or isinstance(content, list)


def test_a_self_referring_object_is_only_an_object() -> None:
    content: Any = read_pickle(b"comegaconf.base\nNode\n)\x81q\x00}X\x07\x00\x00\x00_parenth\x00sb.", "good.ckpt")
    assert content.state["_parent"] is content


def test_a_tensor_is_only_described() -> None:
    data = (
        b"\x80\x02"
        + REBUILD
        + b"((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x005X\x03\x00\x00\x00cpu"
        b"K\x0ctQK\x00K\x03K\x04\x86K\x04K\x01\x86\x89ccollections\nOrderedDict\n)RtR."
    )
    assert read_pickle(data, "good.ckpt") == StoredTensor("5", torch.float32, 12, 0, (3, 4), (4, 1))


def test_a_randomly_damaged_pickle_gives_data_or_a_clear_error_and_never_more() -> None:
    rng = random.Random(0)
    whole = pickle.dumps({"a": [1, (2.5, "x", b"y")], "b": OrderedDict(c={"d": True}), "e": {1, 2}}, 2)
    imported = set(sys.modules)
    for _ in range(500):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 5)):
            place = rng.randrange(len(data))
            data[place : place + rng.randrange(3)] = rng.choices(b"(){}]tRbQqrhjcijoKNMJ.0sae\x81\x85\x86\x93", k=2)
        with contextlib.suppress(CorruptCheckpointError, UnsafeCheckpointError):
            read_pickle(bytes(data), "odd.ckpt")
    assert {name for name in set(sys.modules) - imported if not name.startswith("encodings.")} == set()
