package controller

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// Stories (testdata/stories): each command of the script is given to Step; the
// records and the reply are the expected text, and the records are applied.
// `go test ./internal/controller -run Stories -rewrite` writes them anew; read
// the difference before you keep it.

// number makes the identifier that stories write as #n.
func number(n int) uuid.UUID { return uuid.UUID{13: 1, 14: byte(n >> 8), 15: byte(n)} }

// counter gives #101, #102, …: topic ids in the order they are drawn.
func counter() func() uuid.UUID {
	n := 100
	return func() uuid.UUID { n++; return number(n) }
}

type story struct {
	c       *Controller
	options Options
	seconds int64
	img     *metadata.Image // the same records, as every node sees them
}

func newStory() *story {
	s := &story{options: Options{NewID: counter(), ClusterID: "story"}}
	s.c, s.img = New(s.options), metadata.Empty()
	return s
}

func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		s := newStory()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			return s.run(t, d)
		})
		sameState(t, s.c, s.img)
	})
}

func (s *story) run(t *testing.T, d *datadriven.TestData) string {
	lines := strings.FieldsFunc(d.Input, func(r rune) bool { return r == '\n' })
	switch d.Cmd {
	case "supports": // features of this node
		s.options.Features = map[string][2]int16{}
		for _, l := range lines {
			w := words(t, d, l)
			s.options.Features[w.at(0)] = w.levels(w.at(1))
		}
		s.c = New(s.options)
		s.c.Reset(s.img)
		return ""
	case "image":
		var b strings.Builder
		for r := range s.img.Records() {
			b.WriteString(formatRecord(r))
		}
		return b.String()
	case "reset": // as after a loss of leadership or a restart
		s.c.Reset(s.img)
		return ""
	case "record": // something from elsewhere, straight into the log
		var records []metadata.Record
		for _, l := range lines {
			records = append(records, parseRecord(t, words(t, d, l)))
		}
		s.apply(t, records)
		return ""
	}
	cmd := parseCommand(t, d, lines)
	s.seconds++
	records, reply, err := s.c.Step(time.Unix(s.seconds, 0), cmd)
	var b strings.Builder
	for _, r := range records {
		b.WriteString(formatRecord(r))
	}
	s.apply(t, records)
	if err != nil {
		fmt.Fprintf(&b, "refused: %s\n", formatResult(resultOf(err)))
	} else {
		formatReply(&b, reply)
	}
	return b.String()
}

func (s *story) apply(t *testing.T, records []metadata.Record) {
	t.Helper()
	for _, r := range records {
		s.c.Apply(r)
	}
	var err error
	if s.img, _, err = s.img.With(s.img.Offset+int64(len(records)), 1, records...); err != nil {
		t.Fatal(err)
	}
}

// sameState checks that the controller's state is what a node's image is.
func sameState(t *testing.T, c *Controller, img *metadata.Image) {
	t.Helper()
	if c.broken != nil {
		t.Fatalf("a record did not fit: %v", c.broken)
	}
	var mine, theirs strings.Builder
	for r := range c.image().Records() {
		fmt.Fprintf(&mine, "%x\n", metadata.Append(nil, r))
	}
	for r := range img.Records() {
		fmt.Fprintf(&theirs, "%x\n", metadata.Append(nil, r))
	}
	if mine.String() != theirs.String() {
		t.Fatalf("the controller's state is\n%s\nthe image\n%s", mine.String(), theirs.String())
	}
}

// word is one line of a script: plain words first, then key=value.
type word struct {
	t     *testing.T
	pos   string
	plain []string
	keys  map[string]string
}

func words(t *testing.T, d *datadriven.TestData, line string) *word {
	w := &word{t: t, pos: d.Pos, keys: map[string]string{}}
	for _, f := range strings.Fields(line) {
		f = strings.ReplaceAll(f, "~", " ")
		if k, v, ok := strings.Cut(f, "="); ok && k != "" && !strings.ContainsAny(k, ".") {
			w.keys[k] = v
		} else {
			w.plain = append(w.plain, f)
		}
	}
	return w
}

func (w *word) at(i int) string {
	if i >= len(w.plain) {
		w.t.Fatalf("%s: word %d is missing in %v", w.pos, i, w.plain)
	}
	if w.plain[i] == `""` {
		return ""
	}
	return w.plain[i]
}

