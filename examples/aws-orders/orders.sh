#!/usr/bin/env bash
# A shop's events, with the AWS CLI and nothing else of ours.
#
#   ./orders.sh                        everything, from nothing
#   ./orders.sh clean|setup|put|take   one part of it
#
# Where the services are comes from AWS_ENDPOINT_URL.
set -euo pipefail
cd "$(dirname "$0")"

: "${AWS_ENDPOINT_URL:?say where the services are: eval \"\$(ottla aws env)\"}"
export AWS_PAGER= AWS_DEFAULT_OUTPUT=json
RECEIVER=${ORDERS_RECEIVER:-127.0.0.1:9400}
PATIENCE=${ORDERS_PATIENCE:-60} # seconds
PYTHON=${PYTHON:-python3}
KEY="the shop's key"

# Version 1 of the CLI forgets AWS_ENDPOINT_URL where a service has a host name of old.
aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }

ok() { echo "ok   $1"; }
fail() { echo "FAIL $1: got $2"; exit 1; }
check() { if [[ "$2" == "$3" ]]; then ok "$1"; else fail "$1" "$2, want $3"; fi; }
refused() { # what, the error, a command
  local what=$1 code=$2 said; shift 2
  if said=$("$@" 2>&1); then fail "$what" "$said"; fi
  if [[ "$said" == *"$code"* ]]; then ok "$what"; else fail "$what" "$said"; fi
}
json() { # a Python expression of d, which stdin is
  "$PYTHON" -c "import json,sys; d=json.loads(sys.stdin.read() or '{}'); print($1)"
}

account=$(aws sts get-caller-identity --query Account --output text)
region=${AWS_REGION:-${AWS_DEFAULT_REGION:-us-east-1}}
role="arn:aws:iam::$account:role/orders" # AWS wants one; here it means nothing
queues="big-orders big-orders.fifo big-orders-eur calls-that-failed reminders poison-dead poison"
arn() { echo "arn:aws:$1:$region:$account:$2"; }
url() { aws sqs get-queue-url --queue-name "$1" --query QueueUrl --output text; }

# take QUEUE COUNT takes that many messages, deletes them, and prints the list of them.
take() {
  local q got='[]' more until=$((SECONDS + PATIENCE))
  q=$(url "$1")
  while [[ $(json 'len(d)' <<<"$got") -lt $2 && $SECONDS -lt $until ]]; do
    more=$(aws sqs receive-message --queue-url "$q" --max-number-of-messages 10 --wait-time-seconds 5 \
      --attribute-names All --message-attribute-names All)
    for handle in $(json '"\n".join(m["ReceiptHandle"] for m in d.get("Messages", []))' <<<"$more"); do
      aws sqs delete-message --queue-url "$q" --receipt-handle="$handle"
    done
    got=$(printf '%s\n%s\n' "$got" "${more:-"{}"}" | "$PYTHON" -c '
import json, sys
text, decoder = sys.stdin.read(), json.JSONDecoder()
got, at = decoder.raw_decode(text)
more, _ = decoder.raw_decode(text[at:].lstrip())
print(json.dumps(got + more.get("Messages", [])))')
  done
  echo "$got"
}

calls() { curl -fsS "http://$RECEIVER$1"; }

clean() {
  local rule name
  for rule in big all; do
    aws events remove-targets --rule $rule --event-bus-name shop --ids queue fifo topic crm mail >/dev/null 2>&1 || true
    aws events delete-rule --name $rule --event-bus-name shop 2>/dev/null || true
  done
  aws events delete-archive --archive-name shop-archive 2>/dev/null || true
  for name in crm mail; do aws events delete-api-destination --name $name 2>/dev/null || true; done
  aws events delete-connection --name shop-key >/dev/null 2>&1 || true
  aws events delete-event-bus --name shop 2>/dev/null || true
  aws scheduler delete-schedule --name remind 2>/dev/null || true
  aws sns delete-topic --topic-arn "$(arn sns big-orders)" 2>/dev/null || true
  for name in $queues; do aws sqs delete-queue --queue-url "$(url "$name" 2>/dev/null)" 2>/dev/null || true; done
  ok "nothing is left of an earlier run"
}

make_queues() {
  local q attributes topic
  for q in $queues; do
    attributes='{}'
    case $q in
      *.fifo) attributes='{"FifoQueue":"true","ContentBasedDeduplication":"true"}' ;;
      poison) attributes=$(json 'json.dumps({"RedrivePolicy": json.dumps(d)})' \
        <<<"{\"deadLetterTargetArn\":\"$(arn sqs poison-dead)\",\"maxReceiveCount\":2}") ;;
    esac
    aws sqs create-queue --queue-name "$q" --attributes "$attributes" >/dev/null
  done
  topic=$(aws sns create-topic --name big-orders --query TopicArn --output text)
  aws sns subscribe --topic-arn "$topic" --protocol sqs --notification-endpoint "$(arn sqs big-orders-eur)" --attributes \
    '{"RawMessageDelivery":"true","FilterPolicyScope":"MessageBody","FilterPolicy":"{\"detail\":{\"currency\":[\"EUR\"]}}"}' >/dev/null
  ok "queues, a topic and its subscription"
}

