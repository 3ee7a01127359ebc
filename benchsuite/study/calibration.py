"""How many calibration images, and which way to set ranges: nested subsets of one pool, observed in one pass.

The pool is observed in blocks of images, kept as artifacts. A subset is a union of blocks, and what was observed of it
the sum of theirs, so no image is run twice, however many subsets, sizes and methods there are.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import get_args

import numpy as np

from benchsuite.artifacts.exporters import RANGES_FILE, parent_recipe
from benchsuite.artifacts.recipe import Artifact, Recipe
from benchsuite.artifacts.store import Store
from benchsuite.backends import backend
from benchsuite.data.dataset import load_dataset
from benchsuite.data.images import undecodable_images
from benchsuite.data.shapes import ShapesSpec, shapes_data
from benchsuite.machine.files import write_whole
from benchsuite.options.chosen import CalibMethod
from benchsuite.quantize.ranges import load_observed, merged, save_observed
from benchsuite.study.bench import Prepared, StudyBench, Way
from benchsuite.study.rows import CalibrationPoint, StudyRow
from benchsuite.study.timed import Readings
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import BuildError, UsageError
from benchsuite.terms.printable import short
from benchsuite.terms.said import said

BLOCK = 50
# Runtimes whose ranges benchsuite sets itself, from what it observed.
SHARED = ("onnx", "ncnn")


@dataclass(frozen=True)
class CalibrationPlan:
    """What to compare; sizes are multiples of 50, and each seed orders the pool anew."""

    sizes: tuple[int, ...]
    methods: tuple[CalibMethod, ...]
    seeds: int
    pool: int


@dataclass(frozen=True)
class Subset:
    """The first `size` images of the pool in one seed's order, by their blocks."""

    seed: int
    size: int
    blocks: tuple[int, ...]


def read_plan(sizes: str, methods: str, seeds: int, pool: int) -> CalibrationPlan:
    """Read lists of sizes and methods; raises UsageError for what is none."""
    known: tuple[CalibMethod, ...] = get_args(CalibMethod)
    words = [text.strip() for text in sizes.split(",") if text.strip()]
    if not words or not all(re.fullmatch(r"[0-9]{1,9}", word) for word in words):
        raise UsageError(f"--sizes {short(sizes)}: give whole numbers, as in 100,500.")
    asked = [text.strip() for text in methods.split(",") if text.strip()]
    chosen = tuple(method for method in known if method in asked)
    unknown = [text for text in asked if text not in known]
    if unknown or not chosen:
        raise UsageError(f"--methods {short(methods)}: give some of {', '.join(known)}.")
    return CalibrationPlan(tuple(sorted({int(word) for word in words})), chosen, seeds, pool)


def check_plan(plan: CalibrationPlan, cases: Sequence[Case]) -> None:
    """Raise UsageError for sizes, methods or runtimes that the study cannot do."""
    bad = [size for size in plan.sizes if size % BLOCK or not 0 < size <= plan.pool]
    if bad:
        raise UsageError(
            f"--sizes {','.join(map(str, bad))}: a size is a multiple of {BLOCK}, at most --pool {plan.pool}."
        )
    for case in cases:
        if case.backend not in SHARED:
            raise UsageError(
                f"--backend {case.backend}: its ranges are not set by benchsuite; name {' or '.join(SHARED)}."
            )
        unknown = [method for method in plan.methods if method not in backend(case.backend).methods]
        if unknown:
            raise UsageError(
                f"--methods {','.join(unknown)}: {case.backend} has {', '.join(backend(case.backend).methods)}."
            )


