package out

import (
	"strings"
	"testing"
)

func sample() *Table {
	t := &Table{Columns: []Column{
		{Field: "topic", Title: "TOPIC"}, {Field: "partitions", Title: "PARTITIONS", Right: true},
		{Field: "replicas", Title: "REPLICAS"}, {Field: "internal"},
	}}
	t.Add("orders", 12, []int32{1, 2}, false)
	t.Add("grüße", nil, []int32{}, true)
	return t
}

func TestEveryFormatPrintsTheSameRows(t *testing.T) {
	for format, want := range map[string]string{
		"table": "TOPIC   PARTITIONS  REPLICAS\norders          12  1,2\ngrüße            -\n",
		"json": `[
  {
    "topic": "orders",
    "partitions": 12,
    "replicas": [
      1,
      2
    ],
    "internal": false
  },
  {
    "topic": "grüße",
    "partitions": null,
    "replicas": [],
    "internal": true
  }
]
`,
		"ndjson": "{\"topic\":\"orders\",\"partitions\":12,\"replicas\":[1,2],\"internal\":false}\n{\"topic\":\"grüße\",\"partitions\":null,\"replicas\":[],\"internal\":true}\n",
		"yaml":   "- topic: orders\n  partitions: 12\n  replicas:\n  - 1\n  - 2\n  internal: false\n- topic: grüße\n  partitions: null\n  replicas: []\n  internal: true\n",
		"csv":    "topic,partitions,replicas,internal\norders,12,\"1,2\",false\ngrüße,,,true\n",
		"name":   "orders\ngrüße\n",
		"template={{.topic}} has {{.partitions}}": "orders has 12\ngrüße has <no value>\n",
	} {
		var b strings.Builder
		if err := sample().Print(&b, format); err != nil {
			t.Errorf("%s: %v", format, err)
		}
		if b.String() != want {
			t.Errorf("%s: got\n%s\nwant\n%s", format, b.String(), want)
		}
	}
}

// What others wrote reaches programs as it is, and does nothing to a terminal.
func TestTextsOfOthersDoNothingToATerminal(t *testing.T) {
	x := &Table{Columns: []Column{{Field: "why", Title: "WHY"}}}
	x.Add("a\x1b[2Jb\u009bc")
	for format, want := range map[string]string{"table": "WHY\n" + `"a\x1b[2Jb\u009bc"` + "\n", "name": "a\x1b[2Jb\u009bc\n"} {
		var b strings.Builder
		if err := x.Print(&b, format); err != nil || b.String() != want {
			t.Errorf("%s: got %q, %v", format, b.String(), err)
		}
	}
	x.One, x.Width = true, 1
	var b strings.Builder
	if err := x.Print(&b, "table"); err != nil || b.String() != `WHY  "a\x1b[2Jb\u009bc"`+"\n" {
		t.Errorf("got %q, %v", b.String(), err)
	}
	for text, want := range map[string]string{"grüße": "grüße", "a\nb": `"a\nb"`, "\u009b": `"\u009b"`, "\x7f": `"\x7f"`} {
		if got := Line(text); got != want {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

func TestOneRowOfOneIsAnObject(t *testing.T) {
	one := &Table{One: true, Columns: []Column{{Field: "version", Title: "VERSION"}}}
	one.Add("1.0")
	var b strings.Builder
	if err := one.Print(&b, "json"); err != nil || b.String() != "{\n  \"version\": \"1.0\"\n}\n" {
		t.Errorf("got %q, %v", b.String(), err)
	}
}

func TestEmptyTablesSayWhatToDo(t *testing.T) {
	empty := &Table{Empty: "no topics yet", Columns: []Column{{Field: "topic", Title: "TOPIC"}}}
	for format, want := range map[string]string{"table": "no topics yet\n", "json": "[]\n", "ndjson": "", "csv": "topic\n", "name": ""} {
		var b strings.Builder
		if err := empty.Print(&b, format); err != nil || b.String() != want {
			t.Errorf("%s: got %q, %v, want %q", format, b.String(), err, want)
		}
	}
}

func TestBadTemplateIsAnError(t *testing.T) {
	var b strings.Builder
	if err := sample().Print(&b, "template={{.topic"); err == nil {
		t.Error("a broken template printed without an error")
	}
}

func TestKnownFormats(t *testing.T) {
	for f, want := range map[string]bool{"json": true, "template={{.x}}": true, "xml": false, "": false, "jsonx": false} {
		if Known(f) != want {
			t.Errorf("Known(%q) = %v, want %v", f, !want, want)
		}
	}
}

func TestOneThingThatIsWiderThanTheTerminalStandsUpright(t *testing.T) {
	one := &Table{One: true, Columns: []Column{{Field: "name", Title: "NAME"}, {Field: "hidden"}, {Field: "waiting", Title: "WAITING", Right: true}, {Field: "arn", Title: "ARN"}, {Field: "oldest", Title: "OLDEST"}}}
	one.Add("grüße", 1, 0, "arn:aws:sqs:x", nil)
	for width, want := range map[int]string{
		0:  "NAME   WAITING  ARN            OLDEST\ngrüße        0  arn:aws:sqs:x  -\n",
		37: "NAME   WAITING  ARN            OLDEST\ngrüße        0  arn:aws:sqs:x  -\n",
		36: "NAME     grüße\nWAITING  0\nARN      arn:aws:sqs:x\n",
	} {
		one.Width = width
		var b strings.Builder
		if err := one.Print(&b, "table"); err != nil || b.String() != want {
			t.Errorf("of %d columns: %v\n%s\nwant\n%s", width, err, b.String(), want)
		}
	}
	many := sample()
	many.Width = 5
	var b strings.Builder
	if err := many.Print(&b, "table"); err != nil || !strings.HasPrefix(b.String(), "TOPIC   PARTITIONS") {
		t.Errorf("a list: %v\n%s", err, b.String())
	}
}
