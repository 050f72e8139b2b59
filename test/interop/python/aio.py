"""aiokafka through the scenarios of ../content.go. One event loop serves the straight scenarios; each member of a
group has a loop of its own, in a thread of its own."""

import asyncio
import time

import aiokafka
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.structs import OffsetAndMetadata

import groups
from content import (ADDR, BASE, CONTENT, HUGE, HUGE_LIMIT, LARGE, MANY, PARTITIONS, PREFIX, REPLICAS, TOO_LARGE,
                     WITHIN_S, Content, Restart, first_offset, noise, scenario, want_equal)

loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
TOPIC_EXISTS = 36


def run(work):
    return loop.run_until_complete(work)


async def started(thing):
    await thing.start()
    return thing


async def make_admin():
    return await started(AIOKafkaAdminClient(bootstrap_servers=ADDR))


async def asking(work):
    """What an admin client of its own answers: one that has heard of the nodes while one was away asks nobody again."""
    a = await make_admin()
    try:
        return await work(a)
    finally:
        await a.close()


def asked(work):
    return run(asking(work))


async def make(name, partitions, **config):
    """Makes a topic and gives its name; the library hands the error codes to its caller."""
    topic = f"{PREFIX}-{name}"
    answer = await asking(lambda a: a.create_topics([NewTopic(topic, partitions, REPLICAS, topic_configs=config)]))
    return topic, answer.topic_errors[0][1]


async def create_topic(name, partitions, **config):
    topic, code = await make(name, partitions, **config)
    want_equal("the error of the creation", code, 0)
    return topic


async def producer(**more):
    return await started(AIOKafkaProducer(bootstrap_servers=ADDR, max_request_size=HUGE + 1000, **more))


async def consumer(topic, partitions):
    c = AIOKafkaConsumer(bootstrap_servers=ADDR, group_id=None, enable_auto_commit=False, auto_offset_reset="earliest")
    parts = [TopicPartition(topic, p) for p in range(partitions)]
    c.assign(parts)
    await c.start()
    await c.seek_to_beginning(*parts)
    return c


async def read(c, count):
    """Yields count records; each partition's offsets must have no gap."""
    expect, until = {}, time.monotonic() + WITHIN_S
    while count > 0:
        if time.monotonic() > until:
            raise AssertionError(f"{count} records never came")
        for records in (await c.getmany(timeout_ms=1000, max_records=count)).values():
            for r in records:
                want_equal(f"offset in partition {r.partition}", r.offset, expect.get(r.partition, 0))
                expect[r.partition] = r.offset + 1
                count -= 1
                yield r


async def create():
    topic = await create_topic("create", PARTITIONS)
    want_equal("partitions", len((await asking(lambda a: a.describe_topics([topic])))[0]["partitions"]), PARTITIONS)
    want_equal("created again", (await make("create", PARTITIONS))[1], TOPIC_EXISTS)


async def codec(name):
    topic = await create_topic(name, PARTITIONS)
    p = await producer(compression_type=None if name == "none" else name, linger_ms=10)
    sent = []
    for i in range(CONTENT):
        r = Content(i)
        sent.append(await p.send(topic, r.value, r.key, r.partition, r.millis, r.headers))
    await asyncio.gather(*sent)
    await p.stop()
    c = await consumer(topic, PARTITIONS)
    async for r in read(c, CONTENT):
        Content(r.offset * PARTITIONS + r.partition).check(r.partition, r.offset, r.key, r.value, r.headers, r.timestamp)
    await c.stop()


async def idempotent():
    topic = await create_topic("idempotent", 1)
    p = await producer(enable_idempotence=True, acks="all", max_batch_size=1000)
    await asyncio.gather(*[await p.send(topic, b"%d" % i) for i in range(MANY)])
    await p.stop()
    c, nth = await consumer(topic, 1), 0
    async for r in read(c, MANY):
        want_equal(f"offset {r.offset}", r.value, b"%d" % nth)
        nth += 1
    await c.stop()