def pool_images(cache_root: Path, yaml: Path | None, size: int) -> tuple[tuple[str, ...], tuple[Path, ...]]:
    """Return class names and the pool: of the data set's calib or train split, or drawn for it.

    Raises UsageError where the data set has fewer images, or damaged ones among them.
    """
    given = yaml or shapes_data(cache_root / "data", ShapesSpec(train=0, val=1, calib=size))
    dataset = load_dataset(given)
    split = next((name for name in ("calib", "train") if name in dataset.splits), None)
    images = dataset.splits[split] if split else ()
    if len(images) < size:
        raise UsageError(f"--pool {size}: {given} has {len(images)} images to calibrate on; give at most that many.")
    damaged = undecodable_images(images[:size]) if yaml else None
    if damaged:
        raise UsageError(f"--pool {size}: {damaged}.")
    return dataset.names, images[:size]


def subsets(plan: CalibrationPlan) -> tuple[Subset, ...]:
    """Draw the subsets; those of one seed are nested."""
    found = []
    for seed in range(plan.seeds):
        order = np.random.default_rng(seed).permutation(plan.pool // BLOCK)
        found += [Subset(seed, size, tuple(int(block) for block in order[: size // BLOCK])) for size in plan.sizes]
    return tuple(found)


class CalibrationStudy:
    """Runs the study of one case's model on one pool."""

    def __init__(self, bench: StudyBench, case: Case, plan: CalibrationPlan) -> None:
        self._bench = bench
        self._store = Store(bench.site.cache_root)
        self._case = replace(case, precision="int8", scheme="")
        self._plan = plan

    def run(
        self, names: Sequence[str], pool: Sequence[Path]
    ) -> tuple[tuple[StudyRow, ...], tuple[CalibrationPoint, ...], Mapping[str, Readings]]:
        """Observe, quantise and evaluate; time one subset of each size and method."""
        chosen = subsets(self._plan)
        blocks = self._observe(names, pool, sorted({block for subset in chosen for block in subset.blocks}))
        observe_s = {subset: self._merge(subset, names, pool, blocks) for subset in chosen}
        ways = {
            (subset, method): self._way(subset, method, names, pool)
            for method in self._plan.methods
            for subset in chosen
        }
        fp16 = Way(replace(self._case, precision="fp16"))
        prepared = self._bench.prepare([fp16, *ways.values()])
        reasons = [prepared[way].row.reason for way in ways.values()]
        if all(reasons):
            raise BuildError(reasons[0])
        timed, readings = self._bench.time(
            [prepared[fp16], *(prepared[way] for (subset, _), way in ways.items() if subset.seed == 0)]
        )
        by_name = {row.name: row for row in timed}
        points = [
            self._point(size, method, ways, prepared, observe_s, by_name, prepared[fp16].row, blocks)
            for method in self._plan.methods
            for size in self._plan.sizes
        ]
        return timed, tuple(points), readings

    def _observe(self, names: Sequence[str], pool: Sequence[Path], wanted: Sequence[int]) -> Mapping[int, Recipe]:
        """Observe the pool block by block, all in one process; what is in the store is not run again."""
        recipes = {block: self._recipe(_images(pool, (block,)), f"block-{block}", names) for block in wanted}
        missing = [block for block in wanted if not self._store.has(recipes[block])]
        weights = self._bench.weights(self._case)
        with self._store.one_builder():
            for number, block in enumerate(missing, 1):
                if number % 10 == 1:
                    self._bench.site.say(f"observing block {number} of {len(missing)}, {BLOCK} images each")
                self._store.get(recipes[block], weights, _images(pool, (block,)))
        return recipes

    def _merge(self, subset: Subset, names: Sequence[str], pool: Sequence[Path], blocks: Mapping[int, Recipe]) -> float:
        """Store what was observed of a subset, and return the seconds that observing its images took."""
        recipe = self._recipe(_images(pool, subset.blocks), _name(subset), names)
        parts = [_whole(self._store, blocks[block]) for block in subset.blocks]
        peak = max(self._store.cost(blocks[block]).peak_bytes for block in subset.blocks)

        def write(folder: Path) -> int:
            loaded = [load_observed(Path(part.folder) / RANGES_FILE) for part in parts]
            for path in Path(parts[0].folder).iterdir():
                if path.name != RANGES_FILE:
                    shutil.copyfile(path, folder / path.name)
            save_observed(folder / RANGES_FILE, {name: merged(part[name] for part in loaded) for name in loaded[0]})
            return peak

        self._store.put(recipe, write)
        return sum(self._store.cost(blocks[block]).build_s for block in subset.blocks)

    def _recipe(self, images: Sequence[Path], name: str, names: Sequence[str]) -> Recipe:
        """Return how what was observed of some images is made."""
        int8 = self._bench.preparation(self._way_on(images, name, "default", names)).recipe(self._case)
        parent = parent_recipe(int8)
        assert parent is not None
        return parent

    def _way(self, subset: Subset, method: CalibMethod, names: Sequence[str], pool: Sequence[Path]) -> Way:
        return self._way_on(_images(pool, subset.blocks), _name(subset), method, names)

    def _way_on(self, images: Sequence[Path], name: str, method: CalibMethod, names: Sequence[str]) -> Way:
        case = replace(self._case, scheme=f"{method}-{name}")
        return Way(
            case, method=method, calib=_write_yaml(self._bench.site.folder / "pool", name, tuple(images), tuple(names))
        )

    def _point(
        self,
        size: int,
        method: CalibMethod,
        ways: Mapping[tuple[Subset, CalibMethod], Way],
        prepared: Mapping[Way, Prepared],
        observe_s: Mapping[Subset, float],
        timed: Mapping[str, StudyRow],
        fp16: StudyRow,
        blocks: Mapping[int, Recipe],
    ) -> CalibrationPoint:
        mine = [(subset, way) for (subset, used), way in ways.items() if subset.size == size and used == method]
        rows = [prepared[way].row for _, way in mine]
        # The one that is timed.
        _, first_way = mine[0]
        # A subset that failed costs its own figures alone.
        first, built_way = next(((subset, way) for subset, way in mine if not prepared[way].row.reason), mine[0])
        unscored = (row.reason or row.map50_95.reason for row in rows if isinstance(row.map50_95, Absent))
        return CalibrationPoint(
            model=self._case.model,
            size=size,
            method=method,
            map50_95=tuple(row.map50_95 for row in rows if not isinstance(row.map50_95, Absent)),
            fp16_map50_95=fp16.map50_95,
            observe_s=observe_s[first],
            quantise_s=self._quantise_s(built_way, prepared),
            peak_bytes=max(self._store.cost(blocks[block]).peak_bytes for block in first.blocks),
            timed=timed[first_way.case.id].timed,
            reason=next(unscored, ""),
        )

    def _quantise_s(self, way: Way, prepared: Mapping[Way, Prepared]) -> float:
        built = not prepared[way].row.reason
        return self._store.cost(self._bench.preparation(way).recipe(way.case)).build_s if built else 0.0


def _images(pool: Sequence[Path], blocks: Sequence[int]) -> tuple[Path, ...]:
    return tuple(path for block in blocks for path in pool[block * BLOCK : (block + 1) * BLOCK])


def _name(subset: Subset) -> str:
    return f"{subset.size}-seed{subset.seed}"


def _whole(store: Store, recipe: Recipe) -> Artifact:
    artifact = store.find(recipe)
    if artifact is None:
        raise BuildError(said("what was observed of a block ({1}) is damaged: run the study again", recipe.digest))
    return artifact


@cache
def _write_yaml(folder: Path, name: str, images: tuple[Path, ...], names: tuple[str, ...]) -> Path:
    """Write a data.yaml whose calib split is these images."""
    folder = folder.absolute()
    listed = folder / f"{name}.txt"
    write_whole(listed, "".join(f"{path.absolute()}\n" for path in images))
    yaml = folder / f"{name}.yaml"
    # JSON is YAML; a val split must be named and is not used.
    write_whole(yaml, json.dumps({"names": list(names), "val": str(listed), "calib": str(listed)}) + "\n")
    return yaml
