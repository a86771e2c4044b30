"""Tests mirror the packages; `helpers` holds what several of them share."""
