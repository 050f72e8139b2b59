package logimport

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"ottla/internal/vfs"
)

func TestWhatIsRefused(t *testing.T) {
	write := func(t *testing.T, name, text string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		name string
		edit func(t *testing.T, o *Options, source string)
		want string
	}{
		{"no source", func(_ *testing.T, o *Options, _ string) { o.Sources = nil }, "has no source"},
		{"a missing source", func(_ *testing.T, o *Options, s string) { o.Sources = []string{s + "x"} }, "cannot be listed"},
		{"an empty source", func(t *testing.T, o *Options, _ string) { o.Sources = []string{t.TempDir()} }, "no meta.properties"},
		{"ZooKeeper's", func(t *testing.T, _ *Options, s string) {
			write(t, s+"/meta.properties", "version=0\nbroker.id=1\ncluster.id=x\n")
		}, `version "0"`},
		{"a newer one", func(t *testing.T, _ *Options, s string) {
			write(t, s+"/meta.properties", "version=2\nnode.id=1\ncluster.id=x\n")
		}, `version "2"`},
		{"no node id", func(t *testing.T, _ *Options, s string) {
			write(t, s+"/meta.properties", "version=1\ncluster.id=x\n")
		}, `names node ""`},
		{"no metadata", func(t *testing.T, _ *Options, s string) {
			if err := os.RemoveAll(s + "/" + metadataDir); err != nil {
				t.Fatal(err)
			}
		}, "where Kafka keeps topics"},
		{"Ottla's own", func(t *testing.T, _ *Options, s string) { write(t, s+"/ottla.properties", "") }, "data directory of Ottla"},
		{"another node's beside it", func(t *testing.T, o *Options, _ string) {
			other := t.TempDir()
			write(t, other+"/meta.properties", "version=1\nnode.id=9\ncluster.id=x\n")
			o.Sources = append(o.Sources, other)
		}, "is of node 9 of cluster x"},
		{"a damaged checkpoint", func(t *testing.T, _ *Options, s string) { write(t, s+"/log-start-offset-checkpoint", "zero\n") }, "cannot be read"},
		{"a directory that is not empty", func(t *testing.T, o *Options, _ string) { write(t, o.Data+"/notes", "") }, "is not empty"},
		{"a directory of a node", func(t *testing.T, o *Options, _ string) {
			write(t, o.Data+"/ottla.properties", "")
			write(t, o.Data+"/x", "")
		}, "is not empty"},
		{"the source itself", func(_ *testing.T, o *Options, s string) { o.Data = s }, "is the source itself"},
		{"a damaged partition.metadata", func(t *testing.T, _ *Options, s string) { write(t, s+"/orders-0/partition.metadata", "?") }, "cannot be read"},
		{"the same metadata twice", func(t *testing.T, o *Options, s string) {
			other := t.TempDir()
			meta, err := os.ReadFile(s + "/meta.properties")
			if err != nil {
				t.Fatal(err)
			}
			write(t, other+"/meta.properties", string(meta))
			write(t, other+"/"+metadataDir+"/x", "")
			o.Sources = append(o.Sources, other)
		}, "and so has"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			source := kafkaDir(t, "kafka-clean")
			o := options(t, source)
			tc.edit(t, &o, source)
			refused(t, o, tc.want)
		})
	}
}

func TestARunningKafkaIsRefused(t *testing.T) {
	source := kafkaDir(t, "kafka-clean")
	lock, err := vfs.NewOS().Lock(source + "/.lock")
	if err != nil {
		t.Fatal(err)
	}
	refused(t, options(t, source), "Kafka runs on it")
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	mustRun(t, options(t, source))
}

// A partition whose directory is missing is one that Kafka had not made yet,
// unless its metadata say that it lies in another log directory.
func TestPartitionsWithoutFiles(t *testing.T) {
	source := kafkaDir(t, "kafka-clean")
	if err := os.RemoveAll(source + "/orders-1"); err != nil {
		t.Fatal(err)
	}
	res := mustRun(t, options(t, source))
	for _, p := range res.Partitions {
		if p.Empty != (p.Topic == "orders" && p.Partition == 1) {
			t.Errorf("partition %+v", p)
		}
	}
	meta := "version=1\nnode.id=1\ncluster.id=" + res.ClusterID + "\ndirectory.id=AQIDBAUGBwgJCgsMDQ4PEA\n"
	if err := os.WriteFile(source+"/meta.properties", []byte(meta), 0o644); err != nil {
		t.Fatal(err)
	}
	refused(t, options(t, source), "which was not named")
	o := options(t, source)
	o.Partial = true
	mustRun(t, o)
	other := "version=1\nnode.id=77\ncluster.id=" + res.ClusterID + "\n"
	if err := os.WriteFile(source+"/meta.properties", []byte(other), 0o644); err != nil {
		t.Fatal(err)
	}
	refused(t, options(t, source), "has no replica on node 77")
}

// Log directories of one node come together, whichever holds a partition.
func TestSeveralLogDirectories(t *testing.T) {
	source := kafkaDir(t, "kafka-clean")
	second := filepath.Join(t.TempDir(), "second")
	if err := os.MkdirAll(second, 0o755); err != nil {
		t.Fatal(err)
	}
	meta, err := os.ReadFile(source + "/meta.properties")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(second+"/meta.properties", meta, 0o644), os.Rename(source+"/orders-1", second+"/orders-1")); err != nil {
		t.Fatal(err)
	}
	o := options(t, source)
	o.Sources = append(o.Sources, second)
	res := mustRun(t, o)
	if res.Clean {
		t.Error("one of two was not stopped cleanly, and the whole counts as clean")
	}
	for _, p := range res.Partitions {
		if p.Empty {
			t.Errorf("partition %+v", p)
		}
	}
	verified(t, o.Data)
}

func TestPropertiesAreReadAsKafkaWritesThem(t *testing.T) {
	got := properties([]byte("#\n#Wed Nov 25\nnode.id=1\ncluster.id=a\\:b\n\n bad line\n x = y \n"))
	if got["node.id"] != "1" || got["cluster.id"] != "a:b" || got["x"] != "y" || len(got) != 3 {
		t.Errorf("read %v", got)
	}
}

func TestSnapshotNames(t *testing.T) {
	for name, want := range map[string]int64{
		"00000000000000000038-0000000001.checkpoint": 38, "00000000000000000000-0000000000.checkpoint": 0,
		"bootstrap.checkpoint": -1, "00000000000000000038-1.checkpoint": -1, "00000000000000000038-0000000001.checkpoint.part": -1,
	} {
		end, ok := snapshotName(name)
		if ok != (want >= 0) || ok && end != want {
			t.Errorf("%s: %d %v", name, end, ok)
		}
	}
}
