"""Everything that reads a file or an option's text, each with a real one to start from.

`tests/fuzz/test_loaders.py` fails where a function of the package opens a file and nothing here comes by it.
"""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np

from benchsuite.artifacts.recipe import Artifact
from benchsuite.artifacts.store import Store
from benchsuite.backends.schemes import SchemeSearch
from benchsuite.backends.tensorrt.engine_files import ACCOUNT_FILE, EngineAccount, read_account, write_account
from benchsuite.commands.cache import list_lines
from benchsuite.compare import baselines, promotion
from benchsuite.compare.comparison import compare_runs
from benchsuite.compare.findings import read_findings
from benchsuite.compare.tolerances import read_tolerances, write_default_tolerances
from benchsuite.data.dataset import calibration_images, load_dataset
from benchsuite.data.images import data_digest, overlap, read_image
from benchsuite.data.labels import read_labels
from benchsuite.detect.accuracy import Accuracy
from benchsuite.detect.detections import Detections, load_detections, save_detections
from benchsuite.gate import blocks
from benchsuite.gate.card import read_card
from benchsuite.gate.selftest import SUITES_FILE, read_setup, read_suites
from benchsuite.gate.session import BLOCKS_FILE
from benchsuite.gate.waivers import read_waivers
from benchsuite.machine.arrays import read_arrays
from benchsuite.machine.json_files import write_json
from benchsuite.machine.processes import STAND_INS
from benchsuite.measure.accuracy import EvaluationData, evaluate_once, evaluation_key
from benchsuite.measure.launch import Launch
from benchsuite.measure.measurement import ON_CPU, Cold
from benchsuite.measure.timed_case import TimedCase, TimedGroup, keep_timing, read_timing
from benchsuite.networks.weights import BUNDLED, check_checkpoint
from benchsuite.optimize.cutting import CutPlan
from benchsuite.optimize.recipe import RECIPE_FILE, LightRecipe, Progress, read_progress
from benchsuite.optimize.training import Epoch, Training, batches_of, epochs_of
from benchsuite.options import settings, texts
from benchsuite.options.settings import SETTINGS
from benchsuite.quantize.ranges import load_observed, observe, save_observed
from benchsuite.report.comparing import comparison_lines
from benchsuite.report.exports import export
from benchsuite.report.gate_view import selftests
from benchsuite.report.history import read_history
from benchsuite.report.history_page import history_page
from benchsuite.report.matrix import make_matrix, read_costs
from benchsuite.report.matrix_page import matrix_page
from benchsuite.report.page import write_report
from benchsuite.report.samples import read_samples
from benchsuite.runs.folder import newest_unfinished, read_run
from benchsuite.study.bench import StudyBench
from benchsuite.study.calibration import read_plan
from benchsuite.study.rows import read_studies
from benchsuite.study.search import SchemeSearcher
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case, Variant
from benchsuite.terms.errors import SchemaError, UsageError
from benchsuite.terms.input_size import InputSize
from benchsuite.testing import (
    FakeChild,
    make_accuracy,
    make_case,
    make_latency,
    make_machine,
    make_memory,
    make_metrics,
    make_ran,
    make_recipe,
    make_record,
    make_run,
    make_site,
    write_run,
)

_EARLIER = Path(__file__).resolve().parents[1] / "samples" / "0.1.0"
_RUN = "20260131-120000"
_COURSE = """\
epoch,time,train/box_loss,train/cls_loss,metrics/mAP50-95(B)
1,60.2,1.2,0.8,0.31
2,120.1,1.0,0.7,0.42
"""
_WAIVER = """\
[[waiver]]
case = "a-onnx-fp32-cpu-640-b1"
metric = "latency"
ceiling = "8%"
reason = "r"
expires = 2030-01-31
"""
_YAML = """\
# A comment.
path: .
train: images/train
val:
  - images/val
  - more/val.txt
names:
  0: disc
  1: star
nc: 2
"""


@dataclass(frozen=True)
class Loader:
    """Reads one kind of file: `make` fills a folder and returns the file to damage, `kind` says how that is done.

    `share` is how many of the inputs it gets: what draws whole pages takes a hundred times as long as what reads.
    """

    name: str
    kind: str
    make: Callable[[Path], Path]
    read: Callable[[Path], object]
    share: float = 1.0


