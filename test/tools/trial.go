package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"ottla/test/known"
	"ottla/test/oracle/apache"
	"ottla/test/realfault"
	"ottla/test/rig"
)

// oracleAgain is how often Kafka is asked once more where it gave no answer.
const oracleAgain = 2

// trial is one run: the sides, and what is compared. A side that does not take
// part is nil.
type trial struct {
	o      options
	began  time.Time
	kafka  *side // Kafka's tools on Kafka
	ottla  *side // Kafka's tools on Ottla
	native *side // ottla kafka on Ottla

	brokers, tools comparison // kafka with ottla, ottla with native
}

// newTrial starts the sides at the same time.
func newTrial(ctx context.Context, o options, tools *apache.Distribution, dir string) (*trial, error) {
	t := &trial{o: o, began: time.Now()}
	t.brokers = comparison{known: known.NewList(known.Lines), verbose: o.verbose, left: "kafka", right: "ottla"}
	t.tools = comparison{known: known.NewList(known.Native), verbose: o.verbose, left: "kafka's tool", right: "ottla's tool"}
	if o.nodes > 1 {
		t.brokers.known = known.NewList(known.Cluster)
	}
	binary, err := realfault.Binary(ctx, o.binary, filepath.Join(dir, "bin")) // the nodes' folders are beside it
	if err != nil {
		return t, err
	}
	t.ottla = &side{tools: tools, shell: tools.Shell(), apart: o.apart}
	if !o.native {
		t.kafka = &side{tools: tools, shell: tools.Shell(), apart: o.apart}
	}
	if o.nodes == 1 {
		t.native = &side{tools: tools, shell: tools.Shell(), native: binary}
	}
	var all sync.WaitGroup
	errs := make([]error, 3)
	for i, s := range t.sides() {
		if s == nil {
			continue
		}
		kind := rig.Ottla
		if s == t.kafka {
			kind = rig.Kafka
		}
		all.Go(func() {
			s.cluster, errs[i] = rig.ClusterLike(ctx, kind, filepath.Join(dir, []string{"kafka", "ottla", "native"}[i]), binary, o.nodes)
		})
	}
	all.Wait()
	return t, errors.Join(errs...)
}

// tell says on standard error what begins, and after how long: what stands still is
// seen by where it does.
func (t *trial) tell(what string) {
	fmt.Fprintf(os.Stderr, "tools: %s, after %v\n", what, time.Since(t.began).Round(time.Second))
}

func (t *trial) sides() []*side { return []*side{t.kafka, t.ottla, t.native} }

// play runs the script: each step on all its sides at once, because a tool is
// mostly waiting.
func (t *trial) play(ctx context.Context) error {
	if t.o.nodes > 1 {
		return t.steps(ctx, clusterScript(t.o.short), t.sides())
	}
	if err := t.steps(ctx, script(), t.sides()); err != nil {
		return err
	}
	if t.kafka != nil { // the odd calls are no business of it
		if err := t.kafka.cluster.Stop(); err != nil {
			return err
		}
	}
	return t.steps(ctx, oddScript(), []*side{nil, t.ottla, t.native})
}

// steps runs steps on the three sides of a trial, in the order of sides, nil where
// one does not take part.
func (t *trial) steps(ctx context.Context, script []step, sides []*side) error {
	var section string
	for _, st := range script {
		if now, _, _ := strings.Cut(st.name, ":"); now != section {
			section = now
			t.tell(section)
		}
		on := slices.Clone(sides)
		if !st.native() {
			on[2] = nil
		}
		if !t.o.only.MatchString(st.name) || on[0] == nil && on[2] == nil {
			continue
		}
		lines, err := together(ctx, st, on)
		for range oracleAgain {
			if err != nil || on[0] == nil || !st.unanswered(lines[0]) {
				break
			}
			lines, err = together(ctx, st, on)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", st.name, err)
		}
		if on[0] != nil {
			t.brokers.compare(st.name, lines[0], lines[1])
		}
		if on[2] != nil {
			t.tools.compare(st.name, lines[1], lines[2])
		}
	}
	return nil
}

// together runs a step on the sides that are not nil, at the same time.
func together(ctx context.Context, st step, on []*side) ([][]string, error) {
	var all sync.WaitGroup
	lines, errs := make([][]string, len(on)), make([]error, len(on))
	for i, s := range on {
		if s != nil {
			all.Go(func() { lines[i], errs[i] = s.do(ctx, st) })
		}
	}
	all.Wait()
	return lines, errors.Join(errs...)
}

// judge stops the nodes, has Ottla's files read, and reports.
func (t *trial) judge(ctx context.Context) error {
	shell := t.ottla.shell
	if err := t.stopNodes(); err != nil {
		return err
	}
	var complaints []string
	t.tell("kafka-dump-log")
	for _, n := range t.ottla.cluster.Nodes {
		found, err := dump(ctx, shell, n.Data)
		if err != nil {
			return err
		}
		complaints = append(complaints, found...)
	}
	whole := t.o.only.String() == "" && !t.o.short
	var err error
	if t.kafka != nil {
		err = t.brokers.report(whole)
	}
	if t.native != nil {
		err = errors.Join(err, t.tools.report(whole))
	}
	for _, text := range complaints {
		fmt.Println("DUMP ", text)
	}
	fmt.Printf("%d complaints of kafka-dump-log\n", len(complaints))
	if len(complaints) > 0 {
		err = errors.Join(err, errors.New("there are files that kafka-dump-log complains of"))
	}
	return err
}

func (t *trial) stopNodes() error {
	var errs []error
	for _, s := range t.sides() {
		if s != nil && s.cluster != nil {
			errs = append(errs, s.cluster.Stop())
		}
	}
	return errors.Join(errs...)
}

// stop ends everything; a second stop is none.
func (t *trial) stop() error {
	var errs []error
	for _, s := range t.sides() {
		if s != nil {
			errs = append(errs, s.shell.Close())
		}
	}
	return errors.Join(append(errs, t.stopNodes())...)
}
