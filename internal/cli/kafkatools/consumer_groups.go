package kafkatools

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"ottla/internal/cli/groups"
	"ottla/internal/cli/kafkatools/words"
)

// resetScenarios are the options that say where a reset goes, of which one is
// given, in the order in which Kafka lists them.
var resetScenarios = []string{"to-latest", "by-duration", "to-datetime", "from-file", "shift-by", "to-offset", "to-earliest", "to-current"}

var groupActions = []string{"list", "describe", "delete", "reset-offsets", "delete-offsets", "validate-regex"}

// groupStates are the states of a consumer group, as --state takes them.
var groupStates = []string{"PreparingRebalance", "CompletingRebalance", "Dead", "Reconciling", "Empty", "Stable", "Assigning"}

func consumerGroupsTool() *tool {
	return &tool{
		name: "kafka-consumer-groups", about: "List, describe, reset and delete consumer groups.",
		options: append(bootstrapOptions(false),
			option{name: "list", help: "list groups"},
			option{name: "describe", help: "show members, offsets and lag"},
			option{name: "delete", help: "delete groups with their offsets"},
			option{name: "reset-offsets", help: "move the offsets of groups without members"},
			option{name: "delete-offsets", help: "delete a group's offsets of topics"},
			option{name: "validate-regex", arg: "REGEX", help: "check that a pattern is RE2 syntax"},
			option{name: "group", arg: "ID", many: true, help: "the group, may be repeated"},
			option{name: "all-groups", help: "every group"},
			option{name: "topic", arg: "TOPIC[:N,N]", many: true, help: "these topics or partitions only, may be repeated"},
			option{name: "all-topics", help: "every topic that the group has offsets in"},
			option{name: "offsets", help: "describe offsets (what --describe does anyway)"},
			option{name: "members", help: "describe members"},
			option{name: "state", arg: "STATE,...", optional: true, help: "describe the state; with --list show and choose states"},
			option{name: "type", arg: "TYPE,...", optional: true, help: "with --list show and choose types: classic, consumer"},
			option{name: "verbose", help: "more columns"},
			option{name: "timeout", arg: "MS", help: "how long a request may take (5000)"},
			option{name: "dry-run", help: "only show what a reset would do"},
			option{name: "execute", help: "do the reset"},
			option{name: "export", help: "print the new offsets as CSV"},
			option{name: "to-latest", help: "reset to the end"}, option{name: "to-earliest", help: "reset to the start"},
			option{name: "to-current", help: "reset to where the group is"},
			option{name: "to-offset", arg: "N", help: "reset to an offset"}, option{name: "shift-by", arg: "N", help: "move by so many records"},
			option{name: "to-datetime", arg: "YYYY-MM-DDTHH:mm:SS.sss", help: "reset to a time"},
			option{name: "by-duration", arg: "PnDTnHnMnS", help: "reset to so long ago"},
			option{name: "from-file", arg: "FILE", help: "reset to what a CSV file says"},
		),
		check: checkConsumerGroups, run: runConsumerGroups,
		failed: func(c *call, err error) {
			c.printf("\nError: Executing consumer group command failed due to %s\n", words.WithClass(err, err.Error()))
		},
	}
}

func checkConsumerGroups(c *call) error {
	actions := 0
	for _, a := range groupActions {
		if c.has(a) {
			actions++
		}
	}
	scopes := 0
	for _, s := range []string{"offsets", "members", "state"} {
		if c.has(s) {
			scopes++
		}
	}
	switch {
	case actions == 0:
		return usagef("Command must include exactly one action: --list, --describe, --delete, --reset-offsets, --delete-offsets, --validate-regex")
	case c.has("describe") && !c.any("group", "all-groups"):
		return usagef("Option [describe] takes one of these options: [group], [all-groups]")
	case actions > 1:
		return usagef("Command must include exactly one action: --list, --describe, --delete, --reset-offsets, --delete-offsets, --validate-regex")
	case !c.has("bootstrap-server") && !c.has("validate-regex"):
		return usagef("Missing required argument \"[bootstrap-server]\"")
	case c.has("describe") && scopes > 1:
		return usagef("Option [describe] takes at most one of these options: [members], [offsets], [state]")
	case c.any("delete", "reset-offsets") && !c.any("group", "all-groups"):
		return usagef("Option %s takes one of these options: [group], [all-groups]", optionOf(c, "delete", "reset-offsets"))
	case c.has("delete") && c.has("topic"):
		return usagef("The consumer does not support topic-specific offset deletion from a consumer group.")
	case c.has("delete-offsets") && (!c.has("group") || !c.has("topic")):
		return usagef("Option [delete-offsets] takes the following options: [topic], [group]")
	case c.has("reset-offsets"):
		return checkReset(c)
	}
	return nil
}

