package kafkatools

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"ottla"
)

// TestToolsPrintAsRecorded runs the command lines of testdata, file by file,
// each file against a node of its own. "tool" gives the words after
// --bootstrap-server ADDRESS; "alone" gives all words. Lines after the first
// are standard input. "file NAME" writes a file that FILE/NAME names; "help"
// shows a tool's whole help.
func TestToolsPrintAsRecorded(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
		defer cancel()
		node, err := ottla.Start(ctx, ottla.Options{Settings: map[string]string{"group.initial.rebalance.delay.ms": "0"}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := node.Close(); err != nil {
				t.Error(err)
			}
		}()
		dir := t.TempDir()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "file" {
				if err := os.WriteFile(filepath.Join(dir, d.CmdArgs[0].Key), []byte(d.Input), 0o600); err != nil {
					t.Fatal(err)
				}
				return ""
			}
			if d.Cmd == "help" {
				var out, errOut bytes.Buffer
				code := Run(ctx, d.Input, []string{"--help"}, strings.NewReader(""), &out, &errOut)
				return fmt.Sprintf("%s%sexit %d\n", out.String(), errOut.String(), code)
			}
			line, stdin, _ := strings.Cut(d.Input, "\n")
			args := splitWords(strings.ReplaceAll(line, "FILE", dir))
			if d.Cmd == "tool" {
				args = append(args[:1:1], append([]string{"--bootstrap-server", node.Addr()}, args[1:]...)...)
			}
			return masked(strings.ReplaceAll(runTool(ctx, stdin, args), dir, "FILE"), node.Addr())
		})
	})
}

// splitWords splits a command line; words in single quotes may hold spaces.
func splitWords(line string) []string {
	var out []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			out = append(out, part)
			continue
		}
		out = append(out, strings.Fields(part)...)
	}
	return out
}

// runTool gives standard output, then standard error with a mark, then the
// exit code when it is not 0.
func runTool(ctx context.Context, stdin string, args []string) string {
	var out, errOut bytes.Buffer
	code := Run(ctx, args[0], args[1:], strings.NewReader(stdin), &out, &errOut)
	var b strings.Builder
	b.WriteString(out.String())
	for line := range strings.Lines(errOut.String()) {
		if strings.HasPrefix(line, "Option  ") {
			b.WriteString("! (the options follow)\n")
			break
		}
		b.WriteString("! " + line)
	}
	if code != 0 {
		fmt.Fprintf(&b, "exit %d\n", code)
	}
	return b.String()
}

var masks = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`"size":[1-9]\d*`), `"size":SIZE`}, // how many batches the lines came in is their pace's
	{regexp.MustCompile(`TopicId: \S{22}`), "TopicId: ID"},
	{regexp.MustCompile(`(Create|LogAppend)Time:\d{13}`), "${1}Time:T"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d:\d{3}`), "TIME"},
	{regexp.MustCompile(`[0-9.]+ records/sec \([0-9.]+ MB/sec\), .*`), "RATES"},
	{regexp.MustCompile(`(TIME, TIME, [0-9.]+), .*?, (\d+), .*`), "$1, RATE, $2, RATES"},
}

func masked(text, address string) string {
	text = strings.ReplaceAll(text, address, "ADDRESS")
	for _, m := range masks {
		text = m.what.ReplaceAllString(text, m.with)
	}
	return text
}
