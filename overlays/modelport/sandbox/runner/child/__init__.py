"""What runs inside a worker process.

The folder is loaded by path, so that it works in an environment where modelport is not installed: it imports the
standard library, its own modules by relative import, and whatever the user's script needs.
"""
