package kafkatools

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/cli/groups"
)

func TestOptionsAreReadByJoptsimplesRules(t *testing.T) {
	options := []option{{name: "topic", arg: "T"}, {name: "list"}, {name: "codec", arg: "C", optional: true}, {name: "p", arg: "P", many: true}, {name: "w", arg: "W", words: true}}
	for _, c := range []struct{ line, want string }{
		{"--topic a --list", "list= topic=a"}, {"--topic=a=b", "topic=a=b"}, {"-topic a -list", "list= topic=a"}, {"a --list b", "list="},
		{"--codec --list", "codec= list="}, {"--codec zstd", "codec=zstd"}, {"--codec", "codec="}, {"--p 1 --p 2", "p=1,2"},
		{"--w 1 2 3 --list", "list= w=1,2,3"}, {"--topic -1", "topic=-1"},
		{"--topic", "error Option topic requires an argument"}, {"--topic --list", "error Option topic requires an argument"},
		{"--nope", "error nope is not a recognized option"},
	} {
		f, err := parse(options, strings.Fields(c.line))
		got := ""
		if err != nil {
			got = "error " + err.Error()
		} else {
			var all []string
			for name, values := range f.given {
				all = append(all, name+"="+strings.Join(values, ","))
			}
			slices.Sort(all)
			got = strings.Join(all, " ")
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.line, got, c.want)
		}
	}
}

func TestAProgramsNameChoosesTheTool(t *testing.T) {
	for path, want := range map[string]string{
		"/opt/kafka/bin/kafka-topics.sh": "topics", "kafka-configs": "configs", "./kafka-console-consumer": "console-consumer",
		"ottla": "", "kafka-nonsense": "nonsense", "topics": "", "kafka-": "",
	} {
		if got, ok := ForProgram(path); got != want || ok != (want != "") {
			t.Errorf("%s: got %q, %v", path, got, ok)
		}
	}
}

func TestEveryToolTellsWhatItDoes(t *testing.T) {
	for _, tool := range tools() {
		if tool.about == "" || About(tool.name) != tool.about {
			t.Errorf("%s has no line for --help", tool.name)
		}
		for _, o := range tool.options {
			if o.help == "" && o.instead == "" {
				t.Errorf("%s --%s has no help", tool.name, o.name)
			}
			if o.instead != "" && lookup(tool.options, o.instead) == nil {
				t.Errorf("%s --%s stands for --%s, which is none", tool.name, o.name, o.instead)
			}
		}
	}
}

func TestListsSplitOutsideBrackets(t *testing.T) {
	for in, want := range map[string][]string{
		"a=1,b=2": {"a=1", "b=2"}, "a=[1,2],b=": {"a=[1,2]", "b="}, "a=[1,2": {"a=[1,2"}, "a=],b=1": {"a=]", "b=1"},
	} {
		if got := splitOutsideBrackets(in); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
}

func TestServedVersionsAreShownBesideOurs(t *testing.T) {
	lines := apiLines([]kmsg.ApiVersionsResponseApiKey{{ApiKey: 999, MinVersion: 1, MaxVersion: 1}, {ApiKey: 3, MinVersion: 0, MaxVersion: 99}, {ApiKey: 0, MinVersion: 90, MaxVersion: 99}})
	for _, want := range []string{"Produce(0): 90 to 99 [unusable: node too new or too old]", "Metadata(3): 0 to 99 [usable: 13]", "Fetch(1): UNSUPPORTED", "UNKNOWN(999): 1"} {
		if !slices.Contains(lines, want) {
			t.Errorf("no line %q in %q", want, lines)
		}
	}
}

func TestDatesFollowJavasPattern(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 89_000_000, time.UTC)
	for pattern, want := range map[string]string{
		"yyyy-MM-dd HH:mm:ss:SSS": "2026-03-04 05:06:07:089", "SSS": "089", "dd MMM yy": "04 Mar 26", "HH:mm:ss.SSS Z": "05:06:07.089 +0000",
	} {
		f, err := newDateFormat(pattern)
		if err != nil || f.of(at) != want {
			t.Errorf("%s: got %s, %v, want %s", pattern, f.of(at), err, want)
		}
	}
	if _, err := newDateFormat("yyyy 'at' ww"); err == nil {
		t.Error("a letter that is not known was accepted")
	}
}

