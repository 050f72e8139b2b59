"""CloudEvents' SDK for Python through the scenarios of ../content.go that begin with ce."""

import os
import urllib.request
from datetime import datetime, timezone
from importlib.metadata import version

from cloudevents.core.bindings import http as ce_http
from cloudevents.core.bindings import kafka as ce_kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from content import ADDR, PREFIX, REPLICAS, WITHIN_S, scenario, want_equal

HTTP = "http://" + os.environ["INTEROP_HTTP"]
FORMAT = JSONFormat()


def events():
    """What is sent: JSON, text and bytes as data, and none."""
    common = {"source": "/interop/é", "type": "order.placed", "specversion": "1.0"}
    return [
        CloudEvent({**common, "id": "0", "subject": 'order é "7" 100%', "time": datetime(2026, 11, 26, 16, 0, 0, 250000, timezone.utc),
                    "datacontenttype": "application/json", "dataschema": "https://example.com/s", "tenant": "a b", "partitionkey": "k"},
                   {"total": 120.5, "name": "Grüße"}),
        CloudEvent({**common, "id": "1", "datacontenttype": "text/plain"}, "Grüße, \"you\""),
        CloudEvent({**common, "id": "2", "datacontenttype": "application/octet-stream"}, b"\xff\x00\xfe"),
        CloudEvent({**common, "id": "3"}),
    ]


def plain(event):
    """An event as it can be compared, whatever form its data has."""
    data = event.get_data()
    if isinstance(data, str):
        data = data.encode()
    return {k: v for k, v in event.get_attributes().items() if k != "time" or event.get_id() == "0"}, data or None


def same(what, got, want):
    want_equal(what, plain(got), plain(want))


def call(method, path, body=b"", headers=None):
    request = urllib.request.Request(HTTP + path, data=body or None, headers=headers or {}, method=method)
    with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:
        return ce_http.HTTPMessage(dict(answer.headers.items()), answer.read())


def make(name):
    topic = f"{PREFIX}-{name}"
    admin = KafkaAdminClient(bootstrap_servers=ADDR)
    admin.create_topics([NewTopic(topic, 1, REPLICAS)])
    admin.close()
    return topic


def received(topic, want):
    """Reads each event in both modes."""
    for i, event in enumerate(want):
        got = call("GET", f"/ce/{topic}?mode=binary&from={i}&wait=30s")
        same(f"event {i} in binary mode", ce_http.from_binary(got, FORMAT, CloudEvent), event)
        got = call("GET", f"/ce/{topic}?mode=structured&from={i}&wait=30s")
        same(f"event {i} in structured mode", ce_http.from_structured(got, FORMAT, CloudEvent), event)


def over_http(name, encode):
    topic = make(name)
    want = events()
    for event in want:
        message = encode(event, FORMAT)
        call("POST", "/ce/" + topic, message.body, dict(message.headers))
    received(topic, want)


def over_kafka():
    want = events()
    for mode, encode in (("binary", ce_kafka.to_binary), ("structured", ce_kafka.to_structured)):
        topic = make("ce-kafka-" + mode)
        producer = KafkaProducer(bootstrap_servers=ADDR, acks="all")
        for event in want:
            message = encode(event, FORMAT)
            key = message.key.encode() if isinstance(message.key, str) else message.key
            producer.send(topic, value=message.value, key=key, headers=[(k, v) for k, v in message.headers.items()], partition=0).get(WITHIN_S)
        producer.close()
        received(topic, want)
    topic = make("ce-kafka-out")
    for event in want:
        message = ce_http.to_binary(event, FORMAT)
        call("POST", "/ce/" + topic, message.body, dict(message.headers))
    consumer = KafkaConsumer(bootstrap_servers=ADDR, consumer_timeout_ms=WITHIN_S * 1000)
    consumer.assign([TopicPartition(topic, 0)])
    consumer.seek_to_beginning()
    for event in want:
        record = next(consumer)
        message = ce_kafka.KafkaMessage(dict(record.headers), record.key, record.value or b"")
        same(f"event {event.get_id()} as a record", ce_kafka.from_binary(message, FORMAT, CloudEvent), event)
        want_equal("the key", record.key, event.get_attributes().get("partitionkey", "").encode() or None)
    consumer.close()


print("VERSION cloudevents", version("cloudevents"), flush=True)
scenario("ce-binary", lambda: over_http("ce-binary", ce_http.to_binary))
scenario("ce-structured", lambda: over_http("ce-structured", ce_http.to_structured))
scenario("ce-kafka", over_kafka)
