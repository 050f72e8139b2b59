"""boto3 through the scenarios of ../content.go that begin with sqs, scheduler, sts, eventbridge and sns. The same program runs with
boto3 of today and with one from before 2023, which speaks the query protocol and knows neither move tasks nor schedules that delete
themselves."""

import json
import os
import time

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

import eventbridge
import model
import sns
from content import ADDR, PREFIX, REPLICAS, WITHIN_S, Restart, scenario, want_equal

HTTP = os.environ["INTEROP_HTTP"]
RESTART_S = 240
OLD = tuple(int(n) for n in boto3.__version__.split(".")[:2]) < (1, 28)


def client(service, **more):
    made = boto3.client(service, endpoint_url="http://" + HTTP, region_name="us-east-1", aws_access_key_id="any",
                        aws_secret_access_key="any", config=Config(retries={"max_attempts": 8}), **more)
    model.watch(made)
    return made


sqs = client("sqs")


def make(name, **attributes):
    return sqs.create_queue(QueueName=f"{PREFIX}-{name}", Attributes=attributes)["QueueUrl"]


def arn(url):
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def take(url, count=1, **more):
    """Receives count messages, as they come."""
    out, until = [], time.monotonic() + WITHIN_S
    while len(out) < count:
        if time.monotonic() > until:
            raise AssertionError(f"{len(out)} of {count} messages came")
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=min(10, count - len(out)), WaitTimeSeconds=5,
                                     AttributeNames=["All"], MessageAttributeNames=["All"], **more)
        out += answer.get("Messages", [])
    return out


def refused(code, work, *args, **more):
    try:
        work(*args, **more)
    except ClientError as e:
        want_equal("the code of the error", e.response["Error"]["Code"], code)
        return e.response["Error"]["Message"]
    raise AssertionError(f"it was not refused with {code}")


def queues():
    url = make("queues", VisibilityTimeout="45")
    want_equal("the host of the URL", url.split("/")[2], HTTP)
    want_equal("the URL again", make("queues"), url)
    want_equal("the URL by name", sqs.get_queue_url(QueueName=f"{PREFIX}-queues")["QueueUrl"], url)
    refused("QueueAlreadyExists", make, "queues", VisibilityTimeout="46")
    refused("AWS.SimpleQueueService.NonExistentQueue", sqs.get_queue_url, QueueName=f"{PREFIX}-none")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "3", "VisibilityTimeout": "50"})
    got = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    want_equal("attributes", (got["DelaySeconds"], got["VisibilityTimeout"], got["MessageRetentionPeriod"]), ("3", "50", "345600"))
    sqs.tag_queue(QueueUrl=url, Tags={"team": "shop", "cost": "low"})
    sqs.untag_queue(QueueUrl=url, TagKeys=["cost"])
    want_equal("tags", sqs.list_queue_tags(QueueUrl=url)["Tags"], {"team": "shop"})
    for i in range(3):
        make(f"list-{i}")
    found = [u for p in sqs.get_paginator("list_queues").paginate(QueueNamePrefix=f"{PREFIX}-list-", PaginationConfig={"PageSize": 2})
             for u in p.get("QueueUrls", [])]
    want_equal("queues by pages", [u.rsplit("-", 1)[1] for u in found], ["0", "1", "2"])
    sqs.delete_queue(QueueUrl=url)
    refused("AWS.SimpleQueueService.NonExistentQueue", sqs.receive_message, QueueUrl=url)


