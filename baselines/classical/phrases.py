"""Ways people name each style; the first is its key, and no phrase belongs to two styles."""

from __future__ import annotations

PHRASES: dict[str, tuple[str, ...]] = {
    "pixel art": (
        "pixel art", "in pixel-art style", "pixelart", "8-bit pixelated look", "16-bit game graphics",
        "retro video game sprite", "pixelated", "chunky pixels like an old console", "8-bit style", "pixel style",
    ),
    "cyberpunk": (
        "cyberpunk", "in cyberpunk style", "neon-lit night city look", "glowing neon and dark shadows",
        "futuristic neon noir", "cyberpunk neon", "dark sci-fi with neon glow", "blade-runner-like neon",
        "cyber punk style", "high-tech dystopian neon",
    ),
    "expressionism": (
        "expressionism", "in expressionist style", "expressionist painting", "swirling expressive brush strokes",
        "distorted emotional colours", "german expressionism", "wild expressive painting",
        "like Munch or Kirchner painted it", "expressionistic", "bold swirling colours",
    ),
    "line art": (
        "line art", "in line-art style", "lineart", "clean black outlines on white", "colouring book page",
        "simple contour drawing", "black and white line drawing", "outline only", "vector outline drawing",
        "minimal ink outlines",
    ),
    "watercolor": (
        "watercolor", "in watercolor style", "watercolour", "watercolor painting", "aquarelle",
        "soft transparent washes of paint", "painted with watercolors", "water colour on paper",
        "pale wet-on-wet paint", "watercolor wash",
    ),
    "oil painting": (
        "oil painting", "in oil-painting style", "painted in oils", "oil on canvas", "thick impasto paint",
        "classical oil portrait look", "rich oil colours", "old master canvas", "oil paint", "oil-painted",
    ),
    "pencil sketch": (
        "pencil sketch", "in pencil-sketch style", "pencil drawing", "graphite drawing", "hand-drawn pencil hatching",
        "sketched with a pencil", "graphite sketch", "grey pencil shading", "a pencil study", "sketchbook pencil",
    ),
    "charcoal drawing": (
        "charcoal drawing", "in charcoal-drawing style", "charcoal", "charcoal sketch", "smudged charcoal on paper",
        "drawn with a charcoal stick", "dark grainy charcoal", "burnt charcoal strokes", "charcoal style",
        "carbon smudge drawing",
    ),
    "cartoon": (
        "cartoon", "in cartoon style", "cartoonish", "cel-shaded", "toon shading", "animated cartoon look",
        "saturday-morning cartoon", "flat colours with bold outlines", "cartoon character style", "toon style",
    ),
    "pop art": (
        "pop art", "in pop-art style", "popart", "warhol style screen print", "bright screen-printed poster",
        "sixties pop-art poster", "silkscreen print in loud colours", "andy warhol look", "pop-art portrait",
        "loud flat poster inks",
    ),
    "mosaic": (
        "mosaic", "in mosaic style", "mosaic tiles", "roman mosaic", "made of small stone tiles", "tessera tiles",
        "tiled mosaic with grout", "ceramic tile picture", "byzantine mosaic", "tile mosaic",
    ),
    "stained glass": (
        "stained glass", "in stained-glass style", "stained-glass window", "church window glass",
        "leaded glass panes", "cathedral window", "coloured glass with black lead lines", "tiffany glass",
        "glowing glass panels", "stain glass",
    ),
    "halftone comic": (
        "halftone comic", "in halftone-comic style", "comic book halftone", "comic book", "ben-day dots",
        "halftone dots", "printed comic with dots", "vintage comic print", "lichtenstein dots",
        "newsprint comic panel",
    ),
    "pointillism": (
        "pointillism", "in pointillist style", "pointillist painting", "painted with tiny dots of colour",
        "seurat style", "divisionism", "dots of pure paint", "neo-impressionist dots", "pointillistic",
        "dotted painting",
    ),
    "low poly": (
        "low poly", "in low-poly style", "low-polygon render", "lowpoly", "flat triangles", "triangulated facets",
        "geometric polygon art", "faceted 3d look", "polygonal style", "triangle mesh art",
    ),
    "sepia photograph": (
        "sepia photograph", "in sepia-photograph style", "sepia", "sepia-toned photo", "old brown photograph",
        "antique faded photo", "nineteenth-century photograph", "vintage sepia print", "aged albumen print",
        "sepia tone",
    ),
    "ink wash painting": (
        "ink wash painting", "in ink-wash style", "ink wash", "sumi-e", "chinese ink painting",
        "japanese brush painting", "wet black ink on rice paper", "suibokuga", "shan shui ink",
        "diluted ink brushwork",
    ),
    "blueprint": (
        "blueprint", "in blueprint style", "technical blueprint", "white lines on blue paper", "cyanotype plan",
        "architect's drawing on blue", "engineering blueprint", "blue construction plan", "blue print",
        "schematic on a blue grid",
    ),
    "woodcut": (
        "woodcut", "in woodcut style", "woodcut print", "wood engraving", "carved block print", "linocut",
        "relief print", "black and white engraving with carved lines", "woodblock print", "lino print",
    ),
    "vaporwave": (
        "vaporwave", "in vaporwave style", "vapor wave", "vaporwave aesthetic", "pastel pink and cyan eighties look",
        "retro vhs pastel", "synth pastel dreamscape", "pink and turquoise nostalgia", "vaporwave colours",
        "a e s t h e t i c",
    ),
}  # fmt: skip
"""At least eight phrasings for every style key, in the order of preference."""