func (w *word) num(key string, otherwise int64) int64 {
	v, ok := w.keys[key]
	if !ok {
		return otherwise
	}
	return w.parse(v)
}

func (w *word) parse(v string) int64 {
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		w.t.Fatalf("%s: %v", w.pos, err)
	}
	return n
}

func (w *word) id(v string) uuid.UUID {
	if v == "" {
		return uuid.UUID{}
	}
	if v == "reserved" {
		return uuid.UUID{15: 1}
	}
	return number(int(w.parse(strings.TrimPrefix(v, "#"))))
}

func (w *word) ids(v string) (list []uuid.UUID) {
	for _, f := range strings.FieldsFunc(v, comma) {
		list = append(list, w.id(f))
	}
	return list
}

func (w *word) ints(v string) []int32 {
	list := []int32{}
	for _, f := range strings.FieldsFunc(v, comma) {
		list = append(list, int32(w.parse(f)))
	}
	return list
}

func (w *word) levels(v string) [2]int16 {
	lo, hi, _ := strings.Cut(v, "-")
	return [2]int16{int16(w.parse(lo)), int16(w.parse(hi))}
}

func comma(r rune) bool { return r == ',' }

// setting is name=value; a value of NULL is null.
func setting(s string) (name string, value *string) {
	name, v, _ := strings.Cut(s, "=")
	if v == "NULL" {
		return name, nil
	}
	return name, &v
}

func formatResult(r Result) string {
	if r.Code == 0 {
		return "ok"
	}
	return fmt.Sprintf("%s(%d) %s", r.Code.Name(), r.Code, r.Message)
}

func formatReply(b *strings.Builder, reply any) {
	switch reply := reply.(type) {
	case nil:
		b.WriteString("reply\n")
	case []CreatedTopic:
		for _, r := range reply {
			fmt.Fprintf(b, "reply %s: %s", shorten(r.Name), formatResult(r.Result))
			if r.Code == 0 {
				fmt.Fprintf(b, " %s partitions=%d replicas=%d %s", formatID(r.ID), r.Partitions, r.Replicas, formatMap(r.Configs))
			}
			b.WriteString("\n")
		}
	case []DeletedTopic:
		for _, r := range reply {
			fmt.Fprintf(b, "reply %q %s: %s\n", r.Name, formatID(r.ID), formatResult(r.Result))
		}
	case []Result:
		for _, r := range reply {
			fmt.Fprintf(b, "reply %s\n", formatResult(r))
		}
	case []AlteredPartition:
		for _, r := range reply {
			fmt.Fprintf(b, "reply %s-%d: %s", formatID(r.TopicID), r.Index, formatResult(r.Result))
			if r.ISR != nil {
				fmt.Fprintf(b, " leader=%d isr=%v epoch=%d/%d", r.Leader, r.ISR, r.LeaderEpoch, r.PartitionEpoch)
			}
			if r.LeaderRecovery != 0 {
				b.WriteString(" recovering")
			}
			b.WriteString("\n")
		}
	case Explained:
		for _, r := range reply.Reasons {
			fmt.Fprintf(b, "%v\n", r)
		}
	case []ElectResult:
		for _, r := range reply {
			fmt.Fprintf(b, "reply %s-%d: %s\n", r.Topic, r.Index, formatResult(r.Result))
		}
	case map[string]Result:
		var lines []string
		for name, r := range reply {
			lines = append(lines, fmt.Sprintf("reply %s: %s\n", name, formatResult(r)))
		}
		sort.Strings(lines)
		b.WriteString(strings.Join(lines, ""))
	default:
		fmt.Fprintf(b, "reply %+v\n", reply)
	}
}

func shorten(s string) string {
	if len(s) > 60 {
		return fmt.Sprintf("%s...(%d)", s[:20], len(s))
	}
	return strconv.Quote(s)
}

func formatMap(m map[string]string) string {
	var list []string
	for k, v := range m {
		list = append(list, k+"="+v)
	}
	sort.Strings(list)
	return fmt.Sprint(list)
}

func formatID(u uuid.UUID) string {
	if u == (uuid.UUID{13: 1, 14: u[14], 15: u[15]}) {
		return fmt.Sprintf("#%d", int(u[14])<<8|int(u[15]))
	}
	if u.IsZero() {
		return "#-"
	}
	return u.String()
}

