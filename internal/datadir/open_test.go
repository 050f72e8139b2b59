package datadir

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

// ids draws 1, 2, 3, … so that tests can name what was drawn.
func ids() func() uuid.UUID {
	var n byte
	return func() uuid.UUID { n++; return uuid.UUID{6: 0x40, 15: n} }
}

// anyOne wants whatever the directory is.
func anyOne() Options { return Options{NodeID: -1, NewID: ids()} }

func realFS(t *testing.T) vfs.FS {
	t.Helper()
	o := vfs.NewOS()
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}

// made is a directory of cluster C, node 7, that nobody holds.
func made(t *testing.T, f vfs.FS) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	d, err := Open(f, dir, Options{ClusterID: "C", NodeID: 7, NewID: ids()})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// refused opens and wants a refusal of that kind whose text holds every part.
func refused(t *testing.T, f vfs.FS, dir string, o Options, k Kind, parts ...string) *Refused {
	t.Helper()
	d, err := Open(f, dir, o)
	if err == nil {
		d.Close()
		t.Fatalf("Open(%s) took the directory, want it refused (kind %d)", dir, k)
	}
	var r *Refused
	if !errors.As(err, &r) {
		t.Fatalf("Open(%s) failed with %T %v, want a *Refused", dir, err, err)
	}
	if r.Kind != k {
		t.Fatalf("refused for kind %d, want %d: %v", r.Kind, k, err)
	}
	for _, p := range append(parts, dir) {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("the refusal does not say %q: %v", p, err)
		}
	}
	if r.Advice == "" {
		t.Errorf("the refusal gives no advice: %v", err)
	}
	return r
}

func TestFreshDirectoryGetsItsIdentity(t *testing.T) {
	f := realFS(t)
	dir := filepath.Join(t.TempDir(), "a", "b")
	d, err := Open(f, dir, anyOne())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if !d.Fresh || d.NodeID != 1 || d.DirectoryID != (uuid.UUID{6: 0x40, 15: 1}) || d.ClusterID != (uuid.UUID{6: 0x40, 15: 2}).String() {
		t.Fatalf("got %+v, want a fresh directory of node 1 with the ids drawn", d)
	}
	text, err := os.ReadFile(filepath.Join(dir, metaName))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"version=1\n", "node.id=1\n", "cluster.id=" + d.ClusterID + "\n", "directory.id=" + d.DirectoryID.String() + "\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("meta.properties lacks %q:\n%s", want, text)
		}
	}
}

