"""Put objects before a backdrop, with shadows, exact visible masks and tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from benchmark_data.scenes.backgrounds import BACKDROPS
from benchmark_data.scenes.catalogue import CLASSES, HABITATS
from benchmark_data.scenes.layout import KINDS, Layout, Sprite, choose_kind, place
from benchmark_data.scenes.palette import COLOURS, jitter
from benchmark_data.scenes.pen import Pen
from benchmark_data.scenes.tags import object_tags

ATTEMPTS = 60
CROWDED = ("touching", "multi-instance", "occluded")
FLAT = ("plaster", "checks", "planks")
GROUNDLESS = ("bokeh", "sky", "underwater")


@dataclass(frozen=True)
class SceneObject:
    """One object of a scene.

    Attributes:
        name: Its class, e.g. "cat".
        colour: Name of its main colour, a key of `COLOURS`.
        mask: Array (H, W) float32 in [0, 1]: the share of every pixel that shows this object, antialiased;
            parts hidden by objects in front are not in it.
        tags: See `benchmark_data.scenes.tags`.
        depth: Drawing order; higher is nearer.
    """

    name: str
    colour: str
    mask: np.ndarray
    tags: tuple[str, ...]
    depth: int

    @property
    def label(self) -> str:
        """Name that singles the object out: with its colour where another of its class is present."""
        return f"{self.colour} {self.name}" if "multi-instance" in self.tags else self.name


@dataclass(frozen=True)
class Scene:
    """A picture and what is in it.

    Attributes:
        image: Array (H, W, 3) uint8, sRGB.
        objects: The first one is the target; the others are there to make it harder.
        tags: Tags of the target.
        backdrop: Name of the backdrop.
        seed: The seed that made it.
    """

    image: np.ndarray
    objects: tuple[SceneObject, ...]
    tags: tuple[str, ...]
    backdrop: str
    seed: int

    @property
    def target(self) -> SceneObject:
        """The first object."""
        return self.objects[0]


@dataclass(frozen=True)
class _Plan:
    """Everything about a scene but the pixels of its objects."""

    names: tuple[str, ...]
    colours: tuple[str, ...]
    heights: tuple[float, ...]


def make_scene(
    seed: int,
    size: int = 128,
    n_objects: int | None = None,
    kind: str | None = None,
    *,
    classes: Sequence[str] | None = None,
    target: str | None = None,
    backdrop: str | None = None,
    recolour: Mapping[int, str] | None = None,
) -> Scene:
    """Make a scene; equal arguments give equal pixels.

    Args:
        seed: Any non-negative integer.
        size: Height and width in pixels.
        n_objects: Number of objects, 1 to 4; random if None.
        kind: What the target must be: "plain" (no tag at all), or one of the tags "small", "touching",
            "touching_border", "multi-instance", "occluded"; random if None.
        classes: Object classes to choose from, keys of `CLASSES`; those that suit the backdrop if None.
        target: Class of the first object; random if None.
        backdrop: A key of `BACKDROPS`; one that suits the target or the classes if None.
        recolour: Colour names by object index. Nothing else changes: geometry, textures, masks, backdrop
            and the other objects stay as they are.

    Raises:
        ValueError: An argument is not one of the above, or "touching", "multi-instance" or "occluded" is
            asked for with a single object.

    Example:
        >>> scene = make_scene(3, kind="occluded")
        >>> scene.image.shape, "occluded" in scene.tags, len(scene.objects) > 1
        ((128, 128, 3), True, True)
        >>> red = make_scene(3, kind="occluded", recolour={0: "red"})
        >>> red.target.colour, bool((red.target.mask == scene.target.mask).all())
        ('red', True)
    """
    classes = classes if target is None or classes is None else [target, *classes]
    _check(n_objects, kind, classes, target, backdrop, recolour, size)
    rng = np.random.default_rng([seed, 0])
    wanted = kind or choose_kind(rng, n_objects)
    backdrop = backdrop or _choose_backdrop(rng, classes, target)
    canvas, horizon = _paint_backdrop(backdrop, seed, size)
    light = (-0.6 if seed % 2 else 0.6, -0.8)
    for attempt in range(ATTEMPTS):
        stream = np.random.default_rng([seed, 1, attempt])
        names = _names(stream, n_objects, wanted, classes, target, HABITATS[backdrop])
        plan = _plan(stream, names, wanted, canvas, size)
        drawn = [_sprite(plan, i, [seed, 2, attempt, i], light, plan.colours[i]) for i in range(len(names))]
        layout = place(np.random.default_rng([seed, 3, attempt]), drawn, wanted, size, horizon)
        if layout is None:
            continue
        masks, whole = _visible(drawn, layout, size)
        tags = object_tags(masks, whole, names)
        if _acceptable(wanted, kind, masks, whole, tags):
            break
    else:
        raise RuntimeError(f"no layout of kind {wanted!r} found for seed {seed}; report this seed")
    colours = _recoloured(plan.colours, recolour or {})
    for index in recolour or {}:
        drawn[index] = _sprite(plan, index, [seed, 2, attempt, index], light, colours[index])
    image = _compose(canvas, drawn, layout, backdrop, light, np.random.default_rng([seed, 4]))
    objects = (SceneObject(names[i], colours[i], masks[i], tags[i], layout.order.index(i)) for i in range(len(names)))
    return Scene(image, tuple(objects), tags[0], backdrop, seed)


def _choose_backdrop(rng: np.random.Generator, classes: Sequence[str] | None, target: str | None) -> str:
    sought = {target} if target else set(classes or CLASSES)
    fitting = [name for name in BACKDROPS if sought & set(HABITATS[name])] or list(BACKDROPS)
    return fitting[int(rng.integers(0, len(fitting)))]


def _recoloured(colours: Sequence[str], changes: Mapping[int, str]) -> list[str]:
    beyond = [index for index in changes if not 0 <= index < len(colours)]
    if beyond:
        raise ValueError(f"recolour names object {beyond[0]}, but the scene has {len(colours)} objects")
    return [changes.get(index, colour) for index, colour in enumerate(colours)]


def _check(
    n_objects: int | None,
    kind: str | None,
    classes: Sequence[str] | None,
    target: str | None,
    backdrop: str | None,
    recolour: Mapping[int, str] | None,
    size: int,
) -> None:
    if size < 48:
        raise ValueError(f"size is {size}; scenes need at least 48 pixels")
    if n_objects is not None and not 1 <= n_objects <= 4:
        raise ValueError(f"n_objects is {n_objects}; expected 1 to 4")
    if kind is not None and kind not in KINDS:
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(KINDS)}")
    if kind in CROWDED and n_objects == 1:
        raise ValueError(f"kind {kind!r} needs at least two objects; n_objects is 1")
    if kind == "plain" and (n_objects or 1) > 1 and classes is not None and len(set(classes)) < 2:
        raise ValueError(f"kind 'plain' with {n_objects} objects needs at least two classes, to keep the target unique")
    for given, known, what in (
        (classes or (), CLASSES, "object class"),
        ([target] if target else [], CLASSES, "object class"),
        ([backdrop] if backdrop else [], BACKDROPS, "backdrop"),
        ((recolour or {}).values(), COLOURS, "colour"),
    ):
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise ValueError(f"unknown {what}: {', '.join(unknown)}; expected one of {', '.join(known)}")


def _paint_backdrop(name: str, seed: int, size: int) -> tuple[np.ndarray, float | None]:
    picture, horizon = BACKDROPS[name](np.random.default_rng([seed, 5]), 2 * size)
    small = np.clip(picture, 0, 1).reshape(size, 2, size, 2, 3).mean(axis=(1, 3))
    return small.astype(np.float32), horizon


def _names(
    rng: np.random.Generator,
    n_objects: int | None,
    kind: str,
    classes: Sequence[str] | None,
    target: str | None,
    habitat: Sequence[str],
) -> list[str]:
    """Classes of the objects, all different except where `kind` or a short list of classes says otherwise."""
    odds = [0, 0.5, 0.33, 0.17] if kind in CROWDED else [0.32, 0.34, 0.22, 0.12]
    count = n_objects or int(rng.choice([1, 2, 3, 4], p=odds))
    choices = [name for name in habitat if classes is None or name in classes] or list(classes or CLASSES)
    names = [target] if target else [choices[int(rng.integers(0, len(choices)))]]
    if kind == "multi-instance":
        names.append(names[0])
    while len(names) < count:
        fresh = [name for name in choices if name not in names]
        fresh = fresh or [name for name in classes or CLASSES if name not in names]
        if not fresh and kind == "plain":
            fresh = [name for name in choices if name != names[0]]
            if not fresh and n_objects is None:
                break
        names.append((fresh or choices)[int(rng.integers(0, len(fresh or choices)))])
    return names


def _plan(rng: np.random.Generator, names: Sequence[str], kind: str, canvas: np.ndarray, size: int) -> _Plan:
    low, high = {1: (0.55, 0.88), 2: (0.46, 0.66), 3: (0.4, 0.56), 4: (0.35, 0.47)}[len(names)]
    scale = float(rng.uniform(low, high))
    heights = [float(size * scale * CLASSES[name].size * rng.uniform(0.88, 1.12)) for name in names]
    if kind == "small":
        heights[0] = float(size * rng.uniform(0.13, 0.2))
    elif kind == "touching_border":
        heights[0] *= 1.2
    colours: list[str] = []
    for name in names:
        taken = [c for n, c in zip(names, colours, strict=False) if n == name]
        colours.append(_choose_colour(rng, name, taken, canvas.mean(axis=(0, 1))))
    return _Plan(tuple(names), tuple(colours), tuple(heights))


def _choose_colour(rng: np.random.Generator, name: str, taken: Sequence[str], surroundings: np.ndarray) -> str:
    usual = CLASSES[name].colours if rng.random() < 0.75 else tuple(COLOURS)
    options = [colour for colour in usual if colour not in taken] or [c for c in COLOURS if c not in taken]
    order = [options[i] for i in rng.permutation(len(options))]
    contrast = [float(np.abs(np.asarray(COLOURS[c]) - surroundings).sum()) for c in order]
    visible = [c for c, difference in zip(order, contrast, strict=True) if difference > 0.45]
    return (visible or order)[0]


def _sprite(plan: _Plan, index: int, stream: Sequence[int], light: tuple[float, float], colour: str) -> Sprite:
    """Draw one object and cut it out; every random draw is the same whatever the colour."""
    rng = np.random.default_rng(stream)
    kind = CLASSES[plan.names[index]]
    angle, flip = float(rng.uniform(-kind.tilt, kind.tilt)), bool(rng.random() < 0.5)
    shade = jitter(COLOURS[colour], rng)
    height = plan.heights[index]
    pen = Pen(height / 2, rng, angle, flip, light, supersample=4 if height < 56 else 3)
    kind.draw(pen, rng, shade)
    pixels = pen.render()
    rows, columns = (np.flatnonzero((pixels[..., 3] > 0.004).any(axis=axis)) for axis in (1, 0))
    return Sprite(pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], kind.floats)


def _visible(sprites: Sequence[Sprite], layout: Layout, size: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Masks of what shows of each object, and of what would show were it alone."""
    whole = [np.zeros((size, size), np.float32) for _ in sprites]
    for index, sprite in enumerate(sprites):
        target, source = layout.window(index, sprite, size)
        whole[index][target] = sprite.pixels[source][..., 3]
    masks = [np.zeros(0)] * len(sprites)
    free = np.ones((size, size), np.float32)
    for index in reversed(layout.order):
        masks[index] = whole[index] * free
        free = free * (1 - whole[index])
    return masks, whole


