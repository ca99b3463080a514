"""One side of a conversation: a JSON object a line comes in on stdin, and one goes out on stdout."""

import json
import platform
import resource
import sys
import traceback


def serve(handlers):
    """Answers until stdin ends. A request names its handler in `op`; the rest are the arguments."""
    replies, sys.stdout = sys.stdout, sys.stderr  # whatever prints must not disturb the replies
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply = handlers[request.pop("op")](**request)
        except Exception as error:
            traceback.print_exc()
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=replies, flush=True)


def peak_memory():
    """Bytes."""
    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
