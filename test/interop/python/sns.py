"""SNS through boto3: topics, subscriptions, filter policies, FIFO topics, and an address that confirms and verifies the
signature of what it gets, by what SNS documents of it. The same runs with boto3 from before 2023."""

import base64
import http.server
import json
import queue
import threading
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from content import PREFIX, WITHIN_S, want_equal

SIGNED = {"Notification": ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
          "SubscriptionConfirmation": ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]}


def fetch(url):
    with urllib.request.urlopen(url, timeout=WITHIN_S) as answer:
        return answer.read()


def verified(body):
    """Reads a notification whose signature is right."""
    n = json.loads(body)
    text = "".join(f"{k}\n{n[k]}\n" for k in SIGNED[n["Type"]] if k in n)
    key = x509.load_pem_x509_certificate(fetch(n["SigningCertURL"])).public_key()
    key.verify(base64.b64decode(n["Signature"]), text.encode(), padding.PKCS1v15(), {"1": SHA1, "2": SHA256}[n["SignatureVersion"]]())
    return n


class Address:
    """An HTTP server that keeps what it gets."""

    def __init__(self):
        got = self.got = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.end_headers()
                got.put((dict(self.headers.items()), body))

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def next(self):
        headers, body = self.got.get(timeout=WITHIN_S)
        return {k.lower(): v for k, v in headers.items()}, body


def run(client, make, arn, take, refused):
    """Is told how aws.py makes clients and queues, takes messages and sees refusals."""
    sns, sqs = client("sns"), client("sqs")
    topic = sns.create_topic(Name=f"{PREFIX}-sns", Attributes={"DisplayName": "Orders"}, Tags=[{"Key": "team", "Value": "shop"}])["TopicArn"]
    want_equal("made again", sns.create_topic(Name=f"{PREFIX}-sns")["TopicArn"], topic)
    refused("InvalidParameter", sns.create_topic, Name=f"{PREFIX}-sns", Attributes={"DisplayName": "Others"})
    want_equal("listed", topic in [t["TopicArn"] for p in sns.get_paginator("list_topics").paginate() for t in p["Topics"]], True)
    tags(sns, topic)
    queues(sns, sqs, topic, make, arn, take, refused)
    address(sns, topic)
    fifo(sns, sqs, make, arn, take)
    sns.delete_topic(TopicArn=topic)
    refused("NotFound", sns.publish, TopicArn=topic, Message="x")
    refused("NotFound", sns.get_topic_attributes, TopicArn=topic)


def tags(sns, topic):
    sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "stage", "Value": "test"}])
    sns.untag_resource(ResourceArn=topic, TagKeys=["team"])
    want_equal("tags", sns.list_tags_for_resource(ResourceArn=topic)["Tags"], [{"Key": "stage", "Value": "test"}])
    sns.set_topic_attributes(TopicArn=topic, AttributeName="SignatureVersion", AttributeValue="2")
    got = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    want_equal("attributes", (got["DisplayName"], got["SignatureVersion"], got["Owner"]), ("Orders", "2", "123456789012"))