def _acceptable(
    wanted: str,
    asked: str | None,
    masks: Sequence[np.ndarray],
    whole: Sequence[np.ndarray],
    tags: Sequence[tuple[str, ...]],
) -> bool:
    if any(mask.sum() < 0.35 * full.sum() for mask, full in zip(masks, whole, strict=True)):
        return False
    if asked is None and wanted == "plain":
        return True
    return not tags[0] if wanted == "plain" else wanted in tags[0]


def _compose(
    canvas: np.ndarray,
    sprites: Sequence[Sprite],
    layout: Layout,
    backdrop: str,
    light: tuple[float, float],
    rng: np.random.Generator,
) -> np.ndarray:
    size = canvas.shape[0]
    picture = canvas.copy()
    for index in layout.order:
        sprite = sprites[index]
        target, source = layout.window(index, sprite, size)
        if backdrop not in GROUNDLESS and (backdrop in FLAT or not sprite.floats):
            picture *= 1 - _shadow(sprite, layout.corners[index], size, backdrop in FLAT, light)[..., None]
        pixels = sprite.pixels[source]
        alpha = pixels[..., 3:]
        picture[target] = picture[target] * (1 - alpha) + pixels[..., :3]
    rows, columns = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j].astype(np.float32)
    vignette = 1 - float(rng.uniform(0, 0.14)) * (rows**2 + columns**2) / 2
    tint = (1 + rng.normal(0, 0.02, 3)).astype(np.float32)
    grain = rng.normal(0, float(rng.uniform(0.004, 0.014)), (size, size, 1)).astype(np.float32)
    return (np.clip(picture * vignette[..., None] * tint + grain, 0, 1) * 255 + 0.5).astype(np.uint8)


