"""The AWS CLI through some of the scenarios of ../content.go that begin with sqs, scheduler, sts, eventbridge and sns. Each call is a
process of its own, so there are few of them."""

import json
import os
import subprocess
import sys
import time

import awscli

from content import PREFIX, WITHIN_S, scenario, want_equal

HTTP = os.environ["INTEROP_HTTP"]
ENV = {**os.environ, "AWS_ENDPOINT_URL": "http://" + HTTP, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
       "AWS_ACCESS_KEY_ID": "ottla", "AWS_SECRET_ACCESS_KEY": "ottla", "AWS_PAGER": "", "AWS_CONFIG_FILE": os.devnull}


def aws(*args):
    # Version 1 forgets AWS_ENDPOINT_URL where it has a host name of old for a service: for sqs.
    endpoint = ["--endpoint-url", ENV["AWS_ENDPOINT_URL"]] if args[0] == "sqs" else []
    p = subprocess.run([sys.executable, "-m", "awscli", *endpoint, *args, "--output", "json"], env=ENV, capture_output=True, text=True, timeout=WITHIN_S)
    if p.returncode != 0:
        raise AssertionError(f"aws {' '.join(args)}: {p.stderr}")
    return json.loads(p.stdout) if p.stdout.strip() else {}


def take(url):
    """Waits for a message that comes soon."""
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until:
        got = aws("sqs", "receive-message", "--queue-url", url, "--wait-time-seconds", "20")
        if got:
            return got["Messages"][0]
    raise AssertionError("no message came")


def queues():
    name = f"{PREFIX}-queue"
    url = aws("sqs", "create-queue", "--queue-name", name, "--attributes", "VisibilityTimeout=45")["QueueUrl"]
    want_equal("the URL by name", aws("sqs", "get-queue-url", "--queue-name", name)["QueueUrl"], url)
    got = aws("sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", "All")["Attributes"]
    want_equal("an attribute", got["VisibilityTimeout"], "45")
    want_equal("the list", aws("sqs", "list-queues", "--queue-name-prefix", name)["QueueUrls"], [url])


def messages():
    url = aws("sqs", "create-queue", "--queue-name", f"{PREFIX}-messages")["QueueUrl"]
    attributes = json.dumps({"colour": {"DataType": "String", "StringValue": "red"}})
    sent = aws("sqs", "send-message", "--queue-url", url, "--message-body", "hello", "--message-attributes", attributes)
    got = aws("sqs", "receive-message", "--queue-url", url, "--wait-time-seconds", "5", "--message-attribute-names", "All")["Messages"][0]
    want_equal("the message", (got["Body"], got["MessageId"], got["MessageAttributes"]["colour"]["StringValue"]), ("hello", sent["MessageId"], "red"))
    aws("sqs", "change-message-visibility", "--queue-url", url, "--receipt-handle", got["ReceiptHandle"], "--visibility-timeout", "60")
    aws("sqs", "delete-message", "--queue-url", url, "--receipt-handle", got["ReceiptHandle"])
    want_equal("nothing is left", aws("sqs", "receive-message", "--queue-url", url), {})
    aws("sqs", "purge-queue", "--queue-url", url)


def schedules():
    name = f"{PREFIX}-schedule"
    target = json.dumps({"Arn": "arn:aws:sqs:us-east-1:123456789012:jobs", "RoleArn": "arn:aws:iam::123456789012:role/any", "Input": "run"})
    aws("scheduler", "create-schedule", "--name", name, "--schedule-expression", "rate(1 hour)", "--flexible-time-window", "Mode=OFF", "--target", target)
    want_equal("the schedule", aws("scheduler", "get-schedule", "--name", name)["ScheduleExpression"], "rate(1 hour)")
    want_equal("the list", [s["Name"] for s in aws("scheduler", "list-schedules", "--name-prefix", name)["Schedules"]], [name])
    aws("scheduler", "delete-schedule", "--name", name)


def eventbridge():
    bus, queue = f"{PREFIX}-bus", f"{PREFIX}-events"
    aws("sqs", "create-queue", "--queue-name", queue)
    aws("events", "create-event-bus", "--name", bus)
    pattern = json.dumps({"detail": {"total": [{"numeric": [">=", 100]}]}})
    aws("events", "put-rule", "--event-bus-name", bus, "--name", "big", "--event-pattern", pattern)
    arn = f"arn:aws:sqs:us-east-1:123456789012:{queue}"
    want_equal("targets that failed", aws("events", "put-targets", "--event-bus-name", bus, "--rule", "big", "--targets", f"Id=1,Arn={arn}")["FailedEntryCount"], 0)
    entries = [{"EventBusName": bus, "Source": "shop", "DetailType": "Placed", "Detail": json.dumps({"total": n})} for n in (1, 100)]
    want_equal("entries that failed", aws("events", "put-events", "--entries", json.dumps(entries))["FailedEntryCount"], 0)
    got = take(aws("sqs", "get-queue-url", "--queue-name", queue)["QueueUrl"])
    want_equal("the event", json.loads(got["Body"])["detail"], {"total": 100})


def sns():
    queue = f"{PREFIX}-sns"
    url = aws("sqs", "create-queue", "--queue-name", queue)["QueueUrl"]
    topic = aws("sns", "create-topic", "--name", f"{PREFIX}-sns")["TopicArn"]
    policy = json.dumps({"FilterPolicy": json.dumps({"shop": ["north"]}), "RawMessageDelivery": "true"})
    sub = aws("sns", "subscribe", "--topic-arn", topic, "--protocol", "sqs", "--notification-endpoint", f"arn:aws:sqs:us-east-1:123456789012:{queue}", "--attributes", policy)
    for shop, message in [("south", "not this"), ("north", "hello")]:
        aws("sns", "publish", "--topic-arn", topic, "--message", message, "--message-attributes", json.dumps({"shop": {"DataType": "String", "StringValue": shop}}))
    want_equal("the message", take(url)["Body"], "hello")
    aws("sns", "unsubscribe", "--subscription-arn", sub["SubscriptionArn"])
    want_equal("subscriptions", aws("sns", "list-subscriptions-by-topic", "--topic-arn", topic)["Subscriptions"], [])
    aws("sns", "delete-topic", "--topic-arn", topic)


def identity():
    want_equal("the account", aws("sts", "get-caller-identity")["Account"], "123456789012")


if __name__ == "__main__":
    print("VERSION", "awscli", awscli.__version__, flush=True)
    for name, work in [("sts", identity), ("sqs-queues", queues), ("sqs-messages", messages), ("scheduler", schedules), ("eventbridge", eventbridge), ("sns", sns)]:
        scenario(name, work)
