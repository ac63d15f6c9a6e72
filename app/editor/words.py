"""The words that the lexers color, by language."""

from __future__ import annotations

import builtins
import keyword

PYTHON_WORDS = " ".join(keyword.kwlist) + " match case type"
PYTHON_NAMES = " ".join(name for name in dir(builtins) if not name.startswith("_")) + " self cls"
C_WORDS = (
    "alignas alignof and asm auto bool break case catch char class concept const consteval constexpr "
    "constinit continue co_await co_return co_yield decltype default delete do double dynamic_cast else "
    "enum explicit export extern false final float fn for friend func goto go if impl implements import "
    "in inline instanceof int interface let long match mod mut mutable namespace new noexcept null "
    "nullptr operator or override package private protected public pub range register reinterpret_cast "
    "requires restrict return select self short signed sizeof static static_assert static_cast struct "
    "super switch template this thread_local throw throws trait true try type typedef typeid typename "
    "union unsafe unsigned use using var virtual void volatile where while "
)
C_TYPES = (
    "size_t ssize_t ptrdiff_t int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t uintptr_t "
    "intptr_t FILE string wstring vector map set pair tuple optional variant unique_ptr shared_ptr String "
    "Vec Option Result Box i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 usize isize str error byte rune "
)
JS_WORDS = (
    "abstract any as async await boolean break case catch class const continue debugger declare default "
    "delete do else enum export extends false finally for from function get if implements import in infer "
    "instanceof interface is keyof let namespace never new null number object of package private "
    "protected public readonly return satisfies set static string super switch symbol this throw true try "
    "type typeof undefined unknown var void while with yield "
)
