"""Procedural scenes: named, coloured objects with exact masks before textured backdrops.

>>> scene = make_scene(0, n_objects=2)
>>> scene.image.shape, len(scene.objects)
((128, 128, 3), 2)
"""

from benchmark_data.scenes.backgrounds import BACKDROPS
from benchmark_data.scenes.catalogue import CLASSES
from benchmark_data.scenes.compose import Scene, SceneObject, make_scene
from benchmark_data.scenes.layout import KINDS
from benchmark_data.scenes.palette import COLOURS
from benchmark_data.scenes.tags import TAGS

__all__ = ["BACKDROPS", "CLASSES", "COLOURS", "KINDS", "TAGS", "Scene", "SceneObject", "make_scene"]
