package layout

import (
	"os"
	"slices"
	"strings"
	"testing"

	"ottla/internal/record"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

func TestSegmentNames(t *testing.T) {
	if got, want := FileName(12417, Log), "00000000000000012417.log"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for name, want := range map[string]struct {
		base   int64
		suffix string
		ok     bool
	}{
		"00000000000000012417.log":            {12417, ".log", true},
		"00000000000000000000.txnindex.swap":  {0, ".txnindex.swap", true},
		"00000000000000000000.log.17.cut":     {0, ".log.17.cut", true},
		"99999999999999999999.log":            {0, "", false},
		"-0000000000000000001.log":            {0, "", false},
		"0000000000000000000.log":             {0, "", false},
		"00000000000000000000log":             {0, "", false},
		"leader-epoch-checkpoint":             {0, "", false},
		"00000000000000000000-0000000000.log": {0, "", false},
	} {
		if base, suffix, ok := ParseFileName(name); base != want.base || suffix != want.suffix || ok != want.ok {
			t.Errorf("%s: %d %q %v, want %+v", name, base, suffix, ok, want)
		}
	}
}

func TestDirectoryNames(t *testing.T) {
	id := uuid.UUID{0xab}
	for _, c := range []struct {
		name      string
		topic     string
		partition int32
		ok        bool
	}{
		{DirName("orders", 3), "orders", 3, true},
		{DirName("a-b.c-delete", 0), "a-b.c-delete", 0, true},
		{DirName("__cluster_metadata", 0), "__cluster_metadata", 0, true},
		{DeletedName("orders", 3, id), "", 0, false},
		{StrayName("orders", 3, id), "", 0, false},
		{"orders-3.5f2a-future", "", 0, false},
		{"orders", "", 0, false}, {"orders-", "", 0, false}, {"orders-03", "", 0, false}, {"-3", "", 0, false}, {"orders--3", "orders-", 3, true},
		{"lost+found", "", 0, false},
	} {
		if topic, p, ok := ParseDirName(c.name); topic != c.topic || p != c.partition || ok != c.ok {
			t.Errorf("%s: %q %d %v, want %q %d %v", c.name, topic, p, ok, c.topic, c.partition, c.ok)
		}
	}
	if got := DeletedName(strings.Repeat("x", 249), 12345, id); len(got) > 255 || !Leftover.MatchString(got) || !strings.HasSuffix(got, "-delete") {
		t.Errorf("%d characters: %s", len(got), got)
	}
}

// folder makes a partition directory with the given files; .log.swap files hold
// batches up to the offset given for them.
func folder(t *testing.T, names []string, swapEnd int64) (*vfs.Mem, string) {
	t.Helper()
	m, dir := vfs.NewMem(0), "/d/orders-0"
	if err := m.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		f, err := m.OpenFile(dir+"/"+name, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, Log+Swap) {
			bd := record.NewBuilder()
			bd.Add(1, nil, []byte("kept"))
			if _, err := f.WriteAt(bd.Build(swapEnd-1), 0); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return m, dir
}

func TestLeftoversEndAsInKafka(t *testing.T) {
	s := func(base int64, suffix string) string { return FileName(base, suffix) }
	for _, c := range []struct {
		name     string
		have     []string
		want     []string
		changed  bool
		swapEnds int64
	}{
		{"nothing to do", []string{s(0, Log), s(0, Index), "partition.metadata"}, []string{s(0, Index), s(0, Log), "partition.metadata"}, false, 0},
		{"deleted and temporary files go", []string{s(0, Log) + Deleted, s(0, Index) + Deleted, "leader-epoch-checkpoint.tmp", s(5, Log)}, []string{s(5, Log)}, true, 0},
		{"unfinished cleaning goes", []string{s(0, Log), s(0, Log) + Cleaned, s(0, Index) + Cleaned}, []string{s(0, Log)}, true, 0},
		{"a finished swap replaces its sources", []string{s(0, Log), s(0, Index), s(5, Log), s(5, Times), s(9, Log), s(0, Log) + Swap, s(0, Index) + Swap, s(0, Aborted) + Swap},
			[]string{s(0, Log), s(0, Aborted), s(9, Log)}, true, 9},
		{"a swap that was being split is void", []string{s(0, Log), s(5, Log), s(3, Log) + Swap, s(0, Log) + Cleaned}, []string{s(0, Log), s(5, Log)}, true, 5},
		{"cut bytes stay", []string{s(0, Log), s(0, Log) + ".17" + Cut}, []string{s(0, Log), s(0, Log) + ".17" + Cut}, false, 0},
	} {
		m, dir := folder(t, c.have, c.swapEnds)
		entries, err := m.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		changed, err := Clean(m, dir, entries)
		if err != nil || changed != c.changed {
			t.Errorf("%s: changed %v %v, want %v", c.name, changed, err, c.changed)
		}
		left, err := m.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range left {
			got = append(got, e.Name())
		}
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: left %v, want %v", c.name, got, c.want)
		}
	}
}

func TestFreeNameCountsUp(t *testing.T) {
	m, dir := folder(t, []string{"a.cut", "a.cut.1"}, 0)
	if got, want := FreeName(m, dir+"/a.cut"), dir+"/a.cut.2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"orders-0", "00000000000000000000.log", "a-1.ab-delete", "--0", "00000000000000000000.."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if topic, p, ok := ParseDirName(s); ok && DirName(topic, p) != s {
			t.Errorf("%q is topic %q partition %d, which is %q", s, topic, p, DirName(topic, p))
		}
		if topic, p, ok := ParseFutureName(s); ok {
			if again, p2, ok := ParseFutureName(FutureName(topic, p, uuid.UUID{1})); again != topic || p2 != p || !ok {
				t.Errorf("%q is topic %q partition %d, and its own future name %q %d", s, topic, p, again, p2)
			}
		}
		if base, suffix, ok := ParseFileName(s); ok && FileName(base, suffix) != s {
			t.Errorf("%q is base %d suffix %q, which is %q", s, base, suffix, FileName(base, suffix))
		}
	})
}
