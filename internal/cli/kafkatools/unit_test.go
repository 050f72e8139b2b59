package kafkatools

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestOptionsAreReadByJoptsimplesRules(t *testing.T) {
	options := []option{{name: "topic", arg: "T"}, {name: "list"}, {name: "codec", arg: "C", optional: true}, {name: "p", arg: "P", many: true}, {name: "w", arg: "W", words: true}}
	for _, c := range []struct{ line, want string }{
		{"--topic a --list", "list= topic=a"}, {"--topic=a=b", "topic=a=b"}, {"-topic a -list", "list= topic=a"}, {"a --list b", "list="},
		{"--codec --list", "codec= list="}, {"--codec zstd", "codec=zstd"}, {"--codec", "codec="}, {"--p 1 --p 2", "p=1,2"},
		{"--w 1 2 3 --list", "list= w=1,2,3"}, {"--topic -1", "topic=-1"},
		{"--topic", "error Option topic requires an argument"}, {"--topic --list", "error Option topic requires an argument"},
		{"--nope", "error nope is not a recognized option"}, {"--topic a --topic b", "error Found multiple arguments for option topic, but you asked for only one"},
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
		"ottla": "", "kafka-nonsense": "", "topics": "", "kafka-": "",
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
