package bus_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"ottla/internal/event/bus"
	"ottla/internal/event/plan"
	"ottla/internal/event/run"
)

// ill runners take rules up, and cannot be asked where they are.
type ill struct{ bus.Runners }

func (ill) Applied(context.Context, *plan.Source, *plan.Rule) error { return nil }
func (ill) Counts(string, string) run.Counts                        { return run.Counts{Sent: 7} }
func (ill) Cursors(context.Context, *plan.Source) ([]run.Cursor, error) {
	return nil, errors.New("nobody leads partition 3")
}

// Who looks at a rule while its runners are ill sees what can be seen.
func TestWhereTargetsStandIsUnknownWithTheReason(t *testing.T) {
	r := newRig(t, func(o *bus.Options) { o.Runners = ill{} })
	rule := r.rule(bus.Ref{}.Rule("x"), `{"source":["a"]}`, bus.Target{ID: "t", To: "https://nowhere.invalid"})
	got := r.buses.Standing(r.ctx, rule)
	if len(got) != 1 || got[0].State != bus.StandsUnknown || got[0].Sent != 7 || !strings.Contains(got[0].LastError, "nobody leads partition 3") {
		t.Errorf("%+v", got)
	}
}

// A rule that has a schedule and no pattern takes the events of that, and says so.
func TestARuleThatHasOnlyAScheduleIsExplained(t *testing.T) {
	r := newRig(t)
	r.o.Schedules = r.node.Schedules()
	r.buses.Close()
	r.open()
	_, _, err := r.buses.PutRule(r.ctx, bus.Ref{}.Rule("tick"), func(s *bus.RuleSpec) error { s.Schedule = "rate(1 day)"; return nil })
	r.must(err)
	for event, want := range map[string]string{
		`{"source":"aws.events","detail-type":"Scheduled Event","resources":["arn:aws:events:us-east-1:123456789012:rule/tick"]}`: `"matched":true`,
		`{"source":"app","detail-type":"Paid"}`: `"matched":false`,
	} {
		req, err := http.NewRequestWithContext(r.ctx, http.MethodPost, "http://"+r.node.HTTPAddr()+"/bus/default/rules/tick/explain", strings.NewReader(event))
		r.must(err)
		resp, err := http.DefaultClient.Do(req)
		r.must(err)
		body, err := io.ReadAll(resp.Body)
		r.must(err)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d %s, want %s", event, resp.StatusCode, body, want)
		}
	}
}
