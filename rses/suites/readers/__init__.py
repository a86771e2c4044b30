"""Readers of data sets that suites are built from."""

from rses.suites.readers.big import BigReader
from rses.suites.readers.coco import CocoReader
from rses.suites.readers.labels import VOC_CLASSES
from rses.suites.readers.mapping import BrushReader, MappingReader, PieReader
from rses.suites.readers.types import Instance, Picture, Reader
from rses.suites.readers.voc import VocReader

__all__ = [
    "VOC_CLASSES", "BigReader", "BrushReader", "CocoReader", "Instance", "MappingReader", "Picture", "PieReader",
    "Reader", "VocReader",
]  # fmt: skip
