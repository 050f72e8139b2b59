package lambda

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"ottla/internal/event/mapping"
	"ottla/internal/event/name"
	"ottla/internal/gateway/aws/protocol"
)

// written is what creates or changes a mapping. What is not given of an update stays.
type written struct {
	Source           string           `json:"EventSourceArn"`
	Function         string           `json:"FunctionName"`
	Enabled          *bool            `json:"Enabled"`
	Batch            *int64           `json:"BatchSize"`
	Window           *int64           `json:"MaximumBatchingWindowInSeconds"`
	Position         string           `json:"StartingPosition"`
	PositionTime     *protocol.Moment `json:"StartingPositionTimestamp"`
	Topics           []string         `json:"Topics"`
	SelfManaged      json.RawMessage  `json:"SelfManagedEventSource"`
	SelfManagedKafka *kafkaConfig     `json:"SelfManagedKafkaEventSourceConfig"`
	ManagedKafka     *kafkaConfig     `json:"AmazonManagedKafkaEventSourceConfig"`
	Destination      *destination     `json:"DestinationConfig"`
	MaxAge           *int64           `json:"MaximumRecordAgeInSeconds"`
	Bisect           *bool            `json:"BisectBatchOnFunctionError"`
	Retries          *int64           `json:"MaximumRetryAttempts"`
	Responses        []string         `json:"FunctionResponseTypes"`
	Scaling          *scaling         `json:"ScalingConfig"`
	Filter           *criteria        `json:"FilterCriteria"`

	// What is refused where it asks for something.
	Tags            map[string]string `json:"Tags"`
	Tumbling        int64             `json:"TumblingWindowInSeconds"`
	Parallelization int64             `json:"ParallelizationFactor"`
	Queues          []string          `json:"Queues"`
	DocumentDB      json.RawMessage   `json:"DocumentDBEventSourceConfig"`
	Key             string            `json:"KMSKeyArn"`
}

type kafkaConfig struct {
	Group    string          `json:"ConsumerGroupId,omitempty"`
	Registry json.RawMessage `json:"SchemaRegistryConfig,omitempty"`
}

type destination struct {
	Failure *failure `json:"OnFailure,omitempty"`
}

// criteria are the patterns one of which is to be fit.
type criteria struct {
	Filters []filter `json:"Filters"`
}

type filter struct {
	Pattern string `json:"Pattern"`
}

type failure struct {
	Destination string `json:"Destination,omitempty"`
}

type scaling struct {
	Concurrency int64 `json:"MaximumConcurrency,omitempty"`
}

// reports is the one value of FunctionResponseTypes.
const reports = "ReportBatchItemFailures"

// given tells whether JSON says anything.
func given(raw json.RawMessage) bool {
	text := strings.Join(strings.Fields(string(raw)), "")
	return !slices.Contains([]string{"", "null", "{}"}, text)
}

// refused is the first thing that is asked for and not served.
func (in *written) refused() error {
	registry := false
	for _, k := range []*kafkaConfig{in.SelfManagedKafka, in.ManagedKafka} {
		registry = registry || k != nil && given(k.Registry)
	}
	for _, f := range []struct {
		asked bool
		what  string
	}{
		{len(in.Tags) > 0, "Tags"}, {in.Tumbling > 0, "TumblingWindowInSeconds"},
		{in.Parallelization > 1, "ParallelizationFactor"}, {len(in.Queues) > 0, "Queues of Amazon MQ"}, {given(in.DocumentDB), "DocumentDBEventSourceConfig"},
		{in.Key != "", "KMSKeyArn"}, {registry, "SchemaRegistryConfig"},
	} {
		if f.asked {
			return invalid("This server does not serve %s.", f.what)
		}
	}
	return nil
}

// source is what a mapping takes from, as mappings name it.
func (in *written) source(c *protocol.Call) (string, error) {
	if in.Source == "" && !given(in.SelfManaged) {
		return "", invalid("Event source is required: EventSourceArn, or SelfManagedEventSource and Topics.")
	}
	topic := len(in.Topics) == 1
	if in.Source == "" || strings.Contains(in.Source, ":cluster/") {
		if !topic {
			return "", invalid("Topics has %d names; one is wanted.", len(in.Topics))
		}
		return "topic:" + in.Topics[0], nil
	}
	ref, err := name.ParseARN(in.Source)
	switch {
	case err != nil:
		return "", invalid("Invalid EventSourceArn: %v.", err)
	case ref.Account != c.Account || ref.Region != c.Region:
		return "", invalid("The event source %s is of another account or region.", in.Source)
	case ref.Kind == name.Queue && len(in.Topics) == 0:
		return "queue:" + ref.Name, nil
	case ref.Kind == name.Topic && (len(in.Topics) == 0 || topic && in.Topics[0] == ref.Name):
		return "topic:" + ref.Name, nil
	}
	return "", invalid("Unrecognized event source: %s is neither a queue nor a topic of Kafka's.", in.Source)
}