func optionOf(c *call, names ...string) string {
	for _, n := range names {
		if c.has(n) {
			return "[" + n + "]"
		}
	}
	return ""
}

func runConsumerGroups(ctx context.Context, c *call) error {
	if c.has("validate-regex") {
		if _, err := javaRegexp(c.value("validate-regex", "")); err != nil {
			return words.New("The regular expression is not valid: %v", err)
		}
		c.printf("The regular expression is valid.\n")
		return nil
	}
	a, client, err := c.admin(ctx, "kafka-consumer-groups")
	if err != nil {
		return err
	}
	defer client.Close()
	switch {
	case c.has("list"):
		return listGroups(ctx, c, a)
	case c.has("describe"):
		err = describeConsumerGroups(ctx, c, a)
	case c.has("delete"):
		err = deleteGroups(ctx, c, a)
	case c.has("reset-offsets"):
		err = resetOffsets(ctx, c, a)
	default:
		err = deleteOffsets(ctx, c, a)
	}
	if err != nil { // Kafka's tool says what failed and exits with 0
		c.failed(c, err)
	}
	return nil
}

// namedGroups are those of --group, or all with --all-groups.
func (c *call) namedGroups(ctx context.Context, a *kadm.Client) ([]string, error) {
	if !c.has("all-groups") {
		return c.values("group"), nil
	}
	all, err := a.ListGroups(ctx)
	if err != nil {
		return nil, words.Of(err, "")
	}
	return all.Groups(), nil
}

func listGroups(ctx context.Context, c *call, a *kadm.Client) error {
	states, err := chosen(c.value("state", ""), groupStates, "state")
	if err != nil {
		return err
	}
	types, err := chosen(c.value("type", ""), []string{"Classic", "Consumer"}, "types")
	if err != nil {
		return err
	}
	listed, err := a.ListGroups(ctx)
	if err != nil {
		return words.Of(err, "")
	}
	var rows [][]string
	for _, g := range listed.Sorted() {
		kind := "Classic"
		if g.GroupType != "" {
			kind = strings.ToUpper(g.GroupType[:1]) + strings.ToLower(g.GroupType[1:])
		}
		if kind != "Classic" && kind != "Consumer" || g.ProtocolType != "consumer" && g.ProtocolType != "" {
			continue // share and streams groups have tools of their own
		}
		if states != nil && !slices.Contains(states, g.State) || types != nil && !slices.Contains(types, kind) {
			continue
		}
		row := []string{g.Group}
		if c.has("type") {
			row = append(row, kind)
		}
		if c.has("state") {
			row = append(row, g.State)
		}
		rows = append(rows, row)
	}
	c.printGroupList(rows)
	return nil
}

// printGroupList prints names alone, or in columns when types or states were
// asked for.
func (c *call) printGroupList(rows [][]string) {
	if !c.any("state", "type") {
		for _, r := range rows {
			c.printf("%s\n", r[0])
		}
		return
	}
	head := []string{"GROUP"}
	if c.has("type") {
		head = append(head, "TYPE")
	}
	if c.has("state") {
		head = append(head, "STATE")
	}
	wide := 15
	for _, r := range rows {
		wide = max(wide, len(r[0]))
	}
	for _, r := range append([][]string{head}, rows...) {
		c.printf("%-*s", wide+10, r[0])
		for _, cell := range r[1:] {
			c.printf(" %-20s", cell)
		}
		c.printf("\n")
	}
}

