"""confluent-kafka (librdkafka) with the consumer protocol (KIP-848) through the group scenarios, and those that only it has."""

import confluent
import groups
from content import PREFIX, scenario
from groups import PARTS, ROUND, Member, once, settle, until

Wrap, World = confluent.Wrap, confluent.World


def regex(world):
    one, name, seen = world.create("regex-1", PARTS), f"{PREFIX}-regex", []
    members = [Member(world, name, f"^{one[:-1]}[0-9]", seen) for _ in range(2)]
    settle(members)
    world.send(one, 0, ROUND)
    until("the records of the first topic", lambda: len(seen) >= ROUND, members)
    two = world.create("regex-2", PARTS)
    world.send(two, ROUND, 2 * ROUND)
    until("the records of a topic made later", lambda: len(seen) >= 2 * ROUND, members)
    once(seen, 2 * ROUND)
    for m in members:
        m.leave()


def migrate(world):
    topic, name, seen = world.create("migrate", PARTS), f"{PREFIX}-migrate", []
    members, total = [], 0

    def committed():
        try:
            for m in members:
                m.commit()
            return sum(world.committed(name, topic).values()) == total
        except Exception:  # a member that has to join again is refused; until() bounds how often
            return False

    # librdkafka's cooperative assignor leaves data of its own in assignments; no broker upgrades such a group.
    # who comes, with which assignor (None: the consumer protocol); "-" is for the one there longest to go
    for comes in ["range", "range", None, "-", None, "-", "range", "-", "-"]:
        if comes == "-":
            members.pop(0).leave()
        else:
            Wrap.strategy = comes
            members.append(Member(world, name, topic, seen))
            until("the new member's consumer", lambda: members[-1].opened, members)
        settle(members)
        world.send(topic, total, total + ROUND)
        total += ROUND
        # At least once: a group that converts may move a partition between the reading and the commit.
        until(f"record {total}", lambda: len({value for _, _, value in seen}) >= total, members)
        until(f"the commit of {total}", committed, members)
    for m in members:
        m.leave()
    Wrap.strategy = None


confluent.version()
Wrap.strategy = None
groups.run(World())
scenario("regex", lambda: regex(World()))
scenario("migrate", lambda: migrate(World()))
