package history

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Writer writes a history while it happens. It may be used by several
// goroutines.
type Writer struct {
	began time.Time

	mu      sync.Mutex // guards what follows
	last    int64
	file    *os.File
	buffer  *bufio.Writer
	count   int64
	process int32
	err     error
}

// Create begins a history in a new file.
func Create(path string) (*Writer, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("begin a history: %w", err)
	}
	return &Writer{began: time.Now(), file: f, buffer: bufio.NewWriterSize(f, 1<<16)}, nil
}

// Now is the time for Start and End of an operation; no two calls return the
// same.
func (w *Writer) Now() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = max(w.last+1, int64(time.Since(w.began)))
	return w.last
}

// Process hands out the number of a new process.
func (w *Writer) Process() int32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.process++
	return w.process
}

// Add writes an operation that has ended. An error is kept for Close.
func (w *Writer) Add(op Op) {
	line, err := json.Marshal(op)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count++
	if err == nil && w.err == nil {
		_, err = w.buffer.Write(append(line, '\n'))
	}
	if w.err == nil {
		w.err = err
	}
}

// Count is how many operations were written.
func (w *Writer) Count() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count
}

// Close ends the history; the error is the first of any Add.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.buffer.Flush(); w.err == nil {
		w.err = err
	}
	if err := w.file.Close(); w.err == nil {
		w.err = err
	}
	return w.err
}

// maxLine bounds one operation: a poll of some ten thousand records.
const maxLine = 16 << 20

// Read reads a history.
func Read(r io.Reader) ([]Op, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 1<<16), maxLine)
	names := make(map[string]string) // one copy of each name, not one a line
	one := func(s *string) {
		if known, ok := names[*s]; ok {
			*s = known
			return
		}
		names[*s] = *s
	}
	var ops []Op
	for lines.Scan() {
		var op Op
		if err := json.Unmarshal(lines.Bytes(), &op); err != nil {
			return nil, fmt.Errorf("line %d of the history: %w", len(ops)+1, err)
		}
		one((*string)(&op.Kind))
		one((*string)(&op.Outcome))
		one(&op.Group)
		one(&op.Member)
		for i := range op.Micro {
			one((*string)(&op.Micro[i].Kind))
			one(&op.Micro[i].Partition)
		}
		for i := range op.Positions {
			one(&op.Positions[i].Partition)
		}
		ops = append(ops, op)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the history after line %d: %w", len(ops), err)
	}
	return ops, nil
}

// ReadFile reads the history in a file.
func ReadFile(path string) ([]Op, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open a history: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	return Read(f)
}
