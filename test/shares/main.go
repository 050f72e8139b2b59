package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/test/realfault"
)

var (
	length     = flag.Duration("for", 10*time.Minute, "how long faults are made")
	seed       = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the faults")
	members    = flag.Int("members", 8, "members of each group")
	partitions = flag.Int("partitions", 4, "partitions of the topic")
	keys       = flag.Int("keys", 200, "keys of the records")
	rate       = flag.Int("rate", 400, "records a second")
	every      = flag.Duration("every", 15*time.Second, "time between two kills of the broker, on average")
	binary     = flag.String("binary", "", "path of ottla; without it cmd/ottla is built")
	keepIn     = flag.String("dir", "", "where all is kept; without it a temporary folder")
)

const topic = "orders"

func main() {
	flag.Parse()
	realfault.Main("shares", run)
}

func run(ctx context.Context) error {
	dir, clean, err := realfault.WorkDir(*keepIn, "shares")
	if err != nil {
		return err
	}
	fmt.Printf("shares: two groups of %d members for %v, seed %d, in %s\n", *members, *length, *seed, dir)
	if err := play(ctx, dir); err != nil {
		return fmt.Errorf("seed %d: %w (all is kept in %s)", *seed, err, dir)
	}
	return clean()
}

// play runs it from the first start to the verdict.
func play(ctx context.Context, dir string) error {
	logFile, err := os.Create(filepath.Join(dir, "node.log"))
	if err != nil {
		return err
	}
	defer func() { _ = logFile.Close() }() // only read after a failure
	s, err := open(ctx, dir, logFile)
	if err != nil {
		return err
	}
	defer func() { s.node.Kill() }()
	written, err := s.live(ctx)
	if err != nil {
		return err
	}
	for _, c := range s.crowds {
		err = errors.Join(err, c.l.verdict(written), missing(c.l))
		for _, what := range slices.Sorted(maps.Keys(c.l.count)) {
			fmt.Printf("  %s: %s %d\n", c.l.group, what, c.l.count[what])
		}
	}
	fmt.Printf("  broker killed %d times\n", s.kills)
	if s.kills == 0 {
		err = errors.Join(err, errors.New("the broker was never killed; run it longer"))
	}
	return err
}

// missing tells which faults were never made.
func missing(l *ledger) error {
	for _, what := range []string{"died", "was slow", "released", "accepted", "delivered again", "confirmed"} {
		if l.seen(what) == 0 {
			return fmt.Errorf("group %s: never %s; run it longer", l.group, what)
		}
	}
	return nil
}

// scene is a node with its groups.
type scene struct {
	setup  realfault.Setup
	node   *realfault.Node
	crowds []*crowd
	kills  int
}

// open starts the node and makes topic and groups.
func open(ctx context.Context, dir string, log io.Writer) (*scene, error) {
	setup, err := realfault.NewSetup(ctx, *binary, dir, filepath.Join(dir, "data"), log)
	if err != nil {
		return nil, err
	}
	setup.Set = []string{
		"group.share.min.record.lock.duration.ms=1000", "group.share.min.session.timeout.ms=1000",
		"group.share.max.delivery.count.limit=25", "group.share.max.size=1000",
	}
	s := &scene{setup: setup}
	if s.node, err = setup.Start(context.WithoutCancel(ctx)); err != nil {
		return nil, err
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(s.setup.Address()), kgo.AlwaysRetryEOF())
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	if _, err := kadm.NewClient(cl).CreateTopic(ctx, int32(*partitions), 1, nil, topic); err != nil {
		return nil, err
	}
	for _, ordered := range []bool{false, true} {
		name := map[bool]string{false: "plain", true: "keyed"}[ordered]
		s.crowds = append(s.crowds, &crowd{addr: s.setup.Address(), topic: topic, l: newLedger(name, ordered)})
		if err := configure(ctx, cl, name, map[string]string{
			"share.auto.offset.reset": "earliest", "share.record.lock.duration.ms": "1000", "share.session.timeout.ms": "3000",
			"share.delivery.count.limit": "25", "share.key.ordering": fmt.Sprint(ordered), "share.retry.backoff.ms": "20",
		}); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// configure sets settings of a group.
func configure(ctx context.Context, cl *kgo.Client, group string, settings map[string]string) error {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeGroupConfig, group
	for name, value := range settings {
		c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		c.Name, c.Value = name, kmsg.StringPtr(value)
		r.Configs = append(r.Configs, c)
	}
	req.Resources = append(req.Resources, r)
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return err
	}
	if resp.Resources[0].ErrorCode != 0 {
		return fmt.Errorf("settings of group %s: %s", group, *resp.Resources[0].ErrorMessage)
	}
	return nil
}

// live lets everything run for the length, then lets it come to rest.
func (s *scene) live(ctx context.Context) (map[string]int, error) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	for i, c := range s.crowds {
		c.fill(ctx, *members, *seed+uint64(i)*1000)
	}
	writing, stop := context.WithTimeout(ctx, *length)
	defer stop()
	type wrote struct {
		keys map[string]int
		err  error
	}
	written := make(chan wrote, 1)
	go func() {
		keys, err := write(ctx, writing, s.setup.Address())
		written <- wrote{keys, err}
	}()
	if err := s.kill(ctx, writing); err != nil {
		return nil, err
	}
	w := <-written
	if w.err != nil {
		return nil, w.err
	}
	for _, c := range s.crowds {
		c.calm.Store(true)
	}
	err := s.drain(ctx)
	end()
	for _, c := range s.crowds {
		c.running.Wait()
	}
	return w.keys, err
}

