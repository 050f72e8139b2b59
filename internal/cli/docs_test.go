package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ottla"
)

// TestDocsSayWhatHappens runs the commands of the pages for users, in their order on
// one fresh node, and compares what they print. Blocks are fenced as console; a
// command stands behind "$ ", what it prints below. There, … stands for anything in a
// line, and alone for any lines; how many spaces there are does not count. RECEIPT,
// HANDLE and NEXT stand for what was last printed in their place.
func TestDocsSayWhatHappens(t *testing.T) {
	for _, page := range []string{"queues.md", "schedules.md", "events/http.md", "events/cloudevents.md", "events/buses.md", "events/rules.md", "events/webhooks.md", "events/sns.md", "events/trace.md"} {
		t.Run(page, func(t *testing.T) {
			followPage(t, page)
		})
	}
}

// looks are commands that change nothing.
var looks = regexp.MustCompile(`^ottla \w+ (describe|list|show|explain|moves|attempts|trace|events)\b`)

type consoleStep struct {
	command string
	prints  []string
}

// consoleSteps are the commands of a page.
func consoleSteps(page string) (out []consoleStep) {
	inside := false
	for line := range strings.Lines(page) {
		line = strings.TrimRight(line, "\n")
		command, isCommand := strings.CutPrefix(line, "$ ")
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```console"
		case !inside:
		case isCommand:
			out = append(out, consoleStep{command: command})
		case len(out) > 0:
			out[len(out)-1].prints = append(out[len(out)-1].prints, line)
		}
	}
	return out
}

// followPage runs the commands of a page and compares.
func followPage(t *testing.T, page string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	r := newReader(t)
	n := 0
	// Where pages call an address, nobody listens.
	for _, s := range consoleSteps(strings.ReplaceAll(string(text), "8484", deafPort(t))) {
		if strings.HasPrefix(s.command, "ottla dev") {
			continue // that is the node of the test
		}
		n++
		got := r.run(s.command)
		for looks.MatchString(s.command) && !r.fits(s.prints, slices.Collect(strings.Lines(got))) && r.ctx.Err() == nil {
			r.settle() // calls are made soon, and dead letters written, not at once
			got = r.run(s.command)
		}
		if !r.fits(s.prints, slices.Collect(strings.Lines(got))) {
			t.Errorf("$ %s\nprints\n%s\nand the page says\n%s", s.command, got, strings.Join(s.prints, "\n"))
		}
		if t.Failed() {
			return // what follows builds on it
		}
	}
	if n < 5 {
		t.Errorf("the page has %d commands", n)
	}
}

// reader is somebody who follows a page.
type reader struct {
	*testing.T
	ctx  context.Context // ends when what a page says does not come
	node *ottla.Server
	vars map[string]string
	// clock is one that pages move.
	clock *ottla.Clock
	away  bool // in a folder of its own, for files that a page makes
}

func newReader(t *testing.T) *reader {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	clock := new(ottla.Clock)
	n, err := ottla.Start(ctx, ottla.Options{HTTP: "127.0.0.1:0", Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("OTTLA_HTTP", n.HTTPAddr())
	return &reader{t, ctx, n, map[string]string{}, clock, false}
}

// untilNextLook is what goes by until one looks again.
const untilNextLook = 100 * time.Millisecond

// settle waits until the node has done all that is due a moment later: events are with
// their targets, and calls are made.
func (r *reader) settle() {
	r.Helper()
	if err := r.clock.Advance(r.ctx, untilNextLook); err != nil && r.ctx.Err() == nil {
		r.Fatal(err)
	}
}

// run runs a command and gives what it prints.
func (r *reader) run(command string) string {
	r.Helper()
	for name, value := range r.vars {
		command = strings.ReplaceAll(command, name, value)
	}
	in := ""
	if echo, rest, ok := strings.Cut(command, "' | "); ok {
		in, command = strings.TrimPrefix(echo, "echo '")+"\n", rest
	}
	if strings.HasPrefix(command, "ottla outbox ") && !r.away {
		r.away = true
		r.Chdir(r.TempDir()) // it makes files
	}
	words := shellWords(command)
	switch words[0] {
	case "ottla":
		got := call(r.T, r.node, in, words[1:]...)
		if got.code != 0 {
			r.Errorf("$ %s\nexit code %d: %s", command, got.code, got.err)
		}
		return got.out
	case "curl":
		return r.curl(words[1:])
	}
	r.Fatalf("the page has a command that cannot be followed: %s", command)
	return ""
}

// shellWords splits a command as a shell does, as far as pages need it.
func shellWords(s string) (out []string) {
	word, quoted, open := "", false, false
	for _, c := range s {
		switch {
		case c == '\'':
			quoted, open = !quoted, true
		case c == ' ' && !quoted:
			if open {
				out = append(out, word)
			}
			word, open = "", false
		default:
			word, open = word+string(c), true
		}
	}
	if open {
		out = append(out, word)
	}
	return out
}

// curl does what curl would.
func (r *reader) curl(args []string) string {
	r.Helper()
	method, address, body := "", "", ""
	headers, query := http.Header{}, url.Values{}
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "-X":
			i++
			method = args[i]
		case "-d":
			i++
			body = args[i]
		case "-H":
			i++
			name, value, _ := strings.Cut(args[i], ": ")
			headers.Set(name, value)
		case "-G":
			method = http.MethodGet
		case "--data-urlencode":
			i++
			name, value, _ := strings.Cut(args[i], "=")
			query.Add(name, value)
		default:
			address = strings.Replace(args[i], "localhost:8080", "http://"+r.node.HTTPAddr(), 1)
		}
	}
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	if method == "" && body != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(r.Context(), method, address, strings.NewReader(body))
	if err != nil {
		r.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded") // as curl does
	}
	for name, values := range headers {
		req.Header[name] = values
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode > 299 {
		r.Errorf("curl %s: %s %s, %v", strings.Join(args, " "), resp.Status, got, err)
	}
	return string(got)
}

// spaces are runs of them, which tables have as many as they need.
var spaces = regexp.MustCompile(`\s+`)

// fits tells whether lines are what a page says, and takes up what stands for its
// variables.
func (r *reader) fits(page, lines []string) bool {
	switch {
	case len(page) == 0:
		return len(lines) == 0
	case page[0] == "…":
		for n := range len(lines) + 1 {
			if r.fits(page[1:], lines[n:]) {
				return true
			}
		}
		return false
	case len(lines) == 0:
		return false
	}
	form := regexp.QuoteMeta(spaces.ReplaceAllString(strings.TrimSpace(page[0]), " "))
	form = strings.ReplaceAll(form, "…", ".*?")
	var names []string
	for _, name := range []string{"RECEIPT", "HANDLE", "NEXT"} {
		if strings.Contains(form, name) {
			names = append(names, name)
			form = strings.Replace(form, name, fmt.Sprintf(`(?P<%s>[\w:,-]+)`, name), 1)
		}
	}
	e := regexp.MustCompile("^" + form + "$")
	found := e.FindStringSubmatch(spaces.ReplaceAllString(strings.TrimSpace(lines[0]), " "))
	if found == nil || !r.fits(page[1:], lines[1:]) {
		return false
	}
	for _, name := range names {
		if value := found[e.SubexpIndex(name)]; value != name && r.vars[name] != value {
			r.vars[name] = value
		}
	}
	return true
}
