"""A torch that does one bad thing at import."""

import ctypes
import os
import signal
import sys
import time

_what = os.environ.get("BAD_TORCH", "")

if _what == "segfault":
    print("about to do something terrible", file=sys.stderr, flush=True)
    ctypes.string_at(0)
elif _what == "hang":
    time.sleep(3600)
elif _what == "slow":
    while True:
        sum(range(10_000))
elif _what == "hang-deaf":
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(3600)
elif _what == "exit":
    os._exit(0)
elif _what == "sys-exit":
    sys.exit(3)
elif _what == "abort":
    os.abort()
elif _what == "flood":
    line = ("x" * 1023 + "\n") * 1024
    for _ in range(1024):
        sys.stdout.write(line)
elif _what == "library":
    raise ImportError("libcudnn.so.9: cannot open shared object file: No such file or directory")
elif _what == "close-fds":
    os.closerange(0, 4096)
elif _what == "namespace":
    pass
# What is left is a module without a single attribute of torch's.
