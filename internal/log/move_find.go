package log

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ottla/internal/log/book"
	"ottla/internal/log/checkpoint"
	"ottla/internal/log/layout"
)

// movesName is the file that counts how often a partition's directory has
// moved; it is missing where that is never. Ours; Kafka passes it by.
const movesName = "partition.moves"

// Moves tells how often the log has moved between directories: where two have
// it, the one with more is the log.
func (d *Dir) Moves(id Ident) int64 { return d.moves(layout.DirName(id.Topic, id.Partition)) }

func (d *Dir) moves(name string) int64 {
	b, err := checkpoint.Read(d.fs, d.path+"/"+name+"/"+movesName)
	if err != nil {
		return 0
	}
	n, ok := parseMoves(b)
	if !ok {
		d.log.Warn("partition.moves is damaged and is passed by", "log", name)
	}
	return n
}

// appendMoves and parseMoves are the text of the file.
func appendMoves(b []byte, n int64) []byte { return fmt.Appendf(b, "version: 0\nmoves: %d\n", n) }

func parseMoves(b []byte) (int64, bool) {
	text, ok := strings.CutPrefix(string(b), "version: 0\nmoves: ")
	n, err := strconv.ParseInt(strings.TrimSuffix(text, "\n"), 10, 64)
	if !ok || err != nil || n < 0 {
		return 0, false
	}
	return n, true
}

func (d *Dir) writeMoves(name string, n int64) error {
	return checkpoint.Write(d.fs, d.path+"/"+name, movesName, appendMoves(nil, n), true)
}

// outrank makes the log count for more than a copy whose move failed at the
// last step.
func (d *Dir) outrank(l *Log) error {
	if err := d.Make(l.id); err != nil {
		return err
	}
	return d.writeMoves(l.name, d.moves(l.name)+2)
}

// Futures lists the copies of logs on their way here that an earlier process
// left.
func (d *Dir) Futures() []Ident {
	d.mu.Lock()
	names := slices.Clone(d.futures)
	d.mu.Unlock()
	var out []Ident
	for _, name := range names {
		topic, partition, ok := layout.ParseFutureName(name)
		if !ok {
			continue
		}
		id, err := d.readMetadata(name)
		if err != nil { // it was begun in the moment of the crash
			d.log.Warn("an unfinished copy of a log is removed", "log", name, "err", err)
			if err := d.dropFuture(name); err != nil {
				d.log.Warn("an unfinished copy of a log stays", "log", name, "err", err)
			}
			continue
		}
		out = append(out, Ident{topic, partition, id})
	}
	return out
}

// DropFuture removes the copy of a log that is not to come here after all.
func (d *Dir) DropFuture(id Ident) error {
	return d.dropFuture(layout.FutureName(id.Topic, id.Partition, id.ID))
}

func (d *Dir) dropFuture(name string) error {
	d.mu.Lock()
	d.futures = slices.DeleteFunc(d.futures, func(n string) bool { return n == name })
	if topic, partition, ok := layout.ParseFutureName(name); ok {
		// What the checkpoint was told for the end of the move; a log that
		// lies here has an entry of its own.
		if main := layout.DirName(topic, partition); !d.onDisk[main] && d.logs[main] == nil {
			if d.book.Has(main) {
				d.book.Drop(main)
			}
		}
	}
	d.mu.Unlock()
	if err := d.fs.RemoveAll(d.path + "/" + name); err != nil {
		return fmt.Errorf("remove %s/%s: %w", d.path, name, err)
	}
	return nil
}

// forgetFutures drops what the checkpoint was told of logs that never came.
func (d *Dir) forgetFutures() {
	for _, name := range d.futures {
		topic, partition, ok := layout.ParseFutureName(name)
		if main := layout.DirName(topic, partition); ok && !d.onDisk[main] {
			if d.book.Has(main) {
				d.book.Drop(main)
			}
		}
	}
}

// Discard deletes a log that is not open, as Delete does: an older copy of one
// that lies in another directory.
func (d *Dir) Discard(id Ident) error {
	name := layout.DirName(id.Topic, id.Partition)
	d.mu.Lock()
	open := d.logs[name] != nil
	d.mu.Unlock()
	if open {
		return fmt.Errorf("discard %s: it is open", name)
	}
	l := &Log{dir: d, id: id, name: name, closed: true}
	c := Config{}.withDefaults()
	l.cfg.Store(&c)
	return d.Delete(l)
}

// OfflineDir is a log directory that failed before it could be opened: it holds
// nothing, and everything asked of it is answered with the reason.
func OfflineDir(o DirOptions, cause error) *Dir {
	d := newDir(o)
	d.book = book.Empty(d.fs, d.path, d.log)
	if !errors.Is(cause, ErrOffline) {
		cause = fmt.Errorf("%w: %s: %w", ErrOffline, d.path, cause)
	}
	d.failure.Store(&cause)
	d.failed.Store(true)
	return d
}
