//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// diskRun is how much each file gets.
const diskRun = 256 << 20

// diskAlone measures what the disk does by itself with what three replicas write:
// three files side by side, each written from front to back in pieces of one batch,
// each piece synced before the next. It tells MB/s of one file: every byte
// is written three times.
func diskAlone(dir string, piece int) (float64, error) {
	errs := make([]error, nodes)
	var all sync.WaitGroup
	began := time.Now()
	for i := range nodes {
		all.Go(func() { errs[i] = writeSynced(filepath.Join(dir, fmt.Sprintf("disk-%d", i)), piece) })
	}
	all.Wait()
	took := time.Since(began).Seconds()
	return diskRun / 1e6 / took, errors.Join(errs...)
}

func writeSynced(path string, piece int) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(path)) }()
	b := make([]byte, piece)
	for at := 0; at < diskRun; at += piece {
		if _, err := f.Write(b); err != nil {
			return err
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			return err
		}
	}
	return nil
}

// reportDisk prints the disk's limit with small and with large pieces: group commit
// makes large ones of small ones.
func reportDisk(dir string) error {
	for _, piece := range []int{batchBytes, 1 << 20, 8 << 20} {
		rate, err := diskAlone(dir, piece)
		if err != nil {
			return fmt.Errorf("measure the disk alone: %w", err)
		}
		fmt.Printf("%-14s %-14s the disk alone, three files, a sync each %d KiB: %.0f\n", "", figMBs, piece>>10, rate)
	}
	return nil
}