def messages():
    url = make("messages")
    body = 'a "text" with <tags> & Grüße, 中文 \t\r\n and an emoji \U0001f600'
    attributes = {"colour": {"DataType": "String", "StringValue": "grün"}, "n": {"DataType": "Number.int", "StringValue": "42"},
                  "raw": {"DataType": "Binary.gif", "BinaryValue": bytes(range(256))}}
    sent = sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes,
                            MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}})
    got = take(url)[0]
    want_equal("the body", got["Body"], body)
    want_equal("the id", got["MessageId"], sent["MessageId"])
    want_equal("the attributes", got["MessageAttributes"], attributes)
    want_equal("checksums", (got["MD5OfBody"], got["MD5OfMessageAttributes"]), (sent["MD5OfMessageBody"], sent["MD5OfMessageAttributes"]))
    want_equal("the count", got["Attributes"]["ApproximateReceiveCount"], "1")
    want_equal("the trace", got["Attributes"]["AWSTraceHeader"], "Root=1-5759e988-bd862e3fe1be46a994272793")
    want_equal("in flight", counts(url), ("0", "1", "0"))
    sqs.delete_message(QueueUrl=url, ReceiptHandle=got["ReceiptHandle"])
    want_equal("deleted", counts(url), ("0", "0", "0"))
    large = "x" * (1 << 20)
    sqs.send_message(QueueUrl=url, MessageBody=large)
    want_equal("a large body", take(url)[0]["Body"] == large, True)
    refused("InvalidParameterValue", sqs.send_message, QueueUrl=url, MessageBody=large + "x")
    refused("ReceiptHandleIsInvalid", sqs.delete_message, QueueUrl=url, ReceiptHandle="nonsense")


def counts(url):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
    got = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return tuple(got[n] for n in names)


def batches():
    url = make("batches")
    answer = sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": f"m{i}", "MessageBody": f"body {i}"} for i in range(10)])
    want_equal("sent", len(answer["Successful"]), 10)
    answer = sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "good", "MessageBody": "good"}, {"Id": "bad", "MessageBody": "x", "DelaySeconds": 901}])
    want_equal("the good one", [e["Id"] for e in answer["Successful"]], ["good"])
    want_equal("the bad one", [(e["Id"], e["Code"], e["SenderFault"]) for e in answer["Failed"]], [("bad", "InvalidParameterValue", True)])
    got = take(url, 11)
    want_equal("bodies", sorted(m["Body"] for m in got), sorted([f"body {i}" for i in range(10)] + ["good"]))
    handles = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(got)]
    answer = sqs.change_message_visibility_batch(QueueUrl=url, Entries=[{**h, "VisibilityTimeout": 100} for h in handles[:10]])
    want_equal("held longer", len(answer["Successful"]), 10)
    answer = sqs.delete_message_batch(QueueUrl=url, Entries=handles[:10])
    want_equal("deleted", len(answer["Successful"]), 10)
    refused("AWS.SimpleQueueService.EmptyBatchRequest", sqs.delete_message_batch, QueueUrl=url, Entries=[])
    refused("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", sqs.delete_message_batch, QueueUrl=url, Entries=[handles[0], handles[0]])
    sqs.purge_queue(QueueUrl=url)
    want_equal("after a purge", counts(url), ("0", "0", "0"))


def fifo():
    url = make("order.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    for _ in range(2):  # the second one is a duplicate
        sqs.send_message(QueueUrl=url, MessageBody="a0", MessageGroupId="a")
    for g, i in [("b", 0), ("a", 1), ("b", 1), ("a", 2)]:
        sqs.send_message(QueueUrl=url, MessageBody=f"{g}{i}", MessageGroupId=g)
    got = {}
    while sum(len(v) for v in got.values()) < 5:
        for m in take(url):
            got.setdefault(m["Attributes"]["MessageGroupId"], []).append((m["Attributes"]["SequenceNumber"], m["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
    for g, want in [("a", ["a0", "a1", "a2"]), ("b", ["b0", "b1"])]:
        want_equal(f"group {g}", [b for _, b in got[g]], want)
        want_equal(f"the sequence of group {g} grows", [s for s, _ in got[g]], sorted(s for s, _ in got[g]))
    refused("MissingParameter", sqs.send_message, QueueUrl=url, MessageBody="x")


def visibility():
    url = make("visibility", VisibilityTimeout="600")
    sqs.send_message(QueueUrl=url, MessageBody="x")
    first = take(url)[0]
    want_equal("nobody else has it", sqs.receive_message(QueueUrl=url).get("Messages", []), [])
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)
    second = take(url)[0]
    want_equal("the count", second["Attributes"]["ApproximateReceiveCount"], "2")
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])  # says nothing, deletes nothing
    want_equal("in flight", counts(url), ("0", "1", "0"))
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=second["ReceiptHandle"], VisibilityTimeout=1)
    third = take(url)[0]
    want_equal("the count", third["Attributes"]["ApproximateReceiveCount"], "3")
    sqs.delete_message(QueueUrl=url, ReceiptHandle=third["ReceiptHandle"])
    want_equal("all", counts(url), ("0", "0", "0"))


