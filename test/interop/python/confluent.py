"""confluent-kafka (librdkafka) through the scenarios of ../content.go."""

import time

import confluent_kafka
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

import groups
import txns
from content import (ADDR, BASE, CONTENT, HUGE, HUGE_LIMIT, LARGE, MANY, PARTITIONS, PREFIX, REPLICAS, TOO_LARGE,
                     WITHIN_S, Content, Restart, first_offset, noise, scenario, want_equal)

admin = AdminClient({"bootstrap.servers": ADDR})


def create_topic(name, partitions, **config):
    topic = f"{PREFIX}-{name}"
    new = NewTopic(topic, num_partitions=partitions, replication_factor=REPLICAS, config=config)
    admin.create_topics([new])[topic].result()
    return topic


def producer(**more):
    return Producer({"bootstrap.servers": ADDR, **{k.replace("_", "."): v for k, v in more.items()}})


def consumer(topic, partitions):
    c = Consumer({"bootstrap.servers": ADDR, "group.id": "unused", "enable.auto.commit": False,
                  "auto.offset.reset": "earliest", "fetch.message.max.bytes": 1 << 20, "check.crcs": True})
    c.assign([TopicPartition(topic, p, 0) for p in range(partitions)])
    return c


def flush(p, errors):
    want_equal("records left in the producer", p.flush(WITHIN_S), 0)
    if errors:
        raise KafkaException(errors[0])


def collect(errors):
    return lambda err, _: errors.append(err) if err is not None else None


def read(c, count):
    """Yields count messages; each partition's offsets must have no gap."""
    expect, until = {}, time.monotonic() + WITHIN_S
    while count > 0:
        if time.monotonic() > until:
            raise AssertionError(f"{count} records never came")
        m = c.poll(1)
        if m is None:
            continue
        if m.error() is not None:
            raise KafkaException(m.error())
        want_equal(f"offset in partition {m.partition()}", m.offset(), expect.get(m.partition(), 0))
        expect[m.partition()] = m.offset() + 1
        count -= 1
        yield m


def create():
    topic = create_topic("create", PARTITIONS)
    want_equal("partitions", len(admin.list_topics(topic, timeout=WITHIN_S).topics[topic].partitions), PARTITIONS)
    try:
        create_topic("create", PARTITIONS)
    except KafkaException as e:
        want_equal("the second answer", e.args[0].code(), KafkaError.TOPIC_ALREADY_EXISTS)
    else:
        raise AssertionError("the topic was created twice")


def codec(name):
    topic = create_topic(name, PARTITIONS)
    p, errors = producer(compression_type=name, linger_ms=10), []
    for i in range(CONTENT):
        r = Content(i)
        p.produce(topic, r.value, r.key, r.partition, on_delivery=collect(errors), timestamp=r.millis, headers=r.headers)
    flush(p, errors)
    c = consumer(topic, PARTITIONS)
    for m in read(c, CONTENT):
        i = m.offset() * PARTITIONS + m.partition()
        want_equal("timestamp type", m.timestamp()[0], confluent_kafka.TIMESTAMP_CREATE_TIME)
        Content(i).check(m.partition(), m.offset(), m.key(), m.value(), m.headers(), m.timestamp()[1])
    c.close()


def numbers(c, count):
    for nth, m in enumerate(read(c, count)):
        want_equal(f"offset {m.offset()}", m.value(), b"%d" % nth)


def idempotent():
    topic = create_topic("idempotent", 1)
    p, errors = producer(enable_idempotence=True, acks="all", batch_num_messages=50), []
    for i in range(MANY):
        p.produce(topic, b"%d" % i, on_delivery=collect(errors))
    flush(p, errors)
    c = consumer(topic, 1)
    numbers(c, MANY)
    c.close()


