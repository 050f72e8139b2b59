package quorum

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

// Commands of the test machine.
type (
	create struct{ n int } // make topic n; refused when it exists; replies its name
	count  struct{}        // replies how many topics there are
	huge   struct{}        // a step that no batch can hold
)

// catalogue is a machine that knows topics, and notes what happens to it.
type catalogue struct {
	names  map[string]bool
	resets int
}

func (c *catalogue) Step(_ time.Time, cmd any) ([]metadata.Record, any, error) {
	switch cmd := cmd.(type) {
	case create:
		rs := topicRecords(cmd.n)
		name := rs[0].(*metadata.TopicRecord).Name
		if c.names[name] {
			return nil, nil, wire.TopicAlreadyExists
		}
		return rs, name, nil
	case count:
		return nil, len(c.names), nil
	case huge:
		big := strings.Repeat("x", maxBatchBytes)
		return []metadata.Record{&metadata.ConfigRecord{ResourceType: metadata.ResourceTopic, ResourceName: "t", Name: "n", Value: &big}}, nil, nil
	}
	return nil, nil, fmt.Errorf("unknown command %T", cmd)
}

func (c *catalogue) Apply(r metadata.Record) {
	if t, ok := r.(*metadata.TopicRecord); ok {
		c.names[t.Name] = true
	}
}

func (c *catalogue) Reset(img *metadata.Image) {
	c.resets++
	c.names = map[string]bool{}
	for t := range img.Topics() {
		c.names[t.Name] = true
	}
}

// agrees tells whether the machine knows what the image holds.
func (c *catalogue) agrees(img *metadata.Image) error {
	if len(c.names) != img.TopicCount() {
		return fmt.Errorf("the machine knows %d topics, the image %d", len(c.names), img.TopicCount())
	}
	for t := range img.Topics() {
		if !c.names[t.Name] {
			return fmt.Errorf("the machine does not know topic %s of the image", t.Name)
		}
	}
	return nil
}

const rigPath = "/data"

// rig is a node of the quorum on a disk, without goroutines: tests drive the
// member step by step.
type rig struct {
	t       testing.TB
	fs      vfs.FS
	dir     *log.Dir
	machine *catalogue
	member  *member
	now     time.Time
	images  []*metadata.Image // that OnImage got
}

// options of a node on f.
func (r *rig) options(snapshotBytes int64) *Options {
	o := &Options{
		NodeID: 1, DirectoryID: dirA, ClusterID: "C", Dir: r.dir, Machine: r.machine,
		Now: func() time.Time { return r.now }, SnapshotBytes: snapshotBytes,
		OnImage: func(img *metadata.Image, _ *metadata.Delta) { r.images = append(r.images, img) },
	}
	o.fill()
	return o
}

// openRig opens what is on f and makes it lead.
func openRig(t testing.TB, f vfs.FS, snapshotBytes int64) (*rig, error) {
	t.Helper()
	r := &rig{t: t, fs: f, machine: &catalogue{}, now: time.UnixMilli(1_700_000_000_000)}
	var err error
	if r.dir, err = log.OpenDir(log.DirOptions{FS: f, Path: rigPath, Now: func() time.Time { return r.now }}); err != nil {
		return nil, err
	}
	if r.member, err = openMember(r.options(snapshotBytes), new(atomic.Pointer[metadata.Image])); err != nil {
		return nil, err
	}
	r.member.inBackground = func(write func() error, m snapshotMeta) { r.member.snapshotWritten(m, write()) }
	if err := r.member.campaign(r.now); err != nil {
		return r, err
	}
	return r, nil
}

func mustRig(t testing.TB, f vfs.FS, snapshotBytes int64) *rig {
	t.Helper()
	r, err := openRig(t, f, snapshotBytes)
	if err != nil {
		t.Fatal(err)
	}
	if !r.member.leading {
		t.Fatal("a quorum of one does not lead")
	}
	return r
}

// turn gives the commands in one turn and returns the results, in order.
func (r *rig) turn(cmds ...any) []result {
	r.t.Helper()
	var requests []request
	var answers []chan result
	for _, c := range cmds {
		to := make(chan result, 1)
		answers = append(answers, to)
		requests = append(requests, request{c, to})
	}
	r.member.turn(r.now, requests)
	var out []result
	for i, to := range answers {
		select {
		case a := <-to:
			out = append(out, a)
		default:
			r.t.Fatalf("command %d (%+v) has no answer after its turn", i, cmds[i])
		}
	}
	return out
}

// do gives one command that must succeed.
func (r *rig) do(cmd any) any {
	r.t.Helper()
	a := r.turn(cmd)[0]
	if a.err != nil {
		r.t.Fatalf("%+v: %v", cmd, a.err)
	}
	return a.reply
}

// stop closes the node cleanly.
func (r *rig) stop() {
	r.t.Helper()
	if err := r.member.close(); err != nil {
		r.t.Fatal(err)
	}
	if err := r.dir.Close(nil); err != nil {
		r.t.Fatal(err)
	}
}

// files lists the metadata directory.
func files(t testing.TB, f vfs.FS) []string {
	t.Helper()
	es, err := f.ReadDir(path.Join(rigPath, dirName))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range es {
		names = append(names, e.Name())
	}
	return names
}

// named finds the files with a suffix.
func named(t testing.TB, f vfs.FS, suffix string) []string {
	t.Helper()
	return slices.DeleteFunc(files(t, f), func(n string) bool { return !strings.HasSuffix(n, suffix) })
}

func newMem(t testing.TB) *vfs.Mem {
	t.Helper()
	f := vfs.NewMem(0)
	if err := f.MkdirAll(rigPath, fs.FileMode(0o755)); err != nil {
		t.Fatal(err)
	}
	return f
}

// node starts a whole Node on f.
func node(t *testing.T, f vfs.FS, change func(*Options)) *Node {
	t.Helper()
	r := &rig{t: t, fs: f, machine: &catalogue{}, now: time.UnixMilli(1_700_000_000_000)}
	var err error
	if r.dir, err = log.OpenDir(log.DirOptions{FS: f, Path: rigPath, Now: func() time.Time { return r.now }}); err != nil {
		t.Fatal(err)
	}
	o := r.options(0)
	if change != nil {
		change(o)
	}
	n, err := Open(*o)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	return n
}
