"""The part of a generated client that is the same for every document: written by hand, copied verbatim.

Imports point down only: ``_async``/``_sync`` -> ``http``, ``codec``, ``encode`` -> ``operation`` -> ``types``, ``errors``.
"""
