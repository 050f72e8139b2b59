"""Answers as botocore's own models of the services have them: every member of every answer is one that the model knows,
of its type; what it requires is there; an error is one that the model has for the operation, under the code that the
model gives it. boto3 itself looks past what it does not know."""

import json

# SQS leaves these out when they are empty, whatever its model says.
MAY_LACK = {"SendMessageBatchResult", "DeleteMessageBatchResult", "ChangeMessageVisibilityBatchResult"}

# Errors that all operations of a service have, so that no model names them: shape, code of the query protocol.
COMMON = {
    "sqs": {"InvalidParameterValueException": "InvalidParameterValue", "MissingRequiredParameterException": "MissingParameter",
            "ServiceUnavailable": "ServiceUnavailable", "InvalidAttributeValue": "InvalidAttributeValue"},
    "scheduler": {}, "sts": {}, "events": {"ValidationException": "ValidationException"},
}

# The operations that are refused.
REFUSED = {"sqs": {"AddPermission", "RemovePermission"}, "scheduler": set(), "events": {
    "ActivateEventSource", "DeactivateEventSource", "DescribeEventSource", "ListEventSources", "CreatePartnerEventSource",
    "DeletePartnerEventSource", "DescribePartnerEventSource", "ListPartnerEventSources", "ListPartnerEventSourceAccounts", "PutPartnerEvents",
    "CreateEndpoint", "DeleteEndpoint", "DescribeEndpoint", "ListEndpoints", "UpdateEndpoint"}}

watched, asked, wrong = {}, {}, []


def watch(client):
    """Has all answers that a client gets looked at. Clients from before 2023 do not tell of them."""
    service = client.meta.service_model
    watched[service.service_name] = service
    client.meta.events.register("before-parse.*", look)


def look(operation_model, response_dict, **_):
    service = operation_model.service_model
    if service.resolved_protocol not in ("json", "rest-json"):
        return
    asked.setdefault(service.service_name, set()).add(operation_model.name)
    status, text = response_dict["status_code"], response_dict["body"] or b"{}"
    if status >= 500:  # a node that goes
        return
    at = f"{service.service_name}.{operation_model.name}"
    answer = json.loads(text)
    if status >= 300:
        error(at, service, operation_model, response_dict, answer)
    elif operation_model.output_shape is not None:
        check(at, operation_model.output_shape, answer)
    elif answer != {}:
        note(f"{at} answered {answer}, and the model has no answer")


def error(at, service, operation_model, response, answer):
    headers = response["headers"]
    known = {e.name: e.metadata.get("error", {}).get("code", e.name) for e in operation_model.error_shapes}
    if service.resolved_protocol == "rest-json":
        name = headers.get("x-amzn-errortype", "")
        if name not in known:
            note(f"{at} answered the error {name!r}; the model has {sorted(known)}")
        elif not isinstance(answer.get("Message"), str):
            note(f"{at}: the error {name} has no Message: {answer}")
        return
    name = answer.get("__type", "").rpartition("#")[2]
    if name not in known and name not in COMMON[service.service_name]:
        note(f"{at} answered the error {name!r}; the model has {sorted(known)}")
    if not isinstance(answer.get("message"), str):
        note(f"{at}: the error {name} has no message: {answer}")
    if "awsQueryCompatible" not in service.metadata:
        return
    code, _, fault = headers.get("x-amzn-query-error", "").partition(";")
    if not code or fault not in ("Sender", "Receiver"):
        note(f"{at}: the error {name} has the query error {headers.get('x-amzn-query-error')!r}")


TYPES = {"string": str, "boolean": bool, "integer": int, "long": int, "timestamp": (int, float), "float": (int, float), "double": (int, float), "blob": str}


def check(at, shape, value):
    if shape.type_name == "structure":
        if not isinstance(value, dict):
            return note(f"{at} is {value!r}, want a {shape.name}")
        names = {m.serialization.get("name", n): m for n, m in shape.members.items()}
        for name, inner in value.items():
            if name not in names:
                note(f"{at} has the member {name!r}, which {shape.name} does not know")
            else:
                check(f"{at}.{name}", names[name], inner)
        for name in shape.required_members:
            if name not in value and shape.name not in MAY_LACK:
                note(f"{at} lacks {name}, which {shape.name} requires")
    elif shape.type_name == "list":
        if not isinstance(value, list):
            return note(f"{at} is {value!r}, want a list")
        for i, inner in enumerate(value):
            check(f"{at}[{i}]", shape.member, inner)
    elif shape.type_name == "map":
        if not isinstance(value, dict):
            return note(f"{at} is {value!r}, want a map")
        for name, inner in value.items():
            check(f"{at}[{name}]", shape.value, inner)
    elif not isinstance(value, TYPES[shape.type_name]) or isinstance(value, bool) != (shape.type_name == "boolean"):
        note(f"{at} is {value!r}, want a {shape.type_name}")
    elif getattr(shape, "enum", None) and value not in shape.enum:
        note(f"{at} is {value!r}, want one of {shape.enum}")


def note(what):
    if what not in wrong:
        wrong.append(what)


def judge():
    """Fails when anything was wrong, or an operation was never asked."""
    for name, refused in REFUSED.items():
        never = set(watched[name].operation_names) - refused - asked.get(name, set())
        if never:
            note(f"no scenario asked {name} for {sorted(never)}")
    if wrong:
        raise AssertionError(f"{len(wrong)} things: " + "; ".join(wrong[:20]))
