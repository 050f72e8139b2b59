"""The transaction scenarios of ../content.go for confluent-kafka (librdkafka)."""

import time

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition

from content import ADDR, PARTITIONS, PREFIX, WITHIN_S, scenario, want_equal

ROUND = 30


def transactional(name):
    p = Producer({"bootstrap.servers": ADDR, "transactional.id": f"{PREFIX}-{name}"})
    p.init_transactions(WITHIN_S)
    return p


def round_of(p, topic, first):
    """Sends ROUND numbers, from first on, in a transaction that it leaves open."""
    errors = []
    p.begin_transaction()
    for i in range(first, first + ROUND):
        p.produce(topic, b"%d" % i, partition=i % PARTITIONS, on_delivery=lambda err, _: err and errors.append(err))
    want_equal("records left in the producer", p.flush(WITHIN_S), 0)
    if errors:
        raise KafkaException(errors[0])


def reader(group, level):
    return Consumer({"bootstrap.servers": ADDR, "group.id": group, "enable.auto.commit": False, "auto.offset.reset": "earliest",
                     "isolation.level": level, "session.timeout.ms": 10000, "heartbeat.interval.ms": 300})


def numbers(topic, level, *firsts):
    """Reads a topic at an isolation level: it has the rounds that begin with firsts, in order, and nothing else."""
    want = {p: [] for p in range(PARTITIONS)}
    for first in firsts:
        for i in range(first, first + ROUND):
            want[i % PARTITIONS].append(i)
    c = reader("unused", level)
    c.assign([TopicPartition(topic, p, 0) for p in range(PARTITIONS)])
    end, left = time.monotonic() + WITHIN_S, ROUND * len(firsts)
    while left > 0:
        if time.monotonic() > end:
            raise AssertionError(f"{left} numbers are missing at {level}")
        m = c.poll(1)
        if m is None:
            continue
        if m.error() is not None:
            raise KafkaException(m.error())
        want_equal(f"{level}, partition {m.partition()} offset {m.offset()}", int(m.value()), want[m.partition()].pop(0))
        left -= 1
    c.close()


def txn(create):
    topic = create("txn", PARTITIONS)
    p = transactional("txn")
    for i, end in enumerate([p.commit_transaction, p.abort_transaction, p.commit_transaction]):
        round_of(p, topic, i * ROUND)
        end(WITHIN_S)
    numbers(topic, "read_committed", 0, 2 * ROUND)
    numbers(topic, "read_uncommitted", 0, ROUND, 2 * ROUND)


def offsets(create, admin):
    """Consumes, transforms and produces; the second try is aborted."""
    source, target = create("txn-in", PARTITIONS), create("txn-out", PARTITIONS)
    fill = transactional("txn-fill")
    for i in range(2):
        round_of(fill, source, i * ROUND)
        fill.commit_transaction(WITHIN_S)
    p, c = transactional("txn-offsets"), reader(source, "read_committed")
    c.subscribe([source])
    done, attempt, end = 0, 0, time.monotonic() + WITHIN_S
    while done < 2 * ROUND:
        if time.monotonic() > end:
            raise AssertionError(f"only {done} numbers came")
        batch = c.consume(20, 1)
        if not batch:
            continue
        firsts = {}
        p.begin_transaction()
        for m in batch:
            if m.error() is not None:
                raise KafkaException(m.error())
            firsts.setdefault(m.partition(), m.offset())
            p.produce(target, m.value(), partition=m.partition())
        p.send_offsets_to_transaction(c.position(c.assignment()), c.consumer_group_metadata(), WITHIN_S)
        attempt += 1
        if attempt == 2:
            p.abort_transaction(WITHIN_S)
            for partition, offset in firsts.items():
                c.seek(TopicPartition(source, partition, offset))
            continue
        p.commit_transaction(WITHIN_S)
        done += len(batch)
    c.close()
    numbers(target, "read_committed", 0, ROUND)
    found = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(source)])[source].result()
    for t in found.topic_partitions:
        extra = t.offset - 2 * ROUND // PARTITIONS
        if extra < 0 or extra > 2:
            raise AssertionError(f"partition {t.partition} is committed {extra} off its end")


def fenced(create):
    topic = create("txn-fenced", PARTITIONS)
    first = transactional("txn-fenced")
    round_of(first, topic, 0)
    second = transactional("txn-fenced")
    round_of(second, topic, ROUND)
    try:
        first.commit_transaction(WITHIN_S)
    except KafkaException as e:
        want_equal("the first producer's failure is fatal", e.args[0].fatal(), True)
    else:
        raise AssertionError("the first producer could commit")
    second.commit_transaction(WITHIN_S)
    numbers(topic, "read_committed", ROUND)


def run(create, admin):
    scenario("txn", lambda: txn(create))
    scenario("txn-offsets", lambda: offsets(create, admin))
    scenario("txn-fenced", lambda: fenced(create))
