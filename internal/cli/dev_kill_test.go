package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/fail"
	"ottla/test/realfault"
)

// devProcess is a real `ottla dev --nodes 3`, used as a person does: by its keys
// and by what it prints.
type devProcess struct {
	t     *testing.T
	cmd   *exec.Cmd
	keys  io.WriteCloser
	lines chan string // of standard output; closed at its end
	// bootstrap is what its ready line says.
	bootstrap string
}

// startDev starts one and returns when it says that it is ready.
func startDev(ctx context.Context, t *testing.T, flags ...string) *devProcess {
	t.Helper()
	ports, err := realfault.FreePorts(3) // dev takes the first, and those after it
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	d := &devProcess{t: t, lines: make(chan string, 1000)}
	d.cmd = exec.CommandContext(ctx, os.Args[0], append([]string{"dev", "--nodes", "3", "--data", dir, "--listen", "127.0.0.1:" + strconv.Itoa(ports[0])}, flags...)...)
	d.cmd.Env = append(os.Environ(), asProgram+"=1")
	d.cmd.Stderr = os.Stderr
	if d.keys, err = d.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(d.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			d.lines <- s.Text()
		}
	}()
	t.Cleanup(func() { d.quit(dir) })
	d.bootstrap = strings.Split(strings.TrimPrefix(d.wait(ctx, func(line string) bool { return strings.HasPrefix(line, "ready kafka=") }), "ready kafka="), " ")[0]
	return d
}

// wait reads on to a line that is looked for.
func (d *devProcess) wait(ctx context.Context, is func(line string) bool) string {
	d.t.Helper()
	for {
		select {
		case line, ok := <-d.lines:
			if !ok {
				d.t.Fatal("ottla dev ended")
			}
			if is(line) {
				return line
			}
		case <-ctx.Done():
			d.t.Fatal("ottla dev does not print what it should: ", ctx.Err())
		}
	}
}

// press types a letter and a node's number, and waits until the node's line says
// what came of it.
func (d *devProcess) press(ctx context.Context, key byte, node int, phase string) {
	d.t.Helper()
	if _, err := fmt.Fprintf(d.keys, "%c%d\n", key, node); err != nil {
		d.t.Fatal(err)
	}
	d.wait(ctx, func(line string) bool {
		f := strings.Fields(line)
		return len(f) > 3 && f[0] == "node" && f[1] == strconv.Itoa(node) && f[3] == phase
	})
}

// quit ends it, and shows the logs of its nodes where the test failed.
func (d *devProcess) quit(dir string) {
	_, _ = io.WriteString(d.keys, "q") // where it has ended, that is an error already
	for range d.lines {
		// to its end, which is that of the process
	}
	if err := d.cmd.Wait(); err != nil || d.cmd.ProcessState.ExitCode() != fail.OK {
		d.t.Errorf("ottla dev: %v", err)
	}
	if !d.t.Failed() {
		return
	}
	logs, _ := filepath.Glob(filepath.Join(dir, "*.log")) // the pattern is well-formed
	for _, name := range logs {
		text, err := os.ReadFile(name)
		d.t.Logf("%s (%v):\n%s", filepath.Base(name), err, text)
	}
}

// traffic is an idempotent producer and a consumer that go on through everything.
type traffic struct {
	t      *testing.T
	out    *kgo.Client
	in     *kgo.Client
	ledger *realfault.Ledger
	sent   int
	acked  atomic.Int64

	mu   sync.Mutex // guards seen and next
	seen []realfault.Seen
	next map[int32]int64 // offset after the last record that was read
	read chan struct{}   // has something in it when there is more
}

const (
	devTopic      = "orders"
	devPartitions = 3
	// halfStep is half of what is produced around each press of a key. Batches are
	// a few records, so that many are on their way at any moment.
	halfStep = 300
)

