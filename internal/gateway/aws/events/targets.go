package events

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ottla/internal/event/bus"
	"ottla/internal/event/name"
	"ottla/internal/event/transform"
	"ottla/internal/gateway/aws/protocol"
)

// Bounds of PutTargets and RemoveTargets in the model.
const mostTargets = 100

// target is Target on the wire. Parameters of services that are not served are
// read to be refused by name.
type target struct {
	ID          string            `json:"Id"`
	Arn         string            `json:"Arn"`
	RoleArn     string            `json:"RoleArn,omitempty"`
	Input       *string           `json:"Input,omitempty"`
	InputPath   string            `json:"InputPath,omitempty"`
	Transformer *inputTransformer `json:"InputTransformer,omitempty"`
	SQS         *sqsParameters    `json:"SqsParameters,omitempty"`
	HTTP        *httpParameters   `json:"HttpParameters,omitempty"`
	DeadLetters *deadLetterConfig `json:"DeadLetterConfig,omitempty"`
	Retry       *retryPolicy      `json:"RetryPolicy,omitempty"`
	// KinesisParameters name the path of a key, which a topic here has as well.
	Kinesis    *kinesisParameters `json:"KinesisParameters,omitempty"`
	RunCommand json.RawMessage    `json:"RunCommandParameters,omitempty"`
	ECS        json.RawMessage    `json:"EcsParameters,omitempty"`
	Batch      json.RawMessage    `json:"BatchParameters,omitempty"`
	Redshift   json.RawMessage    `json:"RedshiftDataParameters,omitempty"`
	SageMaker  json.RawMessage    `json:"SageMakerPipelineParameters,omitempty"`
	AppSync    json.RawMessage    `json:"AppSyncParameters,omitempty"`
}

type inputTransformer struct {
	Paths    map[string]string `json:"InputPathsMap,omitempty"`
	Template string            `json:"InputTemplate"`
}

type sqsParameters struct {
	MessageGroupID string `json:"MessageGroupId,omitempty"`
}

type kinesisParameters struct {
	Path string `json:"PartitionKeyPath"`
}

type httpParameters struct {
	Path    []string          `json:"PathParameterValues,omitempty"`
	Headers map[string]string `json:"HeaderParameters,omitempty"`
	Query   map[string]string `json:"QueryStringParameters,omitempty"`
}

type retryPolicy struct {
	Attempts *int   `json:"MaximumRetryAttempts,omitempty"`
	MaxAge   *int64 `json:"MaximumEventAgeInSeconds,omitempty"`
}

// check checks a target as far as the model says it.
func (t *target) check(b *broken, at string) {
	b.name(at+"id", t.ID)
	b.arn(at+"arn", t.Arn)
	b.Length(at+"roleArn", t.RoleArn, 0, maxARN)
	if t.Input != nil {
		b.Length(at+"input", *t.Input, 0, transform.MaxInput)
	}
	b.Length(at+"inputPath", t.InputPath, 0, 256)
	if x := t.Transformer; x != nil {
		x.check(b, at+"inputTransformer.")
	}
	if t.SQS != nil {
		b.Length(at+"sqsParameters.messageGroupId", t.SQS.MessageGroupID, 0, 100)
	}
	if t.Kinesis != nil {
		b.Length(at+"kinesisParameters.partitionKeyPath", t.Kinesis.Path, 0, 256)
	}
	if t.HTTP != nil {
		t.HTTP.check(b, at+"httpParameters.")
	}
	if t.DeadLetters != nil && t.DeadLetters.Arn != "" {
		b.arn(at+"deadLetterConfig.arn", t.DeadLetters.Arn)
	}
	if t.Retry != nil && t.Retry.Attempts != nil {
		b.Number(at+"retryPolicy.maximumRetryAttempts", int64(*t.Retry.Attempts), 0, bus.MostRetries)
	}
	if t.Retry != nil && t.Retry.MaxAge != nil {
		b.Number(at+"retryPolicy.maximumEventAgeInSeconds", *t.Retry.MaxAge, bus.LeastAgeMs/1000, bus.MostAgeMs/1000)
	}
}

func (x *inputTransformer) check(b *broken, at string) {
	b.Count(at+"inputPathsMap", len(x.Paths), 0, transform.MaxPaths)
	for _, key := range slices.Sorted(maps.Keys(x.Paths)) {
		b.Length(at+"inputPathsMap."+key, x.Paths[key], 0, 256)
	}
	if x.Template == "" {
		b.Null(at + "inputTemplate")
	}
	b.Length(at+"inputTemplate", x.Template, 0, transform.MaxInput)
}

func (p *httpParameters) check(b *broken, at string) {
	for _, key := range slices.Sorted(maps.Keys(p.Headers)) {
		b.Fits(at+"headerParameters", key, headerKey)
		b.Length(at+"headerParameters", key, 1, 512)
		b.Length(at+"headerParameters."+key, p.Headers[key], 0, 512)
	}
	for _, key := range slices.Sorted(maps.Keys(p.Query)) {
		b.Length(at+"queryStringParameters", key, 1, 512)
		b.Length(at+"queryStringParameters."+key, p.Query[key], 0, 512)
	}
}

