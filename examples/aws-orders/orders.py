"""A shop's events, with boto3 and nothing else of ours.

    python3 orders.py                    everything, from nothing
    python3 orders.py clean|setup|put|take    one part of it

Where the services are comes from AWS_ENDPOINT_URL, as always with boto3.
"""

import datetime
import json
import os
import sys
import time

import boto3
from botocore.exceptions import ClientError

import receiver

events, sqs, sns, scheduler = (boto3.client(s) for s in ("events", "sqs", "sns", "scheduler"))
account = boto3.client("sts").get_caller_identity()["Account"]
region = events.meta.region_name
role = f"arn:aws:iam::{account}:role/orders"  # AWS wants one; here it means nothing

BUS = "shop"
QUEUES = ["big-orders", "big-orders.fifo", "big-orders-eur", "calls-that-failed", "reminders", "poison", "poison-dead"]
ORDERS = [
    {"id": "o-1", "customer": "ada", "total": 250, "currency": "EUR"},
    {"id": "o-2", "customer": "bob", "total": 40, "currency": "EUR"},
    {"id": "o-3", "customer": "ada", "total": 120, "currency": "USD"},
]
BIG = {"source": ["shop.orders"], "detail-type": ["OrderPlaced"], "detail": {"total": [{"numeric": [">=", 100]}]}}
ANY = {"source": [{"prefix": "shop."}]}
PATIENCE = float(os.environ.get("ORDERS_PATIENCE", "60"))  # seconds


def arn(service, resource):
    return f"arn:aws:{service}:{region}:{account}:{resource}"


def url(queue):
    return sqs.get_queue_url(QueueName=queue)["QueueUrl"]


def check(what, good, got=None):
    if not good:
        print(f"FAIL {what}: got {got!r}")
        sys.exit(1)
    print(f"ok   {what}")


def refused(what, code, call, **args):
    try:
        answer = call(**args)
    except ClientError as e:
        check(what, e.response["Error"]["Code"] == code, e)
    else:
        check(what, False, answer)


def gone(call, **args):
    """Deletes what may not be there."""
    try:
        call(**args)
    except ClientError as e:
        if e.response["Error"]["Code"] not in ("ResourceNotFoundException", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "NotFound"):
            raise


def take(queue, count):
    """Takes that many messages, deletes them, and gives them in the order in which they came."""
    got, q, until = [], url(queue), time.monotonic() + PATIENCE
    while len(got) < count and time.monotonic() < until:
        answer = sqs.receive_message(
            QueueUrl=q, MaxNumberOfMessages=10, WaitTimeSeconds=5,
            AttributeNames=["All"], MessageAttributeNames=["All"],
        )
        for m in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=q, ReceiptHandle=m["ReceiptHandle"])
            got.append(m)
    return got


def clean():
    for rule in ("big", "all"):
        gone(events.remove_targets, Rule=rule, EventBusName=BUS, Ids=["queue", "fifo", "topic", "crm", "mail"])
        gone(events.delete_rule, Name=rule, EventBusName=BUS)
    gone(events.delete_archive, ArchiveName="shop-archive")
    for name in ("crm", "mail"):
        gone(events.delete_api_destination, Name=name)
    gone(events.delete_connection, Name="shop-key")
    gone(events.delete_event_bus, Name=BUS)
    gone(scheduler.delete_schedule, Name="remind")
    gone(sns.delete_topic, TopicArn=arn("sns", "big-orders"))
    for q in QUEUES:
        gone(lambda QueueName: sqs.delete_queue(QueueUrl=url(QueueName)), QueueName=q)
    print("ok   nothing is left of an earlier run")


def make_queues():
    for q in QUEUES:
        attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if q.endswith(".fifo") else {}
        if q == "poison":
            continue
        sqs.create_queue(QueueName=q, Attributes=attributes)
    sqs.create_queue(QueueName="poison", Attributes={
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn("sqs", "poison-dead"), "maxReceiveCount": 2}),
    })
    topic = sns.create_topic(Name="big-orders")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn("sqs", "big-orders-eur"), Attributes={
        "RawMessageDelivery": "true", "FilterPolicyScope": "MessageBody",
        "FilterPolicy": json.dumps({"detail": {"currency": ["EUR"]}}),
    })
    print("ok   queues, a topic and its subscription")


