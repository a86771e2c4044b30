"""Phrasings of the classes: for training beyond those of ``baselines.classical``, and held out."""

from __future__ import annotations

from benchmark_data.recipes.mini.classes import PLAIN

__all__ = ["HELD_OUT_TEXTS", "LATER_TEXTS", "MORE", "PLAIN_TEXTS"]

PLAIN_TEXTS = (
    "a photo", "a photograph", "photo", "photograph", "realistic photo", "photorealistic", "photo-realistic",
    "realistic", "photorealism", "a real photo", "natural image", "natural photograph", "unedited photo",
    "an ordinary photograph", "a snapshot", "camera picture", "dslr photo", "a high quality photo", "real life",
    "an original image", "no style", "unstylized picture", "true to life", "a colour photograph", "lifelike",
    "plain photo", "digital photo", "phone camera shot", "picture taken with a camera", "source image",
)  # fmt: skip

MORE: dict[str, tuple[str, ...]] = {
    "pixel art": (
        "pixel graphics", "pixels", "pixelated image", "pixelized", "blocky pixels", "8 bit", "8bit", "16 bit",
        "16bit", "sprite art", "retro game", "nes game graphics", "arcade game", "low resolution blocks",
        "minecraft blocks", "voxel-like squares", "gameboy graphics", "old computer game",
    ),
    "cyberpunk": (
        "neon", "neon lights", "neon city", "neon punk", "tron", "blade runner", "futuristic", "sci-fi neon glow",
        "cyber", "cybernetic", "synthetic night lights", "techno noir", "dystopian", "cyberpunk 2077",
        "hacker aesthetic",
    ),
    "expressionism": (
        "expressionist", "expressive", "abstract expressionist", "expressionist canvas", "munch", "kirchner",
        "van gogh", "the scream", "kandinsky", "basquiat", "neo-expressionist", "picasso", "der blaue reiter",
        "die bruecke", "an expressionist work in oil", "expressionist artwork", "emotional distorted painting",
        "swirls", "fauvist", "expressionist oils", "starry night swirls",
    ),
    "line art": (
        "line drawing", "outlines", "contour lines", "black outlines", "outlined", "coloring book", "thin black lines",
        "inked outline", "monoline", "line illustration", "coloring page", "lines only", "line work",
    ),
    "watercolor": (
        "watercolors", "water color", "watercolour painting", "aquarelle painting", "gouache wash", "washes of colour",
        "watercolour wash", "wet paint on paper", "a watercolor sketch", "water-based paint",
    ),
    "oil painting": (
        "oils", "oil", "oil paints", "impasto", "rembrandt", "old masters", "oil portrait", "brushed oil paint",
        "renaissance painting", "baroque painting", "vermeer", "canvas painting", "thick oil brush strokes",
    ),
    "pencil sketch": (
        "pencil", "sketch", "pencil art", "graphite", "hatching", "cross-hatching", "pencilled", "sketched",
        "hand drawn sketch", "pencil lines", "rough sketch", "crosshatched drawing", "lead pencil",
    ),
    "charcoal drawing": (
        "charcoal art", "charcoal study", "smudged charcoal", "charcoals", "black chalk drawing", "charcoal portrait",
        "coal drawing", "drawn in charcoal", "soot and charcoal",
    ),
    "cartoon": (
        "cartoons", "cartoony", "toon", "cel shading", "cel shaded", "animation", "animated film", "disney", "anime",
        "simpsons", "children's cartoon", "flat animation", "cartoon drawing", "bold outlines and flat colours",
    ),
    "pop art": (
        "warhol", "andy warhol", "screen print", "silkscreen", "screenprint", "poster art", "pop poster",
        "pop-art print", "sixties poster", "serigraph", "pop artist's print",
    ),
    "mosaic": (
        "mosaics", "tiles", "tiled", "tesserae", "tesselated stone", "small tiles", "stone mosaic", "mosaic floor",
        "ravenna mosaic", "tile work", "mosaic art", "grouted tiles",
    ),
    "stained glass": (
        "stained-glass", "church window", "leaded window", "leaded glass", "glass window", "cathedral glass",
        "tiffany", "coloured glass", "colored glass panes", "stained glass panel", "chapel window", "glass art",
    ),
    "halftone comic": (
        "halftone", "half-tone", "comic", "comics", "comic strip", "comic book style", "ben day dots", "printed dots",
        "lichtenstein", "roy lichtenstein", "superhero comic", "marvel comic", "graphic novel print", "screentone",
    ),
    "pointillism": (
        "pointillist", "pointillism painting", "seurat", "signac", "divisionist", "tiny dots of paint",
        "stippled paint", "painted dots", "dot painting", "georges seurat", "stippling with colour",
    ),
    "low poly": (
        "low-poly", "low polygon", "polygons", "polygonal", "triangles", "triangle mesh", "facets", "faceted",
        "polygon art", "geometric triangles", "low poly 3d render", "triangulated", "delaunay triangles",
        "origami facets",
    ),
    "sepia photograph": (
        "sepia photo", "sepia toned", "old photograph", "antique photograph", "vintage photo", "brown toned photo",
        "daguerreotype", "victorian photograph", "old faded photo", "faded brown print", "1900s photograph", "tintype",
    ),
    "ink wash painting": (
        "ink painting", "sumi-e ink painting", "sumi e", "ink-wash", "chinese ink", "japanese ink",
        "ink brush painting", "ink and brush", "black ink wash", "zen ink painting", "brush and ink", "rice paper ink",
        "calligraphy ink wash",
    ),
    "blueprint": (
        "blueprints", "cyanotype", "technical drawing", "engineering drawing", "architectural plan", "schematic",
        "blue technical drawing", "white on blue plan", "construction plan", "blueprint drawing",
        "draft on blue paper",
    ),
    "woodcut": (
        "wood cut", "woodblock", "wood block print", "lino cut", "linocut print", "block print", "engraving",
        "engraved", "wood engraving print", "carved relief print", "durer woodcut", "xylography", "old engraving",
    ),
    "vaporwave": (
        "vapourwave", "vapor-wave", "aesthetic eighties pastel", "synthwave pastel", "80s pastel",
        "pastel pink and cyan", "retro vhs", "vhs aesthetic", "1980s aesthetic", "pink and teal",
        "nostalgic pastel glitch", "outrun pastel",
    ),
}  # fmt: skip
"""Beyond the phrasings of baselines.classical: other names, artists, materials."""

