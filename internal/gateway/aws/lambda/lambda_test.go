package lambda_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ottla/internal/event/mapping"
	"ottla/internal/event/name"
	"ottla/internal/gateway/aws"
	"ottla/internal/gateway/aws/lambda"
)

// kept are mappings in memory.
type kept map[string]mapping.Mapping

func (k kept) Put(_ context.Context, ref name.Ref, spec mapping.Spec) (mapping.Mapping, bool, error) {
	if spec.Function == "none" {
		return mapping.Mapping{}, false, fmt.Errorf("%w: function: there is none", mapping.ErrInvalid)
	}
	m := mapping.Mapping{Ref: ref, Spec: spec, Modified: time.UnixMilli(1_700_000_000_000)}
	k[ref.Name] = m
	return m, true, nil
}

func (k kept) Update(ctx context.Context, ref name.Ref, change func(*mapping.Spec) error) (mapping.Mapping, error) {
	m, err := k.Get(ctx, ref)
	if err == nil {
		err = change(&m.Spec)
	}
	if err == nil {
		k[ref.Name] = m
	}
	return m, err
}

func (k kept) Get(_ context.Context, ref name.Ref) (mapping.Mapping, error) {
	m, ok := k[ref.Name]
	if !ok {
		return m, mapping.ErrNotFound
	}
	return m, nil
}

func (k kept) List(_ context.Context, _ name.Ref, after string, most int) (out []mapping.Mapping, next string, err error) {
	for _, called := range slices.Sorted(maps.Keys(k)) {
		switch {
		case called <= after:
		case len(out) == most:
			return out, out[most-1].Ref.Name, nil
		default:
			out = append(out, k[called])
		}
	}
	return out, "", nil
}

func (k kept) Delete(_ context.Context, ref name.Ref) error {
	delete(k, ref.Name)
	return nil
}

func (k kept) Standing(ref name.Ref) mapping.Standing {
	return mapping.Standing{Here: true, Problem: map[string]string{"id-2": "no use"}[ref.Name]}
}

type rig struct {
	*testing.T
	all  kept
	door http.Handler
}

func newRig(t *testing.T) *rig {
	all, n := kept{}, 0
	return &rig{t, all, aws.New(aws.Options{
		Services: []*aws.Service{lambda.Service(lambda.Options{Mappings: all, NewID: func() string { n++; return fmt.Sprint("id-", n) }})},
		Trusted:  true, Logger: slog.New(slog.DiscardHandler), Next: http.NotFoundHandler(),
	})}
}

// call gives the answer of a call as JSON, and its status.
func (r *rig) call(method, path, body string) (int, map[string]any) {
	r.Helper()
	w := httptest.NewRecorder()
	r.door.ServeHTTP(w, httptest.NewRequest(method, "/2015-03-31/event-source-mappings"+path, strings.NewReader(body)))
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		r.Fatalf("%s %s: %d %s: %v", method, path, w.Code, w.Body, err)
	}
	return w.Code, out
}

func (r *rig) holds(told map[string]any, want string) {
	r.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(want), &all); err != nil {
		r.Fatal(err)
	}
	for field, v := range all {
		if got, err := json.Marshal(told[field]); err != nil || string(got) != string(must(json.Marshal(v))) {
			r.Errorf("%s is %s, want %v", field, got, v)
		}
	}
}

func must(b []byte, _ error) []byte { return b }

