"""What models are called: by the names that they are given, else by their files, else by their folders too."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from benchsuite.terms.cases import slug

# Folders that hold weights, whatever model these are of.
_SAY_NOTHING = frozenset(
    {"weights", "weight", "checkpoints", "checkpoint", "ckpt", "models", "model", "runs", "detect"}
)
# Commas in one path, at most.
_MOST_COMMAS = 20


@dataclass(frozen=True)
class AskedModel:
    """One model as --model has it: the name that it is given, empty for none, and its path or official name."""

    name: str
    path: str


def split_models(text: str) -> tuple[str, ...]:
    """Split --model at its commas, but for those in the path of a file that is there; each model stands once."""
    words = text.split(",")
    found: dict[str, str] = {}
    while words:
        joined = ((count, ",".join(words[:count]).strip()) for count in range(min(len(words), _MOST_COMMAS + 1), 0, -1))
        count, model = next(((count, it) for count, it in joined if count == 1 or is_file(read_model(it).path)))
        if model:
            found.setdefault(os.path.normpath(model), model)
        words = words[count:]
    if not found:
        raise ValueError("it is empty; name at least one")
    return tuple(found.values())


def is_file(path: str) -> bool:
    """Say whether a file is there; what no file can be called is none."""
    try:
        return Path(path).is_file()
    except OSError:
        return False


def read_model(text: str) -> AskedModel:
    """Read `name=path`, or a path alone, as that of a file whose own name holds `=`."""
    name, equals, path = text.partition("=")
    if not equals or not name.strip() or set(name) & {"/", "\\", ","} or is_file(text):
        return AskedModel("", text)
    return AskedModel(name.strip(), path.strip())


def names_of(models: Sequence[str]) -> tuple[str, ...]:
    """Return the name of each model: `best` of runs/train3/weights/best.pt, and `train3_best` beside another best.pt.

    Names may still be equal where no folder tells the files apart.
    """
    asked = [read_model(model) for model in models]
    depths = [0] * len(asked)
    while True:
        names = [_name(*both) for both in zip(asked, depths, strict=True)]
        counts = Counter(names)
        deeper = [
            place for place, it in enumerate(asked)
            if counts[names[place]] > 1 and not it.name and depths[place] < len(_folders(it.path))
        ]  # fmt: skip
        if not deeper:
            return tuple(names)
        for place in deeper:
            depths[place] += 1


def ask_for(name: str, option: str) -> str:
    """Return what --model must say to get the model of a name alone, by the text that it was among.

    The files need not be there any more.
    """
    asked = split_models(option) if option.strip(", ") else ()
    for model, called in zip(asked, names_of(asked), strict=True):
        if called == name:
            return model if names_of([model]) == (name,) else f"{name}={read_model(model).path}"
    # Whether a comma or `=` is part of a path cannot be told without its file.
    for piece in _pieces(option.split(",")):
        if slug(PurePath(piece).stem) == name:
            return piece if names_of([piece]) == (name,) else f"{name}={piece}"
    return f"{name}={read_model(asked[0]).path}" if len(asked) == 1 else name


def _pieces(words: Sequence[str]) -> Iterator[str]:
    for start in range(len(words)):
        for end in range(start + 1, min(start + 1 + _MOST_COMMAS, len(words)) + 1):
            yield ",".join(words[start:end]).strip()


def _name(asked: AskedModel, depth: int) -> str:
    if asked.name:
        return slug(asked.name)
    folders = _folders(asked.path)
    return slug("_".join((*folders[len(folders) - depth :], PurePath(asked.path).stem)))


def _folders(path: str) -> Sequence[str]:
    """Return the folders of a path that can tell one model from another, the nearest last."""
    parent = PurePath(path).parent
    left_out = {parent.anchor, ".", "..", *_SAY_NOTHING}
    return [part for part in parent.parts if part.lower() not in left_out and part not in left_out]
