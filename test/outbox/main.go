package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/test/realfault"
)

var (
	kills  = flag.Int("n", 100, "how often something is killed")
	on     = flag.String("on", "sqlite", "sqlite or postgres")
	seed   = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the moments of the kills, and of what writers do")
	binary = flag.String("binary", "", "path of ottla; without it cmd/ottla is built")
	keepIn = flag.String("dir", "", "where all is kept; without it a temporary folder")
)

const (
	topic = "out"
	parts = 3
	// patience bounds what comes after the last kill.
	patience = 2 * time.Minute
)

func main() {
	flag.Parse()
	realfault.Main("outbox", run)
}

func run(ctx context.Context) error {
	dir, clean, err := realfault.WorkDir(*keepIn, "outbox")
	if err != nil {
		return err
	}
	fmt.Printf("outbox: %d kills, %s, seed %d, in %s\n", *kills, *on, *seed, dir)
	if err := play(ctx, dir); err != nil {
		var no *realfault.Impossible
		if errors.As(err, &no) {
			return errors.Join(err, clean())
		}
		return fmt.Errorf("seed %d: %w (all is kept in %s)", *seed, err, dir)
	}
	return clean()
}

// stage is what takes part.
type stage struct {
	setup realfault.Setup
	node  *realfault.Node
	db    database
	log   io.Writer // of the relays
	relay *exec.Cmd
	rng   *rand.Rand
	count map[string]int // of kills, by what was killed
}

func play(ctx context.Context, dir string) (err error) {
	log, err := os.Create(filepath.Join(dir, "all.log"))
	if err != nil {
		return err
	}
	s := &stage{log: log, rng: rand.New(rand.NewPCG(*seed, 0)), count: map[string]int{}}
	if s.db, err = openDatabase(ctx, *on, dir); err != nil {
		return errors.Join(err, log.Close())
	}
	defer func() { err = errors.Join(err, s.db.close(), log.Close()) }()
	if s.setup, err = realfault.NewSetup(ctx, *binary, dir, filepath.Join(dir, "data"), log); err != nil {
		return err
	}
	if s.node, err = s.setup.Start(ctx); err != nil {
		return err
	}
	defer func() {
		if s.node != nil {
			s.node.Kill()
		}
	}()
	c, err := kgo.NewClient(kgo.SeedBrokers(s.setup.Address()))
	if err != nil {
		return err
	}
	defer c.Close()
	if made, err := kadm.NewClient(c).CreateTopic(ctx, parts, 1, nil, topic); err != nil || made.Err != nil {
		return errors.Join(err, made.Err)
	}
	if p, ok := s.db.(*postgres); ok {
		if err := s.kinds(ctx, p, c); err != nil {
			return fmt.Errorf("columns of Postgres: %w", err)
		}
	}
	w := startWriters(ctx, s.db)
	if err := errors.Join(s.hurt(ctx), w.stop()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.drain(ctx); err != nil {
		return err
	}
	v, err := judge(ctx, s.db, c)
	if err == nil {
		fmt.Printf("outbox: %s, kills %v: %v\n", *on, s.count, v)
		err = v.wrong()
	}
	return err
}

// hurt kills, at moments that are mostly soon after a start.
func (s *stage) hurt(ctx context.Context) error {
	if err := s.start(ctx); err != nil {
		return err
	}
	for range *kills {
		if err := realfault.Pause(ctx, time.Duration(s.rng.Int64N(int64(20*time.Millisecond)<<s.rng.IntN(7)))); err != nil {
			return err
		}
		var err error
		switch dice := s.rng.IntN(10); {
		case dice == 0:
			s.count["node"]++
			s.node.Kill()
			s.node = nil
			s.node, err = s.setup.Start(ctx)
		case dice == 1 && s.db.mortal():
			s.count["database"]++
			err = s.db.kill(ctx)
		case dice < 4:
			s.count["while a second takes over"]++
			first := s.relay
			if err = s.start(ctx); err == nil {
				err = realfault.Pause(ctx, time.Duration(s.rng.Int64N(int64(300*time.Millisecond))))
			}
			end(first)
		default:
			s.count["relay"]++
			end(s.relay)
			err = s.start(ctx)
		}
		if err != nil {
			return err
		}
	}
	end(s.relay)
	return nil
}

func (s *stage) command(ctx context.Context, more ...string) *exec.Cmd {
	return s.ottla(ctx, append([]string{"outbox", "run", s.db.url(), "--to", "topic:" + topic, "--poll", "10ms"}, more...)...)
}

func (s *stage) ottla(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.setup.Binary, append(args, "-b", s.setup.Address())...)
	cmd.Stdout, cmd.Stderr = s.log, s.log
	return cmd
}

// start starts a relay. One that ends by itself, as when the node is away at its start or
// another has taken over, is not missed: the next kill starts another.
func (s *stage) start(ctx context.Context) error {
	s.relay = s.command(ctx)
	return s.relay.Start()
}

// end kills a relay.
func end(cmd *exec.Cmd) {
	_ = cmd.Process.Kill() // it may have ended already
	_ = cmd.Wait()         // with the signal
}

// drain runs a relay until no row is left.
func (s *stage) drain(ctx context.Context) error {
	for {
		err := s.command(ctx, "--once").Run()
		if err == nil {
			return nil
		}
		if pErr := realfault.Pause(ctx, 100*time.Millisecond); pErr != nil {
			return fmt.Errorf("rows are left: %w", err)
		}
	}
}