@dataclass(frozen=True)
class TextLoader:
    """Reads one kind of text, from those that it can mean."""

    name: str
    texts: tuple[str, ...]
    read: Callable[[str], object]


def _copied(part: str, name: str) -> Callable[[Path], Path]:
    """Copy what the first release left, and name the file of it to damage."""

    def make(folder: Path) -> Path:
        shutil.copytree(_EARLIER / part, folder / "copy", dirs_exist_ok=True)
        return folder / "copy" / name

    return make


def _written(name: str, content: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    return make


def _recipe(folder: Path) -> Path:
    """Write a recipe that was cut, and had one epoch of its training."""
    training = Training("data.yaml", "da" * 32, 320, 2, 8, 0.001, 0, settings={"mosaic": 0.0})
    cut = CutPlan(0.2, 8, "l1", "free")
    recipe = LightRecipe("best.pt", "we" * 32, 320, "im" * 32, {"torch": "2.14"}, cut, training=training)
    path = folder / RECIPE_FILE
    write_json(path, Progress(recipe, "cut", 1e-6, 2.0, 30.0, (Epoch(2.5, 0.3),), ("0f" * 32,)))
    return path


def _made_run(folder: Path) -> Path:
    """Write a run of today with the samples of its latency."""
    samples = folder / "samples.npz"
    np.savez_compressed(samples, total_ns=np.arange(1, 401) * 1_000, inference_ns=np.arange(400))
    digest = hashlib.sha256(samples.read_bytes()).hexdigest()
    latency = make_latency(samples_file="samples/a.npz", samples_sha256=digest)
    cases = [make_record(metrics=make_metrics(latency=latency)), make_record(make_case(precision="int8"), "skipped")]
    made = write_run(folder / "runs", make_run(cases))
    (made / "samples").mkdir()
    samples.rename(made / "samples" / "a.npz")
    return made / "samples" / "a.npz"


def _samples(path: Path) -> object:
    """Read samples whose damage the recorded digest does not tell."""
    run = read_run(path.parents[1])
    latency = run.records[0].metrics.latency
    assert not isinstance(latency, Absent)
    latency = replace(latency, samples_sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    record = replace(run.records[0], metrics=replace(run.records[0].metrics, latency=latency))
    return read_samples(replace(run, records=(record,)))


def _latest(folder: Path) -> Path:
    _copied("reports", "")(folder)
    (folder / "copy" / "latest").write_text(f"{_RUN}\n")
    return folder / "copy" / "latest"


def _newer(folder: Path) -> Path:
    """Copy a run whose card a newer version wrote, which its environment is to name."""
    environment = _copied(f"reports/{_RUN}", "environment.json")(folder)
    card = environment.with_name("run.json")
    card.write_text(card.read_text().replace('"schema": 1', '"schema": 99'))
    return environment


def _refusal(environment: Path) -> object:
    try:
        return read_run(environment.parent)
    except SchemaError as error:
        return str(error)


def _detections(folder: Path) -> Path:
    found = [Detections(np.ones((n, 4), np.float32), np.ones(n, np.float32), np.zeros(n, np.int64)) for n in (3, 0, 2)]
    save_detections(folder / "found.npz", found)
    return folder / "found.npz"


class _FakeLaunch:
    def evaluate(self, images: object, yaml: object, sha256: str, score: bool, *paths: Path) -> Accuracy:
        for path in paths:
            _detections(path.parent).rename(path)
        return make_accuracy()


_ARTIFACT = Artifact(make_recipe(), "nowhere", "cd" * 32, 8)
_DATA = EvaluationData(Path("data.yaml"), ("disc", "star"), (), "da" * 32)


def _evaluated(cache: Path) -> object:
    launch = cast("Callable[[], Launch]", _FakeLaunch)
    return evaluate_once(make_case(), _ARTIFACT, ("disc", "star"), _DATA, make_machine(), cache, launch)


def _evaluation(end: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        _evaluated(folder)
        return folder / "evaluations" / f"{evaluation_key(make_case(), _ARTIFACT, _DATA, make_machine())}{end}"

    return make


def _searcher(cache: Path) -> SchemeSearcher:
    class FakeBench:
        data = _DATA
        site = make_site(cache)

        def preparation(self, _: object) -> object:
            return type("FakePreparation", (), {"recipe": staticmethod(make_recipe)})

    class Searcher(SchemeSearcher):
        def _search(self, case: Case) -> SchemeSearch:
            return SchemeSearch("qdq-u8s8", 1.0, (), {"neck": 0.5}, "found")

    return Searcher(cast(StudyBench, FakeBench()))


def _search(folder: Path) -> Path:
    _searcher(folder).search(make_case(precision="int8"))
    (path,) = (folder / "searches").glob("*.json")
    return path


def _timing(folder: Path) -> Path:
    timed = TimedCase(make_latency(), Cold(1, 2, 3), make_memory(), make_ran(make_case()), ON_CPU)
    (folder / "timing").mkdir(exist_ok=True)
    keep_timing(folder, "turns-1", TimedGroup({"one": timed, "other": Absent("killed")}))
    return folder / "timing" / "turns-1.json"


def _card_store(cache: Path) -> object:
    answer = {"names": ["disc"], "params": 2, "gflops": 5.5, "heads": ["one2many"]}
    STAND_INS["benchsuite.artifacts.builder"] = lambda: FakeChild({"describe": lambda _: answer})
    try:
        return Store(cache).card(Path("w.pt"), "ab" * 32, InputSize.square(640), "one2many", make_machine().packages)
    finally:
        del STAND_INS["benchsuite.artifacts.builder"]


def _card(folder: Path) -> Path:
    _card_store(folder)
    (path,) = (folder / "cards").glob("*.json")
    return path


def _stored(path: Path) -> object:
    cache = path.parents[2]
    store = Store(cache, lambda *_: 1)
    return store.entries(), store.find(make_recipe()), list_lines(cache), store.cost(make_recipe())


def _manifest(folder: Path) -> Path:
    def write(files: Path) -> int:
        (files / "model.onnx").write_bytes(b"model")
        return 1

    Store(folder).put(make_recipe(), write)
    (path,) = (folder / "artifacts").glob("[!.]*/artifact.json")
    return path


def _observed(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    save_observed(folder / "seen.npz", {name: observe(rng.random((1, 3, 8, 8), np.float32)) for name in ("a", "b")})
    return folder / "seen.npz"


def _data_set(folder: Path) -> Path:
    import cv2

    for split in ("images/train", "images/val", "more"):
        (folder / split).mkdir(parents=True)
    for name in ("images/train/a.png", "images/val/b.png"):
        cv2.imwrite(str(folder / name), np.full((8, 8, 3), 90, np.uint8))
    (folder / "labels" / "val").mkdir(parents=True)
    (folder / "labels" / "val" / "b.txt").write_text("0 0.5 0.5 0.2 0.2\n1 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2\n")
    (folder / "more" / "val.txt").write_text("./../images/val/b.png\nimages/train/a.png\n")
    (folder / "data.yaml").write_text(_YAML)
    return folder / "data.yaml"


def _in_data_set(name: str) -> Callable[[Path], Path]:
    return lambda folder: _data_set(folder).parent / name


def _read_data_set(yaml: Path) -> object:
    dataset = load_dataset(yaml)
    return calibration_images(dataset, 2), data_digest(dataset.splits["val"])


def _checkpoint(folder: Path) -> Path:
    import benchsuite.networks.weights as weights

    with zipfile.ZipFile(Path(weights.__file__).with_name(f"{BUNDLED}.pt")) as archive:
        name = next(name for name in archive.namelist() if name.endswith("data.pkl"))
        pickle = archive.read(name)
    with zipfile.ZipFile(folder / "w.pt", "w") as archive:
        archive.writestr(name, pickle)
        archive.writestr("archive/data/0", b"\1\2\3\4" * 100)
    return folder / "w.pt"


def _baseline(folder: Path) -> Path:
    runs = folder / "baselines"
    promotion.promote(make_run([make_record(), make_record(make_case(precision="int8"))]), runs, "here")
    return runs / "here" / "yolo26n.json"


def _promoted(path: Path) -> object:
    found = baselines.find(path.parents[1], None, make_machine()), baselines.names(path.parents[1])
    return baselines.load(path.parent), found, promotion.promote(make_run([make_record()]), path.parents[1], "here")


_PAGES = (
    f"{_RUN}/run.json", f"{_RUN}/environment.json", f"{_RUN}/records.jsonl", f"{_RUN}/findings.json",
    f"{_RUN}/gate.json", f"{_RUN}/gate-blocks.jsonl", "selftest/0123456789ab/setup.json",
    "selftest/0123456789ab/suites.jsonl", "study-schemes-20260131-120000/study.json",
)  # fmt: skip


def _page(path: Path) -> object:
    """Write everything that can be made of the run in the folder of reports that holds the file."""
    root = next(folder for folder in path.parents if folder.name == "copy")
    run = root / _RUN
    write_report(run, read_findings(run), 1.0, "zh")
    found = read_run(run)
    for form in ("csv", "parquet", "github-smaller", "bencher"):
        export([found], form, root / "exported")
    other = make_run([make_record(), make_record(make_case(precision="int8"))])
    matrix_page(make_matrix([found, other]))
    history_page(read_history(root))
    compare_runs(found, other)
    comparison_lines(other, found)
    return promotion.promote(found, root / "baselines", "here")


def _account(folder: Path) -> Path:
    write_account(folder, EngineAccount("tensorrt", make_ran(), {"conv": 5}))
    return folder / ACCOUNT_FILE


def _selftests(reports: Path) -> object:
    cases = read_setup(_EARLIER / "reports" / "selftest" / "0123456789ab").cases
    return selftests(reports, make_machine().fingerprint, cases)


FILES: tuple[Loader, ...] = (
    Loader("baseline", "json", _baseline, _promoted),
    Loader(
        "baseline of 0.1.0", "json", _copied("baselines/example", "yolo26n.json"), lambda p: baselines.load(p.parent)
    ),
    Loader("tolerances", "text", lambda folder: write_default_tolerances(folder), lambda p: read_tolerances(p.parent)),
    Loader("waivers", "text", _written("waivers.toml", _WAIVER + _WAIVER.replace("latency", "p95")), read_waivers),
    Loader("findings", "json", _copied(f"reports/{_RUN}", "findings.json"), lambda p: read_findings(p.parent)),
    Loader(
        "run card",
        "json",
        _copied("reports", f"{_RUN}/run.json"),
        lambda p: (read_run(p.parent), newest_unfinished(p.parents[1])),
    ),
    Loader("environment of a newer run", "json", _newer, _refusal),
    Loader("environment", "json", _copied(f"reports/{_RUN}", "environment.json"), lambda p: read_run(p.parent)),
    Loader("records", "jsonl", _copied(f"reports/{_RUN}", "records.jsonl"), lambda p: read_run(p.parent)),
    Loader("latest", "text", _latest, read_run),
    Loader("gate card", "json", _copied(f"reports/{_RUN}", "gate.json"), lambda p: read_card(p.parent)),
    Loader(
        "gate blocks",
        "jsonl",
        _copied(f"reports/{_RUN}", BLOCKS_FILE),
        lambda p: [(it.d, it.peak_bytes and it.d_memory) for it in blocks.read(p)[0]],
    ),
    Loader(
        "suites",
        "jsonl",
        _copied("reports", f"selftest/0123456789ab/{SUITES_FILE}"),
        lambda p: (read_suites(p.parent), _selftests(p.parents[2])),
    ),
    Loader(
        "self-test set-up",
        "json",
        _copied("reports", "selftest/0123456789ab/setup.json"),
        lambda p: (_selftests(p.parents[2]), read_setup(p.parent)),
    ),
    Loader(
        "study",
        "json",
        _copied("reports", "study-schemes-20260131-120000/study.json"),
        lambda p: read_studies(p.parents[1]),
    ),
    Loader("recipe", "json", _recipe, lambda p: read_progress(p.parent)),
    Loader("course of a training", "text", _written("train/results.csv", _COURSE), lambda p: epochs_of(p.parents[1])),
    Loader(
        "batches of a training",
        "text",
        _written("train/batches-0.sha256", "0f" * 32 + "\n"),
        lambda p: batches_of(p.parents[1]),
    ),
    Loader("samples", "npz", _made_run, _samples),
    Loader("detections", "npz", _detections, load_detections),
    Loader("arrays", "npz", _detections, lambda p: read_arrays(p, ("counts", "scores"))),
    Loader("observed ranges", "npz", _observed, load_observed),
    Loader("evaluation", "json", _evaluation(".json"), lambda p: _evaluated(p.parents[1])),
    Loader("evaluation's detections", "npz", _evaluation(".npz"), lambda p: _evaluated(p.parents[1])),
    Loader("card", "json", _card, lambda p: _card_store(p.parents[1])),
    Loader("search", "json", _search, lambda p: _searcher(p.parents[1]).search(make_case(precision="int8"))),
    Loader("timing", "json", _timing, lambda p: read_timing(p.parents[1], p.stem)),
    Loader("manifest", "json", _manifest, _stored),
    Loader("engine account", "json", _account, lambda p: read_account(p.parent)),
    Loader("data.yaml", "text", _data_set, _read_data_set),
    Loader(
        "list of images", "text", _in_data_set("more/val.txt"), lambda p: _read_data_set(p.parents[1] / "data.yaml")
    ),
    Loader(
        "labels",
        "text",
        _in_data_set("labels/val/b.txt"),
        lambda p: read_labels(p.parents[2] / "images/val/b.png", ("a", "b")).scaled(8, 8),
    ),
    Loader("image", "bytes", _in_data_set("images/val/b.png"), lambda p: (read_image(p), overlap([p], [p]))),
    Loader("checkpoint", "zip", _checkpoint, check_checkpoint),
    *(
        Loader(f"pages from {Path(name).name}", Path(name).suffix[1:], _copied("reports", name), _page, 0.2)
        for name in _PAGES
    ),
)
_CASE = make_case(precision="int8", variant="end2end+rebuild2-qdq-u8s8").id


def _setting(name: str) -> Callable[[str], object]:
    return lambda text: settings.parse({name: text})


_MEANT = {
    "case": _CASE, "model": "yolo26n_shapes,a b.pt", "backend": "onnx,ncnn", "precision": "int8", "device": "cuda:1",
    "imgsz": "320,640", "batch": "1,8", "threads": "1", "calib_size": "64", "trt_level": "3", "trt_workspace": "4GiB",
    "trt_batches": "1,1,8", "max_latency": "p95=50ms,p50=0.5s", "max_memory": "500MB", "min_map": "0.55",
    "max_map_drop": "1.0", "gate_metrics": "latency,p95", "max_slowdown": "5%", "alpha": "1", "gate_budget": "3min",
    "search_budget": "10s", "quant_scheme": "qdq-u8s8~p3+neck", "against": "env:python", "machine": "ci",
    "waivers": "w.toml",
    "resume": "newest", "report": "reports", "baseline": "baselines", "data": "data.yaml", "calib": "data.yaml",
}  # fmt: skip


def _as_usage_error(read: Callable[[str], object]) -> Callable[[str], object]:
    """Refuse as the option that takes the text does: ValueError is what these readers are to raise."""

    def refusing(text: str) -> object:
        try:
            return read(text)
        except ValueError as error:
            raise UsageError(str(error)) from None

    return refusing


TEXTS: tuple[TextLoader, ...] = (
    *(TextLoader(it.flag, (it.default, _MEANT.get(it.name, it.default)), _setting(it.name)) for it in SETTINGS),
    TextLoader("case id", (_CASE, make_case().id), Case.parse),
    TextLoader("variant", ("end2end+cudagraph+rebuild2-qdq-u8s8",), Variant.parse),
    TextLoader("size", ("640", "384x640"), _as_usage_error(InputSize.parse)),
    TextLoader("--max-size", ("2GB", "0"), _as_usage_error(texts.size_bytes)),
    TextLoader("--inject", ("5%", "10"), _as_usage_error(texts.percent)),
    TextLoader("--watts", ("65,-,250",), lambda text: read_costs(text, "", 3)),
    TextLoader("--sizes", ("100,500",), lambda text: read_plan(text, "minmax", 1, 100)),
    TextLoader("--methods", ("minmax,entropy",), lambda text: read_plan("100", text, 1, 100)),
)  # fmt: skip