def make_bus():
    bus = events.create_event_bus(Name=BUS)["EventBusArn"]
    events.create_archive(ArchiveName="shop-archive", EventSourceArn=bus, RetentionDays=7)
    events.put_rule(Name="big", EventBusName=BUS, EventPattern=json.dumps(BIG))
    answer = events.put_targets(Rule="big", EventBusName=BUS, Targets=[
        {"Id": "queue", "Arn": arn("sqs", "big-orders"), "InputTransformer": {
            "InputPathsMap": {"id": "$.detail.id", "total": "$.detail.total"},
            "InputTemplate": '{"text": "order <id> is worth <total>", "total": <total>}',
        }},
        {"Id": "fifo", "Arn": arn("sqs", "big-orders.fifo"), "SqsParameters": {"MessageGroupId": "orders"}},
        {"Id": "topic", "Arn": arn("sns", "big-orders")},
    ])
    check("a rule on source, detail-type and total, with three targets", answer["FailedEntryCount"] == 0, answer)


def make_calls():
    key = events.create_connection(Name="shop-key", AuthorizationType="API_KEY", AuthParameters={
        "ApiKeyAuthParameters": {"ApiKeyName": "X-Api-Key", "ApiKeyValue": receiver.KEY},
    })["ConnectionArn"]
    targets = []
    for name, address in (("crm", receiver.url("/crm")), ("mail", receiver.url("/down"))):
        destination = events.create_api_destination(
            Name=name, ConnectionArn=key, InvocationEndpoint=address, HttpMethod="POST", InvocationRateLimitPerSecond=50,
        )["ApiDestinationArn"]
        targets.append({
            "Id": name, "Arn": destination, "RoleArn": role,
            "RetryPolicy": {"MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 3600},
            "DeadLetterConfig": {"Arn": arn("sqs", "calls-that-failed")},
        })
    events.put_rule(Name="all", EventBusName=BUS, EventPattern=json.dumps(ANY))
    answer = events.put_targets(Rule="all", EventBusName=BUS, Targets=targets)
    check("a rule on a prefix of sources, with two addresses to call", answer["FailedEntryCount"] == 0, answer)


def setup():
    clean()
    make_queues()
    make_bus()
    make_calls()
    refused("an operator that there is not is refused", "InvalidEventPatternException",
            events.put_rule, Name="odd", EventBusName=BUS, EventPattern='{"detail":{"total":[{"bigger-than":1}]}}')
    example = {"id": "1", "account": account, "source": "shop.orders", "time": "2026-11-26T12:00:00Z", "region": region,
               "resources": [], "detail-type": "OrderPlaced", "detail": ORDERS[0]}
    said = events.test_event_pattern(EventPattern=json.dumps(BIG), Event=json.dumps(example))["Result"]
    check("TestEventPattern: a big order fits", said is True, said)
    example["detail"] = ORDERS[1]
    said = events.test_event_pattern(EventPattern=json.dumps(BIG), Event=json.dumps(example))["Result"]
    check("TestEventPattern: a small one does not", said is False, said)


def put():
    entries = [{"EventBusName": BUS, "Source": "shop.orders", "DetailType": "OrderPlaced", "Detail": json.dumps(o)} for o in ORDERS]
    entries.append({"EventBusName": BUS, "Source": "shop.orders", "DetailType": "OrderPlaced", "Detail": "{not JSON"})
    answer = events.put_events(Entries=entries)
    codes = [e.get("ErrorCode") for e in answer["Entries"]]
    check("three orders are put, what is no JSON is refused alone",
          answer["FailedEntryCount"] == 1 and codes == [None, None, None, "MalformedDetail"], answer)


def take_orders():
    texts = sorted(json.loads(m["Body"])["text"] for m in take("big-orders", 2))
    check("the queue has both big orders, transformed", texts == ["order o-1 is worth 250", "order o-3 is worth 120"], texts)
    fifo = take("big-orders.fifo", 2)
    got = [(json.loads(m["Body"])["detail"]["id"], m["Attributes"]["MessageGroupId"]) for m in fifo]
    check("the FIFO queue has them in order, in their group", got == [("o-1", "orders"), ("o-3", "orders")], got)
    raw = [json.loads(m["Body"])["detail"] for m in take("big-orders-eur", 1)]
    check("the topic's subscription has the one in EUR, raw", raw == [ORDERS[0]], raw)


def take_calls():
    got = receiver.calls("/crm", 3, PATIENCE)
    ids = sorted({c["body"]["detail"]["id"] for c in got})
    check("the address that works was called for all orders", ids == ["o-1", "o-2", "o-3"], got)
    check("with the connection's key", all(c["key"] == receiver.KEY for c in got), got)
    dead = take("calls-that-failed", 3)
    ids = sorted(json.loads(m["Body"])["detail"]["id"] for m in dead)
    check("what could not be called is in the dead-letter queue", ids == ["o-1", "o-2", "o-3"], dead)
    said = {k: v["StringValue"] for k, v in dead[0]["MessageAttributes"].items()}
    check("which names rule, target and error",
          said.get("RULE_ARN") == arn("events", "rule/shop/all") and said.get("TARGET_ARN", "").startswith(arn("events", "api-destination/mail"))
          and bool(said.get("ERROR_CODE")) and bool(said.get("ERROR_MESSAGE")), said)


def replay():
    now = datetime.datetime.now(datetime.timezone.utc)
    name = f"again-{int(time.time() * 1000)}"
    events.start_replay(
        ReplayName=name, EventSourceArn=arn("events", "archive/shop-archive"),
        EventStartTime=now - datetime.timedelta(hours=1), EventEndTime=now,
        Destination={"Arn": arn("events", "event-bus/shop"), "FilterArns": [arn("events", "rule/shop/big")]},
    )
    fifo = [json.loads(m["Body"]) for m in take("big-orders.fifo", 2)]
    check("a replay brings the big orders again, marked",
          [(e["detail"]["id"], e.get("replay-name")) for e in fifo] == [("o-1", name), ("o-3", name)], fifo)
    check("to every target of its rule", len(take("big-orders", 2)) == 2 and len(take("big-orders-eur", 1)) == 1)
    until = time.monotonic() + PATIENCE
    while (state := events.describe_replay(ReplayName=name)["State"]) != "COMPLETED" and time.monotonic() < until:
        time.sleep(0.1)
    check("the replay is done", state == "COMPLETED", state)
    again = [c for c in receiver.calls("/crm", 0, 0) if "replay-name" in c["body"]]
    check("and the other rule knows nothing of it", again == [], again)


def remind():
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
    scheduler.create_schedule(
        Name="remind", ScheduleExpression=f"at({at:%Y-%m-%dT%H:%M:%S})", FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE", Target={"Arn": arn("sqs", "reminders"), "RoleArn": role, "Input": "pay order o-1"},
    )
    bodies = [m["Body"] for m in take("reminders", 1)]
    check("a schedule runs once", bodies == ["pay order o-1"], bodies)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            scheduler.get_schedule(Name="remind")
        except scheduler.exceptions.ResourceNotFoundException:
            break
        time.sleep(0.1)
    refused("and deletes itself", "ResourceNotFoundException", scheduler.get_schedule, Name="remind")


def poison():
    q = url("poison")
    sqs.send_message(QueueUrl=q, MessageBody="nobody can do this")
    seen, until = 0, time.monotonic() + PATIENCE
    while seen < 2 and time.monotonic() < until:
        seen += len(sqs.receive_message(QueueUrl=q, VisibilityTimeout=0, WaitTimeSeconds=5).get("Messages", []))
    check("a poison message is received twice", seen == 2, seen)
    third = sqs.receive_message(QueueUrl=q, WaitTimeSeconds=1).get("Messages", [])
    check("and not a third time", third == [], third)
    dead, until = "0", time.monotonic() + PATIENCE
    while dead != "1" and time.monotonic() < until:
        dead = sqs.get_queue_attributes(QueueUrl=url("poison-dead"), AttributeNames=["All"])["Attributes"]["ApproximateNumberOfMessages"]
    check("it is in its dead-letter queue", dead == "1", dead)
    sqs.start_message_move_task(SourceArn=arn("sqs", "poison-dead"))
    bodies = [m["Body"] for m in take("poison", 1)]
    check("and a move task brings it back", bodies == ["nobody can do this"], bodies)


def take_all():
    take_orders()
    take_calls()
    replay()
    remind()
    poison()


def everything():
    setup()
    put()
    take_all()


if __name__ == "__main__":
    parts = {"clean": clean, "setup": setup, "put": put, "take": take_all, "all": everything}
    with receiver.running():
        parts[sys.argv[1] if len(sys.argv) > 1 else "all"]()
