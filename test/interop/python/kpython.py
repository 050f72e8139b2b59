"""kafka-python through the scenarios of ../content.go."""

import time

import kafka
from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import MessageSizeTooLargeError, TopicAlreadyExistsError

import groups
from content import (ADDR, BASE, CONTENT, HUGE, HUGE_LIMIT, LARGE, MANY, PARTITIONS, PREFIX, REPLICAS, TOO_LARGE,
                     WITHIN_S, Content, Restart, first_offset, noise, scenario, want_equal)

def asked(work):
    """What an admin client of its own answers: one that heard of the nodes while one was away sends what is for that one
    nowhere, for five minutes (metadata_max_age_ms)."""
    admin = KafkaAdminClient(bootstrap_servers=ADDR)
    try:
        return work(admin)
    finally:
        admin.close()


def create_topic(name, partitions, **config):
    topic = f"{PREFIX}-{name}"
    asked(lambda admin: admin.create_topics([NewTopic(topic, partitions, REPLICAS, topic_configs=config)]))
    return topic


def producer(**more):
    return KafkaProducer(bootstrap_servers=ADDR, max_request_size=HUGE + 1000, **more)


def consumer(topic, partitions):
    c = KafkaConsumer(bootstrap_servers=ADDR, group_id=None, enable_auto_commit=False, auto_offset_reset="earliest")
    parts = [TopicPartition(topic, p) for p in range(partitions)]
    c.assign(parts)
    c.seek_to_beginning(*parts)
    return c


def sent_all(futures):
    for f in futures:
        f.get(timeout=WITHIN_S)


def read(c, count):
    """Yields count records; each partition's offsets must have no gap."""
    expect, until = {}, time.monotonic() + WITHIN_S
    while count > 0:
        if time.monotonic() > until:
            raise AssertionError(f"{count} records never came")
        for records in c.poll(timeout_ms=1000).values():
            for r in records:
                want_equal(f"offset in partition {r.partition}", r.offset, expect.get(r.partition, 0))
                expect[r.partition] = r.offset + 1
                count -= 1
                yield r


def create():
    topic = create_topic("create", PARTITIONS)
    want_equal("partitions", len(asked(lambda admin: admin.describe_topics([topic]))[0]["partitions"]), PARTITIONS)
    try:
        create_topic("create", PARTITIONS)
    except TopicAlreadyExistsError:
        return
    raise AssertionError("the topic was created twice")


def codec(name):
    topic = create_topic(name, PARTITIONS)
    p = producer(compression_type=None if name == "none" else name, linger_ms=10)
    futures = []
    for i in range(CONTENT):
        r = Content(i)
        futures.append(p.send(topic, r.value, r.key, r.headers, r.partition, r.millis))
    p.flush(WITHIN_S)
    sent_all(futures)
    p.close()
    c = consumer(topic, PARTITIONS)
    for r in read(c, CONTENT):
        Content(r.offset * PARTITIONS + r.partition).check(r.partition, r.offset, r.key, r.value, r.headers, r.timestamp)
    c.close()


def idempotent():
    topic = create_topic("idempotent", 1)
    p = producer(enable_idempotence=True, acks="all", batch_size=1000)
    futures = [p.send(topic, b"%d" % i) for i in range(MANY)]
    p.flush(WITHIN_S)
    sent_all(futures)
    p.close()
    c = consumer(topic, 1)
    for nth, r in enumerate(read(c, MANY)):
        want_equal(f"offset {r.offset}", r.value, b"%d" % nth)
    c.close()


