"""The group scenarios of ../content.go for every Python client.

A client gives `world`, an object with
  create(name, partitions) -> topic       send(topic, first, last): number i to partition i % partitions
  open(group, topic, instance) -> wrap    committed(group, topic) -> {partition: offset}
and, where it has an admin client, list() -> {group}, describe(group) -> (state, [client id]) and delete(group).
A wrap has poll() -> [(partition, offset, value)], assigned() -> {partition}, commit(offsets=None), close() and a
count `rebalances` of the assignments it was given.
"""

import collections
import queue
import threading
import time

from content import PREFIX, WITHIN_S, Restart, scenario, want_equal

PARTS, ROUND = 6, 300


class Member(threading.Thread):
    """A consumer in a thread of its own; whoever wants something of it hands in a function."""

    def __init__(self, world, group, topic, seen, instance=None):
        super().__init__(daemon=True)
        self.args, self.seen, self.asked, self.failure = (world, group, topic, instance), seen, queue.Queue(), None
        self.owned, self.rebalances, self.open, self.opened = set(), 0, True, False
        self.start()

    def run(self):
        world, group, topic, instance = self.args
        try:
            wrap = world.open(group, topic, instance)
            self.opened = True
            while self.open:
                for partition, offset, value in wrap.poll():
                    self.seen.append((partition, offset, value))
                self.rebalances = wrap.rebalances  # first: who sees what is owned has seen how often it was given
                self.owned = set(wrap.assigned())
                while not self.asked.empty():
                    work, answer = self.asked.get()
                    try:
                        answer.put(work(wrap))
                    except Exception as e:  # of the one who asked: a rebalance may refuse a commit
                        answer.put(e)
            wrap.close()
        except BaseException as e:
            self.failure = e
            raise

    def ask(self, work):
        answer = queue.Queue()
        self.asked.put((work, answer))
        said = answer.get(timeout=WITHIN_S)
        if isinstance(said, Exception):
            raise said

    def commit(self, offsets=None):
        self.ask(lambda wrap: wrap.commit(offsets))

    def leave(self):
        self.open = False
        self.join(WITHIN_S)
        want_equal("the member has ended", self.is_alive(), False)
        self.check()

    def check(self):
        if self.failure is not None:
            raise AssertionError(f"a member failed: {self.failure!r}")


def until(what, check, members=()):
    end = time.monotonic() + WITHIN_S
    while not check():
        for m in members:
            m.check()
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come: {[(sorted(m.owned), m.rebalances) for m in members]}")
        time.sleep(0.02)


def settle(members, parts=PARTS):
    """Waits until every partition has one owner and every member some."""
    def settled():
        owned = [m.owned for m in members]
        return all(owned) and sum(map(len, owned)) == parts == len(set().union(*owned))
    until("the assignment", settled, members)


def once(seen, total):
    counts = collections.Counter(int(value) for _, _, value in seen)
    want_equal("records seen not just once", {n: c for n, c in counts.items() if c != 1}, {})
    want_equal("records seen", sorted(counts), list(range(total)))


def group(world, label="group"):
    topic, name, seen = world.create(label, PARTS), f"{PREFIX}-{label}", []
    members, total = [], 0

    def one_round():
        nonlocal total
        settle(members)
        world.send(topic, total, total + ROUND)
        total += ROUND
        until(f"record {total}", lambda: len(seen) >= total, members)
        once(seen, total)
        for m in members:
            m.commit()

    for _ in range(3):
        members.append(Member(world, name, topic, seen))
        one_round()
    members.pop(0).leave()
    one_round()
    for m in members:
        m.leave()
    once(seen, total)
    want_equal("committed", world.committed(name, topic), {p: total // PARTS for p in range(PARTS)})


def commit(world):
    topic, name = world.create("commit", 1), f"{PREFIX}-commit"
    world.send(topic, 0, 100)
    seen = []
    m = Member(world, name, topic, seen)
    until("100 records", lambda: len(seen) == 100, [m])
    m.commit({0: 60})
    m.leave()
    want_equal("committed", world.committed(name, topic), {0: 60})
    seen = []
    m = Member(world, name, topic, seen)
    until("40 records", lambda: len(seen) >= 40, [m])
    want_equal("resumed with", [offset for _, offset, _ in seen], list(range(60, 100)))
    m.commit()
    m.leave()
    want_equal("committed in the end", world.committed(name, topic), {0: 100})


def static(world):
    topic, name, seen = world.create("static", PARTS), f"{PREFIX}-static", []
    a, b = (Member(world, name, topic, seen, i) for i in ("a", "b"))
    settle([a, b])
    owned, calm = a.owned, b.rebalances
    a.leave()
    a = Member(world, name, topic, seen, "a")
    settle([a, b])
    want_equal("partitions after the member came back", a.owned, owned)
    world.send(topic, 0, ROUND)
    until("the records", lambda: len(seen) >= ROUND, [a, b])
    once(seen, ROUND)
    want_equal("rebalances of the other", b.rebalances, calm)
    a.leave()
    b.leave()


def group_restart(world):
    topic, name, seen = world.create("group-restart", PARTS), f"{PREFIX}-group-restart", []
    members = [Member(world, name, topic, seen) for _ in range(2)]
    settle(members)
    world.send(topic, 0, ROUND)
    until("the records before", lambda: len(seen) >= ROUND, members)
    for m in members:
        m.commit()
    asked, total = Restart(), ROUND
    while not asked.done.is_set():
        world.send(topic, total, total + PARTS)
        total += PARTS
    world.send(topic, total, total + ROUND)
    total += ROUND
    until("all records through the restart", lambda: len({v for _, _, v in list(seen)}) >= total, members)

    def all_committed():  # a member that joined again reads again, and commits, what it had not committed
        try:
            for m in members:
                m.commit()
            return sum(world.committed(name, topic).values()) == total
        except Exception:  # refused while the group joins anew; until() bounds how often
            return False

    until(f"the commit of {total}", all_committed, members)
    for m in members:
        m.leave()
    want_equal("values seen", sorted({int(v) for _, _, v in seen}), list(range(total)))
    want_equal("committed", sum(world.committed(name, topic).values()), total)


def group_admin(world):
    topic, name, seen = world.create("group-admin", PARTS), f"{PREFIX}-group-admin", []
    members = [Member(world, name, topic, seen) for _ in range(2)]
    settle(members)
    world.send(topic, 0, ROUND)
    until("the records", lambda: len(seen) >= ROUND, members)
    for m in members:
        m.commit()
    want_equal("listed", name in world.list(), True)
    state, clients = world.describe(name)
    want_equal("state", state, "Stable")
    want_equal("members", clients, ["interop", "interop"])
    want_equal("offsets of the live group", world.committed(name, topic), {p: ROUND // PARTS for p in range(PARTS)})
    if hasattr(world, "delete"):
        want_equal("deleting a live group", world.delete(name), "NON_EMPTY_GROUP")
    for m in members:
        m.leave()
    until("the empty group", lambda: world.describe(name)[0] == "Empty")
    if hasattr(world, "delete"):
        want_equal("deleting an empty group", world.delete(name), "NONE")
        want_equal("listed after it was deleted", name in world.list(), False)


def run(world):
    for name, work in [("group", group), ("commit", commit), ("static", static), ("group-restart", group_restart),
                       ("group-admin", group_admin)]:
        scenario(name, lambda: work(world))
