// Command diskfull runs the real `ottla serve` on a small disk, fills the disk
// from outside while producers write, and makes room again, several times. The
// node must stay up, refuse produce with an error that clients retry, let
// consumers read, and take writes again within seconds of room coming back. At
// the end everything that was acknowledged is read.
//
//	go run ./test/diskfull                 5 times
//	go run ./test/diskfull -n 200 -binary ./ottla
//
// It needs Linux and root for the small disk; elsewhere it says "not possible
// here" and exits with 77.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"ottla/test/realfault"
)

var (
	times  = flag.Int("n", 5, "how often the disk is filled")
	full   = flag.Duration("full", 3*time.Second, "how long it stays full")
	binary = flag.String("binary", "", "path of ottla; without it cmd/ottla is built")
)

const (
	// refusedWithin is how soon a write must be refused: the node has room in
	// reserve, which is filled too.
	refusedWithin = time.Minute
	// backWithin is how soon writes must be taken after room came back.
	backWithin = time.Minute
)

func main() {
	flag.Parse()
	realfault.Main("diskfull", run)
}

func run(ctx context.Context) error {
	dir, clean, err := realfault.WorkDir("", "diskfull")
	if err != nil {
		return err
	}
	image, err := realfault.NewImage(ctx, dir, 256)
	if err != nil {
		return err
	}
	fmt.Printf("diskfull: %d times, in %s\n", *times, dir)
	err = filling(ctx, image, dir)
	if uerr := image.Unmount(context.WithoutCancel(ctx)); err == nil {
		err = uerr
	}
	if err != nil {
		return fmt.Errorf("%w (all is kept in %s)", err, dir)
	}
	return clean()
}

func filling(ctx context.Context, image *realfault.Image, dir string) error {
	logFile, err := os.Create(filepath.Join(dir, "node.log"))
	if err != nil {
		return err
	}
	defer func() { _ = logFile.Close() }() // only read after a failure
	setup, err := realfault.NewSetup(ctx, *binary, dir, filepath.Join(image.Dir, "data"), logFile)
	if err != nil {
		return err
	}
	load := &realfault.Load{
		Address: setup.Address(), Topic: "full", Partitions: 6, Producers: 4, Rate: 2000, Size: 100,
		Ledger: realfault.NewLedger(),
	}
	var slowest time.Duration
	refused := 0
	verdict, err := realfault.UnderLoad(ctx, setup, load, func(node *realfault.Node) (*realfault.Node, error) {
		p, err := realfault.NewProbe(ctx, setup.Address())
		if err != nil {
			return node, err
		}
		defer p.Close()
		for i := range *times {
			back, err := fillOnce(ctx, image, p, load)
			if why, ended := node.Exited(); ended {
				return node, fmt.Errorf("the node ended in round %d: %w", i+1, why)
			}
			if err != nil {
				return node, fmt.Errorf("round %d: %w", i+1, err)
			}
			slowest = max(slowest, back)
		}
		refused = p.Refused
		return node, nil
	})
	if err != nil {
		return err
	}
	fmt.Printf("diskfull: %d times full, %d writes refused, writes back within %v, no exit; %v\n", *times, refused, slowest.Round(time.Millisecond), verdict)
	if !verdict.OK() {
		return errors.New("a promise is broken")
	}
	return nil
}

// fillOnce is one round. It returns how long writes took to come back.
func fillOnce(ctx context.Context, image *realfault.Image, p *realfault.Probe, load *realfault.Load) (time.Duration, error) {
	if err := realfault.Pause(ctx, time.Second); err != nil {
		return 0, err
	}
	if err := p.Write(ctx); err != nil {
		return 0, fmt.Errorf("write with room left: %w", err)
	}
	filler := filepath.Join(image.Dir, "filler")
	before := p.Refused
	began := time.Now()
	for time.Since(began) < *full || p.Refused == before {
		if time.Since(began) > *full+refusedWithin {
			return 0, errors.New("no write was refused on the full disk")
		}
		if err := realfault.Fill(filler); err != nil { // again and again: the node may give room back
			return 0, err
		}
		if err := p.Write(ctx); err != nil && !kerr.IsRetriable(err) {
			return 0, fmt.Errorf("on the full disk a write fails with %w, which clients do not retry", err)
		}
		if err := realfault.Pause(ctx, 20*time.Millisecond); err != nil {
			return 0, err
		}
	}
	if _, err := realfault.ReadAll(ctx, load.Address, load.Topic); err != nil {
		return 0, fmt.Errorf("read on the full disk: %w", err)
	}
	if err := os.Remove(filler); err != nil {
		return 0, err
	}
	began = time.Now()
	for p.Write(ctx) != nil {
		if time.Since(began) > backWithin {
			return 0, fmt.Errorf("no write is taken %v after room came back", backWithin)
		}
		if err := realfault.Pause(ctx, 20*time.Millisecond); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}
