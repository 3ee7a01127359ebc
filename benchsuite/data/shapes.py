"""The embedded data set: drawn shapes on textured backgrounds, the same on every machine from one seed."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchsuite.data.cache import build_once

NAMES = ("circle", "square", "triangle", "star", "cross", "ring")
SPLITS = ("train", "val", "calib")
# Part of the cache folder's name: raise it with any change that moves a pixel or a label.
VERSION = 1

_SMALLEST_PX = 10.0
_FEWEST_OBJECTS, _MOST_OBJECTS = 4, 14
_LEAST_VISIBLE = 0.5
_SUBPIXEL_BITS = 4

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class ShapesSpec:
    """Describe one generated data set; equal specs give equal bytes."""

    seed: int = 26
    side_px: int = 640
    largest_px: float = 640 / 3
    train: int = 32
    val: int = 256
    calib: int = 128

    @property
    def slug(self) -> str:
        counts = "-".join(f"{split}{getattr(self, split)}" for split in SPLITS)
        return f"shapes-v{VERSION}-s{self.seed}-{self.side_px}px-max{self.largest_px:.0f}-{counts}"


@dataclass(frozen=True)
class DrawnObject:
    """One labelled shape: class index and box corners in pixels."""

    class_id: int
    x1: float
    y1: float
    x2: float
    y2: float


# Networks learn from these beside the pictures that are evaluated.
TRAINED_ON = ShapesSpec(train=6000)
# Of Ultralytics' trainer: the drawn pictures never repeat a pose, so mosaic and scaling would only blur their pixels.
AUGMENTATION = {"mosaic": 0.0, "scale": 0.0, "translate": 0.0, "erasing": 0.0, "fliplr": 0.5, "flipud": 0.5}


def shapes_data(root: Path, spec: ShapesSpec | None = None) -> Path:
    """Return the data.yaml of the data set under `root`, drawing it if it is not there yet."""
    spec = spec or ShapesSpec()
    folder = root / spec.slug
    build_once(folder, lambda target: _write(target, spec))
    return folder / "data.yaml"


def draw(spec: ShapesSpec, split: str, index: int) -> tuple[Image, list[DrawnObject]]:
    """Draw image `index` of a split as BGR pixels (side_px, side_px, 3) with its labels."""
    rng = np.random.default_rng([spec.seed, SPLITS.index(split), index])
    canvas = _background(rng, spec.side_px)
    objects = _draw_objects(rng, canvas, spec)
    grain = rng.uniform(1.0, 7.0)
    noise = rng.standard_normal(canvas.shape, np.float32)
    return np.clip(canvas + grain * noise, 0, 255).astype(np.uint8), objects


def _background(rng: np.random.Generator, side_px: int) -> npt.NDArray[np.float32]:
    """Sum smooth value noise of several octaves, a colour gradient and sometimes stripes."""
    import cv2

    canvas = np.empty((side_px, side_px, 3), np.float32)
    canvas[:] = rng.uniform(60, 195, 3)
    for cells, strength in ((3, 32.0), (9, 18.0), (40, 10.0), (160, 6.0)):
        lattice = rng.normal(0.0, strength * rng.uniform(0.3, 1.0), (cells, cells, 3)).astype(np.float32)
        canvas += cv2.resize(lattice, (side_px, side_px), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.5:
        angle, period = rng.uniform(0, math.pi), rng.uniform(8, 90)
        ys, xs = np.mgrid[0:side_px, 0:side_px].astype(np.float32)
        wave = np.sin((xs * math.cos(angle) + ys * math.sin(angle)) * (2 * math.pi / period))
        canvas += (wave * rng.uniform(4, 16))[..., None].astype(np.float32)
    return canvas


def _draw_objects(rng: np.random.Generator, canvas: npt.NDArray[np.float32], spec: ShapesSpec) -> list[DrawnObject]:
    """Paint shapes one over another; one that would hide too much of another is left out."""
    wanted = int(rng.integers(_FEWEST_OBJECTS, _MOST_OBJECTS + 1))
    placed: list[tuple[int, list[npt.NDArray[np.float64]]]] = []
    visible: list[npt.NDArray[np.bool_]] = []
    areas: list[int] = []
    for _ in range(wanted):
        class_id = int(rng.integers(len(NAMES)))
        size = float(np.exp(rng.uniform(math.log(_SMALLEST_PX), math.log(spec.largest_px))))
        outlines = _outlines(rng, NAMES[class_id], size)
        low, high = outlines[0].min(0), outlines[0].max(0)
        origin = rng.uniform(1 - low, spec.side_px - 1 - high)
        outlines = [points + origin for points in outlines]
        cover = np.zeros((spec.side_px, spec.side_px), np.bool_)
        window = _window(outlines[0], spec.side_px)
        cover[window] = _coverage(outlines, window) > 0.5
        left = [earlier & ~cover for earlier in visible]
        if any(part.sum() < _LEAST_VISIBLE * area for part, area in zip(left, areas, strict=True)):
            continue
        visible, areas = [*left, cover], [*areas, int(cover.sum())]
        placed.append((class_id, outlines))
    return [_paint(rng, canvas, class_id, outlines) for class_id, outlines in placed]


def _paint(
    rng: np.random.Generator,
    canvas: npt.NDArray[np.float32],
    class_id: int,
    outlines: list[npt.NDArray[np.float64]],
) -> DrawnObject:
    """Blend one shape into the canvas with a light gradient and return its label."""
    window = _window(outlines[0], canvas.shape[0])
    under = canvas[window]
    alpha = _coverage(outlines, window)
    colour = _contrasting(rng, under[alpha > 0.5].mean(0))
    x1, y1 = outlines[0].min(0)
    x2, y2 = outlines[0].max(0)
    rows = np.arange(window[0].start, window[0].stop)
    ramp = (np.clip((rows - y1) / (y2 - y1), 0, 1) - 0.5) * rng.uniform(-25, 25)
    paint = (colour + ramp[:, None, None]).astype(np.float32)
    under += alpha[..., None] * (paint - under)
    # Pixel centres lie on whole coordinates in OpenCV, box edges between them: hence the half pixel.
    return DrawnObject(class_id, float(x1) + 0.5, float(y1) + 0.5, float(x2) + 0.5, float(y2) + 0.5)


def _contrasting(rng: np.random.Generator, under: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Pick a colour at least 55 grey levels away from what lies under the shape."""
    while True:
        colour = rng.uniform(0, 255, 3)
        if np.abs(colour - under).max() >= 55:
            return colour


