//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"ottla/test/realfault"
)

// restFor is how long a cluster at rest is watched.
const restFor = 10 * time.Second

// rest watches a cluster that nobody uses.
func (s *stage) rest(ctx context.Context) error {
	if err := realfault.Pause(ctx, 3*time.Second); err != nil { // what was begun ends
		return err
	}
	began := time.Now()
	cpu, asks, err := s.spent(ctx)
	if err != nil {
		return err
	}
	if err := realfault.Pause(ctx, restFor); err != nil {
		return err
	}
	took := time.Since(began).Seconds()
	cpuAfter, asksAfter, err := s.spent(ctx)
	if err != nil {
		return err
	}
	s.figures.add("many cpu", 100*(cpuAfter-cpu)/took)
	s.figures.add("many asks", (asksAfter-asks)/took/(nodes*(nodes-1)/2))
	for _, n := range s.cluster.Nodes {
		bytes, err := realfault.Resident(n.PID())
		if err != nil {
			return err
		}
		s.figures.add("many memory", float64(bytes)/1e6)
	}
	return nil
}

// spent are the seconds of CPU of all nodes, and the requests that they took.
func (s *stage) spent(ctx context.Context) (cpu, asks float64, err error) {
	for _, n := range s.cluster.Nodes {
		seconds, err := realfault.CPUTime(n.PID())
		if err != nil {
			return 0, 0, err
		}
		taken, err := metric(ctx, n.HTTPAddr(), "ottla_kafka_requests_total")
		if err != nil {
			return 0, 0, err
		}
		cpu, asks = cpu+seconds, asks+taken
	}
	return cpu, asks, nil
}

// metric is the sum of a metric over its labels at one node.
func metric(ctx context.Context, addr, name string) (sum float64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/metrics", nil)
	if err != nil {
		return 0, fmt.Errorf("ask %s for its metrics: %w", addr, err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, fmt.Errorf("ask %s for its metrics: %w", addr, err)
	}
	defer func() { _ = resp.Body.Close() }()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	found := false
	for lines.Scan() {
		rest, ok := strings.CutPrefix(lines.Text(), name)
		if !ok || rest == "" || rest[0] != '{' && rest[0] != ' ' {
			continue
		}
		v, err := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
		if err != nil {
			return 0, fmt.Errorf("metric %s of %s: %w", name, addr, err)
		}
		sum, found = sum+v, true
	}
	if err := lines.Err(); err != nil {
		return 0, fmt.Errorf("read the metrics of %s: %w", addr, err)
	}
	if !found {
		return 0, fmt.Errorf("%s has no metric %s", addr, name)
	}
	return sum, nil
}
