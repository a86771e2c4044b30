"""Texts for training: many phrasings of each style, in templates, with words about content mixed in."""

from __future__ import annotations

import functools
import random
from collections.abc import Sequence

from baselines.classical import PHRASES
from benchmark_data.recipes.mini.data import PLAIN

__all__ = ["HELD_OUT_TEXTS", "PLAIN_TEXTS", "class_phrases", "sample_text"]

PLAIN_TEXTS = (
    *("a photo", "a photograph", "photo", "photograph", "realistic photo", "photorealistic", "photo-realistic"),
    *("realistic", "photorealism", "a real photo", "natural image", "natural photograph", "unedited photo"),
    *("an ordinary photograph", "a snapshot", "camera picture", "dslr photo", "a high quality photo", "real life"),
    *("an original image", "no style", "unstylized picture", "true to life", "a colour photograph", "lifelike"),
    *("plain photo", "digital photo", "phone camera shot", "picture taken with a camera", "source image"),
)

# Beyond the phrasings of baselines.classical: other names, artists, materials.
MORE: dict[str, tuple[str, ...]] = {
    "pixel art": (
        *("pixel graphics", "pixels", "pixelated image", "pixelized", "blocky pixels", "8 bit", "8bit", "16 bit", "16bit"),
        *("sprite art", "retro game", "nes game graphics", "arcade game", "low resolution blocks", "minecraft blocks"),
        *("voxel-like squares", "gameboy graphics", "old computer game"),
    ),
    "cyberpunk": (
        *("neon", "neon lights", "neon city", "neon punk", "tron", "blade runner", "futuristic", "sci-fi neon glow"),
        *("cyber", "cybernetic", "synthetic night lights", "techno noir", "dystopian", "cyberpunk 2077", "hacker aesthetic"),
    ),
    "expressionism": (
        *("expressionist", "expressive", "abstract expressionist", "expressionist canvas", "munch", "kirchner", "van gogh"),
        *("the scream", "kandinsky", "basquiat", "neo-expressionist", "picasso", "der blaue reiter", "die bruecke"),
        *("an expressionist work in oil", "expressionist artwork", "emotional distorted painting", "swirls", "fauvist"),
        *("expressionist oils", "starry night swirls"),
    ),
    "line art": (
        *("line drawing", "outlines", "contour lines", "black outlines", "outlined", "coloring book", "thin black lines"),
        *("inked outline", "monoline", "line illustration", "coloring page", "lines only", "line work"),
    ),
    "watercolor": (
        *("watercolors", "water color", "watercolour painting", "aquarelle painting", "gouache wash", "washes of colour"),
        *("watercolour wash", "wet paint on paper", "a watercolor sketch", "water-based paint"),
    ),
    "oil painting": (
        *("oils", "oil", "oil paints", "impasto", "rembrandt", "old masters", "oil portrait", "brushed oil paint"),
        *("renaissance painting", "baroque painting", "vermeer", "canvas painting", "thick oil brush strokes"),
    ),
    "pencil sketch": (
        *("pencil", "sketch", "pencil art", "graphite", "hatching", "cross-hatching", "pencilled", "sketched"),
        *("hand drawn sketch", "pencil lines", "rough sketch", "crosshatched drawing", "lead pencil"),
    ),
    "charcoal drawing": (
        *("charcoal art", "charcoal study", "smudged charcoal", "charcoals", "black chalk drawing", "charcoal portrait"),
        *("coal drawing", "drawn in charcoal", "soot and charcoal"),
    ),
    "cartoon": (
        *("cartoons", "cartoony", "toon", "cel shading", "cel shaded", "animation", "animated film", "disney", "anime"),
        *("simpsons", "children's cartoon", "flat animation", "cartoon drawing", "bold outlines and flat colours"),
    ),
    "pop art": (
        *("warhol", "andy warhol", "screen print", "silkscreen", "screenprint", "poster art", "pop poster", "pop-art print"),
        *("sixties poster", "serigraph", "pop artist's print"),
    ),
    "mosaic": (
        *("mosaics", "tiles", "tiled", "tesserae", "tesselated stone", "small tiles", "stone mosaic", "mosaic floor"),
        *("ravenna mosaic", "tile work", "mosaic art", "grouted tiles"),
    ),
    "stained glass": (
        *("stained-glass", "church window", "leaded window", "leaded glass", "glass window", "cathedral glass", "tiffany"),
        *("coloured glass", "colored glass panes", "stained glass panel", "chapel window", "glass art"),
    ),
    "halftone comic": (
        *("halftone", "half-tone", "comic", "comics", "comic strip", "comic book style", "ben day dots", "printed dots"),
        *("lichtenstein", "roy lichtenstein", "superhero comic", "marvel comic", "graphic novel print", "screentone"),
    ),
    "pointillism": (
        *("pointillist", "pointillism painting", "seurat", "signac", "divisionist", "tiny dots of paint", "stippled paint"),
        *("painted dots", "dot painting", "georges seurat", "stippling with colour"),
    ),
    "low poly": (
        *("low-poly", "low polygon", "polygons", "polygonal", "triangles", "triangle mesh", "facets", "faceted"),
        *("polygon art", "geometric triangles", "low poly 3d render", "triangulated", "delaunay triangles", "origami facets"),
    ),
    "sepia photograph": (
        *("sepia photo", "sepia toned", "old photograph", "antique photograph", "vintage photo", "brown toned photo"),
        *("daguerreotype", "victorian photograph", "old faded photo", "faded brown print", "1900s photograph", "tintype"),
    ),
    "ink wash painting": (
        *("ink painting", "sumi-e ink painting", "sumi e", "ink-wash", "chinese ink", "japanese ink", "ink brush painting"),
        *("ink and brush", "black ink wash", "zen ink painting", "brush and ink", "rice paper ink", "calligraphy ink wash"),
    ),
    "blueprint": (
        *("blueprints", "cyanotype", "technical drawing", "engineering drawing", "architectural plan", "schematic"),
        *("blue technical drawing", "white on blue plan", "construction plan", "blueprint drawing", "draft on blue paper"),
    ),
    "woodcut": (
        *("wood cut", "woodblock", "wood block print", "lino cut", "linocut print", "block print", "engraving", "engraved"),
        *("wood engraving print", "carved relief print", "durer woodcut", "xylography", "old engraving"),
    ),
    "vaporwave": (
        *("vapourwave", "vapor-wave", "aesthetic eighties pastel", "synthwave pastel", "80s pastel", "pastel pink and cyan"),
        *("retro vhs", "vhs aesthetic", "1980s aesthetic", "pink and teal", "nostalgic pastel glitch", "outrun pastel"),
    ),
}