def queues(sns, sqs, topic, make, arn, take, refused):
    """Filter policies on attributes and on the body; a notification, and raw delivery."""
    by_attribute, by_body = make("sns-attribute"), make("sns-body")
    first = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn(by_attribute), Attributes={
        "FilterPolicy": json.dumps({"shop": [{"prefix": "no"}], "amount": [{"numeric": [">=", 100]}]})})["SubscriptionArn"]
    second = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn(by_body), Attributes={"RawMessageDelivery": "true"})["SubscriptionArn"]
    sns.set_subscription_attributes(SubscriptionArn=second, AttributeName="FilterPolicyScope", AttributeValue="MessageBody")
    sns.set_subscription_attributes(SubscriptionArn=second, AttributeName="FilterPolicy", AttributeValue=json.dumps({"lines": {"sku": ["x"]}}))
    got = sns.get_subscription_attributes(SubscriptionArn=second)["Attributes"]
    want_equal("the subscription", (got["FilterPolicyScope"], got["RawMessageDelivery"], got["PendingConfirmation"]), ("MessageBody", "true", "false"))
    listed = [s["SubscriptionArn"] for p in sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic) for s in p["Subscriptions"]]
    want_equal("subscriptions", sorted(listed), sorted([first, second]))
    refused("InvalidParameter", sns.subscribe, TopicArn=topic, Protocol="sqs", Endpoint=arn(by_body), Attributes={"FilterPolicy": '{"a":[{"regex":"x"}]}'})
    refused("InvalidParameter", sns.subscribe, TopicArn=topic, Protocol="email", Endpoint="a@example.com")
    refused("NotFound", sns.get_subscription_attributes, SubscriptionArn=topic + ":6f1fd2a7-7c05-4c3c-a1f4-c9a2f9ea2f11")

    attributes = {"shop": {"DataType": "String", "StringValue": "north"}, "amount": {"DataType": "Number", "StringValue": "100.5"},
                  "raw": {"DataType": "Binary", "BinaryValue": bytes(range(256))}}
    body = json.dumps({"lines": [{"sku": "x"}], "text": "Grüße, 中文 \U0001f600 <&>"})
    sns.publish(TopicArn=topic, Message="not this", MessageAttributes={**attributes, "shop": {"DataType": "String", "StringValue": "south"}})
    sent = sns.publish(TopicArn=topic, Message=body, Subject="A sale", MessageAttributes=attributes)
    got = take(by_attribute)[0]
    n = verified(got["Body"])
    want_equal("the notification", (n["Type"], n["MessageId"], n["TopicArn"], n["Subject"], n["Message"], n["SignatureVersion"]),
               ("Notification", sent["MessageId"], topic, "A sale", body, "2"))
    want_equal("its attributes", (n["MessageAttributes"]["amount"], base64.b64decode(n["MessageAttributes"]["raw"]["Value"])),
               ({"Type": "Number", "Value": "100.5"}, bytes(range(256))))
    got = take(by_body)[0]
    want_equal("raw", (got["Body"], got["MessageAttributes"]), (body, attributes))
    answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=[
        {"Id": "good", "Message": json.dumps({"default": "d", "sqs": '{"lines":[{"sku":"x"}]}'}), "MessageStructure": "json"}, {"Id": "bad", "Message": "x", "Subject": "a\nb"}])
    want_equal("a batch", ([e["Id"] for e in answer["Successful"]], [(e["Id"], e["Code"], e["SenderFault"]) for e in answer["Failed"]]),
               (["good"], [("bad", "InvalidParameter", True)]))
    refused("EmptyBatchRequest", sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=[])
    for s in (first, second):
        sns.unsubscribe(SubscriptionArn=s)
    want_equal("none is left", sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"], [])


def address(sns, topic):
    """An address confirms by the URL that it is sent, gets what is published, and leaves by the URL in that."""
    at = Address()
    want_equal("subscribed", sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=at.url)["SubscriptionArn"], "pending confirmation")
    want_equal("listed", sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"][0]["SubscriptionArn"], "PendingConfirmation")
    headers, body = at.next()
    ask = verified(body)
    want_equal("it is asked", (headers["x-amz-sns-message-type"], headers["x-amz-sns-topic-arn"]), ("SubscriptionConfirmation", topic))
    fetch(ask["SubscribeURL"])
    sub = sns.confirm_subscription(TopicArn=topic, Token=ask["Token"])["SubscriptionArn"]  # it is confirmed already
    sent = sns.publish(TopicArn=topic, Message="hello")
    headers, body = at.next()
    n = verified(body)
    want_equal("it gets", (n["Message"], headers["x-amz-sns-message-id"], headers["x-amz-sns-subscription-arn"]), ("hello", sent["MessageId"], sub))
    fetch(n["UnsubscribeURL"])
    want_equal("it has left", sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"], [])
    at.server.shutdown()


def fifo(sns, sqs, make, arn, take):
    topic = sns.create_topic(Name=f"{PREFIX}-sns.fifo", Attributes={"FifoTopic": "true", "ContentBasedDeduplication": "true"})["TopicArn"]
    url = make("sns-order.fifo", FifoQueue="true")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn(url), Attributes={"RawMessageDelivery": "true"})
    numbers = [sns.publish(TopicArn=topic, Message=m, MessageGroupId="g")["SequenceNumber"] for m in ("1", "2", "2", "3")]
    want_equal("sequence numbers grow", numbers, sorted(set(numbers)))
    got = []
    while len(got) < 3:  # one group: nothing more comes before what was taken is deleted
        m = take(url)[0]
        got.append(m["Body"])
        sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
    want_equal("in order, without the repeat", got, ["1", "2", "3"])
    sns.delete_topic(TopicArn=topic)