func TestAMappingsLife(t *testing.T) {
	r := newRig(t)
	status, got := r.call("POST", "/", `{"EventSourceArn":"arn:aws:sqs:us-east-1:123456789012:orders","FunctionName":"arn:aws:lambda:us-east-1:123456789012:function:bill:live",
		"BatchSize":7,"MaximumBatchingWindowInSeconds":2,"FunctionResponseTypes":["ReportBatchItemFailures"],"ScalingConfig":{"MaximumConcurrency":3},"Enabled":false}`)
	if status != http.StatusOK {
		t.Fatalf("%d %v", status, got)
	}
	r.holds(got, `{"UUID":"id-1","EventSourceArn":"arn:aws:sqs:us-east-1:123456789012:orders","FunctionArn":"arn:aws:lambda:us-east-1:123456789012:function:bill","BatchSize":7,
		"MaximumBatchingWindowInSeconds":2,"State":"Disabled","FunctionResponseTypes":["ReportBatchItemFailures"],"ScalingConfig":{"MaximumConcurrency":3},"LastModified":1700000000}`)
	want := mapping.Spec{Source: "queue:orders", Function: "bill", Paused: true, Batch: 7, WindowMs: 2000, ReportFailures: true, Concurrency: 3}
	if got := r.all["id-1"].Spec; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if status, got = r.call("POST", "", `{"EventSourceArn":"arn:aws:sqs:us-east-1:123456789012:orders","FunctionName":"bill"}`); status != http.StatusConflict || !strings.Contains(fmt.Sprint(got), "id-1") {
		t.Errorf("again: %d %v", status, got)
	}
	if _, got = r.call("PUT", "/id-1", `{"Enabled":true,"FunctionResponseTypes":[]}`); true {
		r.holds(got, `{"State":"Enabled","BatchSize":7,"FunctionResponseTypes":null,"LastProcessingResult":"OK"}`)
	}
	filters := `{"FilterCriteria":{"Filters":[{"Pattern":"{\"body\":{\"a\":[1]}}"},{"Pattern":"{\"body\":[\"x\"]}"}]}}`
	_, got = r.call("PUT", "/id-1", filters)
	r.holds(got, filters)
	if got := r.all["id-1"].Filters; !slices.Equal(got, []string{`{"body":{"a":[1]}}`, `{"body":["x"]}`}) {
		t.Errorf("its filters are %q", got)
	}
	_, got = r.call("PUT", "/id-1", `{"Enabled":true}`)
	r.holds(got, filters)
	_, got = r.call("PUT", "/id-1", `{"FilterCriteria":{"Filters":[]}}`)
	r.holds(got, `{"FilterCriteria":null}`)
	_, got = r.call("PUT", "/id-1", `{"ScalingConfig":{}}`)
	r.holds(got, `{"ScalingConfig":{"MaximumConcurrency":5}}`)
	_, got = r.call("POST", "/", `{"SelfManagedEventSource":{"Endpoints":{"KAFKA_BOOTSTRAP_SERVERS":["localhost:9092"]}},"Topics":["clicks"],"FunctionName":"score","StartingPosition":"AT_TIMESTAMP",
		"StartingPositionTimestamp":1700000000.5,"BisectBatchOnFunctionError":true,"MaximumRetryAttempts":5,"MaximumRecordAgeInSeconds":60,
		"DestinationConfig":{"OnFailure":{"Destination":"arn:aws:sqs:us-east-1:123456789012:bad"}},"SelfManagedKafkaEventSourceConfig":{"ConsumerGroupId":"mine"}}`)
	told := `{"UUID":"id-2","Topics":["clicks"],"StartingPosition":"AT_TIMESTAMP","StartingPositionTimestamp":1700000000.5,"BisectBatchOnFunctionError":true,"MaximumRetryAttempts":5,
		"MaximumRecordAgeInSeconds":60,"DestinationConfig":{"OnFailure":{"Destination":"arn:aws:sqs:us-east-1:123456789012:bad"}},"SelfManagedKafkaEventSourceConfig":{"ConsumerGroupId":"mine"},
		"LastProcessingResult":"PROBLEM: no use"}`
	r.holds(got, told)
	_, got = r.call("GET", "/id-2", "")
	r.holds(got, told)
	_, got = r.call("PUT", "/id-2", `{"MaximumRetryAttempts":-1,"MaximumRecordAgeInSeconds":-1,"DestinationConfig":{}}`)
	r.holds(got, `{"MaximumRetryAttempts":-1,"MaximumRecordAgeInSeconds":-1,"DestinationConfig":null,"BisectBatchOnFunctionError":true}`)

	ids := func(query string) (out []string, next any) {
		_, got := r.call("GET", "/"+query, "")
		for _, m := range got["EventSourceMappings"].([]any) {
			out = append(out, m.(map[string]any)["UUID"].(string))
		}
		return out, got["NextMarker"]
	}
	first, next := ids("?MaxItems=1")
	second, end := ids(fmt.Sprintf("?MaxItems=1&Marker=%v", next))
	if !slices.Equal(append(first, second...), []string{"id-1", "id-2"}) || end != nil {
		t.Errorf("pages %v, %v and then %v", first, second, end)
	}
	if got, _ := ids("?FunctionName=score"); !slices.Equal(got, []string{"id-2"}) {
		t.Errorf("of a function: %v", got)
	}
	if got, _ := ids("?EventSourceArn=arn:aws:kafka:us-east-1:123456789012:cluster/x/y"); !slices.Equal(got, []string{"id-2"}) {
		t.Errorf("of a cluster: %v", got)
	}
	if got, _ := ids("?EventSourceArn=arn:aws:sqs:us-east-1:123456789012:orders"); !slices.Equal(got, []string{"id-1"}) {
		t.Errorf("of a source: %v", got)
	}
	_, got = r.call("DELETE", "/id-1", "")
	r.holds(got, `{"UUID":"id-1","State":"Deleting"}`)
	if status, got = r.call("GET", "/id-1", ""); status != http.StatusNotFound {
		t.Errorf("when it is deleted: %d %v", status, got)
	}
}

