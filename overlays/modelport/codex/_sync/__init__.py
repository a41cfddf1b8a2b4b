# Derived from overlays/modelport/codex/_async/__init__.py by modelport_tools.unasync; do not edit.
"""The face, awaited; its sync twin is derived from it."""
