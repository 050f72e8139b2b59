package events_test

import (
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"ottla/internal/gateway/aws/events"
)

// TestStories runs testdata/*.txt: calls with their bodies, and what is answered.
// topic NAME tells the records of a topic, and log what the door logged.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("stories: %v, %d files", err, len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			r := newRig(t)
			datadriven.RunTest(t, file, func(_ *testing.T, d *datadriven.TestData) string {
				switch d.Cmd {
				case "topic":
					return r.topic(d.CmdArgs[0].String())
				case "log":
					return r.log.String()
				}
				return said(r.call(d.Cmd, d.Input))
			})
		})
	}
}

// FuzzCallsNeverPanic: nothing that a client sends makes the door panic, and every
// answer is one that its protocol allows.
func FuzzCallsNeverPanic(f *testing.F) {
	var ops []string
	for _, op := range events.Service(events.Options{}).Ops {
		ops = append(ops, op.Name)
	}
	for _, s := range []string{
		`{"Name":"a","EventBusName":"shop","EventPattern":"{\"source\":[\"x\"]}","State":"ENABLED","Tags":[{"Key":"k","Value":"v"}]}`,
		`{"Entries":[{"Source":"x","DetailType":"y","Detail":"{}","Time":1795694400,"Resources":["r"],"EventBusName":"default","TraceHeader":"t"}]}`,
		`{"Rule":"a","Targets":[{"Id":"1","Arn":"arn:aws:sqs:us-east-1:123456789012:q","InputTransformer":{"InputPathsMap":{"a":"$.b"},"InputTemplate":"<a>"}}],"Ids":["1"]}`,
		`{"ArchiveName":"a","EventSourceArn":"arn:aws:events:us-east-1:123456789012:event-bus/default","RetentionDays":1}`,
		`{"ReplayName":"r","EventSourceArn":"arn:aws:events:us-east-1:123456789012:archive/a","EventStartTime":1,"EventEndTime":2,"Destination":{"Arn":"arn:aws:events:us-east-1:123456789012:event-bus/default"}}`,
		`{"EventBusName":"default","Policy":"{\"Statement\":{\"Effect\":\"Deny\"}}","ResourceARN":"arn:aws:events:us-east-1:123456789012:rule/a","TagKeys":["k"]}`, `null`, `{"Limit":0,"NextToken":"%"}`,
	} {
		for op := range ops {
			f.Add(op, s)
		}
	}
	r := newRig(f)
	r.ctx = context.Background() // a hunt has no end
	f.Fuzz(func(t *testing.T, op int, body string) {
		w := r.call(ops[uint(op)%uint(len(ops))], body)
		answer, err := io.ReadAll(w.Body)
		if err != nil || !json.Valid(answer) || w.Code >= 500 {
			t.Errorf("%s %s: got %d %s, %v", ops[uint(op)%uint(len(ops))], body, w.Code, answer, err)
		}
	})
}