def delays():
    url = make("delays")
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=2)
    began = time.monotonic()
    want_equal("the body", take(url)[0]["Body"], "later")
    if time.monotonic() - began < 1.5:
        raise AssertionError("it came before its time")


def dead_letters():
    dead = make("dead")
    url = make("poisoned", RedrivePolicy=json.dumps({"deadLetterTargetArn": arn(dead), "maxReceiveCount": 2}), VisibilityTimeout="0")
    want_equal("sources", sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"], [url])
    sent = sqs.send_message(QueueUrl=url, MessageBody="poison", MessageAttributes={"a": {"DataType": "String", "StringValue": "b"}})
    for _ in range(2):
        want_equal("it comes", take(url)[0]["MessageId"], sent["MessageId"])
    want_equal("it does not come again", sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", []), [])
    got = take(dead, VisibilityTimeout=0)[0]
    want_equal("the dead letter", (got["Body"], got["MessageAttributes"]["a"]["StringValue"]), ("poison", "b"))
    if OLD:  # knows no move tasks
        return
    task = sqs.start_message_move_task(SourceArn=arn(dead))["TaskHandle"]
    want_equal("a handle", bool(task), True)
    want_equal("it is back", take(url, VisibilityTimeout=60)[0]["Body"], "poison")
    until = time.monotonic() + WITHIN_S
    while True:
        moves = sqs.list_message_move_tasks(SourceArn=arn(dead))["Results"]
        if moves[0]["Status"] == "COMPLETED":
            break
        if time.monotonic() > until:
            raise AssertionError(f"the move stands at {moves}")
        time.sleep(0.2)
    want_equal("moved", moves[0]["ApproximateNumberOfMessagesMoved"], 1)
    cancelled(url, dead)


def cancelled(url, dead):
    """A slow move is cancelled, and what it has not moved stays."""
    sqs.send_message_batch(QueueUrl=dead, Entries=[{"Id": str(i), "MessageBody": str(i)} for i in range(10)])
    task = sqs.start_message_move_task(SourceArn=arn(dead), DestinationArn=arn(url), MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    refused("InvalidParameterValue", sqs.start_message_move_task, SourceArn=arn(dead), DestinationArn=arn(url))
    sqs.cancel_message_move_task(TaskHandle=task)
    until = time.monotonic() + WITHIN_S
    while (last := sqs.list_message_move_tasks(SourceArn=arn(dead))["Results"][0])["Status"] != "CANCELLED":
        if time.monotonic() > until:
            raise AssertionError(f"the move that was cancelled stands at {last}")
        time.sleep(0.2)
    want_equal("a part was left", int(counts(dead)[0]) > 0, True)


class Flow:
    """A queue that is sent to and received from while the broker restarts. Calls that fail meanwhile are calls of which
    nobody knows whether they were done."""

    def __init__(self):
        self.url = make("flow", VisibilityTimeout="15")  # who gets no answer to a receive waits for its end
        self.next, self.stored, self.seen, self.deleted = 0, set(), set(), set()

    def send(self):
        bodies = [str(self.next + i) for i in range(5)]
        self.next += len(bodies)
        try:
            answer = sqs.send_message_batch(QueueUrl=self.url, Entries=[{"Id": b, "MessageBody": b} for b in bodies])
        except (ClientError, BotoCoreError):
            return
        self.stored.update(e["Id"] for e in answer.get("Successful", []))

    def receive(self):
        try:
            for m in sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", []):
                if m["MessageId"] in self.deleted:
                    raise AssertionError(f"{m['MessageId']} ({m['Body']}) came again after it was deleted")
                self.seen.add(m["Body"])
                sqs.delete_message(QueueUrl=self.url, ReceiptHandle=m["ReceiptHandle"])
                self.deleted.add(m["MessageId"])
        except (ClientError, BotoCoreError):
            pass  # it is asked again


def restart():
    """Ten messages are held through two restarts of the broker, and deleted after them; others are sent, received and
    deleted all the while."""
    url, flow = make("restart", VisibilityTimeout="900"), Flow()
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(i), "MessageBody": str(i)} for i in range(10)])
    held = take(url, 10)
    until = time.monotonic() + RESTART_S
    for _ in range(2):
        r = Restart()
        while not r.done.is_set() and time.monotonic() < until:
            flow.send()
            flow.receive()
        want_equal("the broker is back", r.done.is_set(), True)
    while flow.stored - flow.seen or counts(flow.url) != ("0", "0", "0"):
        if time.monotonic() > until:
            raise AssertionError(f"these did not come: {sorted(flow.stored - flow.seen)[:5]}, and the queue has {counts(flow.url)}")
        flow.receive()
    for m in held:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
    want_equal("all", counts(url), ("0", "0", "0"))


