package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"ottla/test/history"
	"ottla/test/history/client"
	"ottla/test/rig"
)

// The topics, and the groups that work on them.
const (
	topicIn, topicMid, topicAudit, topicOut, topicLedger = "in", "mid", "audit", "out", "ledger"

	groupOne, groupTwo = "first", "second"

	partitions = 4
)

// The pipeline's stages: from in to mid, from in to audit, from mid to out.
const (
	stageMid = 1 + iota
	stageAudit
	stageOut
	stages = stageOut
)

// brokerSettings make everything that only waits fast.
var brokerSettings = map[string]string{
	"auto.create.topics.enable": "false", "group.initial.rebalance.delay.ms": "0", "group.min.session.timeout.ms": "1000",
	"group.consumer.min.session.timeout.ms": "1000", "group.consumer.session.timeout.ms": "3000",
	"group.consumer.min.heartbeat.interval.ms": "300", "group.consumer.heartbeat.interval.ms": "300", "group.consumer.assignment.interval.ms": "0",
	"transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
	"offsets.topic.num.partitions":                                "4", "transaction.state.log.num.partitions": "4",
}

// stage is where it all happens: a broker behind a proxy, the clients and what
// is put down of them.
type stage struct {
	options
	dir     string
	node    *rig.Node
	proxy   *proxy
	history *history.Writer
	crews   []*client.Crew
	team    *team
	log     *os.File // of the children
	kills   int
	slowest time.Duration // from a start to serving
}

// raise builds the stage, with all topics, and nobody at work yet.
func raise(ctx context.Context, o options, dir string) (s *stage, err error) {
	s = &stage{options: o, dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.proxy, err = listen(o); err != nil {
		return s, err
	}
	settings := map[string]string{"advertised.listeners": "PLAINTEXT://" + s.proxy.address()}
	for k, v := range brokerSettings {
		settings[k] = v
	}
	for k, v := range o.set {
		settings[k] = v
	}
	s.node, err = rig.New(ctx, rig.Options{Kind: o.against, Dir: filepath.Join(dir, "node"), Binary: o.binary, Settings: settings})
	if err != nil {
		return s, err
	}
	s.proxy.serve(s.node.Addr)
	if s.history, err = history.Create(s.historyFile()); err != nil {
		return s, err
	}
	if s.log, err = os.Create(filepath.Join(dir, "clients.log")); err != nil {
		return s, fmt.Errorf("make the clients' log: %w", err)
	}
	if s.team, err = newTeam(s.history, s.log); err != nil {
		return s, err
	}
	return s, s.prepare(ctx)
}

// prepare makes the topics, and a crew for each, which is not at work yet.
func (s *stage) prepare(ctx context.Context) error {
	for _, name := range []string{topicIn, topicMid, topicAudit, topicOut, topicLedger} {
		crew := &client.Crew{
			Cluster: &client.Cluster{Address: s.proxy.address(), Topic: name, Partitions: partitions, History: s.history},
			Stable:  s.against == rig.Kafka,
			Readers: 2, Lifetime: max(20*time.Second, s.lasts/4), Size: 60,
		}
		switch name {
		case topicIn:
			crew.Producers, crew.Rate, crew.Watched = 2, s.rate, []string{groupOne}
		case topicMid:
			crew.Watched = []string{groupTwo}
		}
		if err := crew.Prepare(ctx, nil); err != nil {
			return err
		}
		s.crews = append(s.crews, crew)
	}
	return nil
}

func (s *stage) historyFile() string { return filepath.Join(s.dir, "history.jsonl") }

// begin lets everybody work.
func (s *stage) begin(ctx context.Context) error {
	for _, c := range s.crews {
		c.Start(context.WithoutCancel(ctx)) // until settle, whatever ctx does
	}
	base := task{Address: s.proxy.address(), Seed: s.seed, Partitions: partitions, TimeoutMs: 3000}
	for i := range s.clients {
		one, two, tell := base, base, base
		one.Kind, one.ID, one.Group, one.In = "worker", fmt.Sprintf("one-%d", i), groupOne, topicIn
		one.Out = []output{{topicMid, stageMid}, {topicAudit, stageAudit}}
		two.Kind, two.ID, two.Group, two.In = "worker", fmt.Sprintf("two-%d", i), groupTwo, topicMid
		two.Out = []output{{topicOut, stageOut}}
		tell.Kind, tell.ID, tell.In, tell.Out = "teller", fmt.Sprintf("tell-%d", i), topicIn, []output{{Topic: topicLedger}}
		for _, t := range []task{one, two, tell} {
			t.Server, t.Static = t.Group == groupTwo, i%2 == 0
			t.Old = i%3 == 2 && !t.Server
			if err := s.team.add(t); err != nil {
				return err
			}
		}
	}
	return nil
}

// close ends whatever is left.
func (s *stage) close() error {
	var errs []error
	if s.team != nil {
		s.team.disband()
	}
	if s.node != nil && s.node.Alive() == nil {
		errs = append(errs, s.node.Kill())
	}
	if s.proxy != nil {
		errs = append(errs, s.proxy.close())
	}
	if s.log != nil {
		errs = append(errs, s.log.Close())
	}
	return errors.Join(errs...)
}