def by_time():
    topic, c = f"{PREFIX}-none", consumer(f"{PREFIX}-none", 1)
    found = c.offsets_for_times([TopicPartition(topic, p, BASE + 100_000) for p in range(PARTITIONS)], timeout=WITHIN_S)
    want_equal("offsets at base+100 s", [t.offset for t in found], [first_offset(p, 100) for p in range(PARTITIONS)])
    found = c.offsets_for_times([TopicPartition(topic, 0, BASE + 1_000_000_000)], timeout=WITHIN_S)
    want_equal("offset after the end", found[0].offset, confluent_kafka.OFFSET_END)
    want_equal("watermarks", c.get_watermark_offsets(TopicPartition(topic, 0), timeout=WITHIN_S), (0, CONTENT // PARTITIONS))
    c.close()


def round_trip(topic, size):
    p, errors = producer(message_max_bytes=HUGE + 1000), []
    sent = noise(size)
    p.produce(topic, sent, on_delivery=collect(errors))
    flush(p, errors)
    c = consumer(topic, 1)
    for m in read(c, 1):
        want_equal("size read back", len(m.value()), size)
        want_equal("the bytes came back unchanged", m.value() == sent, True)
    c.close()


def large():
    topic = create_topic("large", 1)
    round_trip(topic, LARGE)
    try:
        round_trip(topic, TOO_LARGE)
    except KafkaException as e:
        want_equal("the error", e.args[0].code(), KafkaError.MSG_SIZE_TOO_LARGE)
    else:
        raise AssertionError(f"{TOO_LARGE} bytes were taken")


def huge():
    round_trip(create_topic("huge", 1, **{"max.message.bytes": HUGE_LIMIT}), HUGE)


def restart():
    topic, sent, errors = create_topic("restart", 1), 0, []
    p, c = producer(enable_idempotence=True), consumer(topic, 1)

    def send():
        nonlocal sent
        p.produce(topic, b"%d" % sent, on_delivery=collect(errors))
        p.poll(0)
        sent += 1

    for _ in range(200):
        send()
    flush(p, errors)
    got = read(c, 10**9)
    for nth in range(100):
        want_equal("before the restart", next(got).value(), b"%d" % nth)
    asked = Restart()
    while not asked.done.wait(0.005):
        send()
    for _ in range(200):
        send()
    flush(p, errors)
    for nth in range(100, sent):
        want_equal("through the restart", next(got).value(), b"%d" % nth)
    want_equal("the end", c.get_watermark_offsets(TopicPartition(topic, 0), timeout=WITHIN_S), (0, sent))
    c.close()


class Wrap:
    """A consumer in a group, as groups.py wants it."""

    def __init__(self, group, topic, instance):
        self.topic, self.rebalances = topic, 0
        more = {"group.instance.id": instance} if instance else {}
        self.c = Consumer({"bootstrap.servers": ADDR, "group.id": group, "client.id": "interop", "enable.auto.commit": False,
                           "auto.offset.reset": "earliest", **self.protocol(), **more})
        self.c.subscribe([topic], on_assign=self.count)

    strategy = "cooperative-sticky"  # None: the consumer protocol, where the server assigns

    def protocol(self):
        if Wrap.strategy is None:
            return {"group.protocol": "consumer"}
        return {"heartbeat.interval.ms": 300, "session.timeout.ms": 10000, "partition.assignment.strategy": Wrap.strategy}

    def count(self, *_):
        self.rebalances += 1

    def poll(self):
        out = []
        for m in self.c.consume(500, timeout=0.1):
            if m.error() is None:
                out.append((m.partition(), m.offset(), m.value()))
            elif m.error().fatal():
                raise KafkaException(m.error())  # what is not fatal, as a broker that is away, the library mends
        return out

    def assigned(self):
        return {t.partition for t in self.c.assignment()}

    def commit(self, offsets):
        if offsets is not None:
            done = self.c.commit(offsets=[TopicPartition(self.topic, p, o) for p, o in offsets.items()], asynchronous=False)
        else:
            done = self.c.commit(offsets=[t for t in self.c.position(self.c.assignment()) if t.offset >= 0], asynchronous=False)
        for t in done:
            want_equal("error of the commit", t.error, None)

    def close(self):
        self.c.close()


class World:
    """What groups.py needs of the client."""
    open = Wrap

    def __init__(self):
        self.p, self.parts = producer(enable_idempotence=True), {}

    def create(self, name, partitions):
        topic = create_topic(name, partitions)
        self.parts[topic] = partitions
        return topic

    def send(self, topic, first, last):
        errors, parts = [], self.parts[topic]  # the broker may be away, and a question in flight would fail with it
        for i in range(first, last):
            self.p.produce(topic, b"%d" % i, partition=i % parts, on_delivery=collect(errors))
        flush(self.p, errors)

    def committed(self, group, topic):
        found = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result()
        return {t.partition: t.offset for t in found.topic_partitions if t.topic == topic}

    def list(self):
        # It asks the brokers that it knows, and knows those only that were there when it
        # last looked, perhaps in the midst of a restart.
        admin.list_topics()
        found = admin.list_consumer_groups().result()
        want_equal("errors of listing", found.errors, [])
        return {g.group_id for g in found.valid}

    def describe(self, group):
        g = admin.describe_consumer_groups([group])[group].result()
        return g.state.name.capitalize(), [m.client_id for m in g.members]

    def delete(self, group):
        try:
            admin.delete_consumer_groups([group])[group].result()
        except KafkaException as e:
            return e.args[0].name()
        return "NONE"


def version():
    print("VERSION", f"confluent-kafka {confluent_kafka.__version__} (librdkafka {confluent_kafka.libversion()[0]})", flush=True)


if __name__ == "__main__":
    version()
    scenario("create", create)
    for codec_name in ["none", "gzip", "snappy", "lz4", "zstd"]:
        scenario("codec-" + codec_name, lambda: codec(codec_name))
    scenario("idempotent", idempotent)
    scenario("time", by_time)
    scenario("large", large)
    scenario("huge", huge)
    scenario("restart", restart)
    txns.run(create_topic, admin)
    groups.run(World())
    Wrap.strategy = "range"
    scenario("group-eager", lambda: groups.group(World(), "group-eager"))
