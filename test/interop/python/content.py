"""What both Python clients write and expect back; ../content.go says it in words."""

import os
import sys
import threading
import time
import traceback

PARTITIONS, CONTENT, MANY = 3, 300, 3000
HUGE, LARGE, TOO_LARGE = 8 << 20, 1_000_000, 1_100_000
HUGE_LIMIT = "10485760"
WITHIN_S = 60

ADDR, PREFIX = sys.argv[1], sys.argv[2]
REPLICAS = int(os.environ.get("INTEROP_REPLICAS", "1"))
BASE = int(time.time() * 1000) - 3_600_000


class Content:
    """Record i: key, value, headers and timestamp."""

    def __init__(self, i):
        self.key = None if i % 10 == 0 else b"k%d" % i
        self.value = None if i % 10 == 5 else b"value %d " % i * 20
        self.headers = [("n", str(i).encode()), ("empty", b"")]
        self.millis = BASE + i * 1000
        self.partition = i % PARTITIONS

    def check(self, partition, offset, key, value, headers, millis):
        got = (partition, key, value, list(headers or []), millis)
        want = (self.partition, self.key, self.value, self.headers, self.millis)
        if got != want:
            raise AssertionError(f"offset {offset} holds {got}, want {want}")


def noise(n):
    """n bytes that are not all the same."""
    out, x = bytearray(n), 12345
    for i in range(0, n, 997):
        x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
        out[i] = x >> 24
    return bytes(out)


def scenario(name, work):
    """Runs one scenario and reports it in the protocol of lines."""
    try:
        work()
    except Exception as e:  # a failed scenario must not hide the next ones
        traceback.print_exc()
        print("FAIL", name, " ".join(f"{type(e).__name__}: {e}".split()), flush=True)
        return
    print("PASS", name, flush=True)


def want_equal(what, got, want):
    if got != want:
        raise AssertionError(f"{what} is {got!r}, want {want!r}")


def first_offset(partition, i):
    """Offset of the first record whose number is at least i in the partition."""
    return (i + PARTITIONS - 1 - partition) // PARTITIONS


class Restart:
    """Asks for a restart of the broker; done is set when it serves again."""

    def __init__(self):
        self.done = threading.Event()
        print("RESTART", flush=True)
        threading.Thread(target=self._wait, daemon=True).start()

    def _wait(self):
        sys.stdin.readline()
        self.done.set()