func startTraffic(ctx context.Context, t *testing.T, bootstrap string) *traffic {
	t.Helper()
	w := &traffic{t: t, ledger: realfault.NewLedger(), next: map[int32]int64{}, read: make(chan struct{}, 1)}
	open := func(more ...kgo.Opt) *kgo.Client {
		c, err := kgo.NewClient(append([]kgo.Opt{
			kgo.SeedBrokers(strings.Split(bootstrap, ",")...), kgo.AlwaysRetryEOF(), kgo.MetadataMinAge(100 * time.Millisecond),
		}, more...)...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	w.out = open(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(4<<10), kgo.ProducerLinger(0))
	made, err := kadm.NewClient(w.out).CreateTopic(ctx, devPartitions, 3, nil, devTopic)
	if err != nil || made.Err != nil {
		t.Fatal(err, made.Err)
	}
	w.in = open(kgo.ConsumeTopics(devTopic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	over := make(chan struct{})
	life, end := context.WithCancel(ctx)
	t.Cleanup(func() {
		end()
		<-over
	})
	go func() {
		defer close(over)
		w.consume(life)
	}()
	return w
}

// consume reads until ctx ends.
func (w *traffic) consume(ctx context.Context) {
	for ctx.Err() == nil {
		fetches := w.in.PollFetches(ctx)
		w.mu.Lock()
		fetches.EachRecord(func(r *kgo.Record) {
			s := realfault.Seen{Lane: realfault.Lane{Producer: 0, Partition: r.Partition}, Seq: -1, Offset: r.Offset}
			if n, err := strconv.ParseInt(strings.TrimSpace(string(r.Value)), 10, 64); err == nil {
				s.Seq = n
			}
			w.seen = append(w.seen, s)
			w.next[r.Partition] = r.Offset + 1
		})
		w.mu.Unlock()
		select {
		case w.read <- struct{}{}:
		default:
		}
	}
}

// produce gives records to the producer and tells by a channel when so many of them
// are acknowledged.
func (w *traffic) produce(ctx context.Context, count, after int) (underWay <-chan struct{}) {
	at := make(chan struct{})
	left := new(atomic.Int64)
	left.Store(int64(after))
	for range count {
		lane := realfault.Lane{Producer: 0, Partition: int32(w.sent % devPartitions)}
		w.sent++
		seq := w.ledger.Next(lane)
		r := &kgo.Record{Topic: devTopic, Partition: lane.Partition, Value: fmt.Appendf(nil, "%-1000d", seq)}
		w.out.Produce(ctx, r, func(r *kgo.Record, err error) {
			if err != nil {
				w.t.Errorf("record %d to partition %d: %v", seq, lane.Partition, err)
			} else {
				w.ledger.Acked(lane, seq, r.Offset)
				w.acked.Add(1)
			}
			if left.Add(-1) == 0 {
				close(at)
			}
		})
	}
	return at
}

// through does something in the middle of a produce and a consume, and returns when
// all is acknowledged.
func (w *traffic) through(ctx context.Context, what string, do func()) {
	w.t.Helper()
	underWay := w.produce(ctx, halfStep, halfStep/3)
	select {
	case <-underWay:
	case <-ctx.Done():
		w.t.Fatalf("before %s: %d of %d records are acknowledged", what, w.acked.Load(), w.sent)
	}
	do()
	w.produce(ctx, halfStep, halfStep)
	if err := w.out.Flush(ctx); err != nil {
		w.t.Fatalf("after %s: %d of %d records are acknowledged: %v", what, w.acked.Load(), w.sent, err)
	}
}

// judge waits until the consumer has read to the end, and holds it against what
// was sent.
func (w *traffic) judge(ctx context.Context) {
	w.t.Helper()
	ends, err := kadm.NewClient(w.out).ListEndOffsets(ctx, devTopic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	for !w.readTo(ends) {
		select {
		case <-w.read:
		case <-ctx.Done():
			w.t.Errorf("the consumer does not come to the end: %v", ctx.Err())
			return
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if v := w.ledger.Judge(w.seen); !v.OK() || v.Acked != int64(w.sent) || v.Read != int64(w.sent) {
		w.t.Errorf("%d sent: %v", w.sent, v)
	}
}

func (w *traffic) readTo(ends kadm.ListedOffsets) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	to := true
	ends.Each(func(o kadm.ListedOffset) { to = to && w.next[o.Partition] >= o.Offset })
	return to
}

// `ottla dev --nodes 3`, its own keys, and a client that goes on as if nothing
// were: whichever node is killed, and whichever leads, every record is there once.
func TestKillingNodesOfDevLosesAndDoublesNothing(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel) // when it has ended by its key: before that its nodes would be killed with it
	d := startDev(ctx, t, "--http", "off")
	w := startTraffic(ctx, t, d.bootstrap)
	for node := 1; node <= 3; node++ { // each leads a partition, and one of them the metadata
		w.through(ctx, fmt.Sprintf("node %d was killed", node), func() { d.press(ctx, 'k', node, "killed") })
		w.through(ctx, fmt.Sprintf("node %d was started", node), func() { d.press(ctx, 'r', node, "serving") })
	}
	w.judge(ctx)
}