def _shadow(sprite: Sprite, corner: tuple[int, int], size: int, flat: bool, light: tuple[float, float]) -> np.ndarray:
    """Strength of the shadow an object throws, (H, W) in [0, 0.6]."""
    height, width = sprite.pixels.shape[:2]
    top, left = corner
    stamp = Image.new("L", (size, size))
    if flat:
        alpha = Image.fromarray((sprite.pixels[..., 3] * 255).astype(np.uint8))
        reach = max(1.5, 0.05 * height)
        stamp.paste(alpha, (round(left - light[0] * reach), round(top - light[1] * reach)))
        return np.asarray(stamp.filter(ImageFilter.GaussianBlur(reach * 0.7)), np.float32) / 255 * 0.45
    foot = sprite.pixels[int(height * 0.9) :, :, 3].max(axis=0)
    span = np.flatnonzero(foot > 0.3)
    first, last = (span[0], span[-1]) if len(span) else (0, width)
    half = max(2.0, (last - first) * 0.56)
    centre_x = left + (first + last) / 2 - light[0] * half * 0.35
    centre_y = top + height - 0.02 * height
    rows, columns = np.ogrid[:size, :size]
    distance = ((columns - centre_x) / half) ** 2 + ((rows - centre_y) / max(1.5, 0.3 * half)) ** 2
    return (0.55 * np.exp(-(distance**1.5) * 0.9)).astype(np.float32)
