package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"ottla/test/realfault"
)

var (
	cuts   = flag.Int("n", 20, "how often the power is cut")
	seed   = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the moments of the cuts")
	what   = flag.String("what", "node", "who writes: node or log")
	binary = flag.String("binary", "", "path of ottla; without it cmd/ottla is built")
	child  = flag.String("child", "", "(internal) write to the log in this directory until killed")
)

func main() {
	flag.Parse()
	if *child != "" {
		realfault.Main("powercut child", func(ctx context.Context) error { return write(ctx, *child, os.Stdout) })
		return
	}
	realfault.Main("powercut", run)
}

func run(ctx context.Context) error {
	dir, clean, err := realfault.WorkDir("", "powercut")
	if err != nil {
		return err
	}
	image, err := realfault.NewImage(ctx, dir, 512)
	if err != nil {
		return err
	}
	fmt.Printf("powercut: %d cuts under the %s, seed %d, in %s\n", *cuts, *what, *seed, dir)
	r := rand.New(rand.NewPCG(*seed, 0))
	switch *what {
	case "log":
		err = cutLog(ctx, image, r)
	case "node":
		err = cutNode(ctx, image, dir, r)
	default:
		err = fmt.Errorf("-what is %q, want node or log", *what)
	}
	if uerr := image.Unmount(context.WithoutCancel(ctx)); err == nil {
		err = uerr
	}
	if err != nil {
		return fmt.Errorf("%w (all is kept in %s)", err, dir)
	}
	return clean()
}

// cycle is one cut: the writer stands still, the power goes, the writer is
// killed, power comes back. It stands still because ext4 may answer a sync that
// is under way while its journal is cut off with success: an answer after the
// cut, which no loss of power allows.
func cycle(ctx context.Context, image *realfault.Image, pid int, kill func()) error {
	err := realfault.StandStill(ctx, pid)
	if err == nil {
		err = image.Cut()
	}
	kill()
	if err != nil {
		return err
	}
	if err := image.Unmount(ctx); err != nil {
		return err
	}
	return image.Mount(ctx)
}

// wait lets the writer work for a random while.
func wait(ctx context.Context, r *rand.Rand) error {
	return realfault.Pause(ctx, time.Duration(r.Int64N(int64(25*time.Millisecond)<<r.IntN(6))))
}