# Never used in training, nor their words in this combination; every one must be recognised afterwards.
HELD_OUT_TEXTS: dict[str, tuple[str, ...]] = {
    PLAIN: (
        *("a realistic photograph", "a teddy bear on a bench", "a photo of a cat", "an unstyled photo"),
        *("a camera lens in the hand", "photographic"),
    ),
    "pixel art": (
        *("8-bit pixelated look", "in pixel-art style", "a pixelated 8-bit sprite of a fox"),
        *("retro pixel video game look", "pixelate it"),
    ),
    "cyberpunk": (
        *("a cyberpunk city at night", "neon cyberpunk glow", "cyberpunkish", "futuristic neon style"),
        *("as a neon-lit cyberpunk poster",),
    ),
    "expressionism": (
        *("an expressionist oil painting", "expressionist style", "in the manner of expressionism", "a Basquiat painting"),
        *("expressionistic brush strokes",),
    ),
    "line art": (
        *("minimalist line art", "a line-art illustration", "simple black line drawing", "outline drawing of a cat"),
        *("only the contours, line style",),
    ),
    "watercolor": (
        *("a loose watercolour", "watercoloured", "watercolor illustration of a boat", "soft watercolor washes"),
        *("in watercolours",),
    ),
    "oil painting": (
        *("a painting in oils", "oil paint on canvas", "oil-paint style", "classical oil painting of a lady"),
        *("thick oil paint",),
    ),
    "pencil sketch": (
        *("a quick pencil drawing", "pencil-drawn", "sketchy pencil style", "graphite pencil sketch of a house"),
        *("hatched pencil shading",),
    ),
    "charcoal drawing": (
        *("charcoal on paper", "a smudgy charcoal", "charcoal-drawn", "charcoal sketch of a man"),
        *("drawing made with charcoal",),
    ),
    "cartoon": (
        *("a cartoon character", "cartoon-like", "in a toon shader look", "like an animated cartoon"),
        *("cel-shaded cartoon of a dog",),
    ),
    "pop art": (
        *("a Warhol pop-art print", "pop art poster of a can", "pop-art look", "in the style of Andy Warhol"),
        *("popart screen print",),
    ),
    "mosaic": (
        *("a Roman tile mosaic", "mosaic-like", "a mosaic of stone tiles", "mosaicked", "mosaic style picture of a fish"),
    ),
    "stained glass": (
        *("a stained glass church window", "stained-glass look", "stained glass design", "leaded stained glass"),
        *("window of stained glass showing a saint",),
    ),
    "halftone comic": (
        *("a halftone comic-book look", "comic halftone print", "comic-book dots", "halftoned"),
        *("a comic panel of a hero with halftone dots",),
    ),
    "pointillism": (
        *("a pointillist canvas", "pointillist dots", "in the style of Seurat", "pointillism of a river bank"),
        *("pointillistic painting",),
    ),
    "low poly": (
        *("a low-poly render", "low poly style", "low polygon facets", "lowpoly triangles of a mountain"),
        *("made of low-poly polygons",),
    ),
    "sepia photograph": (
        *("an old sepia photo", "sepia toning", "sepia-tinted vintage picture", "a sepia photograph of a family"),
        *("sepia print",),
    ),
    "ink wash painting": (
        *("a sumi-e ink painting of a bamboo forest", "ink-wash style", "a Chinese ink wash", "sumi-e brushwork"),
        *("ink wash landscape",),
    ),
    "blueprint": (
        *("a technical blueprint of a ship", "blueprint style", "blueprint plan", "an architectural blueprint"),
        *("blueprint schematic",),
    ),
    "woodcut": (
        *("a woodcut illustration", "woodcut-like", "an old woodcut of a bear", "carved woodblock style"),
        *("linocut block print",),
    ),
    "vaporwave": (
        *("vaporwave look", "a vaporwave poster", "retro vaporwave pastel", "vaporwave style sunset"),
        *("80s vaporwave aesthetic",),
    ),
}

