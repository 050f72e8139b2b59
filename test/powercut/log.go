package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"ottla/internal/log"
	"ottla/internal/record"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
	"ottla/test/realfault"
)

// partitions of the log directory that the child writes to.
const partitions = 4

func ident(p int32) log.Ident {
	return log.Ident{Topic: "cuts", Partition: p, ID: uuid.UUID{1, 2, 3, byte(p)}}
}

// openLogs opens the directory and its logs. The returned offsets are kept up
// to date with what is durable.
func openLogs(path string, durable *[partitions]int64) (*log.Dir, []*log.Log, error) {
	d, err := log.OpenDir(log.DirOptions{FS: vfs.NewOS(), Path: path, Now: time.Now})
	if err != nil {
		return nil, nil, err
	}
	var logs []*log.Log
	for p := range int32(partitions) {
		l, err := d.Open(ident(p), log.OpenOptions{
			Config:    log.Config{SegmentBytes: 64 << 10, IndexIntervalBytes: 4096, MaxDecompressed: 1 << 20},
			OnDurable: func(at log.Position) { durable[p] = at.Offset },
		})
		if err != nil {
			return nil, nil, err
		}
		durable[p] = l.Durable().Offset
		logs = append(logs, l)
	}
	return d, logs, nil
}

// write is the child: it appends to each log, syncs, and says on out how far
// each is durable, until it is killed. Record number n of a log lies at offset
// n and says so.
func write(ctx context.Context, path string, out io.Writer) error {
	var durable [partitions]int64
	d, logs, err := openLogs(path, &durable)
	if err != nil {
		return err
	}
	padding := bytes.Repeat([]byte{'x'}, 300)
	for round := 0; ctx.Err() == nil; round++ {
		for _, l := range logs {
			b := record.NewBuilder()
			offset := l.End().Offset
			for n := range int64(1 + round%5) {
				b.Add(time.Now().UnixMilli(), fmt.Appendf(nil, "%d", offset+n), padding[:round*7%300])
			}
			raw := b.Build(offset)
			h, err := record.ParseHeader(raw)
			if err != nil {
				return err
			}
			if _, err := l.Append(&h, raw); err != nil {
				return err
			}
		}
		if err := d.SyncRound(); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, durable[0], durable[1], durable[2], durable[3]); err != nil {
			return err
		}
		if round%50 == 49 {
			if err := d.Checkpoint(nil); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// cutLog cuts the power under the child, and after each cut checks every
// record.
func cutLog(ctx context.Context, image *realfault.Image, r *rand.Rand) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	path := filepath.Join(image.Dir, "log")
	var promised [partitions]int64
	for i := range *cuts {
		// What the child says comes through a pipe, and is read to its end.
		cmd := exec.CommandContext(ctx, self, "-child", path)
		// What it complains of after the cut is no news.
		out, err := cmd.StdoutPipe()
		if err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		said := make(chan [partitions]int64, 1)
		go func() { said <- readPromises(out, promised) }()
		if err := wait(ctx, r); err != nil {
			return err
		}
		err = cycle(ctx, image, cmd.Process.Pid, func() { _ = cmd.Process.Kill(); promised = <-said; _ = cmd.Wait() })
		if err != nil {
			return fmt.Errorf("cut %d: %w", i+1, err)
		}
		if err := checkLogs(path, promised); err != nil {
			return fmt.Errorf("after cut %d: %w", i+1, err)
		}
	}
	fmt.Printf("powercut: %d cuts; all of the %d+%d+%d+%d records that were called durable are there\n",
		*cuts, promised[0], promised[1], promised[2], promised[3])
	return nil
}

// readPromises reads what the child says is durable, to its last whole line.
func readPromises(out io.Reader, last [partitions]int64) [partitions]int64 {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		now := last
		if n, _ := fmt.Sscan(lines.Text(), &now[0], &now[1], &now[2], &now[3]); n == partitions {
			last = now
		}
	}
	return last
}

// checkLogs reads every log from its start: all that was promised is there, in
// order, and nothing else.
func checkLogs(path string, promised [partitions]int64) error {
	var durable [partitions]int64
	d, logs, err := openLogs(path, &durable)
	if err != nil {
		return err
	}
	for p, l := range logs {
		next := int64(0)
		err := l.Scan(0, func(h *record.Header, raw []byte) error {
			if h.BaseOffset != next {
				return fmt.Errorf("batch at offset %d where %d is next", h.BaseOffset, next)
			}
			err := record.Walk(raw, 1<<20, func(r *record.Record) bool {
				if want := fmt.Sprint(next); string(r.Key) != want {
					next = -1
					return false
				}
				next++
				return true
			})
			if err == nil && next < 0 {
				err = fmt.Errorf("batch at offset %d holds other records than were written there", h.BaseOffset)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("partition %d: %w", p, err)
		}
		if next < promised[p] {
			return fmt.Errorf("partition %d ends at %d, but %d records were called durable", p, next, promised[p])
		}
	}
	return d.Close(nil)
}
