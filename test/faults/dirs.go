//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"ottla/test/realfault"
)

// refuseWithin is how soon a node must say that a directory is not its own: it
// takes a tenth of a second where nothing else is done.
const refuseWithin = 3 * time.Second

// directories is row 33: two processes on one directory, a copied one, one of
// another cluster, one of another node. Each is refused with a sentence, and
// the rightful node notices nothing.
func directories(ctx context.Context, s *scene) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	if err := s.refused(ctx, "a second process on the directory", s.data); err != nil {
		return err
	}
	if err := s.flowing(ctx); err != nil {
		return err
	}
	if err := s.node.Stop(stopWithin); err != nil {
		return err
	}
	copied := filepath.Join(s.dir, "copy")
	if err := os.CopyFS(copied, os.DirFS(s.data)); err != nil {
		return err
	}
	if err := s.refused(ctx, "a copied directory", copied); err != nil {
		return err
	}
	if err := s.refused(ctx, "a directory of another cluster", s.data, "cluster.id=AAAAAAAAAAAAAAAAAAAAAA"); err != nil {
		return err
	}
	if err := s.refused(ctx, "a directory of another node", s.data, "node.id=77"); err != nil {
		return err
	}
	file := filepath.Join(s.dir, "file")
	if err := os.WriteFile(file, []byte("no directory"), 0o600); err != nil {
		return err
	}
	if err := s.refused(ctx, "a file for a directory", file); err != nil {
		return err
	}
	if err := s.start(ctx); err != nil {
		return fmt.Errorf("start of the rightful node: %w", err)
	}
	return s.finish(ctx)
}

// refused starts a node that must not start, and wants words about it, soon: a
// machine that does much else is asked three times.
func (s *scene) refused(ctx context.Context, what, data string, set ...string) error {
	free, err := realfault.FreePorts(1)
	if err != nil {
		return err
	}
	args := []string{"serve", "--data", data, "--listen", fmt.Sprintf("127.0.0.1:%d", free[0]), "--http", "off"}
	for _, kv := range set {
		args = append(args, "--set", kv)
	}
	best := time.Duration(0)
	for range 3 {
		took, said, err := s.ended(ctx, args)
		switch {
		case err == nil || bytes.Contains(said, []byte("\nready ")):
			return fmt.Errorf("%s is taken:\n%s", what, said)
		case !bytes.Contains(said, []byte(data)):
			return fmt.Errorf("%s is refused without its name (%w):\n%s", what, err, said)
		}
		if best == 0 || took < best {
			best = took
		}
		if best <= refuseWithin {
			s.hits++
			return nil
		}
	}
	return fmt.Errorf("%s is refused after %v, at most %v", what, best, refuseWithin)
}

// ended runs a node to its end, at most a minute.
func (s *scene) ended(ctx context.Context, args []string) (took time.Duration, said []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	began := time.Now()
	said, err = exec.CommandContext(ctx, s.binary, args...).CombinedOutput()
	if ctx.Err() != nil {
		err = nil // it would run still
	}
	return time.Since(began), said, err
}