func TestPercentilesAreThoseOfTheSamples(t *testing.T) {
	s := newStats(4)
	for _, ms := range []int{40, 10, 30, 20} {
		s.record(time.Duration(ms)*time.Millisecond, 1)
	}
	if got := s.percentiles(0.5, 0.95, 1); !slices.Equal(got, []int32{30, 40, 40}) {
		t.Errorf("got %v", got)
	}
	if got := newStats(0).percentiles(0.5); !slices.Equal(got, []int32{0}) {
		t.Errorf("of nothing: got %v", got)
	}
	if s := newStats(2 * samples); s.sampling != 2 {
		t.Errorf("sampling %d, want 2", s.sampling)
	}
}

// printed runs one printing function on a call with the given options.
func printed(args []string, print func(*call)) string {
	var b strings.Builder
	t := consumerGroupsTool()
	f, err := parse(t.options, args)
	if err != nil {
		return err.Error()
	}
	print(&call{tool: t, flags: f, args: args, out: &b, err: &b})
	return b.String()
}

func TestLiveGroupsArePrintedInKafkasColumns(t *testing.T) {
	m := groups.Member{ID: "client-1234567890", Client: "client", Host: "10.0.0.1", Instance: "i-1",
		Assigned: []groups.TopicPartition{{Topic: "a", Partition: 0}, {Topic: "a", Partition: 1}, {Topic: "b", Partition: 2}}}
	g := &groups.Group{Name: "g", State: "Stable", Members: []groups.Member{m}}
	g.Partitions = []groups.Partition{
		{TopicPartition: m.Assigned[0], Committed: 3, Epoch: 1, End: 5, Lag: 2, Member: &g.Members[0]},
		{TopicPartition: m.Assigned[1], Committed: -1, End: 5, Lag: 5, Member: &g.Members[0]},
	}
	for _, c := range []struct {
		args  []string
		print func(*call)
		want  string
	}{
		{[]string{"--describe"}, func(c *call) { c.printGroupOffsets(g) },
			"\nGROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG             CONSUMER-ID       HOST            CLIENT-ID" +
				"\ng               a               0          3               5               2               client-1234567890 /10.0.0.1       client" +
				"\ng               a               1          -               5               -               client-1234567890 /10.0.0.1       client\n"},
		{[]string{"--describe", "--verbose"}, func(c *call) { c.printGroupOffsets(g) },
			"\nGROUP           TOPIC           PARTITION  LEADER-EPOCH    CURRENT-OFFSET  LOG-END-OFFSET  LAG             CONSUMER-ID       HOST            CLIENT-ID" +
				"\ng               a               0          1               3               5               2               client-1234567890 /10.0.0.1       client" +
				"\ng               a               1          -               -               5               -               client-1234567890 /10.0.0.1       client\n"},
		{[]string{"--describe", "--members"}, func(c *call) { c.printMembers(g) },
			"\nGROUP           CONSUMER-ID       GROUP-INSTANCE-ID HOST            CLIENT-ID       #PARTITIONS     " +
				"\ng               client-1234567890 i-1               /10.0.0.1       client          3               \n"},
		{[]string{"--describe", "--members", "--verbose"}, func(c *call) {
			c.printMembers(&groups.Group{Name: "g", Members: []groups.Member{{ID: "m", Host: "h", Client: "c", Assigned: m.Assigned}}})
		},
			"\nGROUP           CONSUMER-ID     HOST            CLIENT-ID       #PARTITIONS     CURRENT-EPOCH   CURRENT-ASSIGNMENT   TARGET-EPOCH    TARGET-ASSIGNMENT   " +
				"\ng               m               /h              c               3               -               a:0,1;b:2            -               -                   \n"},
	} {
		if got := printed(c.args, c.print); got != c.want {
			t.Errorf("%v: got\n%q\nwant\n%q", c.args, got, c.want)
		}
	}
}

func TestResetTimesAreRead(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct{ datetime, duration, want string }{
		{"2026-03-01T00:00:00.000", "", "2026-03-01T00:00:00Z"}, {"2026-03-01T02:00:00.000+02:00", "", "2026-03-01T00:00:00Z"},
		{"", "PT1H30M", "2026-03-04T10:30:00Z"}, {"", "P1DT2S", "2026-03-03T11:59:58Z"}, {"", "-PT1H", "2026-03-04T13:00:00Z"},
		{"today", "", "error"}, {"", "1h", "error"}, {"", "P", "error"}, {"", "PT", "error"}, {"", "P99999999999999999999D", "error"},
	} {
		got := "error"
		if at, err := resetTime(c.datetime, c.duration, now); err == nil {
			got = at.UTC().Format(time.RFC3339)
		}
		if got != c.want {
			t.Errorf("%s%s: got %s, want %s", c.datetime, c.duration, got, c.want)
		}
	}
}
