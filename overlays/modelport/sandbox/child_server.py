"""The process behind `Sandbox`: settings come on standard input, whose end is the end of the sandbox."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading

from modelport.sandbox.server import SandboxError, configure_logging, serve, settings_from_json


def main() -> int:
    """Read settings, serve, and end when the parent does."""
    configure_logging()
    settings = settings_from_json(json.loads(sys.stdin.readline()))
    threading.Thread(target=_watch_parent, daemon=True).start()
    try:
        serve(settings)
    except (SandboxError, ValueError) as error:
        sys.stdout.write(json.dumps({"error": str(error)}) + "\n")
        sys.stdout.flush()
        return 2
    return 0


def _watch_parent() -> None:
    # The pipe closes when the parent ends, however it ends.
    while sys.stdin.readline():
        continue
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
