package room

import (
	"log/slog"
	"os"
	"testing"
	"time"

	"ottla/internal/sim"
	"ottla/internal/vfs"
)

const mib = 1 << 20

// tank is a small disk with a file that others fill.
type tank struct {
	t    *testing.T
	fs   *sim.Disk
	now  time.Time
	fill vfs.File
}

func newTank(t *testing.T, capacity int64) *tank {
	t.Helper()
	k := &tank{t: t, fs: sim.NewDisk(1), now: time.Unix(1000, 0)}
	k.fs.SetCapacity(capacity)
	if err := k.fs.MkdirAll("/d", 0o755); err != nil {
		t.Fatal(err)
	}
	var err error
	if k.fill, err = k.fs.OpenFile("/d/fill", os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		t.Fatal(err)
	}
	return k
}

func (k *tank) open(reserve int64) *Room {
	return Open(Options{FS: k.fs, Path: "/d", Reserve: reserve, Now: func() time.Time { return k.now }, Logger: slog.New(slog.DiscardHandler)})
}

// use makes others hold n bytes.
func (k *tank) use(n int64) {
	k.t.Helper()
	if err := k.fill.Truncate(0); err != nil {
		k.t.Fatal(err)
	}
	if _, err := k.fill.WriteAt(make([]byte, n), 0); err != nil {
		k.t.Fatal(err)
	}
}

func TestOrdinaryAppendsStopBeforeTheLastByteAndGoOnWhenRoomReturns(t *testing.T) {
	k := newTank(t, 16*mib)
	r := k.open(2 * mib)
	if !r.Admit(1000) {
		t.Fatal("refused with room")
	}
	k.use(13*mib + 900<<10) // with the ballast hardly anything is left
	r.Mend()
	if r.Admit(1000) {
		t.Error("admitted into the margin")
	}
	k.use(0)
	r.Mend()
	if !r.Admit(1000) {
		t.Error("refused although room is back")
	}
}

func TestARefusalAsksTheDiskAgainAfterAWhile(t *testing.T) {
	k := newTank(t, 16*mib)
	r := k.open(2 * mib)
	r.Full()
	if r.Admit(1000) {
		t.Error("admitted right after the disk said that it is full")
	}
	k.now = k.now.Add(fullRetry)
	if !r.Admit(1000) {
		t.Error("refused a second later with room on the disk")
	}
}

func TestTheBallastIsGivenOnceAndMadeAgain(t *testing.T) {
	k := newTank(t, 16*mib)
	r := k.open(2 * mib)
	free := func() int64 {
		u, err := k.fs.Usage("/d")
		if err != nil {
			t.Fatal(err)
		}
		return u.Free
	}
	held := free()
	k.use(13*mib + 900<<10)
	if !r.Use("offsets-0") || free() <= 16*mib-13*mib-2*mib {
		t.Errorf("the ballast gave no room: %d bytes free", free())
	}
	if r.Use("offsets-0") {
		t.Error("the ballast was given twice")
	}
	r.Mend()
	if r.Use("offsets-0") {
		t.Error("the ballast came back without room for it")
	}
	k.use(0)
	r.Mend()
	if free() != held {
		t.Errorf("%d bytes free after mending, want %d", free(), held)
	}
	if !r.Use("offsets-0") {
		t.Error("the mended ballast is not there")
	}
}

func TestWithoutReserveNothingIsMeasured(t *testing.T) {
	r := newTank(t, mib).open(0)
	if !r.Admit(1<<40) || r.Use("offsets-0") {
		t.Error("a room without reserve refused an append or gave a ballast")
	}
	if n := testing.AllocsPerRun(100, func() { r.Admit(10) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
