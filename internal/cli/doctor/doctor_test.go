package doctor

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla"
	"ottla/internal/cli/native"
	"ottla/internal/event/bus"
	"ottla/internal/event/lookback"
	"ottla/internal/event/schedule"
	"ottla/internal/gateway/rest"
)

var now = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

const gib = 1 << 30

// healthy are facts of a node that has nothing to complain of: one topic t of
// one partition, 100 of whose 1000 records are of the last day.
func healthy() *Facts {
	offset := func(n int64) kadm.ListedOffsets {
		return kadm.ListedOffsets{"t": {0: {Topic: "t", Partition: 0, Offset: n, Timestamp: now.UnixMilli()}}}
	}
	return &Facts{
		Now: now, Addresses: []string{"h:9092"}, Brokers: map[int32]string{1: ""}, RoundTrip: time.Millisecond,
		Metadata: kadm.Metadata{Controller: 1, Brokers: kadm.BrokerDetails{{NodeID: 1, Host: "127.0.0.1", Port: 9092}},
			Topics: kadm.TopicDetails{"t": {Topic: "t", Partitions: kadm.PartitionDetails{0: {Topic: "t", Leader: 1, Replicas: []int32{1}, ISR: []int32{1}}}}}},
		Topics: []TopicSettings{{Topic: "t", Own: map[string]bool{}, Values: map[string]string{
			"cleanup.policy": "delete", "retention.ms": "604800000", "segment.ms": "604800000", "segment.bytes": "1073741824",
			"retention.bytes": "-1", "max.message.bytes": "1048588", "min.insync.replicas": "1", "durability": "fsync",
		}}},
		Dirs: []kadm.DescribedLogDir{{Broker: 1, Dir: "/d", TotalBytes: 100 * gib, UsableBytes: 50 * gib,
			Topics: kadm.DescribedLogDirTopics{"t": {0: {Size: 10 * gib}}}}},
		Starts: offset(0), Ends: offset(1000), Committed: offset(1000), DayAgo: offset(900), Newest: offset(999),
		Process: map[string]float64{"process_open_fds": 10, "process_max_fds": 1000, "process_resident_memory_bytes": 1e8,
			"ottla_timers_lateness_seconds_count": 10, `ottla_timers_lateness_seconds_bucket{le="5"}`: 10},
		Events: &Events{
			Queues: []rest.Queue{{Name: "jobs"}}, Again: map[string]int32{}, Fresh: map[string]int{},
			Dead:      []rest.DeadLetters{{Queue: "dead", Sources: []string{"jobs"}, Counts: &rest.Counts{Waiting: 8}, Reasons: map[string]int{"rejected": 5, "taken": 3}}},
			Schedules: []rest.Schedule{{Group: "default", Name: "tick", Spec: schedule.Spec{Target: schedule.Target{Topic: "t"}}}},
		},
		Rules:   healthyRules(),
		Machine: 1e10, Local: true, Missing: map[string]string{},
	}
}

func TestAHealthyClusterHasNothingToComplainOf(t *testing.T) {
	for _, f := range Examine(healthy()) {
		if f.Status != OK || f.Fix != "" || f.Evidence == "" || f.Code == "" || f.Check == "" {
			t.Errorf("%+v", f)
		}
	}
}

