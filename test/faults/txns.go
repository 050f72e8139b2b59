//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// refused and held are what test/transactions tells of its proxy.
var (
	refused = regexp.MustCompile(`(?m)^ *(\d+) \w+ of an old epoch refused$`)
	late    = regexp.MustCompile(`(?m)^ *(\d+) EndTxn that came after the end of their connection$`)
)

// oldEpochs is row 23: EndTxn comes late, beyond the end of its connection, and
// requests of epochs that are over come again. Program test/transactions, which
// does that to transactions of every outcome, judges their history itself; the
// broker is not killed here.
func oldEpochs(ctx context.Context, s *scene) error {
	length := time.Duration(times(60, 30)) * time.Second // long enough to go on until each was made
	cmd := exec.CommandContext(ctx, "go", "run", "ottla/test/transactions", "-for", length.String(), "-kills", "0", "-binary", s.binary, "-dir", s.dir)
	text, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("test/transactions: %w\n%s", err, text)
	}
	again, behind := sum(refused, text), sum(late, text)
	s.hits = again + behind
	s.note("%d requests of old epochs refused, %d late EndTxn; %s", again, behind, last(text))
	if again == 0 || behind == 0 {
		s.hits = 0
	}
	return nil
}

// sum adds up the first group of all matches.
func sum(pattern *regexp.Regexp, text []byte) (n int) {
	for _, m := range pattern.FindAllSubmatch(text, -1) {
		one, err := strconv.Atoi(string(m[1]))
		if err != nil {
			continue // too long for a count
		}
		n += one
	}
	return n
}

// last is the verdict, which is the last line.
func last(text []byte) string {
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return string(bytes.TrimPrefix(lines[len(lines)-1], []byte("transactions: ")))
}
