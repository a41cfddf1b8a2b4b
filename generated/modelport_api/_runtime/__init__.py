"""What a generated client has whatever its document: written by hand, copied verbatim.

Imports point down only: ``_async`` and ``_sync``, then ``exchange``, then ``http``, ``encode`` and ``decode``, then
``wire`` and ``operation``, then ``types`` and ``errors``.
"""