def by_time():
    topic = f"{PREFIX}-none"
    c = consumer(topic, PARTITIONS)
    parts = [TopicPartition(topic, p) for p in range(PARTITIONS)]
    found = c.offsets_for_times({t: BASE + 100_000 for t in parts})
    want_equal("offsets at base+100 s", [found[t].offset for t in parts], [first_offset(p, 100) for p in range(PARTITIONS)])
    want_equal("time of the record", found[parts[0]].timestamp, BASE + first_offset(0, 100) * PARTITIONS * 1000)
    want_equal("offset after the end", c.offsets_for_times({parts[0]: BASE + 1_000_000_000})[parts[0]], None)
    want_equal("beginning", c.beginning_offsets(parts)[parts[1]], 0)
    want_equal("end", c.end_offsets(parts)[parts[1]], CONTENT // PARTITIONS)
    c.close()


def round_trip(topic, size):
    p, sent = producer(retries=0, enable_idempotence=False), noise(size)
    try:
        p.send(topic, sent).get(timeout=WITHIN_S)
    finally:
        p.close()
    c = consumer(topic, 1)
    for r in read(c, 1):
        want_equal("size read back", len(r.value), size)
        want_equal("the bytes came back unchanged", r.value == sent, True)
    c.close()


def large():
    topic = create_topic("large", 1)
    round_trip(topic, LARGE)
    try:
        round_trip(topic, TOO_LARGE)
    except MessageSizeTooLargeError:
        return
    raise AssertionError(f"{TOO_LARGE} bytes were taken")


def huge():
    round_trip(create_topic("huge", 1, **{"max.message.bytes": HUGE_LIMIT}), HUGE)


def restart():
    topic = create_topic("restart", 1)
    p, c, futures = producer(enable_idempotence=True), consumer(topic, 1), []

    def send():
        futures.append(p.send(topic, b"%d" % len(futures)))

    for _ in range(200):
        send()
    p.flush(WITHIN_S)
    got = read(c, 10**9)
    for nth in range(100):
        want_equal("before the restart", next(got).value, b"%d" % nth)
    asked = Restart()
    while not asked.done.wait(0.005):
        send()
    for _ in range(200):
        send()
    p.flush(WITHIN_S)
    sent_all(futures)
    for nth in range(100, len(futures)):
        want_equal("through the restart", next(got).value, b"%d" % nth)
    want_equal("the end", list(c.end_offsets([TopicPartition(topic, 0)]).values()), [len(futures)])
    p.close()
    c.close()


class Wrap(ConsumerRebalanceListener):
    """A consumer in a group, as groups.py wants it."""

    def __init__(self, group, topic, instance):
        self.topic, self.rebalances, self.parts = topic, 0, set()
        self.c = KafkaConsumer(bootstrap_servers=ADDR, group_id=group, client_id="interop", enable_auto_commit=False,
                               auto_offset_reset="earliest", heartbeat_interval_ms=300, session_timeout_ms=10000,
                               group_instance_id=instance)
        self.c.subscribe([topic], listener=self)

    def on_partitions_revoked(self, revoked):
        self.parts = {t.partition for t in self.c.assignment() - set(revoked)}

    def on_partitions_assigned(self, assigned):
        self.rebalances += 1
        self.parts = {t.partition for t in self.c.assignment()}  # which may have changed before it is told

    def poll(self):
        return [(r.partition, r.offset, r.value) for rs in self.c.poll(timeout_ms=100).values() for r in rs]

    def assigned(self):
        return self.parts

    def commit(self, offsets):
        if offsets is not None:
            offsets = {TopicPartition(self.topic, p): OffsetAndMetadata(o, "by hand", -1) for p, o in offsets.items()}
        self.c.commit(offsets)

    def close(self):
        self.c.close()


class World:
    """What groups.py needs of the client."""
    create, open = staticmethod(create_topic), Wrap

    def __init__(self):
        self.p = producer(enable_idempotence=True)

    def send(self, topic, first, last):
        parts = len(self.p.partitions_for(topic))  # the producer's own view: the broker may be away
        futures = [self.p.send(topic, b"%d" % i, partition=i % parts) for i in range(first, last)]
        self.p.flush(WITHIN_S)
        sent_all(futures)

    def committed(self, group, topic):
        found = asked(lambda admin: admin.list_group_offsets({group: None}))[group]
        return {t.partition: at.offset for t, at in found.items() if t.topic == topic}

    def list(self):
        return {g["group_id"] for g in asked(lambda admin: admin.list_groups())}

    def describe(self, group):
        g = asked(lambda admin: admin.describe_groups([group]))[group]
        return g["group_state"], [m["client_id"] for m in g["members"]]

    def delete(self, group):
        said = asked(lambda admin: admin.delete_groups([group]))[group]
        return {"OK": "NONE", "NonEmptyGroupError": "NON_EMPTY_GROUP"}.get(said, said)


print("VERSION", "kafka-python", kafka.__version__, flush=True)
scenario("create", create)
for codec_name in ["none", "gzip", "snappy", "lz4", "zstd"]:
    scenario("codec-" + codec_name, lambda: codec(codec_name))
scenario("idempotent", idempotent)
scenario("time", by_time)
scenario("large", large)
scenario("huge", huge)
scenario("restart", restart)
groups.run(World())
