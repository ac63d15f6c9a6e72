from __future__ import annotations

import subprocess
import sys


def test_a_process_that_keeps_its_memory_still_works() -> None:
    code = (
        "from engine.training.process import give_memory_back, keep_memory; keep_memory(); "
        "print(len(bytearray(50_000_000))); give_memory_back()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "50000000\n"


def test_the_command_and_the_tokenizer_import_without_torch() -> None:
    code = "import sys, engine.training.command, engine.tokenization; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
