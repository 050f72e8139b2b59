//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"ottla/test/realfault"
)

// stopWithin is generous: how fast a stop must be is judged elsewhere.
const stopWithin = 30 * time.Second

// bench has the servers, which are started when they are first wanted.
type bench struct {
	work   string
	length time.Duration // of a run
	sides  map[string]*side
	sdkAt  string // the program with the SDK
}

// side is one server that speaks SQS.
type side struct {
	name string
	addr string
	pid  int
	stop func() error
}

// get gives a server, which it starts at the first call.
func (b *bench) get(ctx context.Context, name string, start func(context.Context, string) (*side, error)) (*side, error) {
	if s := b.sides[name]; s != nil {
		return s, nil
	}
	s, err := start(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if b.sides == nil {
		b.sides = map[string]*side{}
	}
	b.sides[name] = s
	return s, nil
}

// close stops all servers.
func (b *bench) close() error {
	var errs []error
	for _, s := range b.sides {
		errs = append(errs, s.stop())
	}
	return errors.Join(errs...)
}

// ottla is one durable node.
func (b *bench) ottla(ctx context.Context) (*side, error) { return b.get(ctx, "ottla", b.startOttla) }

func (b *bench) startOttla(ctx context.Context, name string) (*side, error) {
	log, err := os.Create(filepath.Join(b.work, name+".log"))
	if err != nil {
		return nil, fmt.Errorf("keep what it says: %w", err)
	}
	setup, err := realfault.NewSetup(ctx, *ottlaAt, b.work, filepath.Join(b.work, "data"), log)
	if err != nil {
		return nil, err
	}
	s := &side{name: name}
	if s.addr, err = freeAddr(); err != nil {
		return nil, err
	}
	setup.Flags = []string{"--http", s.addr}
	node, err := setup.Start(ctx)
	if err != nil {
		return nil, err
	}
	s.pid = node.PID()
	s.stop = func() error { return errors.Join(node.Stop(stopWithin), log.Close()) }
	return s, nil
}

func freeAddr() (string, error) {
	free, err := realfault.FreePorts(1)
	if err != nil {
		return "", err
	}
	return "127.0.0.1:" + strconv.Itoa(free[0]), nil
}

// memory is what a process has.
type memory struct {
	resident int64 // bytes
	inUse    int64 // of heap and stacks, after a collection
	told     string
}

// memory asks Ottla for a collection and what it has in use after it.
func (s *side) memory(ctx context.Context) (memory, error) {
	var m memory
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+"/debug/pprof/heap?gc=1&debug=1", nil)
	if err != nil {
		return m, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return m, fmt.Errorf("ask for the memory in use: %w", err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		name, value, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "# "), " = ")
		if name != "HeapAlloc" && name != "Stack" {
			continue
		}
		value, _, _ = strings.Cut(value, " / ")
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return m, fmt.Errorf("the memory in use, %s: %w", name, err)
		}
		m.inUse += n
		m.told += fmt.Sprintf("%s %d KB ", name, n>>10)
	}
	if err := lines.Err(); err != nil {
		return m, fmt.Errorf("read the memory in use: %w", err)
	}
	if m.resident, err = realfault.Resident(s.pid); err != nil {
		return m, err
	}
	return m, nil
}