// keptOfTarget is what this door keeps with a target.
type keptOfTarget struct {
	RoleArn string `json:"role_arn,omitempty"`
	// Arn is what was written, which the native form may not tell: an API
	// destination's ends with an id.
	Arn string `json:"arn,omitempty"`
	// Retry tells a policy that was written from the default.
	Retry bool `json:"retry,omitempty"`
}

// target turns what was written into a target.
func (t *target) target() (bus.Target, error) {
	var out bus.Target
	for _, of := range []struct {
		service string
		given   json.RawMessage
	}{
		{"RunCommand", t.RunCommand}, {"Ecs", t.ECS}, {"Batch", t.Batch}, {"RedshiftData", t.Redshift},
		{"SageMakerPipeline", t.SageMaker}, {"AppSync", t.AppSync},
	} {
		if of.given != nil && string(of.given) != "null" {
			return out, invalid("%sParameters of target %s are for a service that is not served here.", of.service, t.ID)
		}
	}
	if err := t.checkArn(); err != nil {
		return out, err
	}
	given := 0
	for _, is := range []bool{t.Input != nil, t.InputPath != "", t.Transformer != nil} {
		if is {
			given++
		}
	}
	if given > 1 {
		return out, invalid("Only one of Input, InputPath, or InputTransformer must be provided for target %s.", t.ID)
	}
	if t.Input != nil && !json.Valid([]byte(*t.Input)) {
		return out, invalid("JSON syntax error in input for target %s.", t.ID)
	}
	out = bus.Target{ID: t.ID, To: t.Arn}
	if t.Input != nil {
		out.Input = *t.Input
	}
	out.InputPath = t.InputPath
	if x := t.Transformer; x != nil {
		out.Paths, out.Template = x.Paths, x.Template
	}
	if t.SQS != nil {
		out.Group = t.SQS.MessageGroupID
	}
	if t.Kinesis != nil {
		out.Key = t.Kinesis.Path
	}
	if h := t.HTTP; h != nil {
		out.Path, out.Headers, out.Query = h.Path, h.Headers, h.Query
	}
	if t.DeadLetters != nil {
		out.DeadLetters = t.DeadLetters.Arn
	}
	if t.Retry != nil {
		out.Retry.Retries = t.Retry.Attempts
		if t.Retry.MaxAge != nil {
			out.Retry.MaxAgeMs = *t.Retry.MaxAge * 1000
		}
	}
	var err error
	out.Extra, err = json.Marshal(keptOfTarget{RoleArn: t.RoleArn, Arn: t.Arn, Retry: t.Retry != nil})
	return out, err
}

// checkArn takes ARNs, and addresses as they are.
func (t *target) checkArn() error {
	if strings.HasPrefix(t.Arn, "https://") || strings.HasPrefix(t.Arn, "http://") {
		return nil
	}
	if strings.Count(t.Arn, ":") < 5 || !strings.HasPrefix(t.Arn, "arn:") {
		return invalid("Parameter %s is not valid. Reason: Provided Arn is not in correct format.", t.Arn)
	}
	if ref, err := name.ParseARN(t.Arn); err == nil && ref.Kind == name.Queue && strings.HasSuffix(ref.Name, name.FIFOSuffix) && t.SQS == nil && t.Kinesis == nil {
		return invalid("Parameter(s) SqsParameters must be specified for target: %s.", t.ID)
	}
	return nil
}

// showTarget turns a target into what is answered.
func showTarget(r bus.Rule, t bus.Target) target {
	var kept keptOfTarget
	if len(t.Extra) > 0 && json.Unmarshal(t.Extra, &kept) != nil {
		kept = keptOfTarget{}
	}
	out := target{ID: t.ID, Arn: kept.Arn, RoleArn: kept.RoleArn, InputPath: t.InputPath}
	if t.Input != "" {
		out.Input = &t.Input
	}
	if out.Arn == "" {
		out.Arn = arnOfTarget(r, t.To)
	}
	if t.Template != "" {
		out.Transformer = &inputTransformer{t.Paths, t.Template}
	}
	if t.Group != "" {
		out.SQS = &sqsParameters{t.Group}
	}
	if t.Key != "" {
		out.Kinesis = &kinesisParameters{t.Key}
	}
	if len(t.Path)+len(t.Headers)+len(t.Query) > 0 {
		out.HTTP = &httpParameters{t.Path, t.Headers, t.Query}
	}
	if t.DeadLetters != "" {
		out.DeadLetters = &deadLetterConfig{arnOfQueue(r.Full(), t.DeadLetters)}
	}
	if kept.Retry || t.Retry.Retries != nil || t.Retry.MaxAgeMs > 0 {
		out.Retry = &retryPolicy{Attempts: t.Retry.Retries}
		if t.Retry.MaxAgeMs > 0 {
			age := t.Retry.MaxAgeMs / 1000
			out.Retry.MaxAge = &age
		}
	}
	return out
}