func formatIDs(list []uuid.UUID) string {
	var s []string
	for _, u := range list {
		s = append(s, formatID(u))
	}
	return "[" + strings.Join(s, " ") + "]"
}

func formatRecord(r metadata.Record) string {
	head := metadata.TypeName(r.RecordType())
	switch r := r.(type) {
	case *metadata.TopicRecord:
		return fmt.Sprintf("%s %s %s\n", head, r.Name, formatID(r.ID))
	case *metadata.RemoveTopicRecord:
		return fmt.Sprintf("%s %s\n", head, formatID(r.TopicID))
	case *metadata.PartitionRecord:
		s := fmt.Sprintf("%s %s-%d replicas=%v isr=%v leader=%d epoch=%d/%d dirs=%s", head, formatID(r.TopicID), r.Partition,
			r.Replicas, r.ISR, r.Leader, r.LeaderEpoch, r.PartitionEpoch, formatIDs(r.Directories))
		if len(r.ELR)+len(r.LastELR) > 0 {
			s += fmt.Sprintf(" elr=%v last=%v", r.ELR, r.LastELR)
		}
		if r.LeaderRecoveryState != 0 {
			s += " recovering"
		}
		return s + "\n"
	case *metadata.PartitionChangeRecord:
		return formatChange(head, r)
	case *metadata.ConfigRecord:
		value := "deleted"
		if r.Value != nil {
			value = shorten(*r.Value)
		}
		return fmt.Sprintf("%s %d/%s %s %s\n", head, r.ResourceType, r.ResourceName, r.Name, value)
	case *metadata.FeatureLevelRecord:
		return fmt.Sprintf("%s %s %d\n", head, r.Name, r.Level)
	case *metadata.ProducerIDsRecord:
		return fmt.Sprintf("%s broker=%d/%d next=%d\n", head, r.BrokerID, r.BrokerEpoch, r.NextProducerID)
	case *metadata.RegisterBrokerRecord:
		rack := "-"
		if r.Rack != nil {
			rack = *r.Rack
		}
		return fmt.Sprintf("%s %d epoch=%d incarnation=%s rack=%s fenced=%v shutdown=%v dirs=%s features=%v\n", head, r.BrokerID, r.BrokerEpoch,
			formatID(r.IncarnationID), rack, r.Fenced, r.InControlledShutdown, formatIDs(r.LogDirs), len(r.Features))
	case *metadata.UnregisterBrokerRecord:
		return fmt.Sprintf("%s %d epoch=%d\n", head, r.BrokerID, r.BrokerEpoch)
	case *metadata.BrokerRegistrationChangeRecord:
		s := fmt.Sprintf("%s %d epoch=%d fenced=%+d shutdown=%+d", head, r.BrokerID, r.BrokerEpoch, r.Fenced, r.InControlledShutdown)
		if r.LogDirs != nil {
			s += " dirs=" + formatIDs(r.LogDirs)
		}
		if r.CordonedLogDirs != nil {
			s += " cordoned=" + formatIDs(r.CordonedLogDirs)
		}
		return s + "\n"
	}
	return fmt.Sprintf("%s %+v\n", head, r)
}

func formatChange(head string, r *metadata.PartitionChangeRecord) string {
	s := fmt.Sprintf("%s %s-%d", head, formatID(r.TopicID), r.Partition)
	if r.Leader != metadata.LeaderUnchanged {
		s += fmt.Sprintf(" leader=%d", r.Leader)
	}
	if r.ISR != nil {
		s += fmt.Sprintf(" isr=%v", r.ISR)
	}
	if r.Replicas != nil {
		s += fmt.Sprintf(" replicas=%v", r.Replicas)
	}
	if r.Adding != nil {
		s += fmt.Sprintf(" adding=%v", r.Adding)
	}
	if r.Removing != nil {
		s += fmt.Sprintf(" removing=%v", r.Removing)
	}
	if r.Directories != nil {
		s += " dirs=" + formatIDs(r.Directories)
	}
	if r.ELR != nil {
		s += fmt.Sprintf(" elr=%v", r.ELR)
	}
	if r.LastELR != nil {
		s += fmt.Sprintf(" last=%v", r.LastELR)
	}
	if r.LeaderRecoveryState != metadata.RecoveryUnchanged {
		s += fmt.Sprintf(" recovery=%d", r.LeaderRecoveryState)
	}
	return s + "\n"
}