// function is the name of a function that comes as that, or as an ARN, whole or in part.
func function(c *protocol.Call, text string) (string, error) {
	if strings.HasPrefix(text, "arn:") {
		ref, err := name.ParseARN(text)
		if err != nil || ref.Kind != name.Function {
			return "", invalid("%q is no ARN of a function.", text)
		}
		return ref.Name, nil
	}
	text = strings.TrimPrefix(text, c.Account+":")
	text = strings.TrimPrefix(text, "function:")
	called, _, _ := strings.Cut(text, ":") // a version or an alias stands behind
	if err := name.Check(name.Function, called); err != nil {
		return "", invalid("%v.", err)
	}
	return called, nil
}

// into writes what is given into a spec.
func (in *written) into(c *protocol.Call, s *mapping.Spec) error {
	if err := in.refused(); err != nil {
		return err
	}
	if in.Function != "" {
		called, err := function(c, in.Function)
		if err != nil {
			return err
		}
		s.Function = called
	}
	if in.Enabled != nil {
		s.Paused = !*in.Enabled
	}
	if in.Batch != nil {
		if s.Batch = int(*in.Batch); s.Batch == 0 {
			return invalid("BatchSize is 0; 1 to %d are possible.", mapping.MostBatch)
		}
	}
	if in.Window != nil {
		if s.WindowMs = *in.Window * 1000; *in.Window < 0 || *in.Window > mapping.MostWindowMs/1000 {
			return invalid("MaximumBatchingWindowInSeconds is %d; 0 to %d are possible.", *in.Window, mapping.MostWindowMs/1000)
		}
	}
	if in.MaxAge != nil { // -1 is no bound
		if s.MaxAgeMs = max(*in.MaxAge, 0) * 1000; *in.MaxAge < -1 || *in.MaxAge > mapping.MostAgeMs/1000 {
			return invalid("MaximumRecordAgeInSeconds is %d; -1 to %d are possible.", *in.MaxAge, mapping.MostAgeMs/1000)
		}
	}
	if in.Filter != nil {
		s.Filters = nil
		for _, f := range in.Filter.Filters {
			s.Filters = append(s.Filters, f.Pattern)
		}
	}
	if in.Bisect != nil {
		s.Bisect = *in.Bisect
	}
	if in.Retries != nil {
		s.Retries = nil
		if n := int(*in.Retries); n != -1 {
			s.Retries = &n
		}
	}
	if in.Responses != nil {
		if i := slices.IndexFunc(in.Responses, func(r string) bool { return r != reports }); i >= 0 {
			return invalid("FunctionResponseTypes has %q; %s is possible.", in.Responses[i], reports)
		}
		s.ReportFailures = len(in.Responses) > 0
	}
	if in.Scaling != nil && strings.HasPrefix(s.Source, "queue:") {
		if s.Concurrency = int(in.Scaling.Concurrency); s.Concurrency == 0 { // nothing is said of it any more
			s.Concurrency = mapping.DefaultConcurrency
		}
	} else if in.Scaling != nil && in.Scaling.Concurrency != 0 {
		s.Concurrency = int(in.Scaling.Concurrency) // which topics refuse
	}
	return in.destined(c, s)
}

// destined writes where what is given up goes.
func (in *written) destined(c *protocol.Call, s *mapping.Spec) error {
	if in.Destination == nil {
		return nil
	}
	s.DeadLetters = ""
	if in.Destination.Failure == nil || in.Destination.Failure.Destination == "" {
		return nil
	}
	ref, err := name.ParseARN(in.Destination.Failure.Destination)
	if err != nil || ref.Kind != name.Queue || ref.Account != c.Account || ref.Region != c.Region {
		return invalid("The destination %s is no queue of this account and region.", in.Destination.Failure.Destination)
	}
	s.DeadLetters = "queue:" + ref.Name
	return nil
}

