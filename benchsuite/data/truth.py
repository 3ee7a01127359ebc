"""What an image is scored by: its labels, unless Ultralytics' val leaves the image out."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchsuite.data.images import MOST_IMAGE_BYTES
from benchsuite.data.labels import Labels, read_labels
from benchsuite.terms.reading import read_regular
from benchsuite.terms.said import Said, Sentence, joined, said

_SMALLEST_PX = 10
# What Pillow calls the formats that val takes, whatever the file's name ends in.
_FORMATS = frozenset({
    "AVIF", "BMP", "DNG", "HEIC", "HEIF", "JP2", "JPEG", "JPEG2000", "JPG", "MPO", "PNG", "TIF", "TIFF", "WEBP",
})  # fmt: skip
_JPEG_END = b"\xff\xd9"


@dataclass(frozen=True)
class GroundTruth:
    """An image's labels in fractions of it; `rewritten` says that val writes the file anew before it reads it."""

    image: Path
    labels: Labels
    rewritten: bool = False


def read_truth(image: Path, names: Sequence[str], keypoint_columns: int = 0) -> GroundTruth:
    """Read what an image is scored by; raises DataError for labels that cannot be read."""
    left_out, rewritten = _checked(image)
    if left_out:
        return GroundTruth(image, Labels.none(left_out))
    return GroundTruth(image, read_labels(image, names, keypoint_columns), rewritten)


def most_labels(truths: Sequence[GroundTruth]) -> int:
    """Return the largest number of labels of an image."""
    return max((len(truth.labels.classes) for truth in truths), default=0)


def differences(truths: Sequence[GroundTruth]) -> tuple[Said, ...]:
    """Say which images are left out as Ultralytics' val leaves them out, and which it would change."""
    reasons: dict[Sentence, list[Path]] = {}
    for truth in truths:
        if truth.labels.left_out:
            reasons.setdefault(truth.labels.left_out, []).append(truth.image)
    found = []
    if reasons:
        images = sum(map(len, reasons.values()))
        parts = (said("{1}: {2}", reason, _some(paths)) for reason, paths in reasons.items())
        sentence = "not scored, as Ultralytics' val leaves them out: {1} of {2} images ({3})"
        found.append(said(sentence, images, len(truths), joined("; ", parts)))
    rewritten = [truth.image for truth in truths if truth.rewritten]
    if rewritten:
        sentence = (
            "JPEG files that do not end as such: {1} ({2}); Ultralytics' val writes them anew and scores that, here "
            "they are scored as they are"
        )
        found.append(said(sentence, len(rewritten), _some(rewritten)))
    return tuple(found)


def _some(paths: Sequence[Path]) -> str:
    first, *others = (path.name for path in paths)
    return said("{1} and {2} more", first, len(others)) if others else first


def _checked(image: Path) -> tuple[Sentence, bool]:
    """Return why val leaves an image out, or nothing, and whether it writes the file anew."""
    from PIL import Image, ImageOps

    try:
        content = read_regular(image, MOST_IMAGE_BYTES)
    except (OSError, ValueError):
        # Whoever decodes it says what is wrong.
        return "", False
    try:
        with Image.open(io.BytesIO(content)) as opened:
            opened.verify()
            size, kind = opened.size, str(opened.format)
        if min(size) < _SMALLEST_PX:
            return said("a side is shorter than {1} px", _SMALLEST_PX), False
        if kind not in _FORMATS:
            return said("its format is {1}", kind), False
        rewritten = kind == "JPEG" and content[-2:] != _JPEG_END
        if rewritten:
            with Image.open(io.BytesIO(content)) as opened:
                ImageOps.exif_transpose(opened)
    # Pillow's readers raise whatever their authors chose, OSError and SyntaxError among them.
    except Exception:
        return said("Pillow cannot read the file whole"), False
    return "", rewritten