func TestIllsAreFoundWithEvidenceAndFix(t *testing.T) {
	own := func(f *Facts, kv ...string) {
		for i := 0; i < len(kv); i += 2 {
			f.Topics[0].Values[kv[i]], f.Topics[0].Own[kv[i]] = kv[i+1], true
		}
	}
	part := func(f *Facts, change func(*kadm.PartitionDetail)) {
		p := f.Metadata.Topics["t"].Partitions[0]
		change(&p)
		f.Metadata.Topics["t"].Partitions[0] = p
	}
	set := func(o kadm.ListedOffsets, offset, at int64) {
		o["t"][0] = kadm.ListedOffset{Topic: "t", Offset: offset, Timestamp: at}
	}
	for _, c := range []struct {
		code   string
		status Status
		want   string
		change func(*Facts)
	}{
		{"D01", Warn, "h:9: refused", func(f *Facts) { f.Refused = []string{"h:9: refused"} }},
		{"D02", Fail, "127.0.0.1:9092: connection refused", func(f *Facts) { f.Brokers[1] = "connection refused" }},
		{"D02", Warn, "the client's own machine", func(f *Facts) {
			f.Metadata.Brokers = append(f.Metadata.Brokers, kadm.BrokerDetail{NodeID: 2, Host: "b", Port: 1})
		}},
		{"D03", Warn, "metadata took 1s", func(f *Facts) { f.RoundTrip = time.Second }},
		{"D04", Fail, "no live node is the controller", func(f *Facts) { f.Metadata.Controller = -1 }},
		{"D05", Fail, "1 of 1 partitions have no leader: t-0", func(f *Facts) { part(f, func(p *kadm.PartitionDetail) { p.Leader = -1 }) }},
		{"D06", Warn, "t-0", func(f *Facts) { part(f, func(p *kadm.PartitionDetail) { p.Replicas = []int32{1, 2} }) }},
		{"D07", Fail, "min.insync.replicas=2 and 1 replicas", func(f *Facts) { own(f, "min.insync.replicas", "2") }},
		{"D07", Fail, "refuse acks=all", func(f *Facts) {
			own(f, "min.insync.replicas", "2")
			part(f, func(p *kadm.PartitionDetail) { p.Replicas = []int32{1, 2} })
		}},
		{"D08", Fail, "/d: gone", func(f *Facts) { f.Dirs[0].Err = errors.New("gone") }},
		{"D09", Fail, "1.00 GiB of 100 GiB free", func(f *Facts) { f.Dirs[0].UsableBytes = gib }},
		{"D09", Warn, "5.00 GiB of 100 GiB free", func(f *Facts) { f.Dirs[0].UsableBytes = 5 * gib }},
		{"D09", Warn, "10.0 GiB a day: full in 5.0 days", func(f *Facts) { set(f.DayAgo, 0, 0); own(f, "retention.ms", "-1") }},
		{"D09", OK, "1.00 GiB a day, which retention keeps within the disk", func(*Facts) {}},
		{"D09", Skipped, "does not tell", func(f *Facts) { f.Dirs[0].TotalBytes = -1 }},
		{"D10", Warn, "800 of 1000 open", func(f *Facts) { f.Process["process_open_fds"] = 800 }},
		{"D10", Skipped, "does not answer", func(f *Facts) { f.Missing["process"] = "does not answer" }},
		{"D11", Warn, "of the machine's", func(f *Facts) { f.Process["process_resident_memory_bytes"] = 9e9 }},
		{"D11", OK, "is not known here", func(f *Facts) { f.Local = false }},
		{"D12", Warn, "durability=memory: a power cut takes acknowledged records of t", func(f *Facts) { own(f, "durability", "memory") }},
		{"D12", Skipped, "which is Ottla's", func(f *Facts) { delete(f.Topics[0].Values, "durability") }},
		{"D09", OK, "more than ten years", func(f *Facts) {
			own(f, "retention.ms", "-1")
			f.Dirs[0].Topics["t"][0] = kadm.DescribedLogDirPartition{Size: 1000}
		}},
		{"D13", Warn, "segment.ms=604800000 is longer than retention.ms=1000", func(f *Facts) { own(f, "retention.ms", "1000") }},
		{"D13", Warn, "segment.bytes=1073741824 is more than retention.bytes=5", func(f *Facts) { own(f, "retention.bytes", "5") }},
		{"D13", Warn, "max.message.bytes=1048588 is more than segment.bytes=100", func(f *Facts) { own(f, "segment.bytes", "100") }},
		{"D13", Warn, "min.compaction.lag.ms=5", func(f *Facts) { own(f, "min.compaction.lag.ms", "5", "max.compaction.lag.ms", "4") }},
		{"D13", Warn, "retention.ms=700000000 has no effect with cleanup.policy=compact", func(f *Facts) { own(f, "cleanup.policy", "compact", "retention.ms", "700000000") }},
		{"D14", Warn, "t: remote.storage.enable", func(f *Facts) { own(f, "remote.storage.enable", "true") }},
		{"D15", Warn, "up to 2h0m0s ahead in t-0", func(f *Facts) { set(f.Newest, 5, now.Add(2*time.Hour).UnixMilli()) }},
		{"D16", Warn, "t-0 (10 records)", func(f *Facts) { set(f.Committed, 990, -1) }},
		{"D17", Warn, "group g has no members and is 5 records behind", func(f *Facts) { f.Groups = group("Empty", 995, 5) }},
		{"D17", Warn, "sharing its partitions anew", func(f *Facts) { f.Groups = group("PreparingRebalance", 1000, 0) }},
		{"D17", Warn, "deleted records in t-0", func(f *Facts) { f.Groups = group("Stable", 5, 995); set(f.Starts, 10, -1) }},
		{"D17", OK, "1 groups", func(f *Facts) { f.Groups = group("Stable", 5, 995) }},
		{"D18", Fail, "1 of 1 partitions have a leader that cannot open their log: t-0", func(f *Facts) {
			f.Ends["t"][0] = kadm.ListedOffset{Topic: "t", Err: kerr.KafkaStorageError}
		}},
		{"D18", OK, "all of 1 partitions are open", func(*Facts) {}},
		{"D18", Skipped, "refused", func(f *Facts) { f.Missing["end offsets"] = "refused" }},
		{"D19", Warn, "queue jobs has no dead letters, and a message of it was taken 7 times", func(f *Facts) { f.Events.Again["jobs"] = 7 }},
		{"D19", OK, "1 queues", func(f *Facts) { f.Events.Again["jobs"] = 4 }},
		{"D19", Skipped, "refused", func(f *Facts) { f.Events = nil; f.Missing["events"] = "refused" }},
		{"D20", Warn, "3 dead letters of jobs came into dead within a day, and 8 wait there (rejected)", func(f *Facts) { f.Events.Fresh["dead"] = 3 }},
		{"D20", Warn, "1000 or more dead letters of jobs", func(f *Facts) { f.Events.Fresh["dead"] = maxFresh; f.Events.Dead[0].Reasons = nil }},
		{"D20", Fail, "the queue dead, which takes the dead letters of jobs, is not there", func(f *Facts) { f.Events.Dead[0].Counts = nil }},
		{"D20", OK, "none came within a day", func(*Facts) {}},
		{"D20", Skipped, "refused", func(f *Facts) { f.Events = nil; f.Missing["events"] = "refused" }},
		{"D21", Warn, "2 of 10 timers since the node began were more than 5 s late", func(f *Facts) { f.Process[`ottla_timers_lateness_seconds_bucket{le="5"}`] = 8 }},
		{"D21", Warn, "5000 timers are due", func(f *Facts) { f.Process[`ottla_timers_pending{state="due"}`] = 5000 }},
		{"D21", Warn, "3 timers were given up", func(f *Facts) { f.Process["ottla_timers_failed_total"] = 3 }},
		{"D21", OK, "10 timers since the node began, none more than 5 s late", func(*Facts) {}},
		{"D21", Skipped, "does not answer", func(f *Facts) { f.Missing["process"] = "does not answer" }},
		{"D22", Fail, "schedule default/tick: the topic gone is not there", func(f *Facts) { f.Events.Schedules[0].Target.Topic = "gone" }},
		{"D22", Fail, "schedule default/tick: the queue gone is not there", func(f *Facts) { f.Events.Schedules[0].Target = schedule.Target{Queue: "gone"} }},
		{"D22", OK, "1 schedules", func(f *Facts) {
			f.Events.Schedules[0].Target = schedule.Target{Queue: "arn:aws:sqs:eu-west-1:123456789012:gone"}
		}},
		{"D22", Fail, "the queue arn:aws:sqs:us-east-1:123456789012:gone is not there", func(f *Facts) {
			f.Events.Schedules[0].Target = schedule.Target{Queue: "arn:aws:sqs:us-east-1:123456789012:gone"}
		}},
		{"D22", Fail, "schedule default/tick: the bus gone is not there", func(f *Facts) {
			f.Events.Schedules[0].Target, f.Events.Buses = schedule.Target{Bus: "gone"}, []string{"default", "shop"}
		}},
		{"D22", Fail, "schedule default/tick: the SNS topic arn:aws:sns:us-east-1:123456789012:gone is not there", func(f *Facts) {
			f.Events.Schedules[0].Target, f.Events.SNS = schedule.Target{SNS: "arn:aws:sns:us-east-1:123456789012:gone"}, []string{"offers"}
		}},
		{"D22", OK, "1 schedules", func(f *Facts) {
			f.Events.Schedules[0].Target, f.Events.Buses = schedule.Target{Bus: "arn:aws:events:us-east-1:123456789012:event-bus/shop"}, []string{"default", "shop"}
		}},
		{"D22", OK, "1 schedules", func(f *Facts) { f.Events.Schedules[0].Target.Topic = "gone"; f.Events.Schedules[0].Paused = true }},
		{"D22", Warn, "the queue lost for runs that are given up is not there", func(f *Facts) { f.Events.Schedules[0].DeadLetters = "lost"; f.Events.Schedules[0].Group = "g" }},
		{"D22", Warn, "4 runs of schedules were given up", func(f *Facts) { f.Process["ottla_schedule_runs_failed_total"] = 4 }},
		{"D22", Skipped, "refused", func(f *Facts) { f.Events = nil; f.Missing["events"] = "refused" }},
		{"D23", Warn, "rule shop/big takes none of the last 10 events of its bus (since 2026-03-04T11:00:00Z)", func(f *Facts) { review(f).Matched = 0 }},
		{"D23", OK, "0 rules took events", func(f *Facts) { review(f).Matched = 0; f.Rules.Rules[0].ManagedBy = "archive/all" }},
		{"D23", OK, "0 rules took events", func(f *Facts) { f.Rules.Reviews = nil }},
		{"D23", Skipped, "refused", noRulesFor("refused")},
		{"D24", Warn, "rule shop/big asks for detail.totl, which none of the last 10 events has", func(f *Facts) { review(f).Unseen = []string{"detail.totl"} }},
		{"D24", Skipped, "refused", noRulesFor("refused")},
		{"D25", Warn, "events that fit all of the rules shop/big go round: shop -> shop", func(f *Facts) { f.Rules.Rules[0].Targets[0].To = "bus:shop" }},
		{"D25", Warn, "events that fit all of the rules audit/back, shop/big go round: audit -> shop -> audit", func(f *Facts) {
			f.Rules.Rules[0].Targets[0].To = "bus:audit"
			f.Rules.Rules = append(f.Rules.Rules, rule("audit", "back", "arn:aws:events:us-east-1:123456789012:event-bus/shop"))
		}},
		{"D25", OK, "none goes round", func(f *Facts) {
			f.Rules.Rules[0].Targets[0].To = "bus:audit"
			f.Rules.Rules = append(f.Rules.Rules, rule("audit", "back", "bus:shop"))
			f.Rules.Rules[1].Disabled = true
		}},
		{"D25", OK, "none goes round", func(f *Facts) {
			f.Rules.Rules[0].Targets[0].To = "arn:aws:events:eu-west-1:123456789012:event-bus/shop"
		}},
		{"D25", Skipped, "refused", noRulesFor("refused")},
		{"D26", Warn, "target billing of rule shop/big has no dead letters, and its bus has none: what queue:billing does not take is dropped", func(f *Facts) { f.Rules.Buses[0].DeadLetters = "" }},
		{"D26", OK, "1 targets", func(f *Facts) { f.Rules.Buses[0].DeadLetters = ""; f.Rules.Rules[0].Targets[0].DeadLetters = "failed" }},
		{"D26", Warn, "; and 1 more: see", func(f *Facts) {
			f.Rules.Buses[0].DeadLetters = ""
			f.Rules.Rules = append(f.Rules.Rules, rule("shop", "other", "topic:t"))
		}},
		{"D26", Warn, "target a of rule shop/other has no dead letters", func(f *Facts) {
			f.Rules.Buses[0].DeadLetters, f.Whole = "", true
			f.Rules.Rules = append(f.Rules.Rules, rule("shop", "other", "topic:t"))
			f.Rules.Rules[1].Targets[0].ID = "a"
		}},
		{"D26", Skipped, "refused", noRulesFor("refused")},
		{"D27", Fail, "target billing (queue:billing) of rule shop/big fails, and 7 events wait for it: no leader", func(f *Facts) {
			*f.Rules.Rules[0].Targets[0].Stands = rest.Standing{State: "failing", Behind: 7, LastError: "no leader"}
		}},
		{"D27", Warn, "is 7 events behind, for 1m30s", func(f *Facts) {
			*f.Rules.Rules[0].Targets[0].Stands = rest.Standing{State: "live", Behind: 7, LagMs: 90_000}
		}},
		{"D27", Warn, "is 7 events behind", func(f *Facts) {
			*f.Rules.Rules[0].Targets[0].Stands = rest.Standing{State: "behind", Behind: 7}
		}},
		{"D27", OK, "1 targets get their events", func(f *Facts) {
			*f.Rules.Rules[0].Targets[0].Stands = rest.Standing{State: "live", Behind: 7, LagMs: 100}
		}},
		{"D27", Warn, "2 events that are dropped", func(f *Facts) { f.Rules.Rules[0].Targets[0].Stands.Dropped = 2 }},
		{"D27", Warn, "is disabled: it answered 410", func(f *Facts) { f.Rules.Rules[0].Targets[0].Disabled = "it answered 410" }},
		{"D27", Fail, "3 of 4 calls within the last hour failed, the last so: HTTP_500: oops", func(f *Facts) {
			review(f).Calls = []lookback.Calls{{Target: "billing", OK: 1, Failed: 3, LastOKMs: 1, LastErrorMs: 2, LastError: "HTTP_500: oops"}}
		}},
		{"D27", Warn, "3 of 4 calls", func(f *Facts) {
			review(f).Calls = []lookback.Calls{{Target: "billing", OK: 1, Failed: 3, LastOKMs: 3, LastErrorMs: 2, LastError: "HTTP_500: oops"}}
		}},
		{"D27", Skipped, "refused", noRulesFor("refused")},
		{"D17", Skipped, "not served", func(f *Facts) { f.Missing["groups"] = "not served" }},
	} {
		f := healthy()
		c.change(f)
		found := Examine(f, strings.ToLower(c.code))
		i := slices.IndexFunc(found, func(x Finding) bool { return x.Status == c.status && strings.Contains(x.Evidence, c.want) })
		if i < 0 {
			t.Errorf("%s: no finding %s %q in %+v", c.code, c.status, c.want, found)
			continue
		}
		if ill := c.status == Warn || c.status == Fail; ill != (found[i].Fix != "") {
			t.Errorf("%s %s: fix is %q", c.code, c.status, found[i].Fix)
		}
	}
}