// chosen reads a list of words out of known, in any case; nil when the list is
// empty.
func chosen(list string, known []string, what string) ([]string, error) {
	if list == "" {
		return nil, nil
	}
	var out []string
	for w := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, strings.TrimSpace(w)) })
		if i < 0 {
			return nil, usagef("Invalid %s list '%s'. Valid %s are: %s", what, list, strings.TrimSuffix(what, "s")+"s", strings.Join(known, ", "))
		}
		out = append(out, known[i])
	}
	return out, nil
}

func deleteGroups(ctx context.Context, c *call, a *kadm.Client) error {
	names, err := c.namedGroups(ctx, a)
	if err != nil {
		return err
	}
	answers, err := a.DeleteGroups(ctx, names...)
	if err != nil && len(answers) == 0 {
		return words.Of(err, "")
	}
	var done, failed []string
	for _, n := range names {
		switch r := answers[n]; r.Err {
		case nil:
			done = append(done, n)
		case kerr.NonEmptyGroup:
			failed = append(failed, fmt.Sprintf("* Group '%s' could not be deleted due to: org.apache.kafka.common.errors.GroupNotEmptyException: %s", n, r.Err.(*kerr.Error).Description))
		default:
			failed = append(failed, fmt.Sprintf("* Group '%s' could not be deleted due to: %s", n, words.WithClass(r.Err, "")))
		}
	}
	if len(failed) == 0 {
		c.printf("Deletion of requested consumer groups (%s) was successful.\n", quoted(done))
		return nil
	}
	c.printf("\nError: Deletion of some consumer groups failed:\n%s\n", strings.Join(failed, "\n"))
	if len(done) > 0 {
		c.printf("\nThese consumer groups were deleted successfully: %s\n", quoted(done))
	}
	return nil
}

func quoted(names []string) string { return "'" + strings.Join(names, "', '") + "'" }

func deleteOffsets(ctx context.Context, c *call, a *kadm.Client) error {
	name := c.values("group")[0]
	partitions, err := c.topicPartitions(ctx, a)
	if err != nil {
		return err
	}
	set := kadm.TopicsSet{}
	for _, p := range partitions {
		set.Add(p.Topic, p.Partition)
	}
	answers, err := a.DeleteOffsets(ctx, name, set)
	if err != nil {
		return words.Of(err, "")
	}
	bad := false
	var rows [][]any
	for _, p := range partitions {
		status := "Successful"
		if err := answers[p.Topic][p.Partition]; err != nil {
			bad, status = true, "Error: "+words.WithClass(err, "")
		}
		rows = append(rows, []any{p.Topic, p.Partition, status})
	}
	if bad {
		c.printf("\nError: Encountered some partition-level error, see the follow-up details.\n")
	} else {
		c.printf("Request succeeded for deleting offsets from group %s.\n", name)
	}
	c.printf("\n%-15s %-10s %-15s", "TOPIC", "PARTITION", "STATUS")
	for _, r := range rows {
		c.printf("\n%-15s %-10d %-15s", r...)
	}
	c.printf("\n")
	return nil
}

// topicPartitions are those that --topic names, sorted.
func (c *call) topicPartitions(ctx context.Context, a *kadm.Client) ([]groups.TopicPartition, error) {
	takes, err := groups.Select(c.values("topic"))
	if err != nil {
		return nil, words.New("Invalid topic-partition: %v", err)
	}
	var names []string
	for _, w := range c.values("topic") {
		t, _, _ := strings.Cut(w, ":")
		names = append(names, t)
	}
	all, err := a.ListTopicsWithInternal(ctx, names...)
	if err != nil {
		return nil, words.Of(err, "")
	}
	var out []groups.TopicPartition
	for _, t := range all.Sorted() {
		for _, p := range t.Partitions.Sorted() {
			if tp := (groups.TopicPartition{Topic: t.Topic, Partition: p.Partition}); takes(tp) {
				out = append(out, tp)
			}
		}
	}
	return out, nil
}
