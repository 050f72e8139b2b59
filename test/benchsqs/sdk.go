//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"ottla/test/beside"
	"ottla/test/packages"
)

// sdks is a measure of the same cycle by aws-sdk-go-v2, beside a server that does
// nothing.
func sdks(name string, entries int) measure {
	return measure{
		name: name, beside: "nothing", us: "ottla",
		other: func(ctx context.Context, b *bench, n int) (beside.Outcome, error) {
			s, err := b.idle(ctx)
			if err != nil {
				return beside.Outcome{}, err
			}
			return b.sdk(ctx, s, fmt.Sprintf("%s-%d", name, n), entries)
		},
		ours: func(ctx context.Context, b *bench, n int) (beside.Outcome, error) {
			s, err := b.ottla(ctx)
			if err != nil {
				return beside.Outcome{}, err
			}
			return b.sdk(ctx, s, fmt.Sprintf("%s-%d", name, n), entries)
		},
		figures: []beside.Figure{{Name: figRate, Way: beside.AtLeast, Goal: 0.9}, {Name: figCPU}, {Name: figP50}, {Name: figP99}},
	}
}

// sdkReport is what the program with the SDK prints.
type sdkReport struct {
	Messages int
	Delays   []time.Duration
}

// sdk runs the program with the SDK against a server and measures the server.
func (b *bench) sdk(ctx context.Context, s *side, name string, entries int) (beside.Outcome, error) {
	program, err := b.sdkProgram(ctx)
	if err != nil {
		return beside.Outcome{}, err
	}
	url, err := s.create(ctx, name, nil)
	if err != nil {
		return beside.Outcome{}, err
	}
	quiet()
	m, err := beside.StartMeter([]int{s.pid})
	if err != nil {
		return beside.Outcome{}, err
	}
	cmd := exec.CommandContext(ctx, program, "http://"+s.addr, url, strconv.Itoa(entries), strconv.Itoa(*conns), b.length.String(), body)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	told, err := cmd.Output()
	if err != nil {
		return beside.Outcome{}, fmt.Errorf("%s: %w: %s", name, err, complaint.String())
	}
	used, err := m.Stop()
	if err != nil {
		return beside.Outcome{}, err
	}
	var r sdkReport
	if err := json.Unmarshal(told, &r); err != nil {
		return beside.Outcome{}, fmt.Errorf("read what the SDK saw: %w", err)
	}
	delays := beside.Delays(r.Delays)
	return beside.Outcome{Others: used.Others, Seen: beside.Seen{
		figRate: float64(r.Messages) / b.length.Seconds(), figCPU: used.CPU * 1e6 / float64(max(r.Messages, 1)), figP50: delays.Ms(0.5), figP99: delays.Ms(0.99),
	}}, s.call(ctx, "DeleteQueue", map[string]any{"QueueUrl": url}, nil)
}

// sdkProgram builds the program with the SDK, which is of a module of its own.
func (b *bench) sdkProgram(ctx context.Context) (string, error) {
	if b.sdkAt != "" {
		return b.sdkAt, nil
	}
	where, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", "ottla/test/interop").Output()
	if err != nil {
		return "", fmt.Errorf("find the source tree: %w", err)
	}
	at := filepath.Join(b.work, "sqsload")
	if err := packages.Run(ctx, filepath.Join(strings.TrimSpace(string(where)), "awsgo"), "go", "build", "-mod=mod", "-o", at, "./sqsload"); err != nil {
		return "", err
	}
	b.sdkAt = at
	return at, nil
}