BIG='{"source":["shop.orders"],"detail-type":["OrderPlaced"],"detail":{"total":[{"numeric":[">=",100]}]}}'

make_bus() {
  local bus said
  bus=$(aws events create-event-bus --name shop --query EventBusArn --output text)
  aws events create-archive --archive-name shop-archive --event-source-arn "$bus" --retention-days 7 >/dev/null
  aws events put-rule --name big --event-bus-name shop --event-pattern "$BIG" >/dev/null
  said=$(aws events put-targets --rule big --event-bus-name shop --query FailedEntryCount --targets "[
    {\"Id\":\"queue\",\"Arn\":\"$(arn sqs big-orders)\",\"InputTransformer\":{
      \"InputPathsMap\":{\"id\":\"\$.detail.id\",\"total\":\"\$.detail.total\"},
      \"InputTemplate\":\"{\\\"text\\\": \\\"order <id> is worth <total>\\\", \\\"total\\\": <total>}\"}},
    {\"Id\":\"fifo\",\"Arn\":\"$(arn sqs big-orders.fifo)\",\"SqsParameters\":{\"MessageGroupId\":\"orders\"}},
    {\"Id\":\"topic\",\"Arn\":\"$(arn sns big-orders)\"}]")
  check "a rule on source, detail-type and total, with three targets" "$said" 0
}

make_calls() {
  local connection name path destination targets='' said
  connection=$(aws events create-connection --name shop-key --authorization-type API_KEY --query ConnectionArn --output text \
    --auth-parameters "{\"ApiKeyAuthParameters\":{\"ApiKeyName\":\"X-Api-Key\",\"ApiKeyValue\":\"$KEY\"}}")
  for name in crm mail; do
    if [[ $name == crm ]]; then path=/crm; else path=/down; fi
    # Version 1 of the CLI would fetch what a parameter that begins with http:// names.
    destination=$(aws events create-api-destination --query ApiDestinationArn --output text --cli-input-json "{
      \"Name\":\"$name\",\"ConnectionArn\":\"$connection\",\"HttpMethod\":\"POST\",
      \"InvocationEndpoint\":\"http://$RECEIVER$path\",\"InvocationRateLimitPerSecond\":50}")
    targets+="${targets:+,}{\"Id\":\"$name\",\"Arn\":\"$destination\",\"RoleArn\":\"$role\",
      \"RetryPolicy\":{\"MaximumRetryAttempts\":1,\"MaximumEventAgeInSeconds\":3600},
      \"DeadLetterConfig\":{\"Arn\":\"$(arn sqs calls-that-failed)\"}}"
  done
  aws events put-rule --name all --event-bus-name shop --event-pattern '{"source":[{"prefix":"shop."}]}' >/dev/null
  said=$(aws events put-targets --rule all --event-bus-name shop --targets "[$targets]" --query FailedEntryCount)
  check "a rule on a prefix of sources, with two addresses to call" "$said" 0
}

example() { # a total
  echo "{\"id\":\"1\",\"account\":\"$account\",\"source\":\"shop.orders\",\"time\":\"2026-11-26T12:00:00Z\",\"region\":\"$region\",
    \"resources\":[],\"detail-type\":\"OrderPlaced\",\"detail\":{\"total\":$1}}"
}

setup() {
  clean
  make_queues
  make_bus
  make_calls
  refused "an operator that there is not is refused" InvalidEventPatternException \
    aws events put-rule --name odd --event-bus-name shop --event-pattern '{"detail":{"total":[{"bigger-than":1}]}}'
  check "TestEventPattern: a big order fits" "$(aws events test-event-pattern --event-pattern "$BIG" --event "$(example 250)" --query Result)" true
  check "TestEventPattern: a small one does not" "$(aws events test-event-pattern --event-pattern "$BIG" --event "$(example 40)" --query Result)" false
}

put() {
  local said
  said=$(aws events put-events --entries '[
    {"EventBusName":"shop","Source":"shop.orders","DetailType":"OrderPlaced","Detail":"{\"id\":\"o-1\",\"customer\":\"ada\",\"total\":250,\"currency\":\"EUR\"}"},
    {"EventBusName":"shop","Source":"shop.orders","DetailType":"OrderPlaced","Detail":"{\"id\":\"o-2\",\"customer\":\"bob\",\"total\":40,\"currency\":\"EUR\"}"},
    {"EventBusName":"shop","Source":"shop.orders","DetailType":"OrderPlaced","Detail":"{\"id\":\"o-3\",\"customer\":\"ada\",\"total\":120,\"currency\":\"USD\"}"},
    {"EventBusName":"shop","Source":"shop.orders","DetailType":"OrderPlaced","Detail":"{not JSON"}]')
  check "three orders are put, what is no JSON is refused alone" \
    "$(json 'd["FailedEntryCount"], [e.get("ErrorCode") for e in d["Entries"]]' <<<"$said")" "1 [None, None, None, 'MalformedDetail']"
}

take_orders() {
  check "the queue has both big orders, transformed" \
    "$(take big-orders 2 | json 'sorted(json.loads(m["Body"])["text"] for m in d)')" "['order o-1 is worth 250', 'order o-3 is worth 120']"
  check "the FIFO queue has them in order, in their group" \
    "$(take big-orders.fifo 2 | json '[(json.loads(m["Body"])["detail"]["id"], m["Attributes"]["MessageGroupId"]) for m in d]')" \
    "[('o-1', 'orders'), ('o-3', 'orders')]"
  check "the topic's subscription has the one in EUR, raw" \
    "$(take big-orders-eur 1 | json '[json.loads(m["Body"])["detail"]["id"] for m in d]')" "['o-1']"
}

take_calls() {
  local got ids until=$((SECONDS + PATIENCE)) dead
  while got=$(calls /crm); ids=$(json 'sorted({c["body"]["detail"]["id"] for c in d})' <<<"$got")
    [[ $ids != "['o-1', 'o-2', 'o-3']" && $SECONDS -lt $until ]]; do sleep 0.1; done
  check "the address that works was called for all orders" "$ids" "['o-1', 'o-2', 'o-3']"
  check "with the connection's key" "$(json '{c["key"] for c in d}' <<<"$got")" "{\"$KEY\"}"
  dead=$(take calls-that-failed 3)
  check "what could not be called is in the dead-letter queue" \
    "$(json 'sorted(json.loads(m["Body"])["detail"]["id"] for m in d)' <<<"$dead")" "['o-1', 'o-2', 'o-3']"
  check "which names rule, target and error" \
    "$(json '(lambda a: (a["RULE_ARN"]["StringValue"], "api-destination/mail" in a["TARGET_ARN"]["StringValue"], bool(a["ERROR_CODE"]["StringValue"]), bool(a["ERROR_MESSAGE"]["StringValue"])))(d[0]["MessageAttributes"])' <<<"$dead")" \
    "('$(arn events rule/shop/all)', True, True, True)"
}

replay() {
  local name state until=$((SECONDS + PATIENCE))
  name=again-$(date +%s)-$$
  aws events start-replay --replay-name "$name" --event-source-arn "$(arn events archive/shop-archive)" \
    --event-start-time $(($(date +%s) - 3600)) --event-end-time "$(date +%s.%N)" \
    --destination "{\"Arn\":\"$(arn events event-bus/shop)\",\"FilterArns\":[\"$(arn events rule/shop/big)\"]}" >/dev/null
  check "a replay brings the big orders again, marked" \
    "$(take big-orders.fifo 2 | json '[(json.loads(m["Body"])["detail"]["id"], json.loads(m["Body"]).get("replay-name")) for m in d]')" \
    "[('o-1', '$name'), ('o-3', '$name')]"
  check "to every target of its rule" "$(take big-orders 2 | json 'len(d)') $(take big-orders-eur 1 | json 'len(d)')" "2 1"
  while state=$(aws events describe-replay --replay-name "$name" --query State --output text)
    [[ $state != COMPLETED && $SECONDS -lt $until ]]; do sleep 0.1; done
  check "the replay is done" "$state" COMPLETED
  check "and the other rule knows nothing of it" "$(calls /crm | json '[c for c in d if "replay-name" in c["body"]]')" "[]"
}

remind() {
  local until=$((SECONDS + PATIENCE))
  aws scheduler create-schedule --name remind --flexible-time-window Mode=OFF --action-after-completion DELETE \
    --schedule-expression "at($("$PYTHON" -c 'import datetime as d; print((d.datetime.now(d.timezone.utc)+d.timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%S"))'))" \
    --target "{\"Arn\":\"$(arn sqs reminders)\",\"RoleArn\":\"$role\",\"Input\":\"pay order o-1\"}" >/dev/null
  check "a schedule runs once" "$(take reminders 1 | json '[m["Body"] for m in d]')" "['pay order o-1']"
  while aws scheduler get-schedule --name remind >/dev/null 2>&1 && [[ $SECONDS -lt $until ]]; do sleep 0.1; done
  refused "and deletes itself" ResourceNotFoundException aws scheduler get-schedule --name remind
}

poison() {
  local q seen=0 dead until=$((SECONDS + PATIENCE))
  q=$(url poison)
  aws sqs send-message --queue-url "$q" --message-body "nobody can do this" >/dev/null
  while [[ $seen -lt 2 && $SECONDS -lt $until ]]; do
    seen=$((seen + $(aws sqs receive-message --queue-url "$q" --visibility-timeout 0 --wait-time-seconds 5 | json 'len(d.get("Messages", []))')))
  done
  check "a poison message is received twice" "$seen" 2
  check "and not a third time" "$(aws sqs receive-message --queue-url "$q" --wait-time-seconds 1 | json 'd.get("Messages", [])')" "[]"
  while dead=$(aws sqs get-queue-attributes --queue-url "$(url poison-dead)" --attribute-names All --query Attributes.ApproximateNumberOfMessages --output text)
    [[ $dead != 1 && $SECONDS -lt $until ]]; do sleep 0.1; done
  check "it is in its dead-letter queue" "$dead" 1
  aws sqs start-message-move-task --source-arn "$(arn sqs poison-dead)" >/dev/null
  check "and a move task brings it back" "$(take poison 1 | json '[m["Body"] for m in d]')" "['nobody can do this']"
}

if ! curl -fsS "http://$RECEIVER/" >/dev/null 2>&1; then
  "$PYTHON" receiver.py &
  trap 'kill %1' EXIT
  until curl -fsS "http://$RECEIVER/" >/dev/null 2>&1; do sleep 0.05; done
fi
case ${1:-all} in
  clean) clean ;;
  setup) setup ;;
  put) put ;;
  take) take_orders; take_calls; replay; remind; poison ;;
  all) setup; put; take_orders; take_calls; replay; remind; poison ;;
  *) echo "want clean, setup, put, take or nothing, got $1"; exit 2 ;;
esac