def schedules():
    scheduler = client("scheduler")
    url = make("scheduled")
    group = f"{PREFIX}-group"
    scheduler.create_schedule_group(Name=group, Tags=[{"Key": "team", "Value": "shop"}])
    group_arn = scheduler.get_schedule_group(Name=group)["Arn"]
    want_equal("tags", scheduler.list_tags_for_resource(ResourceArn=group_arn)["Tags"], [{"Key": "team", "Value": "shop"}])
    scheduler.tag_resource(ResourceArn=group_arn, Tags=[{"Key": "cost", "Value": "low"}])
    scheduler.untag_resource(ResourceArn=group_arn, TagKeys=["team"])
    want_equal("tags", scheduler.list_tags_for_resource(ResourceArn=group_arn)["Tags"], [{"Key": "cost", "Value": "low"}])
    spec = dict(GroupName=group, FlexibleTimeWindow={"Mode": "OFF"}, Target={"Arn": arn(url), "RoleArn": "arn:aws:iam::123456789012:role/any", "Input": "run"})
    soon = time.strftime("at(%Y-%m-%dT%H:%M:%S)", time.gmtime(time.time() + 2))
    once = {} if OLD else {"ActionAfterCompletion": "DELETE"}
    scheduler.create_schedule(Name="once", ScheduleExpression=soon, **once, **spec)
    scheduler.create_schedule(Name="hourly", ScheduleExpression="rate(1 hour)", State="DISABLED", **spec)
    got = scheduler.get_schedule(Name="hourly", GroupName=group)
    want_equal("the schedule", (got["ScheduleExpression"], got["State"], got["Target"]["Arn"]), ("rate(1 hour)", "DISABLED", arn(url)))
    scheduler.update_schedule(Name="hourly", ScheduleExpression="cron(0 3 * * ? *)", ScheduleExpressionTimezone="Europe/Berlin", **spec)
    want_equal("its zone", scheduler.get_schedule(Name="hourly", GroupName=group)["ScheduleExpressionTimezone"], "Europe/Berlin")
    want_equal("the run", take(url)[0]["Body"], "run")
    if OLD:
        scheduler.delete_schedule(Name="once", GroupName=group)
    until = time.monotonic() + WITHIN_S
    while names(scheduler, group) != ["hourly"]:
        if time.monotonic() > until:
            raise AssertionError(f"the schedule is not deleted after its run: {names(scheduler, group)}")
        time.sleep(0.2)
    schedule_pages(scheduler, spec)
    schedule_places(scheduler, group)
    refused("ConflictException", scheduler.create_schedule, Name="hourly", ScheduleExpression="rate(1 hour)", **spec)
    why = refused("ValidationException", scheduler.create_schedule, Name="bad", ScheduleExpression="rate(0 hours)", **spec)
    want_equal("in AWS's words", why.startswith("Invalid Schedule Expression rate(0 hours)."), True)
    scheduler.delete_schedule(Name="hourly", GroupName=group)
    scheduler.delete_schedule_group(Name=group)
    refused("ResourceNotFoundException", scheduler.get_schedule_group, Name=group)


