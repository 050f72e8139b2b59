package quorum

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/sim"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

// follower is a member on a simulated disk that lags behind the log of the
// others, with the snapshot it needs on its way.
func followerBehind(t *testing.T, d *sim.Disk) (w *trio, r *rig) {
	t.Helper()
	w, lead, behind := lagging(t, 12)
	m := lead.member
	for n := range keptSnapshots {
		meta := m.snapshotMeta(w.now)
		m.snapshotWritten(meta, m.files.write(meta, m.image))
		if a := answer(t, w.ask(lead, create{100 + n})[0]); a.err != nil {
			t.Fatal(a.err)
		}
	}
	old := w.nodes[behind]
	v := old.member.voters.byID[behind]
	if err := errors.Join(old.member.journal.close(), old.dir.Close(nil)); err != nil {
		t.Fatal(err)
	}
	copyTo(t, old.fs, d, path.Join(rigPath, dirName))
	w.open(behind, v, d)
	w.cut[behind] = false
	return w, w.nodes[behind]
}

// copyTo copies a metadata directory onto a simulated disk, durably.
func copyTo(t *testing.T, from vfs.FS, d *sim.Disk, dir string) {
	t.Helper()
	if err := d.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	entries, err := from.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := readWhole(from, path.Join(dir, e.Name()), 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		name := path.Join(dir, e.Name())
		if err := vfs.Replace(d, name, name+".copy", func(f vfs.File) error { _, err := f.WriteAt(b, 0); return err }); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(d.SyncDir("/"), d.SyncDir(rigPath), d.SyncDir(dir)); err != nil {
		t.Fatal(err)
	}
}

// A crash at any operation while a snapshot is taken and installed leaves the
// old state or the new one, whole, in every style of loss.
func TestInstallingASnapshotSurvivesACrashAtAnyStep(t *testing.T) {
	d := sim.NewDisk(3)
	w, r := followerBehind(t, d)
	o := *r.member.o
	styles := []sim.Style{sim.Nothing, sim.Everything, sim.Prefix, sim.AnyPages, sim.AnySectors, sim.Garbage}
	points, olds, news := 0, 0, 0
	d.OnOp(func(op sim.Op) sim.Action {
		if !op.Kind.Changes() {
			return sim.Action{}
		}
		points++
		for i, style := range styles {
			if testing.Short() && (points+i)%5 != 0 {
				continue
			}
			c := d.Clone(uint64(points*10 + i))
			c.CrashWith(style)
			c.Restart()
			switch n := topicsAfter(t, fmt.Sprintf("power cut before %v, style %d", op, style), c, o); n {
			case 0:
				olds++
			case 13, 14:
				news++
			default:
				t.Fatalf("power cut before %v, style %d: %d topics, want those of before or of the snapshot", op, style, n)
			}
		}
		return sim.Action{}
	})
	w.settle(14)
	if points < 10 || olds == 0 || news == 0 {
		t.Errorf("%d crash points, %d came back old and %d new", points, olds, news)
	}
}

// topicsAfter opens what a crash left.
func topicsAfter(t *testing.T, what string, d *sim.Disk, o Options) int {
	t.Helper()
	dir, err := log.OpenDir(log.DirOptions{FS: d, Path: rigPath})
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	o.Dir, o.Machine, o.Send = dir, &catalogue{names: map[string]bool{}}, func(int32, []byte) {}
	o.OnImage = func(*metadata.Image, *metadata.Delta) {}
	m, err := openMember(&o, new(atomic.Pointer[metadata.Image]))
	if err != nil {
		t.Fatalf("%s: the start is refused: %v", what, err)
	}
	for _, suffix := range []string{incomingSuffix, installSuffix} {
		if left := named(t, d, suffix); len(left) > 0 {
			t.Errorf("%s: %v is left", what, left)
		}
	}
	if m.journal.end() < m.store.index.end() || m.store.index.base > m.applied {
		t.Errorf("%s: the log ends at %d and the index at %d", what, m.journal.end(), m.store.index.end())
	}
	return m.image.TopicCount()
}

// Without room the installation waits half way and goes on when there is some.
func TestInstallationWaitsForRoom(t *testing.T) {
	for limit := int64(0); limit < 40_000; limit += 512 {
		d := sim.NewDisk(uint64(limit))
		w, r := followerBehind(t, d)
		d.SetCapacity(d.Used() + limit)
		for range 30 {
			w.pass()
		}
		if r.member.failed != nil {
			t.Fatalf("with %d bytes of room the member failed: %v", limit, r.member.failed)
		}
		d.SetCapacity(1 << 30)
		for range 60 {
			w.pass()
		}
		w.settle(14)
	}
}

// A snapshot that was damaged on the way, or at the leader, is refused, and
// another one is made and taken.
func TestDamagedSnapshotIsMadeAnew(t *testing.T) {
	d := sim.NewDisk(5)
	w, r := followerBehind(t, d)
	var lead *rig
	for _, n := range w.nodes {
		if n.member.leading {
			lead = n
		}
	}
	newest := pick(files(t, lead.fs), ".checkpoint", 1)[0]
	damages["flipped"](t, lead.fs, path.Join(rigPath, dirName, newest))
	for range 80 {
		w.pass()
	}
	w.settle(14)
	if again := pick(files(t, lead.fs), ".checkpoint", 1)[0]; again == newest {
		t.Error("the leader still has the damaged one as its newest")
	}
	if r.member.failed != nil {
		t.Error(r.member.failed)
	}
}

// A member that was removed falls silent, and says that it was.
func TestRemovedMemberIsSilent(t *testing.T) {
	w := newTrio(t)
	lead := w.elect()
	var out *rig
	for _, id := range w.ids {
		if w.nodes[id] != lead {
			out = w.nodes[id]
		}
	}
	to := make(chan result, 1)
	v := Voter{ID: out.member.o.NodeID, DirectoryID: out.member.o.DirectoryID}
	lead.member.order(w.now, &order{MembershipChange: MembershipChange{Remove, v}, to: to})
	w.deliver()
	if a := answer(t, to); a.err != nil {
		t.Fatal(a.err)
	}
	for range 4 * electionTicks {
		for _, id := range w.ids {
			if n := w.nodes[id]; n == out && !n.member.removed {
				n.member.raw.Tick() // no message reaches it any more: it becomes impatient
			}
			w.nodes[id].member.tick(w.now)
		}
		w.deliver()
	}
	if !out.member.removed || out.member.ticking() || !lead.member.leading {
		t.Errorf("removed %v, ticks %v; the leader leads %v", out.member.removed, out.member.ticking(), lead.member.leading)
	}
	lead.member.order(w.now, &order{MembershipChange: MembershipChange{AddLearner, v}, to: to})
	if a := answer(t, to); !errors.Is(a.err, ErrGone) || !strings.Contains(a.err.Error(), "another directory id") {
		t.Errorf("its directory comes back: %v", a.err)
	}
}

// A member whose metadata log was moved away by order, while its partitions
// and the directory's own notes are still there, comes back as another one: it
// takes everything from the others, and its lost vote goes to it.
func TestMemberWithoutItsLogComesBackAsAnother(t *testing.T) {
	w := newTrio(t)
	lead := w.elect()
	for n := range 4 {
		if a := answer(t, w.ask(lead, create{n})[0]); a.err != nil {
			t.Fatal(a.err)
		}
	}
	w.settle(4)
	var at int
	for i, id := range w.ids {
		if w.nodes[id] != lead {
			at = i
		}
	}
	id := w.ids[at]
	r := w.nodes[id]
	if err := r.dir.Make(log.Ident{Topic: "orders", ID: dirB}); err != nil {
		t.Fatal(err)
	}
	r.stop()
	if err := r.fs.RemoveAll(path.Join(rigPath, dirName)); err != nil {
		t.Fatal(err)
	}
	v := trioVoters()[at]
	delete(w.nodes, id)
	w.ids = slices.Delete(w.ids, at, at+1)
	if _, err := openAgain(w, r.fs, v, false); err == nil || !strings.Contains(err.Error(), "--join") {
		t.Fatalf("without an order to join: %v", err)
	}
	back, err := openAgain(w, r.fs, v, true)
	if err != nil {
		t.Fatal(err)
	}
	if !back.member.waiting || back.member.id == id || len(back.images) > 0 {
		t.Fatalf("it came back as %x, was %x; waits: %v", back.member.id, id, back.member.waiting)
	}
	for range freshTicks + 1 {
		w.pass() // until the one that was lost counts as silent
	}
	w.ids = slices.Insert(w.ids, at, back.member.id)
	w.nodes[back.member.id] = back
	to := make(chan result, 1)
	lead.member.order(w.now, &order{MembershipChange: MembershipChange{AddLearner, Voter{ID: v.ID, DirectoryID: back.member.o.DirectoryID}}, to: to})
	w.deliver()
	if a := answer(t, to); a.err != nil {
		t.Fatal(a.err)
	}
	for range 40 {
		w.pass()
	}
	w.settle(4)
	if ids := lead.member.voters.ids(); len(ids) != 3 || lead.member.voters.node(back.member.id) != v.ID || lead.member.voters.node(id) != -1 {
		t.Errorf("voters %x, want the new one %x in the place of %x", ids, back.member.id, id)
	}
	// It keeps its new id from then on.
	if err := errors.Join(back.member.journal.close(), back.dir.Close(nil)); err != nil {
		t.Fatal(err)
	}
	again, err := openAgain(w, r.fs, v, true)
	if err != nil || again.member.id != back.member.id || again.member.waiting {
		t.Errorf("after a restart: %v", err)
	}
}

// openAgain opens what is on a disk as a node of the trio.
func openAgain(w *trio, f vfs.FS, v Voter, joining bool) (*rig, error) {
	r := &rig{t: w.t, fs: f, machine: &catalogue{names: map[string]bool{}}, now: w.now}
	var err error
	if r.dir, err = log.OpenDir(log.DirOptions{FS: f, Path: rigPath}); err != nil {
		w.t.Fatal(err)
	}
	o := r.options(0)
	o.NodeID, o.DirectoryID, o.Rejoin = v.ID, v.DirectoryID, joining
	o.Send = func(to int32, frame []byte) { w.mail = append(w.mail, posted{v.ID, to, frame}) }
	r.member, err = openMember(o, new(atomic.Pointer[metadata.Image]))
	if err != nil {
		return nil, errors.Join(err, r.dir.Close(nil))
	}
	r.member.inBackground = func(write func() error, m snapshotMeta) { r.member.snapshotWritten(m, write()) }
	return r, nil
}

// A request to join that a node sent before it lost its disk may arrive after the
// node has joined with the next one: it does not take that one's place.
func TestARequestOfAnOlderLifeTakesNobodysPlace(t *testing.T) {
	w := newTrio(t)
	lead := w.elect()
	ask := func(v Voter) error {
		t.Helper()
		to := make(chan result, 1)
		lead.member.order(w.now, &order{MembershipChange: MembershipChange{AddLearner, v}, to: to})
		w.deliver()
		return answer(t, to).err
	}
	for _, of := range trioVoters() {
		older := Voter{ID: of.ID, DirectoryID: uuid.UUID{0xa, 15: byte(of.ID)}}
		if err := ask(older); !errors.Is(err, ErrLives) {
			t.Errorf("for the place of voter %d: %v, want %v", of.ID, err, ErrLives)
		}
	}
	// The same beside a node that has no vote, and never answered since it was taken in.
	first, second := Voter{ID: 9, DirectoryID: uuid.UUID{9, 15: 1}}, Voter{ID: 9, DirectoryID: uuid.UUID{9, 15: 2}}
	for _, v := range []Voter{first, second} {
		if err := ask(v); err != nil {
			t.Fatal(err)
		}
	}
	if all := lead.member.voters.observers(); len(all) != 1 || all[0].DirectoryID != second.DirectoryID {
		t.Errorf("observers are %v, want the second alone", all)
	}
	if err := ask(first); !errors.Is(err, ErrGone) {
		t.Errorf("the first comes back: %v", err)
	}
	if ids := lead.member.voters.ids(); len(ids) != 3 {
		t.Errorf("voters are %x", ids)
	}
}