// healthyRules are one bus with one rule that has nothing to complain of.
func healthyRules() *Rules {
	return &Rules{
		Last: DefaultLast, Buses: []rest.Bus{{Name: "shop", Spec: bus.Spec{DeadLetters: "failed"}}, {Name: "audit"}}, Rules: []rest.Rule{rule("shop", "big", "queue:billing")},
		Reviews: map[string]lookback.Review{"shop": {Bus: "shop", Read: 10, FirstMs: now.Add(-time.Hour).UnixMilli(), Rules: []lookback.Reviewed{{Name: "big", Matched: 3}}}},
	}
}

func rule(of, called, to string) rest.Rule {
	return rest.Rule{Bus: of, Name: called, RuleSpec: bus.RuleSpec{Pattern: `{"source":["app"]}`},
		Targets: []rest.Target{{Target: bus.Target{ID: "billing", To: to}, Stands: &rest.Standing{State: bus.StandsLive}}}}
}

// review is what the rule of healthyRules made of events.
func review(f *Facts) *lookback.Reviewed { return &f.Rules.Reviews["shop"].Rules[0] }

func noRulesFor(why string) func(*Facts) {
	return func(f *Facts) { f.Rules = nil; f.Missing["rules"] = why }
}

// group makes one group with a lag on t-0.
func group(state string, at, lag int64) []kadm.DescribedGroupLag {
	return []kadm.DescribedGroupLag{{Group: "g", State: state, Lag: kadm.GroupLag{"t": {0: {
		Topic: "t", Partition: 0, Commit: kadm.Offset{Topic: "t", At: at}, Lag: lag,
	}}}}}
}