HELD_OUT_TEXTS: dict[str, tuple[str, ...]] = {
    PLAIN: (
        "a realistic photograph", "a teddy bear on a bench", "a photo of a cat", "an unstyled photo",
        "a camera lens in the hand", "photographic",
    ),
    "pixel art": (
        "8-bit pixelated look", "in pixel-art style", "a pixelated 8-bit sprite of a fox",
        "retro pixel video game look", "pixelate it",
    ),
    "cyberpunk": (
        "a cyberpunk city at night", "neon cyberpunk glow", "cyberpunkish", "futuristic neon style",
        "as a neon-lit cyberpunk poster",
    ),
    "expressionism": (
        "an expressionist oil painting", "expressionist style", "in the manner of expressionism",
        "a Basquiat painting", "expressionistic brush strokes",
    ),
    "line art": (
        "minimalist line art", "a line-art illustration", "simple black line drawing", "outline drawing of a cat",
        "only the contours, line style",
    ),
    "watercolor": (
        "a loose watercolour", "watercoloured", "watercolor illustration of a boat", "soft watercolor washes",
        "in watercolours",
    ),
    "oil painting": (
        "a painting in oils", "oil paint on canvas", "oil-paint style", "classical oil painting of a lady",
        "thick oil paint",
    ),
    "pencil sketch": (
        "a quick pencil drawing", "pencil-drawn", "sketchy pencil style", "graphite pencil sketch of a house",
        "hatched pencil shading",
    ),
    "charcoal drawing": (
        "charcoal on paper", "a smudgy charcoal", "charcoal-drawn", "charcoal sketch of a man",
        "drawing made with charcoal",
    ),
    "cartoon": (
        "a cartoon character", "cartoon-like", "in a toon shader look", "like an animated cartoon",
        "cel-shaded cartoon of a dog",
    ),
    "pop art": (
        "a Warhol pop-art print", "pop art poster of a can", "pop-art look", "in the style of Andy Warhol",
        "popart screen print",
    ),
    "mosaic": (
        "a Roman tile mosaic", "mosaic-like", "a mosaic of stone tiles", "mosaicked", "mosaic style picture of a fish",
    ),
    "stained glass": (
        "a stained glass church window", "stained-glass look", "stained glass design", "leaded stained glass",
        "window of stained glass showing a saint",
    ),
    "halftone comic": (
        "a halftone comic-book look", "comic halftone print", "comic-book dots", "halftoned",
        "a comic panel of a hero with halftone dots",
    ),
    "pointillism": (
        "a pointillist canvas", "pointillist dots", "in the style of Seurat", "pointillism of a river bank",
        "pointillistic painting",
    ),
    "low poly": (
        "a low-poly render", "low poly style", "low polygon facets", "lowpoly triangles of a mountain",
        "made of low-poly polygons",
    ),
    "sepia photograph": (
        "an old sepia photo", "sepia toning", "sepia-tinted vintage picture", "a sepia photograph of a family",
        "sepia print",
    ),
    "ink wash painting": (
        "a sumi-e ink painting of a bamboo forest", "ink-wash style", "a Chinese ink wash", "sumi-e brushwork",
        "ink wash landscape",
    ),
    "blueprint": (
        "a technical blueprint of a ship", "blueprint style", "blueprint plan", "an architectural blueprint",
        "blueprint schematic",
    ),
    "woodcut": (
        "a woodcut illustration", "woodcut-like", "an old woodcut of a bear", "carved woodblock style",
        "linocut block print",
    ),
    "vaporwave": (
        "vaporwave look", "a vaporwave poster", "retro vaporwave pastel", "vaporwave style sunset",
        "80s vaporwave aesthetic",
    ),
}  # fmt: skip
"""so that the evaluation counts only those that pass `texts.unseen_texts`."""

