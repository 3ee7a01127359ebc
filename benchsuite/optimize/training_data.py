"""What a network is trained on, checked before hours go into it."""

from __future__ import annotations

import hashlib
from collections import Counter

from benchsuite.data.dataset import Dataset
from benchsuite.data.labels import read_labels, unusable_labels
from benchsuite.terms.errors import DataError
from benchsuite.terms.said import counted, joined, said

_NAMED = 5


def check_training_data(dataset: Dataset) -> str:
    """Return the SHA-256 of what a data set is trained on: names and sizes of its images, and all of their labels.

    Raises DataError where there is no train split, a label cannot be read, or a class has no object to learn from.
    """
    if "train" not in dataset.splits:
        raise DataError(f"'{dataset.yaml}' names no train split to train on; add a line 'train:'")
    images = dataset.splits["train"]
    if not images:
        raise DataError(f"the train split of '{dataset.yaml}' was found and holds no images to train on")
    problem = unusable_labels(images, dataset.names, dataset.keypoint_columns)
    if problem:
        raise DataError(problem)
    digest, objects = hashlib.sha256("\0".join(dataset.names).encode()), Counter[int]()
    for image in images:
        found = read_labels(image, dataset.names, dataset.keypoint_columns)
        digest.update(f"\0{image.name}\0{image.stat().st_size}\0".encode())
        digest.update(found.classes.tobytes() + found.boxes.tobytes())
        objects.update(found.classes.tolist())
    empty = [name for number, name in enumerate(dataset.names) if not objects[number]]
    if empty:
        some = joined(", ", (*empty[:_NAMED], *(["…"] if len(empty) > _NAMED else [])))
        counts = counted(len(empty), "1 class", "{1} classes")
        raise DataError(
            said(
                "the train split of '{1}' has no object of {2} ({3}), which a network would unlearn: add images of "
                "it, or train a network for the other classes first",
                dataset.yaml,
                counts,
                some,
            )
        )
    return digest.hexdigest()
