package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ottla"
	"ottla/internal/cli/fail"
)

// reading makes a topic t of one partition with n records and a group g that
// has read them all.
func reading(t *testing.T, records int) *ottla.Server {
	t.Helper()
	n := node(t)
	call(t, n, "", "topic", "create", "t", "--partitions", "1").mustHold(t, 0)
	call(t, n, strings.Repeat("v\n", records), "produce", "t").mustHold(t, 0)
	call(t, n, "", "group", "reset", "g", "--to", "end", "--topic", "t").mustHold(t, 0, "reset")
	return n
}

func TestGroupsThroughTheirLife(t *testing.T) {
	n := reading(t, 5)
	call(t, n, "", "groups").mustHold(t, 0, "GROUP", "g", "Empty")
	call(t, n, "", "produce", "t", "late").mustHold(t, 0)
	call(t, n, "", "group", "describe", "g").mustHold(t, 0, "g  Empty", "0 members", "1 record behind", "BEHIND")
	call(t, n, "", "group", "describe", "nobody").mustHold(t, fail.NotFound, "there is no such group", "ottla group list")
	call(t, n, "", "group", "delete", "g", "--dry-run").mustHold(t, 0, "would be forgotten")
	call(t, n, "", "group", "delete", "g", "nobody").mustHold(t, fail.Partly, "deleted", "there is no such group")
	call(t, n, "", "groups").mustHold(t, 0, "no groups yet")
}

func TestRecordsAreReadInAGroup(t *testing.T) {
	n := reading(t, 3)
	call(t, n, "", "consume", "t", "--group", "h", "-n", "2", "-f", "%o ").mustHold(t, 0, "0 1 ")
	call(t, n, "", "group", "describe", "h", "-o", "template={{.committed}} {{.lag}}").mustHold(t, 0, "2 1\n")
	if r := call(t, n, "", "consume", "t", "--group", "h", "--exit", "-f", "%o "); r.out != "2 " {
		t.Errorf("the second reading got %q, want the third record", r.out)
	}
	if r := call(t, n, "", "consume", "t", "--group", "late", "--from", "end", "--exit", "-f", "%o "); r.out != "" || r.code != 0 {
		t.Errorf("from the end: got %+v", r)
	}
	call(t, n, "", "consume", "nope", "--group", "h").mustHold(t, fail.NotFound, "there is no topic nope")
	call(t, n, "", "consume", "t", "--group", "h", "--from", "7").mustHold(t, fail.Usage, "ottla group reset")
	call(t, n, "", "consume", "t", "--group", "h", "--partition", "0").mustHold(t, fail.Usage, "shares partitions by itself")
}