def schedule_pages(scheduler, spec):
    """Schedules and groups by pages; requests that are asked again with their token."""
    group = spec["GroupName"]
    for i in range(5):
        again = dict(Name=f"page-{i}", ScheduleExpression="rate(1 day)", State="DISABLED", ClientToken=f"token-{i}", **spec)
        want_equal("asked again", scheduler.create_schedule(**again)["ScheduleArn"], scheduler.create_schedule(**again)["ScheduleArn"])
    refused("ConflictException", scheduler.create_schedule, **{**again, "State": "ENABLED"})
    pages = [p["Schedules"] for p in scheduler.get_paginator("list_schedules").paginate(GroupName=group, NamePrefix="page-", PaginationConfig={"PageSize": 2})]
    want_equal("schedules by pages", [[s["Name"] for s in p] for p in pages if p], [["page-0", "page-1"], ["page-2", "page-3"], ["page-4"]])
    want_equal("enabled ones", scheduler.list_schedules(GroupName=group, NamePrefix="page-", State="ENABLED")["Schedules"], [])
    refused("ValidationException", scheduler.list_schedules, NextToken="nonsense!")
    again = dict(Name=f"{group}-2", ClientToken="token")
    want_equal("asked again", scheduler.create_schedule_group(**again)["ScheduleGroupArn"], scheduler.create_schedule_group(**again)["ScheduleGroupArn"])
    found = [g["Name"] for p in scheduler.get_paginator("list_schedule_groups").paginate(NamePrefix=group, PaginationConfig={"PageSize": 1}) for g in p["ScheduleGroups"]]
    want_equal("groups by pages", found, [group, f"{group}-2"])
    scheduler.delete_schedule_group(Name=f"{group}-2")
    for i in range(5):
        scheduler.delete_schedule(Name=f"page-{i}", GroupName=group)


def schedule_places(scheduler, group):
    """One schedule each into a bus, an SNS topic and a function, which the node does not have: that run is a dead letter."""
    events, notices = client("events"), client("sns")
    from_bus, from_topic, sent, dead = make("scheduled-event"), make("scheduled-message"), make("scheduled-sent"), make("scheduled-dead")
    bus = events.create_event_bus(Name=f"{PREFIX}-scheduled")["EventBusArn"]
    events.put_rule(Name="due", EventBusName=bus, EventPattern=json.dumps({"source": ["billing"], "detail-type": ["OrdersDue"]}))
    events.put_targets(Rule="due", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn(from_bus)}])
    topic = notices.create_topic(Name=f"{PREFIX}-scheduled")["TopicArn"]
    notices.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn(from_topic), Attributes={"RawMessageDelivery": "true"})
    text = json.dumps({"at": "<aws.scheduler.scheduled-time>", "of": "<aws.scheduler.schedule-arn>"})
    soon = time.gmtime(time.time() + 2)
    meant = time.strftime("%Y-%m-%dT%H:%M:%SZ", soon)

    def put(name, target, **more):
        return scheduler.create_schedule(Name=name, GroupName=group, ScheduleExpression=time.strftime("at(%Y-%m-%dT%H:%M:%S)", soon), FlexibleTimeWindow={"Mode": "OFF"},
                                         Target={"Arn": target, "RoleArn": "arn:aws:iam::123456789012:role/any", **{"Input": text, **more}})["ScheduleArn"]

    parameters = {"DetailType": "OrdersDue", "Source": "billing"}
    event = put("event", bus, EventBridgeParameters=parameters)
    message = put("message", topic)
    call = put("call", "arn:aws:lambda:us-east-1:123456789012:function:none", RetryPolicy={"MaximumRetryAttempts": 0}, DeadLetterConfig={"Arn": arn(dead)})
    order = json.dumps({"QueueUrl": sent, "MessageBody": "at <aws.scheduler.scheduled-time>"})
    put("universal", "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", Input=order)
    want_equal("its Input", scheduler.get_schedule(Name="universal", GroupName=group)["Target"]["Input"], order)
    want_equal("its parameters", scheduler.get_schedule(Name="event", GroupName=group)["Target"]["EventBridgeParameters"], parameters)
    got = json.loads(take(from_bus)[0]["Body"])
    want_equal("the event", (got["detail"], got["detail-type"], got["resources"], got["time"]), ({"at": meant, "of": event}, "OrdersDue", [event], meant))
    want_equal("the message", json.loads(take(from_topic)[0]["Body"]), {"at": meant, "of": message})
    want_equal("what a universal target sent", take(sent)[0]["Body"], "at " + meant)
    letter = take(dead)[0]
    want_equal("the dead letter", (json.loads(letter["Body"]), letter["MessageAttributes"]["TARGET_ARN"]["StringValue"]),
               ({"at": meant, "of": call}, "arn:aws:lambda:us-east-1:123456789012:function:none"))
    refused("ValidationException", put, "bad", bus)
    refused("ValidationException", put, "bad", topic, EventBridgeParameters=parameters)
    refused("ValidationException", put, "bad", "arn:aws:scheduler:::aws-sdk:ec2:stopInstances")
    for name in ["event", "message", "universal", "call"]:
        scheduler.delete_schedule(Name=name, GroupName=group)
    events.remove_targets(Rule="due", EventBusName=bus, Ids=["queue"])
    events.delete_rule(Name="due", EventBusName=bus)
    events.delete_event_bus(Name=f"{PREFIX}-scheduled")
    notices.delete_topic(TopicArn=topic)