// begins writes where a topic is begun, and in which group.
func (in *written) begins(s *mapping.Spec) error {
	for _, k := range []*kafkaConfig{in.SelfManagedKafka, in.ManagedKafka} {
		if k != nil && k.Group != "" {
			s.Group = k.Group
		}
	}
	switch in.Position {
	case "":
		if strings.HasPrefix(s.Source, "topic:") {
			return invalid("StartingPosition is required for topics: TRIM_HORIZON, LATEST or AT_TIMESTAMP.")
		}
	case "TRIM_HORIZON":
		s.From = mapping.Earliest
	case "LATEST":
		s.From = mapping.Latest
	case "AT_TIMESTAMP":
		if in.PositionTime == nil {
			return invalid("StartingPositionTimestamp is required with AT_TIMESTAMP.")
		}
		if *in.PositionTime < 0 {
			return invalid("StartingPositionTimestamp is before 1970.")
		}
		s.From = time.UnixMilli(int64(*in.PositionTime)).UTC().Format(time.RFC3339Nano)
	default:
		return invalid("StartingPosition is %q; TRIM_HORIZON, LATEST and AT_TIMESTAMP are possible.", in.Position)
	}
	return nil
}

// told is a mapping as it is answered.
type told struct {
	UUID             string           `json:"UUID"`
	ARN              string           `json:"EventSourceMappingArn"`
	Source           string           `json:"EventSourceArn,omitempty"`
	Function         string           `json:"FunctionArn"`
	Batch            int              `json:"BatchSize"`
	Window           int64            `json:"MaximumBatchingWindowInSeconds"`
	State            string           `json:"State"`
	Reason           string           `json:"StateTransitionReason"`
	Last             string           `json:"LastProcessingResult,omitempty"`
	Modified         protocol.Moment  `json:"LastModified"`
	Responses        []string         `json:"FunctionResponseTypes,omitempty"`
	Scaling          *scaling         `json:"ScalingConfig,omitempty"`
	Filter           *criteria        `json:"FilterCriteria,omitempty"`
	Topics           []string         `json:"Topics,omitempty"`
	Position         string           `json:"StartingPosition,omitempty"`
	PositionTime     *protocol.Moment `json:"StartingPositionTimestamp,omitempty"`
	SelfManagedKafka *kafkaConfig     `json:"SelfManagedKafkaEventSourceConfig,omitempty"`
	Destination      *destination     `json:"DestinationConfig,omitempty"`
	MaxAge           *int64           `json:"MaximumRecordAgeInSeconds,omitempty"`
	Bisect           *bool            `json:"BisectBatchOnFunctionError,omitempty"`
	Retries          *int64           `json:"MaximumRetryAttempts,omitempty"`
}

// tell is a mapping as Lambda has it.
func (d door) tell(m *mapping.Mapping) *told {
	at := func(kind name.Kind, called string) string {
		return name.Ref{Kind: kind, Account: m.Ref.Account, Region: m.Ref.Region, Name: called}.ARN()
	}
	out := &told{
		UUID: m.Ref.Name, ARN: m.Ref.ARN(), Function: at(name.Function, m.Function), Batch: m.Batch, Window: m.WindowMs / 1000,
		State: "Enabled", Reason: "USER_INITIATED", Modified: protocol.Moment(m.Modified.UnixMilli()),
	}
	if m.Paused {
		out.State = "Disabled"
	}
	if s := d.o.Mappings.Standing(m.Ref); s.Problem != "" {
		out.Last = "PROBLEM: " + s.Problem
	} else if s.Here {
		out.Last = "OK"
	}
	if m.ReportFailures {
		out.Responses = []string{reports}
	}
	if len(m.Filters) > 0 {
		out.Filter = &criteria{}
		for _, text := range m.Filters {
			out.Filter.Filters = append(out.Filter.Filters, filter{text})
		}
	}
	topic, ok := m.Topic()
	if !ok {
		of, _ := m.Queue()
		out.Source, out.Scaling = of.ARN(), &scaling{int64(m.Concurrency)}
		return out
	}
	out.Source, out.Topics, out.SelfManagedKafka, out.Bisect = at(name.Topic, topic), []string{topic}, &kafkaConfig{Group: m.Group}, &m.Bisect
	retries, age := int64(-1), int64(-1)
	if m.Retries != nil {
		retries = int64(*m.Retries)
	}
	if m.MaxAgeMs > 0 {
		age = m.MaxAgeMs / 1000
	}
	out.Retries, out.MaxAge = &retries, &age
	switch m.From {
	case mapping.Earliest:
		out.Position = "TRIM_HORIZON"
	case mapping.Latest:
		out.Position = "LATEST"
	default:
		out.Position = "AT_TIMESTAMP"
		if t, err := time.Parse(time.RFC3339Nano, m.From); err == nil {
			ms := protocol.Moment(t.UnixMilli())
			out.PositionTime = &ms
		}
	}
	if dead, ok := strings.CutPrefix(m.DeadLetters, "queue:"); ok {
		out.Destination = &destination{&failure{at(name.Queue, dead)}}
	}
	return out
}
