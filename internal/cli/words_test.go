package cli

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"ottla"
	"ottla/internal/cli/fail"
)

// What a node advises are requests; who types commands was told "see GET /bus".
func TestRefusalsAdviseCommands(t *testing.T) {
	do := commands(t, withHTTP(t, ottla.Options{}))
	do("", "bus", "create", "shop").mustHold(t, 0)
	do("", "queue", "create", "jobs").mustHold(t, 0)
	do("", "rule", "put", "all", "--bus", "shop", "--pattern", `{"source":["a"]}`, "--to", "queue:jobs").mustHold(t, 0)
	do("", "archive", "create", "kept", "--bus", "shop").mustHold(t, 0)
	do("", "replay", "start", "shop", "--name", "again").mustHold(t, 0)
	request := regexp.MustCompile(`(GET|PUT|POST|PATCH|DELETE) /|PATCH|\?force`)
	for line, want := range map[string]string{
		"queue take nope --wait 0s":                   `"ottla queue create NAME"`,
		"queue create jobs --visibility 7s":           `"ottla queue alter NAME"`,
		"rule describe all":                           "rule default/all",
		"rule describe nope --bus shop":               `"ottla rule list"`,
		"rule delete all --bus shop --unless-targets": "without --unless-targets",
		"bus create shop":                             `"ottla bus alter NAME"`,
		"bus delete shop":                             "--force deletes",
		"archive create kept --bus shop":              "take another name",
		"archive describe nope":                       `"ottla archive list"`,
		"replay show nope":                            `"ottla replay list"`,
		"replay start shop --name again":              `"ottla replay delete NAME"`,
		"replay cancel again":                         "replay again is COMPLETED: it is over",
		"schedule show nope":                          `"ottla schedule list"`,
		"connection describe nope":                    `"ottla connection list"`,
		"function describe nope":                      `"ottla function list"`,
		"sns publish nope x":                          `"ottla sns list"`,
	} {
		r := do("", strings.Fields(line)...)
		if r.code == 0 || !strings.Contains(r.err, want) || request.MatchString(r.err) {
			t.Errorf("ottla %s: exit code %d, want %q and no request:\n%s%s", line, r.code, want, r.out, r.err)
		}
	}
}

// Where none of several things could be done, the answer is no refusal of the whole: the
// command printed its JSON and asked whether that was the port of a node.
func TestEachReceiptIsToldWhyItIsNone(t *testing.T) {
	do := commands(t, withHTTP(t, ottla.Options{}))
	do("", "queue", "create", "jobs").mustHold(t, 0)
	r := do("", "queue", "ack", "jobs", "abc", "abcd")
	r.mustHold(t, fail.Failed, "that is no receipt of this queue: it has 3 characters", "it has 4 characters")
	if strings.Contains(r.err, "HTTP 400") || strings.Contains(r.err, "release") {
		t.Errorf("the command says\n%s", r.err)
	}
}

func TestACommandSaysHowItIsWritten(t *testing.T) {
	call(t, nil, "", "event", "trace").mustHold(t, fail.Usage, "ottla event trace accepts 1 arguments, received 0", "write it as ottla event trace ")
	r := call(t, nil, "", "event", "put", "--help")
	r.mustHold(t, 0, "--http HOST:PORT ")
	if strings.Contains(r.out, "--http ottla dev") {
		t.Errorf("the help is\n%s", r.out)
	}
}

func TestABusHasAtLeastOnePartition(t *testing.T) {
	do := commands(t, withHTTP(t, ottla.Options{}))
	do("", "bus", "create", "shop", "--partitions", "-1").mustHold(t, fail.Usage, "--partitions -1: want a number from 1")
	do("", "bus", "describe", "shop").mustHold(t, fail.NotFound)
}

// A queue for the dead letters of hundreds of rules made a row of thousands of columns.
func TestDeadLettersOfManyRulesAreOneReadableRow(t *testing.T) {
	do := commands(t, withHTTP(t, ottla.Options{}))
	var file strings.Builder
	file.WriteString("queues: {failed: {}, jobs: {}}\nrules:\n")
	for i := range 30 {
		fmt.Fprintf(&file, "  r%02d: {pattern: {source: [a]}, targets: {jobs: {to: 'queue:jobs', dead_letters: failed}}}\n", i)
	}
	do(file.String(), "apply", "-f", "-").mustHold(t, 0)
	do("", "dlq", "list").mustHold(t, 0, "rule default/r00,rule default/r01,rule default/r02 and 27 more")
	do("", "dlq", "list", "-o", "json").mustHold(t, 0, "default/r29")
}