def kafka_both_ways():
    """A topic that Kafka's producer wrote to is adopted by CreateQueue, and Kafka's consumer reads what boto3 sends to it."""
    from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
    from kafka.admin import NewTopic

    topic = f"{PREFIX}-adopted"
    admin = KafkaAdminClient(bootstrap_servers=ADDR)
    admin.create_topics([NewTopic(topic, 1, REPLICAS)])
    producer = KafkaProducer(bootstrap_servers=ADDR)
    for value in (b"from Kafka", b"\xff\x00"):
        producer.send(topic, value=value, headers=[("shape", b"round")]).get(timeout=WITHIN_S)
    producer.close()
    url = make("adopted")
    got = {m["Body"]: m for m in take(url, 2)}
    want_equal("what Kafka wrote", sorted(got), ["/wA=", "from Kafka"])
    want_equal("a header", got["from Kafka"]["MessageAttributes"]["shape"]["StringValue"], "round")
    want_equal("bytes", got["/wA="]["MessageAttributes"]["ottla.encoding"]["StringValue"], "base64")
    for m in got.values():
        sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
    sqs.send_message(QueueUrl=url, MessageBody="from boto3", MessageAttributes={"colour": {"DataType": "String", "StringValue": "red"}})
    consumer = KafkaConsumer(bootstrap_servers=ADDR, group_id=None, enable_auto_commit=False, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(topic, 0)])
    records, until = [], time.monotonic() + WITHIN_S
    while len(records) < 3 and time.monotonic() < until:
        for some in consumer.poll(timeout_ms=1000).values():
            records += some
    consumer.close()
    want_equal("what Kafka reads", [r.value for r in records], [b"from Kafka", b"\xff\x00", b"from boto3"])
    want_equal("an attribute", dict(records[2].headers).get("colour"), b"red")
    sqs.delete_message(QueueUrl=url, ReceiptHandle=take(url)[0]["ReceiptHandle"])
    sqs.delete_queue(QueueUrl=url)
    want_equal("the topic stays", topic in admin.list_topics(), True)
    admin.close()


def names(scheduler, group):
    return [s["Name"] for s in scheduler.list_schedules(GroupName=group)["Schedules"]]


def identity():
    got = client("sts").get_caller_identity()
    want_equal("the account", got["Account"], "123456789012")


if __name__ == "__main__":
    print("VERSION", "boto3", boto3.__version__, f"(botocore {botocore.__version__})", flush=True)
    for name, work in [("sqs-queues", queues), ("sqs-messages", messages), ("sqs-batches", batches), ("sqs-fifo", fifo), ("sqs-visibility", visibility),
                       ("sqs-delays", delays), ("sqs-dead-letters", dead_letters), ("sqs-restart", restart), ("scheduler", schedules), ("sts", identity),
                       ("eventbridge", lambda: eventbridge.run(client, make, arn, take, refused)),
                       ("sns", lambda: sns.run(client, make, arn, take, refused))]:
        scenario(name, work)
    if not OLD:
        scenario("sqs-kafka", kafka_both_ways)
        scenario("aws-model", model.judge)
