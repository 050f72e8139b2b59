"""EventBridge through boto3: buses, rules, targets, events, archives and replays, connections, tags and permissions. The
same runs with boto3 from before 2023."""

import datetime
import json
import time

from content import PREFIX, WITHIN_S, want_equal

BIG = {"source": ["shop"], "detail": {"total": [{"numeric": [">=", 100]}]}}


def run(client, make, arn, take, refused):
    """Is told how aws.py makes clients and queues, takes messages and sees refusals."""
    events, sqs = client("events"), client("sqs")
    bus = f"{PREFIX}-bus"
    made = events.create_event_bus(Name=bus, Tags=[{"Key": "team", "Value": "blue"}])["EventBusArn"]
    want_equal("the bus", events.describe_event_bus(Name=bus)["Arn"], made)
    refused("ResourceAlreadyExistsException", events.create_event_bus, Name=bus)
    refused("ResourceNotFoundException", events.describe_event_bus, Name=f"{PREFIX}-none")
    want_equal("the list", [b["Name"] for b in events.list_event_buses(NamePrefix=bus)["EventBuses"]], [bus])
    events.create_archive(ArchiveName=f"{PREFIX}-all", EventSourceArn=made, RetentionDays=3)

    rules(events, bus, refused)
    plain, fifo = make("events"), make("events.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    targets(events, bus, arn(plain), arn(fifo), refused)
    put(events, bus)

    def taken(url):
        got = take(url)[0]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=got["ReceiptHandle"])
        return json.loads(got["Body"])

    want_equal("transformed", taken(plain), "o-2 is 120")
    event = taken(fifo)
    want_equal("the event", (event["source"], event["detail-type"], event["resources"], event["detail"]), ("shop", "Placed", ["r"], {"id": "o-2", "total": 120}))
    replay(events, made, fifo, taken, refused)
    connections(events, refused)
    permissions(events, bus, refused)
    clean(events, bus)


def rules(events, bus, refused):
    rule = events.put_rule(Name="big", EventBusName=bus, EventPattern=json.dumps(BIG), Description="big ones")["RuleArn"]
    got = events.describe_rule(Name="big", EventBusName=bus)
    want_equal("the rule", (got["Arn"], json.loads(got["EventPattern"]), got["State"]), (rule, BIG, "ENABLED"))
    refused("InvalidEventPatternException", events.put_rule, Name="odd", EventBusName=bus, EventPattern='{"detail":{"x":[{"bigger":1}]}}')
    refused("ResourceNotFoundException", events.describe_rule, Name="none", EventBusName=bus)
    for i in range(5):
        events.put_rule(Name=f"page-{i}", EventBusName=bus, EventPattern=json.dumps(BIG), State="DISABLED")
    pages = events.get_paginator("list_rules").paginate(EventBusName=bus, NamePrefix="page-", PaginationConfig={"PageSize": 2})
    want_equal("rules by pages", [r["Name"] for p in pages for r in p["Rules"]], [f"page-{i}" for i in range(5)])
    for i in range(5):
        events.delete_rule(Name=f"page-{i}", EventBusName=bus)
    events.tag_resource(ResourceARN=rule, Tags=[{"Key": "a", "Value": "b"}])
    want_equal("tags", events.list_tags_for_resource(ResourceARN=rule)["Tags"], [{"Key": "a", "Value": "b"}])
    events.untag_resource(ResourceARN=rule, TagKeys=["a"])
    fits = dict(id="1", account="1", source="shop", time="2026-11-26T12:00:00Z", region="r", resources=[], detail={"total": 100}, **{"detail-type": "t"})
    want_equal("a test", events.test_event_pattern(EventPattern=json.dumps(BIG), Event=json.dumps(fits))["Result"], True)


def targets(events, bus, plain, fifo, refused):
    answer = events.put_targets(Rule="big", EventBusName=bus, Targets=[
        {"Id": "plain", "Arn": plain, "InputTransformer": {"InputPathsMap": {"id": "$.detail.id", "t": "$.detail.total"}, "InputTemplate": '"<id> is <t>"'},
         "RetryPolicy": {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 60}},
        {"Id": "fifo", "Arn": fifo, "SqsParameters": {"MessageGroupId": "g"}},
    ])
    want_equal("no target failed", answer["FailedEntryCount"], 0)
    got = events.list_targets_by_rule(Rule="big", EventBusName=bus)["Targets"]
    want_equal("the targets", [(t["Id"], t["Arn"]) for t in got], [("fifo", fifo), ("plain", plain)])
    want_equal("its retries", got[1]["RetryPolicy"], {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 60})
    want_equal("by target", events.list_rule_names_by_target(TargetArn=plain, EventBusName=bus)["RuleNames"], ["big"])
    refused("ValidationException", events.put_targets, Rule="big", EventBusName=bus, Targets=[{"Id": "x", "Arn": "no arn"}])
    refused("ValidationException", events.delete_rule, Name="big", EventBusName=bus)