// A queue for dead letters whose name was mistyped was taken as it was, and what it was to
// keep was lost; that the place itself is there was asked always. What an ARN names may
// come later, as in AWS.
func TestQueuesForDeadLettersAreThere(t *testing.T) {
	do := commands(t, withHTTP(t, ottla.Options{}))
	do("", "queue", "create", "jobs").mustHold(t, 0)
	put := func(letters string) result {
		return do("", "rule", "put", "all", "--pattern", `{"source":["a"]}`, "--to", "queue:jobs", "--dead-letters", letters)
	}
	put("faild").mustHold(t, fail.Usage, "cannot put rule all", "target jobs: dead_letters: there is no queue faild")
	do("", "rule", "describe", "all").mustHold(t, fail.NotFound)
	put("arn:aws:sqs:us-east-1:123456789012:later").mustHold(t, 0)
	do("", "queue", "create", "failed").mustHold(t, 0)
	put("failed").mustHold(t, 0)
	do("", "queue", "delete", "failed").mustHold(t, 0) // what has it keeps it, and can be changed
	do("", "target", "set", "all", "jobs", "--transform", `{"id":<$.id>}`).mustHold(t, 0)
	do("", "target", "set", "all", "jobs", "--dead-letters", "faild").mustHold(t, fail.Usage, "there is no queue faild")
	do("", "queue", "create", "failed").mustHold(t, 0)
	put("faild").mustHold(t, fail.Usage, "there is no queue faild; did you mean failed?")
}

// Those of a schedule and of a bus were taken as they were, too: that of a run was found when
// the run was lost.
func TestQueuesForDeadLettersOfSchedulesAndBusesAreThere(t *testing.T) {
	do := commands(t, withHTTP(t, ottla.Options{}))
	for _, q := range []string{"jobs", "failed"} {
		do("", "queue", "create", q).mustHold(t, 0)
	}
	const refused = "dead_letters: there is no queue faild; did you mean failed?"
	put := func(letters string) result {
		return do("", "schedule", "put", "tick", "--every", "1h", "--queue", "jobs", "--input", "x", "--dead-letters", letters)
	}
	put("faild").mustHold(t, fail.Usage, "cannot put schedule tick", refused)
	do("", "schedule", "show", "tick").mustHold(t, fail.NotFound)
	put("arn:aws:sqs:us-east-1:123456789012:later").mustHold(t, 0)
	put("failed").mustHold(t, 0)
	do("", "bus", "create", "shop", "--dead-letters", "faild").mustHold(t, fail.Usage, "cannot create bus shop", refused)
	do("", "bus", "describe", "shop").mustHold(t, fail.NotFound)
	do("", "bus", "create", "shop", "--dead-letters", "failed").mustHold(t, 0)

	do("", "queue", "delete", "failed").mustHold(t, 0) // who has it keeps it, and can be changed
	do("", "schedule", "pause", "tick").mustHold(t, 0)
	put("failed").mustHold(t, 0)
	put("faild").mustHold(t, fail.Usage, "dead_letters: there is no queue faild")
	do("", "bus", "alter", "shop", "--description", "all of it").mustHold(t, 0)
	do("", "bus", "alter", "shop", "--dead-letters", "faild").mustHold(t, fail.Usage, "dead_letters: there is no queue faild")
}

func TestTimesAndEventsThatCannotBeAreToldAsTheyWereGiven(t *testing.T) {
	do := commands(t, withHTTP(t, ottla.Options{}))
	do("", "bus", "create", "shop").mustHold(t, 0)
	do("", "replay", "start", "shop", "--from", "2026-11-26T10:00:00Z", "--to", "2026-11-26T09:00:00Z").mustHold(t, fail.Usage, "2026-11-26T10:00:00Z is not before to_ms, 2026-11-26T09:00:00Z")
	do("", "replay", "start", "shop", "--from", "yesterday").mustHold(t, fail.Usage, "--from yesterday: want a time with its zone, as 2026-12-01T00:00:00Z, or how long ago, as 1h")
	for _, event := range []string{"order.json", "{bad", "null"} {
		do("", "rule", "explain", "--bus", "shop", "--event", event).mustHold(t, fail.Usage, "--event "+event+": it is no JSON object", "--event @FILE")
	}
}