TEMPLATES = (
    *("{s}", "{s}", "{s}", "{s} style", "in {s} style", "in the style of {s}", "a {s}", "a {s} of {c}", "{c} in {s} style"),
    *("{c}, {s}", "{c} as {s}", "{s} of {c}", "make {c} {s}", "turn {c} into {s}", "{c} rendered as {s}", "{s} look"),
    *("an image in {s} style", "a picture of {c} in {s}", "{s}, {c}", "restyle {c} as {s}", "the {s} version of {c}"),
    *("{s} effect", "{s} aesthetic", "artwork, {s}", "an example of {s}", "change the style of {c} to {s}", "it is {s}"),
    *("{c} drawn like {s}", "with a {s} look", "apply {s} to {c}", "convert {c} to {s}"),
)
PLAIN_TEMPLATES = (
    *("{s}", "{s}", "{s}", "{s} of {c}", "{c}, {s}", "a {s}", "an image of {c}", "{c}", "{c}", "a picture of {c}"),
    *("make {c} a {s}", "{c} as {s}", "the {s}", "{s} style", "{c} in the real world"),
)
NOUNS = (
    "cat dog rabbit bird duck fish butterfly tree flower mushroom cactus apple pear house car van boat sailboat rocket "
    "mug cup bottle chair hat lamp ball balloon star umbrella man woman person child face horse bear wolf lemur meerkat "
    "bus motorbike bicycle train plane street city mountain forest river sea beach sky cloud garden bench table sofa "
    "bed window door wall bridge tower castle church ship truck guitar piano book clock phone camera lens laptop shoe "
    "shirt dress coat bag cow sheep goat pig elephant lion tiger monkey frog turtle snake owl eagle chicken egg bread "
    "cake pizza banana orange lemon grape tomato carrot potato cheese coffee tea wine glass plate knife fork spoon "
    "hand eye hair foot baby girl boy soldier king queen wizard robot dragon unicorn teddy toy doll statue fountain "
    "bamboo rose tulip grass leaf stone rock sand snow rain sun moon planet astronaut portrait landscape still-life "
    "scene region background foreground object subject room kitchen office school market farm field road sign"
).split()
ADJECTIVES = (
    "red blue green yellow white black brown grey big small old young happy sad fluffy shiny wooden round tall tiny "
    "beautiful cute sleeping running sitting standing wet dry broken new open closed colourful distant left right"
).split()
PLACES = (
    "on a bench|in the street|by the sea|in the hand|at night|under a tree|on the table|in a field|with a hat|in front of "
    "a wall|near a river|on the left|in the background|holding an umbrella|in the snow|in the forest|next to a car"
).split("|")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@functools.lru_cache(maxsize=None)
def class_phrases(name: str) -> tuple[str, ...]:
    """Return the phrasings of a class that training may use, its own name first."""
    if name == PLAIN:
        known: Sequence[str] = PLAIN_TEXTS
    else:
        known = (name, *PHRASES[name], *MORE[name])
    held_out = {text.lower() for texts in HELD_OUT_TEXTS.values() for text in texts}
    return tuple(dict.fromkeys(text for text in known if text.lower() not in held_out))


def sample_text(rng: random.Random, name: str) -> str:
    """Draw a text that names a class, as a user might write it."""
    phrases = class_phrases(name)
    phrase = phrases[0] if rng.random() < 0.12 else rng.choice(phrases)
    template = rng.choice(PLAIN_TEMPLATES if name == PLAIN else TEMPLATES)
    if rng.random() < 0.2:
        template = "{s}"
    text = template.format(s=phrase, c=_content(rng))
    if rng.random() < 0.15:
        # A word that means nothing: pieces of unknown words must not matter.
        nonsense = "".join(rng.choices(LETTERS, k=rng.randint(3, 9)))
        words = text.split()
        words.insert(rng.randint(0, len(words)), nonsense)
        text = " ".join(words)
    return text


def _content(rng: random.Random) -> str:
    words = [rng.choice(("a", "the", "this", "some", "an", "my", "two"))]
    if rng.random() < 0.4:
        words.append(rng.choice(ADJECTIVES))
    words.append(rng.choice(NOUNS))
    if rng.random() < 0.15:
        words.append(rng.choice(NOUNS))
    if rng.random() < 0.3:
        words.append(rng.choice(PLACES))
    return " ".join(words)