func TestMissingFactsSkipTheirChecks(t *testing.T) {
	f := healthy()
	for _, what := range []string{"settings", "log directories", "newest times", "committed offsets", "groups", "process"} {
		f.Missing[what] = "no answer"
	}
	skips := 0
	for _, x := range Examine(f) {
		if x.Status == Skipped {
			skips++
			if !strings.Contains(x.Evidence, "no answer") {
				t.Errorf("%s does not say why it was skipped: %q", x.Code, x.Evidence)
			}
		}
	}
	if skips != 12 {
		t.Errorf("%d checks skipped, want 12", skips)
	}
}

func TestCodesAreFixedAndExplained(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Checks() {
		if seen[c.Code] || c.Why == "" || c.Name == "" {
			t.Errorf("%+v is a repeat or says too little", c)
		}
		seen[c.Code] = true
		if got, ok := Find(strings.ToLower(c.Code)); !ok || got.Name != c.Name {
			t.Errorf("%s is not found", c.Code)
		}
	}
	if len(seen) < 15 {
		t.Errorf("%d checks, want at least 15", len(seen))
	}
	if _, ok := Find("D99"); ok {
		t.Error("D99 was found")
	}
}

func TestMetricsOfTheProcessAreRead(t *testing.T) {
	got := processMetrics("# HELP x\nprocess_open_fds 12\nprocess_max_fds 1e+06\nother 3\nprocess_bad x\n")
	if len(got) != 2 || got["process_open_fds"] != 12 || got["process_max_fds"] != 1e6 {
		t.Errorf("got %v", got)
	}
}

