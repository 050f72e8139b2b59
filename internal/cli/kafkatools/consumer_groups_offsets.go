package kafkatools

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"ottla/internal/cli/groups"
	"ottla/internal/cli/kafkatools/words"
)

func describeConsumerGroups(ctx context.Context, c *call, a *kadm.Client) error {
	names, err := c.namedGroups(ctx, a)
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		found, err := groups.Describe(ctx, a, groups.Options{}, name)
		if errors.Is(err, kerr.GroupIDNotFound) {
			return words.Of(kerr.GroupIDNotFound, "Group "+name+" not found.")
		}
		if err != nil {
			return words.Of(err, "")
		}
		g := found[0]
		// The tool shows what is committed or assigned, not all of each topic.
		g.Partitions = slices.DeleteFunc(g.Partitions, func(p groups.Partition) bool { return p.Committed < 0 && p.Member == nil })
		switch g.State {
		case "Empty":
			fmt.Fprintf(c.err, "\nConsumer group '%s' has no active members.\n", name)
		case "PreparingRebalance", "CompletingRebalance", "Assigning", "Reconciling":
			fmt.Fprintf(c.err, "\nWarning: Consumer group '%s' is rebalancing.\n", name)
		}
		switch {
		case c.has("members"):
			c.printMembers(g)
		case c.has("state"):
			if err := c.printState(ctx, a, g); err != nil {
				return err
			}
		case len(g.Partitions) > 0:
			c.printGroupOffsets(g)
		}
	}
	return nil
}

// columns prints a table as the tool does: an empty line, then rows whose cells
// are padded to the given widths.
func (c *call) columns(widths []int, rows [][]string) {
	for i := range widths {
		for _, r := range rows {
			if i < len(r)-1 || i == len(r)-1 && widths[i] > 0 {
				widths[i] = max(widths[i], len(r[i]))
			}
		}
	}
	for _, r := range rows {
		c.printf("\n")
		for i, cell := range r {
			if i > 0 {
				c.printf(" ")
			}
			c.printf("%-*s", widths[i], cell)
		}
	}
	c.printf("\n")
}

func (c *call) printGroupOffsets(g *groups.Group) {
	head := []string{"GROUP", "TOPIC", "PARTITION", "CURRENT-OFFSET", "LOG-END-OFFSET", "LAG", "CONSUMER-ID", "HOST", "CLIENT-ID"}
	widths := []int{15, 15, 10, 15, 15, 15, 15, 15, 0}
	rows := [][]string{head}
	for _, p := range g.Partitions {
		lag := "-"
		if p.Committed >= 0 && p.Lag >= 0 {
			lag = strconv.FormatInt(p.Lag, 10)
		}
		member, host, client := "-", "-", "-"
		if m := p.Member; m != nil {
			member, host, client = m.ID, "/"+m.Host, m.Client
		}
		rows = append(rows, []string{g.Name, p.Topic, strconv.Itoa(int(p.Partition)), dash(p.Committed), dash(p.End), lag, member, host, client})
	}
	if c.has("verbose") {
		widths = slices.Insert(widths, 3, 15)
		for i := range rows {
			epoch := "LEADER-EPOCH"
			if i > 0 {
				if epoch = "-"; g.Partitions[i-1].Committed >= 0 {
					epoch = dash(int64(g.Partitions[i-1].Epoch))
				}
			}
			rows[i] = slices.Insert(rows[i], 3, epoch)
		}
	}
	c.columns(widths, rows)
}

func dash(n int64) string {
	if n < 0 {
		return "-"
	}
	return strconv.FormatInt(n, 10)
}

