# Derived from overlays/modelport/_io/_async/__init__.py by modelport_tools.unasync; do not edit.
"""Loops that await."""