async def by_time():
    topic = f"{PREFIX}-none"
    c, parts = await consumer(topic, PARTITIONS), [TopicPartition(topic, p) for p in range(PARTITIONS)]
    found = await c.offsets_for_times({t: BASE + 100_000 for t in parts})
    want_equal("offsets at base+100 s", [found[t].offset for t in parts], [first_offset(p, 100) for p in range(PARTITIONS)])
    want_equal("offset after the end", (await c.offsets_for_times({parts[0]: BASE + 1_000_000_000}))[parts[0]], None)
    want_equal("beginning", (await c.beginning_offsets(parts))[parts[1]], 0)
    want_equal("end", (await c.end_offsets(parts))[parts[1]], CONTENT // PARTITIONS)
    await c.stop()


async def round_trip(topic, size):
    p, sent = await producer(), noise(size)
    try:
        await p.send_and_wait(topic, sent)
    finally:
        await p.stop()
    c = await consumer(topic, 1)
    async for r in read(c, 1):
        want_equal("the bytes came back unchanged", r.value == sent, True)
    await c.stop()


async def large():
    topic = await create_topic("large", 1)
    await round_trip(topic, LARGE)
    try:
        await round_trip(topic, TOO_LARGE)
    except MessageSizeTooLargeError:
        return
    raise AssertionError(f"{TOO_LARGE} bytes were taken")


async def huge():
    await round_trip(await create_topic("huge", 1, **{"max.message.bytes": HUGE_LIMIT}), HUGE)


async def restart():
    topic, sent = await create_topic("restart", 1), []
    p, c = await producer(enable_idempotence=True), await consumer(topic, 1)

    async def send():
        sent.append(await p.send(topic, b"%d" % len(sent)))

    async def numbers(first, last):
        for nth in range(first, last):
            want_equal("through the restart", (await anext(got)).value, b"%d" % nth)

    for _ in range(200):
        await send()
    await asyncio.gather(*sent)
    got = read(c, 10**9)
    await numbers(0, 100)
    asked = Restart()
    while not asked.done.is_set():
        await send()
        await asyncio.sleep(0.005)
    for _ in range(200):
        await send()
    await asyncio.gather(*sent)
    await numbers(100, len(sent))
    want_equal("the end", list((await c.end_offsets([TopicPartition(topic, 0)])).values()), [len(sent)])
    await p.stop()
    await c.stop()


class Wrap(ConsumerRebalanceListener):
    """A consumer in a group, as groups.py wants it; its loop runs only while somebody waits for it."""

    def __init__(self, group, topic, instance):
        self.topic, self.rebalances, self.parts, self.loop = topic, 0, set(), asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        self.run = self.loop.run_until_complete
        self.run(self.open(group, instance))

    async def open(self, group, instance):
        self.c = AIOKafkaConsumer(bootstrap_servers=ADDR, group_id=group, client_id="interop", enable_auto_commit=False,
                                  auto_offset_reset="earliest", heartbeat_interval_ms=300, session_timeout_ms=10000,
                                  group_instance_id=instance)
        self.c.subscribe([self.topic], listener=self)
        await self.c.start()

    async def on_partitions_revoked(self, revoked):
        self.parts = {t.partition for t in self.c.assignment() - set(revoked)}

    async def on_partitions_assigned(self, assigned):
        self.rebalances += 1
        self.parts = {t.partition for t in self.c.assignment()}  # which may have changed before it is told

    def poll(self):
        return [(r.partition, r.offset, r.value) for rs in self.run(self.c.getmany(timeout_ms=100)).values() for r in rs]

    def assigned(self):
        return self.parts

    def commit(self, offsets):
        if offsets is not None:
            offsets = {TopicPartition(self.topic, p): OffsetAndMetadata(o, "by hand") for p, o in offsets.items()}
        self.run(self.c.commit(offsets))

    def close(self):
        self.run(self.c.stop())


class World:
    """What groups.py needs of the client."""
    open = Wrap

    def __init__(self):
        self.p = run(producer(enable_idempotence=True))

    def create(self, name, partitions):
        return run(create_topic(name, partitions))

    def send(self, topic, first, last):
        run(self.send_all(topic, first, last))

    async def send_all(self, topic, first, last):
        parts = len(await self.p.partitions_for(topic))  # the producer's own view: the broker may be away
        await asyncio.gather(*[await self.p.send(topic, b"%d" % i, partition=i % parts) for i in range(first, last)])

    def committed(self, group, topic):
        found = asked(lambda a: a.list_consumer_group_offsets(group))
        return {t.partition: at.offset for t, at in found.items() if t.topic == topic}

    def list(self):
        return {g[0] for g in asked(lambda a: a.list_consumer_groups())}

    def describe(self, group):
        _, _, state, _, _, members, *_ = asked(lambda a: a.describe_consumer_groups([group]))[0].groups[0]
        return state, [m[-4] for m in members]


print("VERSION", "aiokafka", aiokafka.__version__, flush=True)
scenario("create", lambda: run(create()))
for codec_name in ["none", "gzip", "snappy", "lz4", "zstd"]:
    scenario("codec-" + codec_name, lambda: run(codec(codec_name)))
for scenario_name, work in [("idempotent", idempotent), ("time", by_time), ("large", large), ("huge", huge), ("restart", restart)]:
    scenario(scenario_name, lambda: run(work()))
groups.run(World())