func (c *call) printMembers(g *groups.Group) {
	static := slices.ContainsFunc(g.Members, func(m groups.Member) bool { return m.Instance != "" })
	head, widths := []string{"GROUP", "CONSUMER-ID"}, []int{15, 15}
	if static {
		head, widths = append(head, "GROUP-INSTANCE-ID"), append(widths, 17)
	}
	head, widths = append(head, "HOST", "CLIENT-ID", "#PARTITIONS"), append(widths, 15, 15, 15)
	if c.has("verbose") {
		head = append(head, "CURRENT-EPOCH", "CURRENT-ASSIGNMENT", "TARGET-EPOCH", "TARGET-ASSIGNMENT")
		widths = append(widths, 15, 20, 15, 20)
	}
	end := []string{""} // the last column is padded, unless more follow
	if c.has("verbose") {
		end = nil
	}
	rows := [][]string{append(head, end...)}
	for _, m := range g.Members {
		row := []string{g.Name, m.ID}
		if static {
			row = append(row, m.Instance)
		}
		row = append(row, "/"+m.Host, m.Client, strconv.Itoa(len(m.Assigned)))
		if c.has("verbose") {
			row = append(row, verboseMember(g, &m)...)
		}
		rows = append(rows, append(row, end...))
	}
	c.columns(append(widths, 0)[:len(rows[0])], rows)
}

// verboseMember are the columns of a member that only --verbose shows; classic
// groups have no epochs and no targets.
func verboseMember(g *groups.Group, m *groups.Member) []string {
	if g.Type != "consumer" {
		return []string{"-", assignment(m.Assigned), "-", "-"}
	}
	return []string{strconv.Itoa(int(m.Epoch)), assignment(m.Assigned), strconv.Itoa(int(g.AssignmentEpoch)), assignment(m.Target)}
}

// assignment writes partitions as topic:0,1;topic:2.
func assignment(list []groups.TopicPartition) string {
	if len(list) == 0 {
		return "-"
	}
	var b strings.Builder
	for i, p := range list {
		switch {
		case i == 0:
			fmt.Fprintf(&b, "%s:%d", p.Topic, p.Partition)
		case list[i-1].Topic == p.Topic:
			fmt.Fprintf(&b, ",%d", p.Partition)
		default:
			fmt.Fprintf(&b, ";%s:%d", p.Topic, p.Partition)
		}
	}
	return b.String()
}

func (c *call) printState(ctx context.Context, a *kadm.Client, g *groups.Group) error {
	brokers, err := a.ListBrokers(ctx)
	if err != nil {
		return words.Of(err, "")
	}
	where := fmt.Sprintf("(%d)", g.Coordinator)
	for _, b := range brokers {
		if b.NodeID == g.Coordinator {
			where = fmt.Sprintf("%s  (%d)", net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port))), b.NodeID)
		}
	}
	assignor := g.Protocol
	if assignor == "" {
		assignor = "-"
	}
	widths := []int{15, 25, 20, 20, 0}
	head := []string{"GROUP", "COORDINATOR (ID)", "ASSIGNMENT-STRATEGY", "STATE", "#MEMBERS"}
	row := []string{g.Name, where, assignor, g.State, strconv.Itoa(len(g.Members))}
	if c.has("verbose") {
		epoch, target := "-", "-"
		if g.Type == "consumer" {
			epoch, target = strconv.Itoa(int(g.Epoch)), strconv.Itoa(int(g.AssignmentEpoch))
		}
		widths = slices.Insert(widths, 4, 15, 25)
		head = slices.Insert(head, 4, "GROUP-EPOCH", "TARGET-ASSIGNMENT-EPOCH")
		row = slices.Insert(row, 4, epoch, target)
	}
	c.columns(widths, [][]string{head, row})
	return nil
}

func checkReset(c *call) error {
	if !c.any("execute", "dry-run", "export") {
		fmt.Fprintln(c.err, "WARN: No action will be performed as the --execute option is missing. In version 5.0, this command will require either --dry-run or --execute to be specified. You should add the --dry-run option explicitly if you are scripting this command and want to keep the current default behavior without prompting.")
	}
	given := 0
	for _, s := range resetScenarios {
		if c.has(s) {
			given++
		}
	}
	switch {
	case c.has("dry-run") && c.has("execute"):
		return usagef("Option [reset-offsets] only accepts one of [dry-run], [execute]")
	case given != 1:
		return usagef("Option '[reset-offsets]' requires one of the following scenarios: [[%s]]", strings.Join(resetScenarios, "], ["))
	case !c.any("topic", "all-topics", "from-file"):
		return usagef("One of the reset scopes should be defined: --all-topics, --topic.")
	}
	return nil
}