def put(events, bus):
    entry = {"EventBusName": bus, "Source": "shop", "DetailType": "Placed"}
    answer = events.put_events(Entries=[
        {**entry, "Detail": '{"id":"o-1","total":1}'},
        {**entry, "Detail": '{"id":"o-2","total":120}', "Resources": ["r"], "Time": datetime.datetime.now(datetime.timezone.utc)},
        {**entry, "Detail": "{no"},
    ])
    want_equal("what was put", ([e.get("ErrorCode") for e in answer["Entries"]], answer["FailedEntryCount"]), ([None, None, "MalformedDetail"], 1))


def replay(events, bus, fifo, taken, refused):
    now = datetime.datetime.now(datetime.timezone.utc)
    name = f"{PREFIX}-again"
    source = events.describe_archive(ArchiveName=f"{PREFIX}-all")["ArchiveArn"]
    hour, second = datetime.timedelta(hours=1), datetime.timedelta(seconds=1)  # boto3 sends whole seconds
    events.start_replay(ReplayName=name, EventSourceArn=source, EventStartTime=now - hour, EventEndTime=now + second, Destination={"Arn": bus})
    got = taken(fifo)
    want_equal("what came again", (got.get("replay-name"), got["detail"]), (name, {"id": "o-2", "total": 120}))
    until = time.monotonic() + WITHIN_S
    while events.describe_replay(ReplayName=name)["State"] != "COMPLETED":
        if time.monotonic() > until:
            raise AssertionError("the replay does not end")
        time.sleep(0.1)
    refused("IllegalStatusException", events.cancel_replay, ReplayName=name)
    want_equal("the replays", [r["ReplayName"] for r in events.list_replays(NamePrefix=name)["Replays"]], [name])


def connections(events, refused):
    name = f"{PREFIX}-key"
    made = events.create_connection(Name=name, AuthorizationType="API_KEY", AuthParameters={
        "ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "secret"}})["ConnectionArn"]
    got = events.describe_connection(Name=name)
    want_equal("the connection", (got["ConnectionState"], got["AuthParameters"]["ApiKeyAuthParameters"]), ("AUTHORIZED", {"ApiKeyName": "X-Key"}))
    events.create_api_destination(Name=name, ConnectionArn=made, InvocationEndpoint="https://example.com/*", HttpMethod="PUT")
    got = events.describe_api_destination(Name=name)
    want_equal("the destination", (got["ConnectionArn"], got["HttpMethod"], got["InvocationRateLimitPerSecond"]), (made, "PUT", 300))
    events.update_api_destination(Name=name, HttpMethod="POST")
    want_equal("the lists", ([d["Name"] for d in events.list_api_destinations(NamePrefix=name)["ApiDestinations"]],
                             [c["Name"] for c in events.list_connections(NamePrefix=name)["Connections"]]), ([name], [name]))
    events.update_connection(Name=name, Description="one key")
    events.delete_api_destination(Name=name)
    events.deauthorize_connection(Name=name)
    events.delete_connection(Name=name)
    refused("ResourceNotFoundException", events.describe_connection, Name=name)


def permissions(events, bus, refused):
    events.put_permission(EventBusName=bus, Action="events:PutEvents", Principal="111122223333", StatementId="one")
    statement = json.loads(events.describe_event_bus(Name=bus)["Policy"])["Statement"]
    want_equal("the policy", [s["Sid"] for s in statement], ["one"])
    events.remove_permission(EventBusName=bus, StatementId="one")
    refused("ResourceNotFoundException", events.remove_permission, EventBusName=bus, StatementId="one")


def clean(events, bus):
    events.remove_targets(Rule="big", EventBusName=bus, Ids=["plain", "fifo"])
    events.disable_rule(Name="big", EventBusName=bus)
    events.enable_rule(Name="big", EventBusName=bus)
    events.delete_rule(Name="big", EventBusName=bus)
    events.update_archive(ArchiveName=f"{PREFIX}-all", RetentionDays=1)
    want_equal("the archives", [a["ArchiveName"] for a in events.list_archives(NamePrefix=f"{PREFIX}-all")["Archives"]], [f"{PREFIX}-all"])
    events.delete_archive(ArchiveName=f"{PREFIX}-all")
    if hasattr(events, "update_event_bus"):  # boto3 from before 2024 does not know it
        want_equal("the description", events.update_event_bus(Name=bus, Description="a shop")["Description"], "a shop")
    events.delete_event_bus(Name=bus)