func TestResetsShowWhatTheyDo(t *testing.T) {
	n := reading(t, 10)
	file := filepath.Join(t.TempDir(), "offsets.csv")
	if err := os.WriteFile(file, []byte("t,0,4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// Each step starts where the one before it left the group.
	for _, c := range []struct {
		args         string
		from, to     int64
		replay, skip int64
		result       string
	}{
		{"--to start --dry-run", 10, 0, 10, 0, "would be reset"},
		{"--to 3", 10, 3, 7, 0, "reset"},
		{"--shift 2", 3, 5, 0, 2, "reset"},
		{"--shift -100 --yes", 5, 0, 5, 0, "reset"},
		{"--to -1", 0, 9, 0, 9, "reset"},
		{"--ago 1h", 9, 0, 9, 0, "reset"},
		{"--to @2999-01-01 --topic t:0", 0, 10, 0, 10, "reset"},
		{"--file " + file, 10, 4, 6, 0, "reset"},
		{"--to end", 4, 10, 0, 6, "reset"},
	} {
		r := call(t, n, "", append([]string{"group", "reset", "g", "-o", "ndjson"}, strings.Fields(c.args)...)...)
		var got struct {
			From, To, Replayed, Skipped int64
			Result                      string
		}
		if err := json.Unmarshal([]byte(r.out), &got); err != nil || r.code != 0 {
			t.Errorf("%s: %v, exit code %d\n%s%s", c.args, err, r.code, r.out, r.err)
			continue
		}
		if got.From != c.from || got.To != c.to || got.Replayed != c.replay || got.Skipped != c.skip || got.Result != c.result {
			t.Errorf("%s: got %+v, want %+v", c.args, got, c)
		}
	}
}

func TestResetsThatMakeNoSenseAreRefused(t *testing.T) {
	n := reading(t, 1)
	for args, want := range map[string]struct {
		code int
		text string
	}{
		"g":                        {fail.Usage, "give one of --to, --shift, --ago and --file"},
		"g --to end --shift 1":     {fail.Usage, "give one of"},
		"g --to someday":           {fail.Usage, "someday"},
		"g --to end --topic t:x":   {fail.Usage, "not a partition's number"},
		"g --to end --topic nope":  {fail.NotFound, "there is no topic nope"},
		"nobody --to end":          {fail.NotFound, "there is no such group"},
		"g --shift 1 --topic t:7":  {fail.NotFound, "nothing to reset"},
		"g --file /does/not/exist": {fail.Failed, "cannot read"},
	} {
		call(t, n, "", append([]string{"group", "reset"}, strings.Fields(args)...)...).mustHold(t, want.code, want.text)
	}
}

// golden is what commands print as JSON: an API whose names stay.
func TestJSONOfTheNewCommandsKeepsItsNames(t *testing.T) {
	n := reading(t, 2)
	for args, want := range map[string]string{
		"group list":                         "group state type protocol coordinator members partitions lag",
		"group describe g":                   "group topic partition committed start_offset end_offset lag lag_seconds behind member client host",
		"group reset g --to start --dry-run": "group topic partition from to replayed skipped clamped result",
		"group delete g --dry-run":           "group topic partition committed result",
		"cluster nodes":                      "node address rack state roles metadata_behind metadata controller leads replicas in_sync behind_records behind_ms behind used_bytes total_bytes usable_bytes used usable cluster",
		"cluster dirs":                       "node dir state partitions used_bytes total_bytes usable_bytes used total usable",
		"doctor --http=":                     "code check status evidence fix",
		"explain 3":                          "name code retriable meaning causes mends",
		"explain g":                          "group state finding fix",
		"explain D09":                        "code check meaning",
		"explain retention.ms":               "name scope type default valid change acts own help value source chain",
	} {
		r := call(t, n, "", append(strings.Fields(args), "-o", "ndjson")...)
		first, _, _ := strings.Cut(r.out, "\n")
		var names []string
		d := json.NewDecoder(strings.NewReader(first))
		depth := 0
		for key := false; ; {
			token, err := d.Token()
			if err != nil {
				break
			}
			switch v := token.(type) {
			case json.Delim:
				if v == '{' || v == '[' {
					depth++
				} else {
					depth--
				}
				key = depth == 1
			case string:
				if depth == 1 && key {
					names = append(names, v)
					key = false
					continue
				}
				key = depth == 1
			default:
				key = depth == 1
			}
		}
		if got := strings.Join(names, " "); got != want || r.code != 0 {
			t.Errorf("%s: got %q, want %q (exit code %d, %s)", args, got, want, r.code, r.err)
		}
	}
}

func TestTheDoctorFindsWhatIsWrong(t *testing.T) {
	n := node(t)
	call(t, n, "", "topic", "create", "t", "--config", "min.insync.replicas=2", "--config", "retention.ms=1000").mustHold(t, 0)
	call(t, n, "", "doctor", "--only", "D07,d13").mustHold(t, fail.Failed, "D07", "no record with acks=all is ever taken", "try: ottla config set min.insync.replicas=1 --topic t", "D13", "segment.ms=")
	call(t, n, "", "doctor", "--only", "D13").mustHold(t, 0, "1 warning")
	call(t, n, "", "doctor", "--only", "D13", "--strict").mustHold(t, fail.Failed)
	call(t, n, "", "doctor", "--only", "D01,D02,D03,D04,D05,D06,D08,D09").mustHold(t, 0, "0 warnings, 0 failures")
	call(t, n, "", "doctor", "--only", "D99").mustHold(t, fail.Usage, "there is no such check")
}

func TestWordsAreExplained(t *testing.T) {
	n := node(t)
	call(t, n, "", "topic", "create", "t", "--config", "retention.ms=1000").mustHold(t, 0)
	call(t, nil, "", "explain", "RecordTooLargeException").mustHold(t, 0, "MESSAGE_TOO_LARGE (10)", "max.message.bytes", "what to do")
	call(t, nil, "", "explain", "retention.ms").mustHold(t, 0, "retention.ms  (topic setting, long)", "default: 604800000", "log.retention.ms")
	call(t, n, "", "explain", "retention.ms", "--topic", "t").mustHold(t, 0, "now: 1000, set by topic")
	call(t, n, "", "topic", "alter", "t", "--config", "cleanup.policy=compact").mustHold(t, 0)
	call(t, n, "", "explain", "cleanup.policy", "--topic", "t").mustHold(t, 0, "chain: cleanup.policy=compact (topic) <- log.cleanup.policy=delete (default)")
	call(t, n, "", "explain", "num.partitions", "--broker", "1").mustHold(t, 0, "now: 3")
	call(t, nil, "", "explain", "d09").mustHold(t, 0, "D09 disk")
	call(t, nil, "", "explain", "retention.mss").mustHold(t, fail.NotFound, "did you mean \"ottla explain retention.ms\"?")
	call(t, n, "", "group", "reset", "reports", "--to", "end", "--topic", "t").mustHold(t, 0)
	call(t, n, "", "explain", "reports").mustHold(t, 0, "reports  Empty  0 members", "nobody reads", "try: start its consumers", "it has read everything")
	call(t, n, "", "explain", "no-such-group").mustHold(t, fail.NotFound, "nothing here is called no-such-group")
	call(t, nil, "", "explain").mustHold(t, fail.Usage)
}

func TestNodesAndDirectoriesAreShown(t *testing.T) {
	n := node(t)
	call(t, n, "", "topic", "create", "t", "--partitions", "3").mustHold(t, 0)
	call(t, n, "", "cluster").mustHold(t, 0, "cluster "+n.ClusterID(), n.Addr(), "serving", "broker, leader", "replicas in sync")
	call(t, n, "", "cluster", "dirs").mustHold(t, 0, "/data", "online")
	call(t, n, "", "cluster", "nonsense").mustHold(t, fail.Usage, "no command \"nonsense\"")
}

func TestLiveNamesComplete(t *testing.T) {
	n := reading(t, 1)
	for args, want := range map[string]string{
		"topic describe": "t\n", "group describe": "g\n", "group reset": "g\n", "topic describe t": "", "consume": "t\n", "produce t": "",
		"config list --topic": "t\n", "topic delete": "t\n",
	} {
		words := append([]string{"__complete"}, strings.Fields("-b "+n.Addr()+" "+args)...)
		r := call(t, nil, "", append(words, "")...)
		if got, _, _ := strings.Cut(r.out, ":"); got != want {
			t.Errorf("%s: got %q, want %q", args, got, want)
		}
	}
	for args, want := range map[string]string{"config set --topic t": "retention.ms=\n", "config unset": "log.retention.ms\n", "explain": "OFFSET_OUT_OF_RANGE\n", "topic create x --config": "cleanup.policy=\n"} {
		r := call(t, nil, "", append([]string{"__complete"}, append(strings.Fields(args), "")...)...)
		if !strings.Contains(r.out, want) {
			t.Errorf("%s: %q is not among the words", args, want)
		}
	}
	if r := call(t, nil, "", "__complete", "-b", "127.0.0.1:1", "topic", "describe", ""); r.code != 0 || !strings.HasPrefix(r.out, ":") {
		t.Errorf("without a cluster: %+v", r)
	}
}

func TestKafkasToolsRunUnderBothNames(t *testing.T) {
	n := node(t)
	server := []string{"--bootstrap-server", n.Addr()}
	call(t, nil, "", append([]string{"kafka", "topics", "--create", "--topic", "t"}, server...)...).mustHold(t, 0, "Created topic t.")
	call(t, nil, "", append([]string{"kafka", "kafka-topics.sh", "--list"}, server...)...).mustHold(t, 0, "t\n")
	call(t, nil, "", "kafka", "topics", "--list").mustHold(t, 1, "--bootstrap-server must be specified")
	call(t, nil, "", "kafka", "nonsense").mustHold(t, fail.Usage, "no command \"nonsense\"")
	call(t, nil, "", "kafka").mustHold(t, 0, "consumer-groups", "producer-perf-test")
	for program, want := range map[string]int{"/usr/bin/kafka-topics.sh": 0, "kafka-topics": 0, "ottla": fail.Usage} {
		var out, errOut strings.Builder
		if code := RunProgram(t.Context(), program, append([]string{"--list"}, server...), strings.NewReader(""), &out, &errOut); code != want {
			t.Errorf("%s: exit code %d, want %d (%s)", program, code, want, errOut.String())
		}
	}
}
