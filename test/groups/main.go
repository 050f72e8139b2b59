//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"ottla/test/history"
	"ottla/test/history/client"
	"ottla/test/realfault"
	"ottla/test/rig"
)

var (
	length       = flag.Duration("for", 10*time.Minute, "how long faults are made")
	protocolList = flag.String("protocol", protocolNames(), "protocols, each in a group of its own, comma-separated")
	seed         = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the faults")
	members      = flag.Int("members", 20, "members of each group")
	partitions   = flag.Int("partitions", 40, "partitions of the topic")
	rate         = flag.Int("rate", 400, "records a second")
	every        = flag.Duration("every", 1500*time.Millisecond, "time between two faults, on average")
	against      = flag.String("against", string(rig.Ottla), "ottla or kafka: a history of the real Kafka must be clean")
	binary       = flag.String("binary", "", "path of ottla; without it cmd/ottla is built")
	keepIn       = flag.String("dir", "", "where all is kept; without it a temporary folder")
	check        = flag.String("check", "", "judge the history in this file and end")
	settle       = flag.Duration("settle", 2*time.Second, "time after a change within which every partition shall have an owner (KIP-848)")
	judgeSettle  = flag.Bool("judge-settle", false, "fail where -settle is not kept; a loaded machine may be slower")
	asMember     = flag.String("member", "", "(internal) be a member with these orders")
)

func main() {
	flag.Parse()
	if *asMember != "" {
		if err := beChild(*asMember); err != nil {
			fmt.Fprintln(os.Stderr, "groups: a member:", err)
			os.Exit(1)
		}
		return
	}
	realfault.Main("groups", run)
}

func run(ctx context.Context) error {
	if *check != "" {
		_, err := judgeFile(*check)
		return err
	}
	chosen, err := chooseProtocols(*protocolList)
	if err != nil {
		return err
	}
	dir, clean, err := realfault.WorkDir(*keepIn, "groups")
	if err != nil {
		return err
	}
	fmt.Printf("groups: %s, %d members each, for %v, seed %d, in %s\n", *protocolList, *members, *length, *seed, dir)
	s := &scene{dir: dir, protocols: chosen}
	if err := s.play(ctx); err != nil {
		return fmt.Errorf("seed %d: %w (all is kept in %s)", *seed, err, dir)
	}
	return clean()
}

// scene is one run.
type scene struct {
	dir       string
	protocols []protocol
	w         *history.Writer
	d         *driver
	v         *watcher
}

func (s *scene) history() string { return filepath.Join(s.dir, "history.jsonl") }

// play runs it from the first start to the verdict.
func (s *scene) play(ctx context.Context) error {
	logFile, err := os.Create(filepath.Join(s.dir, "node.log"))
	if err != nil {
		return err
	}
	defer func() { _ = logFile.Close() }() // only read after a failure
	if s.w, err = history.Create(s.history()); err != nil {
		return err
	}
	if err := s.open(ctx, logFile); err != nil {
		return err
	}
	defer func() { _ = s.d.node.Kill() }() // it has stopped when all went well
	if err := errors.Join(s.live(ctx), s.w.Close()); err != nil {
		return err
	}
	ops, err := judgeFile(s.history())
	report(s.d, s.v, ops)
	if err != nil {
		return err
	}
	if missing := s.d.missing(); len(missing) > 0 {
		return fmt.Errorf("never made: %s; run it longer", strings.Join(missing, ", "))
	}
	return s.d.node.Stop()
}

// open starts the node.
func (s *scene) open(ctx context.Context, logFile *os.File) error {
	settings := map[string]string{"group.min.session.timeout.ms": "1000", "group.initial.rebalance.delay.ms": "500"}
	for _, p := range s.protocols {
		for _, kv := range p.settings {
			k, v, _ := strings.Cut(kv, "=")
			settings[k] = v
		}
	}
	node, err := rig.New(context.WithoutCancel(ctx), rig.Options{Kind: rig.Kind(*against), Dir: s.dir, Binary: *binary, Settings: settings, Log: logFile})
	s.d = &driver{node: node, every: *every, r: rand.New(rand.NewPCG(*seed, 0)), hits: map[string]int{}}
	process := s.w.Process()
	s.d.says = func(what string) { tell(s.w, process, "", what) }
	return err
}

// live is the life of the groups: it ends when all is read and all have left.
func (s *scene) live(ctx context.Context) error {
	o := orders{Address: s.d.node.Addr, Topic: "groups"}
	crew := &client.Crew{
		Cluster:   &client.Cluster{Address: o.Address, Topic: o.Topic, Partitions: int32(*partitions), History: s.w},
		Producers: 2, Rate: *rate, Size: 100,
	}
	if err := crew.Prepare(ctx, nil); err != nil {
		return err
	}
	crew.Start(context.WithoutCancel(ctx)) // until Stop, whatever ctx does
	var names []string
	for i, p := range s.protocols {
		c := startCrowd(context.WithoutCancel(ctx), p, o, *members, s.w, *seed+uint64(i))
		s.d.crowds, names = append(s.d.crowds, c), append(names, c.group)
	}
	var err error
	if s.v, err = newWatcher(o, s.w, int32(*partitions), names); err != nil {
		return err
	}
	defer s.v.client.Close()
	looking, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() { s.v.watch(looking) })
	err = s.d.drive(ctx, *length)
	err = errors.Join(err, crew.Stop())
	if err == nil {
		fmt.Printf("groups: %d faults made, %d records acknowledged; now all is read\n", s.faults(), crew.Acked())
		err = s.v.caughtUp(ctx)
	}
	for _, c := range s.d.crowds {
		err = errors.Join(err, c.end())
	}
	stop()
	wg.Wait()
	if err != nil {
		return err
	}
	return crew.Final(ctx)
}

func (s *scene) faults() (n int) {
	for _, times := range s.d.hits {
		n += times
	}
	return n
}

// judgeFile judges a history and prints the verdict.
func judgeFile(name string) ([]history.Op, error) {
	ops, err := history.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var more []groupRule
	if *judgeSettle {
		more = append(more, settled(*settle))
	}
	v := judge(ops, rig.Kind(*against) == rig.Ottla, more...)
	fmt.Println("groups:", v)
	if !v.ok() {
		return ops, errors.New("a promise is broken")
	}
	return ops, nil
}
