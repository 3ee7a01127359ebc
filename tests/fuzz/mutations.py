"""Damage to files and texts, as disks, hands and strangers do it; the same for the same seed."""

from __future__ import annotations

import io
import json
import random
import re
import zipfile
from collections.abc import Callable
from typing import Any

# JSON texts that stand where something else should.
_ODD_JSON = (
    "null", "true", "false", "0", "-1", "1.5", "-0.0", "1e999", "-1e999", "1e308", "NaN", "-Infinity", "9" * 400,
    "9" * 5000, str(2**63), str(-(2**64)), '""', '"123"', '"nan"', '"inf"', '"\\ud800"', '"\\u0000"', '"\\u001b[31m"',
    '"' + "x" * 100_000 + '"', "[]", "{}", "[[]]", '["a"]', '{"absent": 3}', '{"absent": "gone"}', '{"absent": null}',
    '{"said": "{1}{2}{9}", "values": ["a"], "text": ""}', '{"said": "{1}{1}", "values": []}', "[" * 500 + "]" * 500,
    "[" * 100_000, '{"a":' * 2_000 + "1" + "}" * 2_000, "[" + "1," * 20_000 + "1]", '"/dev/zero"',
    '"../../x"', '"=1+1"',
)  # fmt: skip
# What takes the place of a word, a number or a line in a text.
_ODD_TEXT = (
    "", "nan", "inf", "-inf", "1e999", "-1", "1.5", "9" * 400, "9" * 5000, "0x" + "f" * 5000, "\0", "\x1b[2J",
    "[" * 500, "[" * 100_000, "{" * 500, "- " * 2_000, "? " * 500, "a." * 2_000, "*a", "&a [*a, *a]", "<<: *a",
    ".inf: 1", "? [1]\n: 2", "!!float x", "!!int 9_9", "!!timestamp x", "!!binary x", "2001-99-99", "1:2:3", "~",
    "/proc",    "'", '"', "\u202e", "²", "٣", "a" * 100_000, "../" * 2_000, "{}", "[]", "[1, [2]]", "{a: {b: c}}",
    "0b2",    "%", ",", "=", "\r", "\t", "#", "true", "null", "1979-05-27T07:32:00Z",
)  # fmt: skip
_TOKEN = re.compile(r"[\w.+-]+|[^\w\s]|\n")
_BOMB = "a: &a {k: 1, l: 2, m: 3}\n" + "".join(
    f"{name}: &{name}\n  <<: [*{before}, *{before}, *{before}, *{before}, *{before}, *{before}, *{before}, *{before}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def mutate(content: bytes, kind: str, coins: random.Random) -> bytes:
    """Return a damaged copy of a file of a kind: json, jsonl, text, npz, zip or bytes."""
    if coins.random() < 0.05:
        return coins.choice((b"", b"\0", b"null", b"[]", b"{}", b"\xff\xfe", b"\n", b"a", content * 2, _BOMB.encode()))
    by_kind: dict[str, Callable[[bytes, random.Random], bytes]] = {
        "json": _json, "jsonl": _lines, "text": _text, "npz": _npz, "zip": _zip, "bytes": _bytes,
    }  # fmt: skip
    damage = by_kind[kind] if coins.random() < 0.8 else _bytes
    for _ in range(coins.choice((1, 1, 1, 2, 4))):
        content = damage(content, coins)
    return content


def mutate_text(text: str, coins: random.Random) -> str:
    """Return a damaged copy of an option's text, which may hold what no file's text can."""
    if coins.random() < 0.3:
        return coins.choice((*_ODD_TEXT, "\ud800", text + "\0", text.upper(), text * 1000, text[::-1]))
    return _text(text.encode(errors="surrogatepass"), coins).decode(errors="surrogateescape")


def _bytes(content: bytes, coins: random.Random) -> bytes:
    if not content:
        return bytes(coins.randbytes(coins.randrange(1, 50)))
    start = coins.randrange(len(content))
    end = min(len(content), start + coins.choice((1, 2, 8, 64, 1000)))
    way = coins.randrange(6)
    if way == 0:
        flipped = content[start] ^ (1 << coins.randrange(8))
        return content[:start] + bytes([flipped]) + content[start + 1 :]
    if way == 1:
        return content[:start]
    if way == 2:
        return content[:start] + content[end:]
    if way == 3:
        return content[:end] + content[start:end] * coins.choice((1, 3, 100)) + content[end:]
    if way == 4:
        return content[:start] + coins.randbytes(end - start) + content[end:]
    return content[:start] + coins.choice((b"\0", b"\xff", b"\xed\xa0\x80", b"\n", b'"', b"[", b"}")) + content[start:]


def _text(content: bytes, coins: random.Random) -> bytes:
    text = content.decode(errors="replace")
    tokens = list(_TOKEN.finditer(text))
    if not tokens:
        return coins.choice(_ODD_TEXT).encode()
    one, other = coins.choice(tokens), coins.choice(tokens)
    odd = coins.choice((*_ODD_TEXT, other[0]))
    way = coins.randrange(3)
    start, end = (one.start(), one.end()) if way else (one.end(), one.end())
    return (text[:start] + odd + text[end:]).encode()


def _lines(content: bytes, coins: random.Random) -> bytes:
    lines = content.split(b"\n")
    number = coins.randrange(len(lines))
    way = coins.randrange(6)
    if way == 0:
        del lines[number]
    elif way == 1:
        lines.insert(number, coins.choice(lines))
    elif way == 2:
        lines[number] = _bytes(lines[number], coins)
    else:
        lines[number] = _json(lines[number], coins)
    return b"\n".join(lines)


def _json(content: bytes, coins: random.Random) -> bytes:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return _bytes(content, coins)
    places = list(_places(data))
    if not places:
        return coins.choice(_ODD_JSON).encode()
    holder, key = coins.choice(places)
    way = coins.randrange(8)
    odd = coins.choice(_ODD_JSON)
    mark = "odd value here"
    if way == 0:
        del holder[key]
    elif way == 1 and isinstance(holder, dict):
        holder[coins.choice(("\ud800", "", "new", "\x1b[0m", "k" * 1000, "schema"))] = holder[key]
    elif way == 2:
        # Another part of the same file.
        other, place = coins.choice(places)
        holder[key] = json.loads(json.dumps(other[place]))
    elif way == 3 and isinstance(holder, list):
        holder[key:key] = [holder[key]] * coins.choice((1, 3, 1000))
    elif way == 4 and isinstance(holder[key], (int, float)) and not isinstance(holder[key], bool):
        value = holder[key]
        # What was made huge before stays so.
        small = abs(value) < 1e15
        holder[key] = coins.choice((-value, value * 10**9, value + 0.5, str(value), value // 2, 0)) if small else -value
    else:
        holder[key] = mark
    return json.dumps(data).replace(json.dumps(mark), odd).encode()


def _places(data: Any) -> Any:
    """Yield every place in a value as its holder and its key."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in list(items):
        yield data, key
        yield from _places(value)


def _members(content: bytes) -> dict[str, bytes]:
    """Return what an archive holds; nothing of one that is damaged already."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except Exception:
        return {}


def _npz(content: bytes, coins: random.Random) -> bytes:
    """Write the archive anew with an array that is not what it was."""
    import numpy as np

    members = _members(content)
    if not members:
        return _bytes(content, coins)
    name = coins.choice(list(members))
    way = coins.randrange(7)
    if way == 0:
        del members[name]
    elif way == 1:
        # A header that promises what does not follow.
        for size in (b"(3,)", b"(4,)", b"(2,)", b"(6, 4)"):
            members[name] = members[name].replace(size, coins.choice((b"(9999999999999,)", b"(-1,)", b"(0,)")))
    elif way == 2:
        odd = coins.choice(
            (np.zeros(0), np.array(["a"]), np.array([{}], object), np.full((2, 3, 4), np.nan), np.array(7))
        )
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, odd, allow_pickle=True)
        members[name] = buffer.getvalue()
    elif way == 3:
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, np.array([-5, 2**62, 0]))
        members[name] = buffer.getvalue()
    else:
        members[name] = _bytes(members[name], coins)
    return _packed(members, coins)


def _zip(content: bytes, coins: random.Random) -> bytes:
    """Write the archive anew, with a member damaged, blown up, marked as encrypted, or packed in another way."""
    members = _members(content)
    if not members:
        return _bytes(content, coins)
    name = coins.choice(list(members))
    way = coins.randrange(5)
    if way == 0:
        members[name] = b"\0" * 20_000_000
    elif way == 1:
        members["archive/data.pkl"] = b"(" * 100_000 + coins.choice((b".", b"", b"c\xff\xff\n"))
    else:
        members[name] = _bytes(members[name], coins)
    packed = bytearray(_packed(members, coins))
    if way == 4:
        # The flag of an encrypted member, in the directory and before the member.
        for mark, place in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
            at = packed.find(mark)
            if at >= 0:
                packed[at + place] |= 1
    return bytes(packed)


def _packed(members: dict[str, bytes], coins: random.Random) -> bytes:
    way = coins.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", way) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()
