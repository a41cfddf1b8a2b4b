# Derived from tools/modelport_tools/runtime/_async/__init__.py by modelport_tools.unasync; do not edit.
"""The async side; the sync side is derived from it."""
