package scheduler

import (
	"encoding/json"
	"net/url"
	"strings"

	"ottla/internal/event/name"
	"ottla/internal/gateway/aws/protocol"
)

// universalPrefix begins the ARNs of universal targets, behind the partition.
const universalPrefix = ":scheduler:::aws-sdk:"

// maxUniversal bounds Input of a universal target: it is kept beside what it comes to.
const maxUniversal = 32 << 10

// universal is a universal target as it was written: an operation's ARN, and its request
// as Input. It is carried out as the templated target that does the same, and told back.
type universal struct {
	Arn   string `json:"arn"`
	Input string `json:"input"`
}

// operations are those that a templated target does as well.
var operations = map[string]func(c *protocol.Call, input string) (*target, error){
	"sqs:sendMessage": sendMessage, "sns:publish": publish, "eventbridge:putEvents": putEvents, "lambda:invoke": invoke,
}

// templated is the templated target that does what a universal one says; the same for
// others.
func (t *target) templated(c *protocol.Call) (*target, *universal, error) {
	_, operation, ok := strings.Cut(t.Arn, universalPrefix)
	if !ok {
		return t, nil, nil
	}
	read := operations[operation]
	if read == nil {
		return nil, nil, validation("Target: %s cannot be a target here: of universal targets there are sqs:sendMessage, sns:publish, eventbridge:putEvents and lambda:invoke.", t.Arn)
	}
	if t.SQS != nil || t.EventBridge != nil {
		return nil, nil, validation("Target: a universal target has its parameters in Input.")
	}
	out, err := read(c, t.Input)
	if err != nil {
		return nil, nil, err
	}
	if strings.Contains(out.Arn, "<aws.scheduler.") || out.SQS != nil && strings.Contains(out.SQS.MessageGroupID, "<aws.scheduler.") {
		return nil, nil, validation("Target: %s: keywords are replaced in what is delivered only.", operation)
	}
	var b broken
	if out.EventBridge != nil {
		out.EventBridge.check(&b)
	}
	if err := b.Err(); err != nil {
		return nil, nil, err
	}
	out.RoleArn, out.DeadLetter, out.Retry = t.RoleArn, t.DeadLetter, t.Retry
	return out, &universal{t.Arn, t.Input}, nil
}

// request reads the request of an operation. A parameter that the templated target does
// not know is refused: to leave it out would be another request.
func request(operation, input string, into any) error {
	if !json.Valid([]byte(input)) {
		return validation("Target: Input of %s must be well-formed JSON.", operation)
	}
	if len(input) > maxUniversal {
		return validation("Target: Input of %s has %d bytes; %d are possible here.", operation, len(input), maxUniversal)
	}
	d := json.NewDecoder(strings.NewReader(input))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return validation("Target: Input of %s cannot be carried out here: %s.", operation, strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

// needed refuses what was left out or is empty.
func needed(operation, parameter, value string) error {
	if value == "" {
		return validation("Target: Input of %s lacks %s.", operation, parameter)
	}
	return nil
}

func sendMessage(c *protocol.Call, input string) (*target, error) {
	const operation = "sqs:sendMessage"
	var in struct {
		QueueURL string `json:"QueueUrl"`
		Body     string `json:"MessageBody"`
		Group    string `json:"MessageGroupId"`
	}
	if err := request(operation, input, &in); err != nil {
		return nil, err
	}
	if err := needed(operation, "MessageBody", in.Body); err != nil {
		return nil, err
	}
	u, err := url.Parse(in.QueueURL)
	if err != nil {
		return nil, validation("Target: Input of %s: %s is no URL of a queue.", operation, in.QueueURL)
	}
	account, own, ok := strings.Cut(strings.Trim(u.Path, "/"), "/")
	ref := name.Ref{Kind: name.Queue, Account: account, Region: c.Region, Name: own}
	if !ok || name.Check(ref.Kind, ref.Name) != nil || name.CheckPlace(ref.Account, ref.Region) != nil {
		return nil, validation("Target: Input of %s: %s is no URL of a queue.", operation, in.QueueURL)
	}
	out := &target{Arn: ref.ARN(), Input: in.Body}
	if in.Group != "" {
		out.SQS = &sqsParameters{in.Group}
	}
	return out, nil
}

func publish(_ *protocol.Call, input string) (*target, error) {
	const operation = "sns:publish"
	var in struct {
		Topic   string `json:"TopicArn"`
		Message string `json:"Message"`
	}
	if err := request(operation, input, &in); err != nil {
		return nil, err
	}
	if err := needed(operation, "Message", in.Message); err != nil {
		return nil, err
	}
	if r, err := name.ParseARN(in.Topic); err != nil || r.Kind != name.SNS {
		return nil, validation("Target: Input of %s: %q is no ARN of an SNS topic.", operation, in.Topic)
	}
	return &target{Arn: in.Topic, Input: in.Message}, nil
}

func putEvents(c *protocol.Call, input string) (*target, error) {
	const operation = "eventbridge:putEvents"
	var in struct {
		Entries []struct {
			Bus        string `json:"EventBusName"`
			Source     string `json:"Source"`
			DetailType string `json:"DetailType"`
			Detail     string `json:"Detail"`
		} `json:"Entries"`
	}
	if err := request(operation, input, &in); err != nil {
		return nil, err
	}
	if len(in.Entries) != 1 {
		return nil, validation("Target: Input of %s has %d entries; one is possible here.", operation, len(in.Entries))
	}
	e := &in.Entries[0]
	if err := needed(operation, "Detail", e.Detail); err != nil {
		return nil, err
	}
	if strings.Contains(e.Source+e.DetailType, "<aws.scheduler.") {
		return nil, validation("Target: %s: keywords are replaced in what is delivered only.", operation)
	}
	bus := e.Bus
	if bus == "" {
		bus = name.DefaultBus
	}
	if !strings.HasPrefix(bus, "arn:") {
		bus = name.Ref{Kind: name.Bus, Account: c.Account, Region: c.Region, Name: bus}.ARN()
	}
	if r, err := name.ParseARN(bus); err != nil || r.Kind != name.Bus {
		return nil, validation("Target: Input of %s: %q is no event bus.", operation, e.Bus)
	}
	return &target{Arn: bus, Input: e.Detail, EventBridge: &busParameters{e.DetailType, e.Source}}, nil
}

func invoke(c *protocol.Call, input string) (*target, error) {
	const operation = "lambda:invoke"
	var in struct {
		Function string `json:"FunctionName"`
		Payload  string `json:"Payload"`
		// How it is invoked is all the same here: a run is over when the function has
		// taken it.
		Type string `json:"InvocationType"`
	}
	if err := request(operation, input, &in); err != nil {
		return nil, err
	}
	if in.Type != "" && in.Type != "Event" && in.Type != "RequestResponse" {
		return nil, validation("Target: Input of %s: InvocationType %q is neither Event nor RequestResponse.", operation, in.Type)
	}
	arn := in.Function
	if !strings.HasPrefix(arn, "arn:") {
		arn = name.Ref{Kind: name.Function, Account: c.Account, Region: c.Region, Name: arn}.ARN()
	}
	if r, err := name.ParseARN(arn); err != nil || r.Kind != name.Function {
		return nil, validation("Target: Input of %s: %q is no function.", operation, in.Function)
	}
	if in.Payload == "" {
		in.Payload = "{}"
	}
	return &target{Arn: arn, Input: in.Payload}, nil
}