func TestWhatIsRefused(t *testing.T) {
	r := newRig(t)
	const queue = `"EventSourceArn":"arn:aws:sqs:us-east-1:123456789012:orders"`
	for _, body := range []string{
		`{"FunctionName":"bill"}`, `{` + queue + `}`, `{` + queue + `,"FunctionName":"none"}`, `{` + queue + `,"FunctionName":"a b"}`, `{"EventSourceArn":"x","FunctionName":"bill"}`,
		`{"EventSourceArn":"arn:aws:sqs:eu-west-1:123456789012:orders","FunctionName":"bill"}`, `{"EventSourceArn":"arn:aws:sns:us-east-1:123456789012:orders","FunctionName":"bill"}`,
		`{"EventSourceArn":"arn:aws:kafka:us-east-1:123456789012:cluster/x/y","FunctionName":"bill","StartingPosition":"LATEST"}`,
		`{"EventSourceArn":"arn:aws:kafka:us-east-1:123456789012:topic/ottla/x","FunctionName":"bill"}`,
		`{"EventSourceArn":"arn:aws:kafka:us-east-1:123456789012:topic/ottla/x","FunctionName":"bill","StartingPosition":"AT_TIMESTAMP"}`,
		`{"EventSourceArn":"arn:aws:kafka:us-east-1:123456789012:topic/ottla/x","FunctionName":"bill","StartingPosition":"NOW"}`,
		`{"EventSourceArn":"arn:aws:kafka:us-east-1:123456789012:topic/ottla/x","FunctionName":"bill","StartingPosition":"AT_TIMESTAMP","StartingPositionTimestamp":-0.002}`,
		`{"EventSourceArn":"arn:aws:kafka:us-east-1:123456789012:topic/ottla/x","FunctionName":"bill","StartingPosition":"LATEST","MaximumRecordAgeInSeconds":9223372036854776}`,
		`{` + queue + `,"FunctionName":"bill","MaximumBatchingWindowInSeconds":9223372036854776}`, `{` + queue + `,"FunctionName":"bill","MaximumBatchingWindowInSeconds":-1}`,
		`{` + queue + `,"FunctionName":"bill","FilterCriteria":{"Filters":["{}"]}}`, `{` + queue + `,"FunctionName":"bill","Tags":{"a":"b"}}`,
		`{` + queue + `,"FunctionName":"bill","FunctionResponseTypes":["Other"]}`, `{` + queue + `,"FunctionName":"bill","BatchSize":0}`,
		`{` + queue + `,"FunctionName":"bill","DestinationConfig":{"OnFailure":{"Destination":"arn:aws:s3:::bucket"}}}`, `{` + queue + `,"FunctionName":"bill","TumblingWindowInSeconds":5}`,
	} {
		if status, got := r.call("POST", "/", body); status != http.StatusBadRequest {
			t.Errorf("%s: %d %v", body, status, got)
		}
	}
	if len(r.all) > 0 {
		t.Errorf("there are %v", r.all)
	}
	if status, got := r.call("GET", "/a%20b", ""); status != http.StatusNotFound || !strings.Contains(fmt.Sprint(got), "does not exist") {
		t.Errorf("a name that is none: %d %v", status, got)
	}
	w, req := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/2015-03-31/event-source-mappingsX", nil)
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=00")
	if r.door.ServeHTTP(w, req); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "lambda has no") {
		t.Errorf("a path that is none: %d %s", w.Code, w.Body)
	}
	if status, got := r.call("PATCH", "/x", ""); status != http.StatusNotFound {
		t.Errorf("an operation that is none: %d %v", status, got)
	}
}
