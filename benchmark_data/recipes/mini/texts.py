"""Draw texts for training: phrasings in templates, with words about content and nonsense mixed in."""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Sequence

from baselines.classical import PHRASES
from benchmark_data.recipes.mini.classes import CLASS_NAMES, PLAIN
from benchmark_data.recipes.mini.phrases import HELD_OUT_TEXTS, LATER_TEXTS, MORE, PLAIN_TEXTS
from rses.texts import words_of

__all__ = ["class_phrases", "sample_text", "style_words", "unseen_texts"]

TEMPLATES = (
    *(
        "{s}",
        "{s}",
        "{s}",
        "{s} style",
        "in {s} style",
        "in the style of {s}",
        "a {s}",
        "a {s} of {c}",
        "{c} in {s} style",
    ),
    *("{c}, {s}", "{c} as {s}", "{s} of {c}", "make {c} {s}", "turn {c} into {s}", "{c} rendered as {s}", "{s} look"),
    *("an image in {s} style", "a picture of {c} in {s}", "{s}, {c}", "restyle {c} as {s}", "the {s} version of {c}"),
    *(
        "{s} effect",
        "{s} aesthetic",
        "artwork, {s}",
        "an example of {s}",
        "change the style of {c} to {s}",
        "it is {s}",
    ),
    *("{c} drawn like {s}", "with a {s} look", "apply {s} to {c}", "convert {c} to {s}"),
)
PLAIN_TEMPLATES = (
    *("{s}", "{s}", "{s}", "{s} of {c}", "{c}, {s}", "a {s}", "an image of {c}", "{c}", "{c}", "a picture of {c}"),
    *("make {c} a {s}", "{c} as {s}", "the {s}", "{s} style", "{c} in the real world"),
)
NOUNS = (
    *("cat", "dog", "rabbit", "bird", "duck", "fish", "butterfly", "tree", "flower", "mushroom", "cactus"),
    *("apple", "pear", "house", "car", "van", "boat", "sailboat", "rocket", "mug", "cup", "bottle", "chair"),
    *("hat", "lamp", "ball", "balloon", "star", "umbrella", "man", "woman", "person", "child", "face"),
    *("horse", "bear", "wolf", "lemur", "meerkat", "bus", "motorbike", "bicycle", "train", "plane", "street"),
    *("city", "mountain", "forest", "river", "sea", "beach", "sky", "cloud", "garden", "bench", "table"),
    *("sofa", "bed", "window", "door", "wall", "bridge", "tower", "castle", "church", "ship", "truck"),
    *("guitar", "piano", "book", "clock", "phone", "camera", "lens", "laptop", "shoe", "shirt", "dress"),
    *("coat", "bag", "cow", "sheep", "goat", "pig", "elephant", "lion", "tiger", "monkey", "frog", "turtle"),
    *("snake", "owl", "eagle", "chicken", "egg", "bread", "cake", "pizza", "banana", "orange", "lemon"),
    *("grape", "tomato", "carrot", "potato", "cheese", "coffee", "tea", "wine", "glass", "plate", "knife"),
    *("fork", "spoon", "hand", "eye", "hair", "foot", "baby", "girl", "boy", "soldier", "king", "queen"),
    *("wizard", "robot", "dragon", "unicorn", "teddy", "toy", "doll", "statue", "fountain", "bamboo", "rose"),
    *("tulip", "grass", "leaf", "stone", "rock", "sand", "snow", "rain", "sun", "moon", "planet"),
    *("astronaut", "portrait", "landscape", "still-life", "scene", "region", "background", "foreground"),
    *("object", "subject", "room", "kitchen", "office", "school", "market", "farm", "field", "road", "sign"),
)
ADJECTIVES = (
    *("red", "blue", "green", "yellow", "white", "black", "brown", "grey", "big", "small", "old", "young"),
    *("happy", "sad", "fluffy", "shiny", "wooden", "round", "tall", "tiny", "beautiful", "cute", "sleeping"),
    *("running", "sitting", "standing", "wet", "dry", "broken", "new", "open", "closed", "colourful"),
    *("distant", "left", "right"),
)
PLACES = (
    *("on a bench", "in the street", "by the sea", "in the hand", "at night", "under a tree", "on the table"),
    *("in a field", "with a hat", "in front of a wall", "near a river", "on the left", "in the background"),
    *("holding an umbrella", "in the snow", "in the forest", "next to a car"),
)
FILLERS = frozenset(
    [
        "made",
        "like",
        "only",
        "with",
        "from",
        "and",
        "the",
        "der",
        "die",
        "it",
        "is",
        "old",
        "new",
        "very",
        "look",
        "style",
        "image",
        "picture",
    ]
)
SHARED = 3
"""Classes that a word may belong to and still tell what is meant."""
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@functools.cache
def class_phrases(name: str) -> tuple[str, ...]:
    """Return the phrasings of a class that training may use, its own name first."""
    if name == PLAIN:
        known: Sequence[str] = PLAIN_TEXTS
    else:
        known = (name, *PHRASES[name], *MORE[name])
    held_out = {text.lower() for texts in HELD_OUT_TEXTS.values() for text in texts}
    return tuple(dict.fromkeys(text for text in known if text.lower() not in held_out))


def style_words() -> list[str]:
    """Return the words by which training names styles, without those that many classes share, such as "painting"."""
    owners: dict[str, set[str]] = {}
    for name in CLASS_NAMES:
        for word in words_of(" ".join(class_phrases(name))):
            owners.setdefault(word, set()).add(name)
    return sorted(
        word for word, names in owners.items() if len(names) <= SHARED and len(word) > 2 and word not in FILLERS
    )


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


@functools.cache
def unseen_texts(name: str) -> tuple[str, ...]:
    """Return the held-out texts of a class that no phrase, template and content of any class can produce.

    Texts are compared as the encoder sees them, as sequences of lower-case words without punctuation.
    """
    patterns = [pattern for cls in HELD_OUT_TEXTS for pattern in _patterns(cls)]
    texts = (*HELD_OUT_TEXTS[name], *LATER_TEXTS[name])
    return tuple(text for text in texts if not any(p.fullmatch(_words(text)) for p in patterns))


def _words(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


@functools.cache
def _patterns(name: str) -> tuple[re.Pattern[str], ...]:
    """Regular expressions of all that `sample_text` draws for a class, nonsense words aside."""
    phrases = "|".join(re.escape(_words(phrase)) for phrase in class_phrases(name))
    nouns, adjectives = "|".join(map(_words, NOUNS)), "|".join(ADJECTIVES)
    places = "|".join(map(_words, PLACES))
    content = f"(a|the|this|some|an|my|two)( ({adjectives}))?( ({nouns})){{1,2}}( ({places}))?"
    templates = set(PLAIN_TEMPLATES if name == PLAIN else TEMPLATES)
    marked = (_words(t.replace("{s}", " zzs ").replace("{c}", " zzc ")) for t in templates)
    return tuple(re.compile(t.replace("zzs", f"({phrases})").replace("zzc", content)) for t in marked)


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