func resetOffsets(ctx context.Context, c *call, a *kadm.Client) error {
	names, err := c.namedGroups(ctx, a)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, name := range names {
		moves, err := c.planReset(ctx, a, name)
		if err != nil {
			return err
		}
		if c.has("execute") && len(moves) > 0 {
			if err := groups.Commit(ctx, a, name, moves); err != nil {
				return words.Of(err, "")
			}
		}
		for _, m := range moves {
			rows = append(rows, []string{name, m.Topic, strconv.Itoa(int(m.Partition)), strconv.FormatInt(m.To, 10)})
		}
	}
	if c.has("export") {
		for _, r := range rows {
			if len(names) == 1 {
				r = r[1:]
			}
			c.printf("%s\n", strings.Join(r, ","))
		}
		c.printf("\n")
		return nil
	}
	c.columns([]int{15, 15, 10, 0}, append([][]string{{"GROUP", "TOPIC", "PARTITION", "NEW-OFFSET"}}, rows...))
	return nil
}

// planReset works out one group's new offsets; a group with members has none.
func (c *call) planReset(ctx context.Context, a *kadm.Client, name string) ([]groups.Move, error) {
	g := &groups.Group{Name: name}
	found, err := groups.Describe(ctx, a, groups.Options{}, name)
	switch {
	case err == nil:
		g = found[0]
	case !errors.Is(err, kerr.GroupIDNotFound):
		return nil, words.Of(err, "")
	}
	if g.State != "" && g.State != "Empty" && g.State != "Dead" {
		c.printf("\nError: Assignments can only be reset if the group '%s' is inactive, but the current state is %s.\n", name, g.State)
		return nil, nil
	}
	partitions := g.Partitions
	if c.has("topic") {
		if partitions, err = c.withBounds(ctx, a, g); err != nil {
			return nil, err
		}
	}
	target, err := c.resetTarget(ctx, a, name, partitions)
	if err != nil {
		return nil, err
	}
	moves := groups.Plan(partitions, target)
	for _, m := range moves {
		if m.Clamped {
			fmt.Fprintf(c.err, "The new offset of %s lies outside the log; it is set to %d\n", m.TopicPartition, m.To)
		}
	}
	return moves, nil
}

// withBounds are the partitions that --topic names, with their logs' bounds and
// what the group has committed there.
func (c *call) withBounds(ctx context.Context, a *kadm.Client, g *groups.Group) ([]groups.Partition, error) {
	named, err := c.topicPartitions(ctx, a)
	if err != nil {
		return nil, err
	}
	var topics []string
	committed := map[groups.TopicPartition]int64{}
	for _, p := range g.Partitions {
		committed[p.TopicPartition] = p.Committed
	}
	for _, p := range named {
		if !slices.Contains(topics, p.Topic) {
			topics = append(topics, p.Topic)
		}
	}
	starts, err := a.ListStartOffsets(ctx, topics...)
	if err != nil {
		return nil, words.Of(err, "")
	}
	ends, err := a.ListEndOffsets(ctx, topics...)
	if err != nil {
		return nil, words.Of(err, "")
	}
	var out []groups.Partition
	for _, p := range named {
		start, _ := starts.Lookup(p.Topic, p.Partition)
		end, _ := ends.Lookup(p.Topic, p.Partition)
		of := groups.Partition{TopicPartition: p, Committed: -1, Start: start.Offset, End: end.Offset}
		if at, ok := committed[p]; ok {
			of.Committed = at
		}
		out = append(out, of)
	}
	return out, nil
}