def _window(points: npt.NDArray[np.float64], side_px: int) -> tuple[slice, slice]:
    """Return the rows and columns that an outline touches, with room for its soft edge."""
    left, top = np.maximum(np.floor(points.min(0)).astype(int) - 1, 0)
    right, bottom = np.minimum(np.ceil(points.max(0)).astype(int) + 2, side_px)
    return slice(int(top), int(bottom)), slice(int(left), int(right))


def _coverage(outlines: list[npt.NDArray[np.float64]], window: tuple[slice, slice]) -> npt.NDArray[np.float32]:
    """Rasterise the outer outline minus its holes inside the window, 0 to 1 with anti-aliased edges."""
    import cv2

    rows, columns = window
    mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
    for index, points in enumerate(outlines):
        local = points - (columns.start, rows.start)
        fixed = np.round(local * (1 << _SUBPIXEL_BITS)).astype(np.int32)
        cv2.fillPoly(mask, [fixed], 0 if index else 255, cv2.LINE_AA, _SUBPIXEL_BITS)
    coverage: npt.NDArray[np.float32] = mask.astype(np.float32) / np.float32(255)
    return coverage


def _outlines(rng: np.random.Generator, name: str, size: float) -> list[npt.NDArray[np.float64]]:
    """Return polygons around the origin: the outer outline, then holes; `size` is the longer box side."""
    turn = rng.uniform(0, 2 * math.pi)
    if name in ("circle", "ring"):
        stretch = rng.uniform(0.75, 1.0)
        outer = _regular(64, 1.0) * (1.0, stretch)
        outlines = [outer, outer * rng.uniform(0.45, 0.6)] if name == "ring" else [outer]
    elif name == "square":
        outlines = [_regular(4, 1.0) * (1.0, rng.uniform(0.85, 1.0))]
    elif name == "triangle":
        outlines = [_regular(3, 1.0)]
    elif name == "star":
        radii = np.where(np.arange(10) % 2, rng.uniform(0.38, 0.48), 1.0)
        outlines = [_regular(10, 1.0) * radii[:, None]]
    else:
        arm = rng.uniform(0.28, 0.4)
        quarter = np.array([(arm, 1), (arm, arm), (1, arm)])
        outlines = [np.concatenate([quarter @ _rotation(-k * math.pi / 2).T for k in range(4)])]
    outlines = [points @ _rotation(turn).T for points in outlines]
    extent = (outlines[0].max(0) - outlines[0].min(0)).max()
    return [points * (size / extent) for points in outlines]


def _regular(corners: int, radius: float) -> npt.NDArray[np.float64]:
    angles = np.arange(corners) * (2 * math.pi / corners)
    return radius * np.stack([np.cos(angles), np.sin(angles)], 1)


def _rotation(angle: float) -> npt.NDArray[np.float64]:
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def _write(folder: Path, spec: ShapesSpec) -> None:
    import cv2

    for split in SPLITS:
        images, labels = folder / "images" / split, folder / "labels" / split
        images.mkdir(parents=True)
        labels.mkdir(parents=True)
        for index in range(getattr(spec, split)):
            pixels, objects = draw(spec, split, index)
            quality = int(np.random.default_rng([spec.seed, 9, index]).integers(60, 96))
            ok, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
            if not ok:
                raise OSError(f"OpenCV could not encode image {index} of {split}")
            (images / f"{index:06d}.jpg").write_bytes(encoded.tobytes())
            (labels / f"{index:06d}.txt").write_text("".join(_label(o, spec.side_px) for o in objects))
    names = "".join(f"  {number}: {name}\n" for number, name in enumerate(NAMES))
    splits = "".join(f"{split}: images/{split}\n" for split in SPLITS)
    # No `path:` key: Ultralytics then takes the paths relative to this file, and the folder can be moved.
    (folder / "data.yaml").write_text(f"# {asdict(spec)}\n{splits}names:\n{names}")


def _label(item: DrawnObject, side_px: int) -> str:
    centre_x, centre_y = (item.x1 + item.x2) / 2 / side_px, (item.y1 + item.y2) / 2 / side_px
    width, height = (item.x2 - item.x1) / side_px, (item.y2 - item.y1) / side_px
    return f"{item.class_id} {centre_x:.6f} {centre_y:.6f} {width:.6f} {height:.6f}\n"
