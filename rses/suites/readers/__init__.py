"""Readers of data sets that suites are built from."""

from rses.suites.readers.big import BigReader
from rses.suites.readers.coco import CocoReader
from rses.suites.readers.mapping import BrushReader, PieReader
from rses.suites.readers.types import Instance, Picture, Reader
from rses.suites.readers.voc import VOC_CLASSES, VocReader

__all__ = [
    "VOC_CLASSES",
    "BigReader",
    "BrushReader",
    "CocoReader",
    "Instance",
    "Picture",
    "PieReader",
    "Reader",
    "VocReader",
]