func TestIdentityStaysOverRestarts(t *testing.T) {
	f := realFS(t)
	dir := made(t, f)
	for _, o := range []Options{anyOne(), {ClusterID: "C", NodeID: -1}, {NodeID: 7}, {ClusterID: "C", NodeID: 7, Adopt: true}} {
		d, err := Open(f, dir, o)
		if err != nil {
			t.Fatal(err)
		}
		if d.Fresh || d.ClusterID != "C" || d.NodeID != 7 || d.DirectoryID != (uuid.UUID{6: 0x40, 15: 1}) {
			t.Errorf("opened with %+v as %+v, want cluster C, node 7, the id drawn first", o, d)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestInUseNamesTheProcess(t *testing.T) {
	f := realFS(t)
	dir := made(t, f)
	d, err := Open(f, dir, anyOne())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	r := refused(t, f, dir, anyOne(), InUse, "pid "+strconv.Itoa(os.Getpid()), "another server of this process")
	if r.PID != os.Getpid() {
		t.Errorf("names pid %d, want ours %d", r.PID, os.Getpid())
	}
	if err := os.WriteFile(filepath.Join(dir, lockName), []byte("4711\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := refused(t, f, dir, anyOne(), InUse, "process 4711"); r.PID != 4711 {
		t.Errorf("names pid %d, want 4711", r.PID)
	}
	if err := os.WriteFile(filepath.Join(dir, lockName), []byte("?"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, f, dir, anyOne(), InUse, "another process")
}

func TestRefusalGivesTheLockBack(t *testing.T) {
	f := realFS(t)
	dir := made(t, f)
	refused(t, f, dir, Options{ClusterID: "D", NodeID: -1}, OtherCluster, "cluster C", "cluster D")
	d, err := Open(f, dir, anyOne())
	if err != nil {
		t.Fatalf("after a refusal: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOtherNodeIsRefused(t *testing.T) {
	f := realFS(t)
	refused(t, f, made(t, f), Options{NodeID: 8}, OtherNode, "node 7", "node 8")
}

func TestNewerFormatIsRefused(t *testing.T) {
	f := realFS(t)
	dir := made(t, f)
	text := formatMark(mark{format: Format + 1, identity: identity{clusterID: "C", nodeID: 7, directoryID: uuid.UUID{1}}})
	if err := os.WriteFile(filepath.Join(dir, markName), text, 0o644); err != nil {
		t.Fatal(err)
	}
	refused(t, f, dir, Options{NodeID: -1, Adopt: true}, NewerFormat, "format 2", "up to 1")
}

func copyTree(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

func TestCopyIsRefusedUnlessAdopted(t *testing.T) {
	f := realFS(t)
	dir := copyTree(t, made(t, f))
	refused(t, f, dir, anyOne(), Copied, "node 7", "cluster C", "--adopt")
	d, err := Open(f, dir, Options{NodeID: -1, Adopt: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if d, err = Open(f, dir, anyOne()); err != nil {
		t.Fatalf("after it was adopted once: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestMovedDirectoryIsNotACopy(t *testing.T) {
	f := realFS(t)
	dir := made(t, f)
	if err := os.Rename(dir, dir+"2"); err != nil {
		t.Fatal(err)
	}
	d, err := Open(f, dir+"2", anyOne())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestFileIsRefused(t *testing.T) {
	f := realFS(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	refused(t, f, file, anyOne(), NotDirectory, "is a file")
	refused(t, f, filepath.Join(file, "data"), anyOne(), NotDirectory)
}

// Directories of others are refused and left exactly as they were.
func TestForeignDirectoriesAreRefusedAndUntouched(t *testing.T) {
	tests := []struct {
		name  string
		files []string
		kind  Kind
		says  string
	}{
		{"formatted by Kafka", []string{"meta.properties"}, KafkaData, "Kafka"},
		{"Kafka's, meta.properties lost", []string{"orders-0/00000000000000000000.log"}, KafkaData, "orders-0"},
		{"Kafka's checkpoints", []string{"recovery-point-offset-checkpoint"}, KafkaData, "recovery-point"},
		{"Kafka's metadata log", []string{"__cluster_metadata-0/quorum-state"}, KafkaData, "__cluster_metadata-0"},
		{"somebody's home", []string{"notes.txt"}, Foreign, "notes.txt"},
		{"a hidden file", []string{".profile"}, Foreign, ".profile"},
		{"our metadata log without the mark", []string{"__cluster_metadata-0/quorum-state", ".lock"}, KafkaData, "__cluster_metadata-0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := realFS(t)
			dir := t.TempDir()
			for _, name := range tt.files {
				full := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(full, []byte("version=1\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			before := listing(t, dir)
			refused(t, f, dir, Options{NodeID: -1, Adopt: true}, tt.kind, tt.says)
			if after := listing(t, dir); after != before {
				t.Errorf("the directory changed from %s to %s", before, after)
			}
		})
	}
}

func listing(t *testing.T, dir string) string {
	t.Helper()
	var names []string
	es, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range es {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// A first start may have been cut anywhere; its traces count as nothing.
func TestTracesOfACutFirstStartCountAsEmpty(t *testing.T) {
	f := realFS(t)
	dir := t.TempDir()
	for _, name := range []string{lockName, markName + tempSuffix, metaName + tempSuffix} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "lost+found"), 0o700); err != nil {
		t.Fatal(err)
	}
	d, err := Open(f, dir, anyOne())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if !d.Fresh {
		t.Errorf("not fresh: %+v", d)
	}
}

// Every damage to either file is refused or mended, and never taken for a
// fresh directory (reliability: bit rot of small files).
func TestDamageIsNeverTakenForFresh(t *testing.T) {
	damages := map[string]func(name string) error{
		"deleted":   os.Remove,
		"truncated": func(n string) error { return os.Truncate(n, 10) },
		"emptied":   func(n string) error { return os.Truncate(n, 0) },
		"zeroed":    func(n string) error { return os.WriteFile(n, make([]byte, 120), 0o644) },
		"flipped": func(n string) error {
			b, err := os.ReadFile(n)
			if err != nil {
				return err
			}
			b[strings.Index(string(b), "directory.id=")+15] ^= 2
			return os.WriteFile(n, b, 0o644)
		},
	}
	for how, damage := range damages {
		t.Run("mark "+how, func(t *testing.T) {
			f := realFS(t)
			dir := made(t, f)
			if err := damage(filepath.Join(dir, markName)); err != nil {
				t.Fatal(err)
			}
			if how == "deleted" {
				refused(t, f, dir, anyOne(), KafkaData, markName)
				return
			}
			refused(t, f, dir, anyOne(), Damaged, markName, "--adopt")
			d, err := Open(f, dir, Options{NodeID: -1, Adopt: true})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if d.Fresh || d.ClusterID != "C" || d.NodeID != 7 {
				t.Errorf("adopted as %+v, want what meta.properties says", d)
			}
		})
		t.Run("meta "+how, func(t *testing.T) {
			f := realFS(t)
			dir := made(t, f)
			if err := damage(filepath.Join(dir, metaName)); err != nil {
				t.Fatal(err)
			}
			if how == "flipped" {
				refused(t, f, dir, anyOne(), Damaged, "contradicts")
				return
			}
			d, err := Open(f, dir, anyOne())
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if text, _ := os.ReadFile(filepath.Join(dir, metaName)); !strings.Contains(string(text), "cluster.id=C\n") || d.Fresh {
				t.Errorf("meta.properties was not made again: %s (fresh %v)", text, d.Fresh)
			}
		})
	}
	t.Run("both", func(t *testing.T) {
		f := realFS(t)
		dir := made(t, f)
		for _, n := range []string{markName, metaName} {
			if err := os.Truncate(filepath.Join(dir, n), 30); err != nil {
				t.Fatal(err)
			}
		}
		refused(t, f, dir, Options{NodeID: -1, Adopt: true}, Damaged, "backup")
	})
}

// That a node joined a cluster is known as long as its directory lives.
func TestADirectoryRemembersThatItsNodeJoined(t *testing.T) {
	f := vfs.NewMem(0)
	for i, o := range []Options{{ClusterID: "C", NodeID: 2, Joined: true, NewID: ids()}, {NodeID: -1}} {
		d, err := Open(f, "/data", o)
		if err != nil {
			t.Fatal(err)
		}
		if !d.Joined || d.Fresh != (i == 0) {
			t.Errorf("open %d: %+v", i, d)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