type putTargetsIn struct {
	Rule    string   `json:"Rule"`
	Bus     string   `json:"EventBusName"`
	Targets []target `json:"Targets"`
}

// failedEntry is a target that was not put or removed.
type failedEntry struct {
	ID      string `json:"TargetId"`
	Code    string `json:"ErrorCode"`
	Message string `json:"ErrorMessage"`
}

type failedOut struct {
	Count   int           `json:"FailedEntryCount"`
	Entries []failedEntry `json:"FailedEntries"`
}

// ruleFor checks the names of calls about targets, and what else is broken.
func (d door) ruleFor(ctx context.Context, c *protocol.Call, b *broken, rule, of string) (bus.Rule, error) {
	b.name("rule", rule)
	b.bus(of)
	if err := b.Err(); err != nil {
		return bus.Rule{}, err
	}
	ref, err := busOf(c, of)
	if err != nil {
		return bus.Rule{}, err
	}
	return d.rule(ctx, ref.Rule(rule))
}

func (d door) putTargets(ctx context.Context, c *protocol.Call, in *putTargetsIn) (*failedOut, error) {
	var b broken
	if in.Targets == nil {
		b.Null("targets")
	} else {
		b.Count("targets", len(in.Targets), 1, mostTargets)
	}
	for i := range in.Targets[:min(len(in.Targets), mostTargets)] {
		in.Targets[i].check(&b, fmt.Sprintf("targets.%d.member.", i+1))
	}
	r, err := d.ruleFor(ctx, c, &b, in.Rule, in.Bus)
	if err != nil {
		return nil, err
	}
	targets := make([]bus.Target, 0, len(in.Targets))
	for i := range in.Targets {
		t, err := in.Targets[i].target()
		if err != nil {
			return nil, err
		}
		targets = append(targets, t)
	}
	_, errs, err := d.buses.PutTargets(ctx, r.RuleRef, targets)
	if err != nil {
		return nil, refuseRule(r.RuleRef, err)
	}
	return answerTargets(r.RuleRef, errs, func(i int) string { return targets[i].ID })
}

// answerTargets answers what came of each target. What is wrong with one as it was
// written, and what the rule has no room for, fails the call, as at AWS, and nothing is
// put.
func answerTargets(ref bus.RuleRef, errs []error, id func(int) string) (*failedOut, error) {
	out := &failedOut{Entries: []failedEntry{}}
	for i, err := range errs {
		if err == nil {
			continue
		}
		bad := protocol.AsError(refuseTarget(ref, id(i), err))
		if bad.Shape == validationError || bad.Shape == limitExceeded {
			return nil, bad
		}
		out.Entries = append(out.Entries, failedEntry{id(i), bad.Shape, bad.Message})
	}
	out.Count = len(out.Entries)
	return out, nil
}

type removeTargetsIn struct {
	Rule  string   `json:"Rule"`
	Bus   string   `json:"EventBusName"`
	IDs   []string `json:"Ids"`
	Force bool     `json:"Force"`
}

func (d door) removeTargets(ctx context.Context, c *protocol.Call, in *removeTargetsIn) (*failedOut, error) {
	var b broken
	if in.IDs == nil {
		b.Null("ids")
	} else {
		b.Count("ids", len(in.IDs), 1, mostTargets)
	}
	for i, id := range in.IDs[:min(len(in.IDs), mostTargets)] {
		b.name(fmt.Sprintf("ids.%d.member", i+1), id)
	}
	r, err := d.ruleFor(ctx, c, &b, in.Rule, in.Bus)
	if err != nil {
		return nil, err
	}
	_, errs, err := d.buses.RemoveTargets(ctx, r.RuleRef, in.IDs)
	if err != nil {
		return nil, refuseRule(r.RuleRef, err)
	}
	return answerTargets(r.RuleRef, errs, func(i int) string { return in.IDs[i] })
}

type listTargetsIn struct {
	Rule string `json:"Rule"`
	Bus  string `json:"EventBusName"`
	paged
}

type listTargetsOut struct {
	Targets   []target `json:"Targets"`
	NextToken string   `json:"NextToken,omitempty"`
}

func (d door) listTargets(ctx context.Context, c *protocol.Call, in *listTargetsIn) (*listTargetsOut, error) {
	var b broken
	most, after := in.page(&b)
	r, err := d.ruleFor(ctx, c, &b, in.Rule, in.Bus)
	if err != nil {
		return nil, err
	}
	out := &listTargetsOut{Targets: []target{}}
	for _, t := range r.Targets { // by id
		if t.ID <= after {
			continue
		}
		if len(out.Targets) == most {
			out.NextToken = token(out.Targets[most-1].ID)
			break
		}
		out.Targets = append(out.Targets, showTarget(r, t))
	}
	return out, nil
}