func TestFactsOfANodeAreGathered(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	node, err := ottla.Start(ctx, ottla.Options{HTTP: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := node.Close(); err != nil {
			t.Error(err)
		}
	}()
	client, err := kgo.NewClient(kgo.SeedBrokers(node.Addr()), kgo.AllowAutoTopicCreation())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(ctx, &kgo.Record{Topic: "t", Value: []byte("v")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	ask := native.New(node.HTTPAddr(), time.Minute)
	tick := func(target, called string) any {
		return map[string]any{"expression": "rate(1 day)", "start_ms": int64(4_000_000_000_000), "target": map[string]any{target: called, "input": "{}"}}
	}
	for _, it := range []struct {
		path string
		body any
	}{
		{"/q/jobs", nil}, {"/bus/shop", nil}, {"/sns/offers", nil},
		{"/schedule/default/tick", tick("topic", "t")}, {"/schedule/default/event", tick("bus", "shop")}, {"/schedule/default/message", tick("sns", "offers")},
	} {
		if err := ask.Do(ctx, "make", http.MethodPut, it.path, nil, it.body, nil); err != nil {
			t.Fatal(err)
		}
	}
	f, err := Gather(ctx, Sources{Addresses: []string{node.Addr(), "127.0.0.1:1"}, Timeout: time.Minute, Admin: kadm.NewClient(client),
		HTTP: node.HTTPAddr(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Refused) != 1 || len(f.Topics) == 0 || len(f.Dirs) != 1 || !f.Local || f.Process["process_max_fds"] == 0 || len(f.Missing) != 0 {
		t.Errorf("got %+v", f)
	}
	if end, ok := f.Ends.Lookup("t", 0); !ok || end.Offset != 1 {
		t.Errorf("end offset %+v", end)
	}
	for _, x := range Examine(f) {
		if x.Status == Fail || x.Code == "D22" && x.Evidence != "3 schedules" || x.Code == "D19" && x.Evidence != "1 queues" {
			t.Errorf("%+v", x)
		}
	}
}

func TestAClusterThatDoesNotAnswerIsAnError(t *testing.T) {
	client, err := kgo.NewClient(kgo.SeedBrokers("127.0.0.1:1"), kgo.RetryTimeout(time.Millisecond), kgo.RequestRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	if _, err := Gather(ctx, Sources{Addresses: []string{"127.0.0.1:1"}, Timeout: time.Second, Admin: kadm.NewClient(client), Now: time.Now}); err == nil {
		t.Error("facts came from nowhere")
	}
}
