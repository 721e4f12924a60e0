"""Sound files to unsound ones: by bytes, by words and lines, by the members of archives."""

from __future__ import annotations

import io
import random
import re
import warnings
import zipfile
from collections.abc import Callable

_NUMBERS = (
    *(
        b"nan",
        b"inf",
        b"-inf",
        b"1e400",
        b"-1e400",
        b"1e-400",
        b"0",
        b"-0",
        b"-1",
        b"",
        b"1.",
        b".",
        b"--1",
        b"0x10",
    ),
    *(b"2147483648", b"-2147483649", b"18446744073709551616", b"9" * 40, b"9" * 5000, b"1_0", "٣".encode()),
)
_WORDS = (
    *(b"", b"{", b"}", b"ROOT", b"JOINT", b"End Site", b"OFFSET", b"CHANNELS 6", b"MOTION", b"Frames: 0"),
    *(
        b"begin",
        b"end",
        b"root",
        b":hierarchy",
        b":bonedata",
        b"dof rx rx rx",
        b"<script>",
        b"\x1b[2J",
        b"\0",
    ),
    *(b",", b'"', b"#", b"[" * 3000, b"(" * 3000, b"a" * 5000, b"\xff\xfe", b"\xef\xbb\xbf"),
)
_INTEGERS = [(2**bits + off) % 2**64 for bits in (7, 8, 15, 16, 31, 32, 63) for off in (-1, 0, 1)]
_NUMBER = re.compile(rb"-?\d+\.?\d*(?:[eE][-+]?\d+)?")


def mutated(data: bytes, rng: random.Random, most: int = 6) -> bytes:
    """`data` after one to `most` changes."""
    for _ in range(rng.randint(1, most)):
        # bytes of an archive are under a sum, so that most changes of them are the same to a reader
        inside = data.startswith(b"PK") and rng.random() < 0.9
        data = (_member if inside else rng.choice(_WAYS))(data, rng)
    return data[:2_000_000]


def _place(data: bytes, rng: random.Random) -> int:
    return rng.randrange(len(data)) if data else 0


def _flip(data: bytes, rng: random.Random) -> bytes:
    at = _place(data, rng)
    return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: _place(data, rng)]


def _drop(data: bytes, rng: random.Random) -> bytes:
    at = _place(data, rng)
    return data[:at] + data[at + rng.choice((1, 2, 8, 64)) :]


def _repeat(data: bytes, rng: random.Random) -> bytes:
    at, size = _place(data, rng), rng.choice((1, 4, 16, 256))
    return data[:at] + data[at : at + size] * rng.choice((2, 3, 50)) + data[at + size :]


def _insert(data: bytes, rng: random.Random) -> bytes:
    at = _place(data, rng)
    return data[:at] + rng.choice(_WORDS) + data[at:]


def _integer(data: bytes, rng: random.Random) -> bytes:
    at, size = _place(data, rng), rng.choice((1, 2, 4, 8))
    number = rng.choice(_INTEGERS) % 2 ** (8 * size)
    return data[:at] + number.to_bytes(size, rng.choice(("little", "big"))) + data[at + size :]


def _number(data: bytes, rng: random.Random) -> bytes:
    found = [match.span() for match in _NUMBER.finditer(data[:100_000])]
    if not found:
        return _flip(data, rng)
    start, end = rng.choice(found)
    return data[:start] + rng.choice(_NUMBERS) + data[end:]


def _line(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(4):
        case 0:
            lines[a], lines[b] = lines[b], lines[a]
        case 1:
            del lines[a]
        case 2:
            lines.insert(a, lines[b])
        case _:
            lines[a:a] = [lines[b]] * rng.choice((10, 300))
    return rng.choice((b"\n", b"\n", b"\n", b"\r\n", b"\r")).join(lines)


def _word(data: bytes, rng: random.Random) -> bytes:
    words = re.split(rb"([\s,]+)", data[:100_000])
    at = rng.randrange(len(words))
    words[at] = rng.choice((words[rng.randrange(len(words))], rng.choice(_WORDS)))
    return b"".join(words) + data[100_000:]


def _member(data: bytes, rng: random.Random) -> bytes:
    """One member of an archive changed, renamed, doubled or left out, under sums that fit again."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    except Exception:
        return _flip(data, rng)
    if not members:
        return _flip(data, rng)
    at = rng.randrange(len(members))
    name, content = members[at]
    match rng.randrange(5):
        case 0 | 1:
            members[at] = (name, rng.choice((_npy_header, _npy_header, *_PLAIN))(content, rng))
        case 2:
            members[at] = (rng.choice(members)[0], content)
        case 3:
            del members[at]
        case _:
            members.append((rng.choice(("../x.npy", "poses.npy", "positions.npy", "")), content))
    text = io.BytesIO()
    how = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with warnings.catch_warnings(), zipfile.ZipFile(text, "w", how) as archive:
        warnings.simplefilter("ignore")  # of two members with one name
        for name, content in members:
            archive.writestr(name or "empty", content)
    return text.getvalue()


def _npy_header(data: bytes, rng: random.Random) -> bytes:
    """Another shape, type or order in the header of an array, of the same length."""
    at = data.find(b"{'descr'")
    end = data.find(b"\n", at)
    if at < 0 or end < 0:
        return _flip(data, rng)
    header = data[at:end]
    match rng.randrange(3):
        case 0:
            kind = rng.choice(
                (
                    b"'|O'",
                    b"'<f2'",
                    b"'<i8'",
                    b"'|S0'",
                    b"'<U9'",
                    b"'>f8'",
                    b"'<c16'",
                    b"[('a','<f4')]",
                    b"'|V4'",
                )
            )
            header = re.sub(rb"'[<>|=]?\w+'(?=, 'fortran)", lambda _: kind, header)
        case 1:
            shape = rng.choice(
                (
                    b"()",
                    b"(0,)",
                    b"(-1,)",
                    b"(9999999999, 156)",
                    b"(4, 0)",
                    b"(2, 2, 2, 2)",
                    b"(1" + b"0" * 30 + b",)",
                )
            )
            header = re.sub(rb"\([^)]*\)", lambda _: shape, header)
        case _:
            header = header.replace(b"False", b"True ")
    return data[:at] + header[: end - at].ljust(end - at) + data[end:]


_PLAIN: tuple[Callable[[bytes, random.Random], bytes], ...] = (_flip, _cut, _drop, _repeat, _insert, _integer)
_WAYS = (*_PLAIN, _flip, _integer, _number, _number, _line, _line, _word, _member, _member, _npy_header)