LATER_TEXTS: dict[str, tuple[str, ...]] = {
    PLAIN: (
        "an everyday realistic snapshot of my aunt", "genuine camera photograph, nothing edited",
        "a frog sitting near the pond, real photo",
    ),
    "pixel art": ("pixel-by-pixel game sprites", "a pixely 8-bit hero", "rendered with big retro pixels"),
    "cyberpunk": (
        "cyberpunk alley with neon signage", "glowing cyber neon", "neon-drenched futuristic cyberpunk mood",
    ),
    "expressionism": (
        "the expressionist movement", "painted expressively, like Munch", "expressionist portrait with wild swirls",
    ),
    "line art": (
        "bare outlines in black lines", "drawn as contour line art only", "coloring-book outlines of a whale",
    ),
    "watercolor": ("washed watercolour paint of the harbour", "watercolor paints, very wet", "delicate aquarelles"),
    "oil painting": ("an oil-painted still life", "oil-on-canvas masterpiece", "heavy impasto oils by an old master"),
    "pencil sketch": ("a pencil-sketched face", "graphite pencils and hatching", "pencil sketching on grey paper"),
    "charcoal drawing": (
        "charcoal-smudged portrait", "rough charcoal strokes on a wall", "drawn with charcoals by hand",
    ),
    "cartoon": ("cartoonised animal", "kids' cartoon show", "looks like a toon from television"),
    "pop art": ("Warhol-like pop artwork", "pop-art silkscreen of a soup can", "bright pop art prints"),
    "mosaic": ("mosaic tiling from Ravenna", "tiny mosaic stones", "floor mosaic with coloured tiles"),
    "stained glass": (
        "stained-glass windows of a cathedral", "panes of stained glass held by lead", "church stained glass art",
    ),
    "halftone comic": (
        "comics printed in halftone", "halftone-dot comic page", "Lichtenstein comic with ben-day printing",
    ),
    "pointillism": ("pointillist technique with small dots", "Seurat-like pointillism", "dots, pointillist manner"),
    "low poly": ("low-poly mesh of triangles", "lowpoly 3d facets", "polygonal low poly mountain range"),
    "sepia photograph": (
        "sepia-coloured antique picture", "brown sepia tones of the past", "grandfather's old sepia print",
    ),
    "ink wash painting": (
        "ink-washed mountains in the mist", "Japanese sumi-e with brush", "Chinese ink and wash scroll",
    ),
    "blueprint": (
        "blueprint drawings of an engine", "house plan as a blue blueprint", "engineering blueprints, white lines",
    ),
    "woodcut": ("woodcuts from old books", "carved woodcut lines", "a linocut-like block printed image"),
    "vaporwave": ("vaporwavey pinks", "nostalgic vaporwave mall", "vapor-wave dreamscape in pastel"),
}  # fmt: skip
"""Written after training had begun, for the evaluation alone."""