func (c *call) resetTarget(ctx context.Context, a *kadm.Client, name string, partitions []groups.Partition) (groups.Target, error) {
	switch {
	case c.has("to-earliest"):
		return func(p groups.Partition) (int64, bool) { return p.Start, true }, nil
	case c.has("to-latest"):
		return func(p groups.Partition) (int64, bool) { return p.End, true }, nil
	case c.has("to-current"):
		return func(p groups.Partition) (int64, bool) {
			if p.Committed < 0 {
				return p.End, true
			}
			return p.Committed, true
		}, nil
	case c.has("to-offset"):
		n, err := c.integer("to-offset", 0)
		return func(groups.Partition) (int64, bool) { return n, true }, err
	case c.has("shift-by"):
		n, err := c.integer("shift-by", 0)
		return func(p groups.Partition) (int64, bool) { return p.Committed + n, p.Committed >= 0 }, err
	case c.has("from-file"):
		f, err := os.Open(c.value("from-file", ""))
		if err != nil {
			return nil, fmt.Errorf("read the offsets: %w", err)
		}
		defer f.Close()
		listed, err := groups.ReadCSV(f, name)
		return func(p groups.Partition) (int64, bool) { n, ok := listed[p.TopicPartition]; return n, ok }, err
	}
	return c.timeTarget(ctx, a, partitions)
}

// timeTarget is for --to-datetime and --by-duration.
func (c *call) timeTarget(ctx context.Context, a *kadm.Client, partitions []groups.Partition) (groups.Target, error) {
	at, err := resetTime(c.value("to-datetime", ""), c.value("by-duration", ""), time.Now())
	if err != nil {
		return nil, err
	}
	var topics []string
	for _, p := range partitions {
		if !slices.Contains(topics, p.Topic) {
			topics = append(topics, p.Topic)
		}
	}
	if len(topics) == 0 {
		return func(groups.Partition) (int64, bool) { return 0, false }, nil
	}
	found, err := a.ListOffsetsAfterMilli(ctx, at.UnixMilli(), topics...)
	if err != nil {
		return nil, words.Of(err, "")
	}
	return func(p groups.Partition) (int64, bool) {
		if o, ok := found.Lookup(p.Topic, p.Partition); ok && o.Err == nil && o.Offset >= 0 && o.Timestamp >= 0 {
			return o.Offset, true
		}
		c.printf("\nWarn: Partition %d from topic %s is empty. Falling back to latest known offset.\n", p.Partition, p.Topic)
		return p.End, true
	}, nil
}

var isoDuration = regexp.MustCompile(`^([-+]?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$`)

// resetTime reads a datetime (in UTC unless it says otherwise) or an ISO 8601
// duration before now.
func resetTime(datetime, duration string, now time.Time) (time.Time, error) {
	if duration != "" {
		m := isoDuration.FindStringSubmatch(duration)
		if m == nil || strings.HasSuffix(duration, "P") || strings.HasSuffix(duration, "T") {
			return time.Time{}, words.New("Text cannot be parsed to a Duration")
		}
		text := ""
		for i, unit := range []string{"h", "h", "m", "s"} {
			if n := m[i+2]; n != "" && i == 0 {
				days, err := strconv.Atoi(n)
				if err != nil {
					return time.Time{}, words.New("Text cannot be parsed to a Duration")
				}
				text += strconv.Itoa(24*days) + "h"
			} else if n != "" {
				text += n + unit
			}
		}
		d, err := time.ParseDuration(text)
		if err != nil {
			return time.Time{}, words.New("Text cannot be parsed to a Duration")
		}
		if m[1] == "-" {
			d = -d
		}
		return now.Add(-d), nil
	}
	for _, form := range []string{"2006-01-02T15:04:05.000", "2006-01-02T15:04:05.000Z07:00", "2006-01-02T15:04:05.000Z0700", "2006-01-02T15:04:05", "2006-01-02T15:04:05Z07:00"} {
		if t, err := time.Parse(form, datetime); err == nil {
			return t, nil
		}
	}
	return time.Time{}, words.New("Unparseable date: \"%s\"", datetime)
}