// kill ends the broker again and again and starts it anew.
func (s *scene) kill(ctx, until context.Context) error {
	r := rand.New(rand.NewPCG(*seed, 99))
	for {
		select {
		case <-time.After(*every/2 + time.Duration(r.Int64N(int64(*every)))):
		case <-until.Done():
			return ctx.Err()
		}
		s.node.Kill()
		s.kills++
		var err error
		if s.node, err = s.setup.Start(context.WithoutCancel(ctx)); err != nil {
			return fmt.Errorf("start after kill %d: %w", s.kills, err)
		}
	}
}

// write produces records until it shall end, and tells how many each key has.
func write(ctx, until context.Context, addr string) (map[string]int, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.AlwaysRetryEOF(), kgo.DefaultProduceTopic(topic), kgo.RecordRetries(1<<30))
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	out := map[string]int{}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	r := rand.New(rand.NewPCG(*seed, 7))
	for {
		select {
		case <-tick.C:
		case <-until.Done():
			return out, ctx.Err()
		}
		var records []*kgo.Record
		for range *rate / 10 {
			key := fmt.Sprintf("k%d", r.IntN(*keys))
			records = append(records, &kgo.Record{Key: []byte(key), Value: valueOf(name{key, out[key]})})
			out[key]++
		}
		if err := cl.ProduceSync(ctx, records...).FirstErr(); err != nil {
			return nil, fmt.Errorf("write: %w", err)
		}
	}
}

// restTime bounds how long the groups may take to come to rest.
const restTime = 2 * time.Minute

// drain waits until no group has anything left.
func (s *scene) drain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, restTime)
	defer cancel()
	cl, err := kgo.NewClient(kgo.SeedBrokers(s.setup.Address()), kgo.AlwaysRetryEOF())
	if err != nil {
		return err
	}
	defer cl.Close()
	for {
		left, err := lag(ctx, cl, s.crowds)
		if err == nil && left == 0 {
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("stuck: %d records are left after %v of rest: %w", left, restTime, errors.Join(err, ctx.Err()))
		}
	}
}

// lag adds up what groups have left.
func lag(ctx context.Context, cl *kgo.Client, crowds []*crowd) (int64, error) {
	req := kmsg.NewPtrDescribeShareGroupOffsetsRequest()
	for _, c := range crowds {
		g := kmsg.NewDescribeShareGroupOffsetsRequestGroup()
		g.GroupID = c.l.group
		req.Groups = append(req.Groups, g)
	}
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return -1, err
	}
	n, rows := int64(0), 0
	for _, g := range resp.Groups {
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				if rows++; p.Lag < 0 {
					return -1, fmt.Errorf("no lag of group %s in partition %d", g.GroupID, p.Partition)
				}
				n += p.Lag
			}
		}
	}
	if rows != len(crowds)**partitions {
		return -1, fmt.Errorf("%d partitions have a lag, want %d", rows, len(crowds)**partitions)
	}
	return n, nil
}
