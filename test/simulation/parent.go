package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"ottla/test/simulation/cluster"
)

// again is how often a seed is run twice: one in so many.
const again = 20

// longest is how long a seed may take: some hundred times what it needs.
const longest = 90 * time.Second

// order is what a child is told to do.
type order struct {
	Seed  uint64
	Twice bool
}

// report is what it answers.
type report struct {
	cluster.Result
	Second uint64 // the hash of the second run, where there was one
}

// serve runs seeds as they come, one after the other, until there are no more.
func serve(in io.Reader, out io.Writer) error {
	dec, enc := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var o order
		if err := dec.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read an order: %w", err)
		}
		r := report{Result: cluster.Simulate(o.Seed, nil)}
		if o.Twice {
			r.Second = cluster.Simulate(o.Seed, nil).Hash
		}
		if err := enc.Encode(&r); err != nil {
			return fmt.Errorf("write a report: %w", err)
		}
	}
}

// parent has children run all seeds, and adds up what they say.
func parent(f flags) error {
	began := time.Now()
	orders := make(chan order)
	go func() {
		defer close(orders)
		for i := 0; f.length > 0 && time.Since(began) < f.length || f.length == 0 && i < f.seeds; i++ {
			orders <- order{f.from + uint64(i), i%again == 0}
		}
	}()
	t := newTally()
	var work sync.WaitGroup
	errs := make([]error, f.workers)
	for i := range f.workers {
		work.Go(func() { errs[i] = child(orders, t) })
	}
	work.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if f.hits {
		printHits(t.hits)
	}
	fmt.Printf("%d seeds (%d run twice), %d failed; %v simulated in %v, %d events\n",
		t.seeds, t.twice, t.failed, t.simulated.Round(time.Second), time.Since(began).Round(100*time.Millisecond), t.steps)
	return t.verdict()
}

// child runs a process of this program and gives it orders until there are none.
func child(orders <-chan order, t *tally) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.Command(self, "-child")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("talk to a child: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("listen to a child: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start a child: %w", err)
	}
	enc, dec := json.NewEncoder(in), json.NewDecoder(bufio.NewReader(out))
	for o := range orders {
		var r report
		hung := time.AfterFunc(longest, func() { _ = cmd.Process.Kill() })
		if err = enc.Encode(o); err == nil {
			err = dec.Decode(&r)
		}
		hung.Stop()
		if err != nil {
			for range orders { // nobody else shall wait for a place
				continue
			}
			return fmt.Errorf("seed %d ended its process, or went on for %v (run it alone: go run ./test/simulation -seed %d): %w", o.Seed, longest, o.Seed, errors.Join(err, cmd.Wait()))
		}
		t.add(&r, o.Twice)
	}
	_ = in.Close() // that there is nothing more is all it says
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("a child ended badly: %w", err)
	}
	return nil
}
