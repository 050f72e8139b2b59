package logimport

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ottla/internal/datadir"
	"ottla/internal/metadata"
	"ottla/internal/vfs"
)

func TestADirectoryOfKafkaIsImportedWhole(t *testing.T) {
	for _, name := range []string{"kafka-clean", "kafka-killed"} {
		t.Run(name, func(t *testing.T) {
			o := options(t, kafkaDir(t, name))
			before := treeSum(t, o.Sources[0])
			res := mustRun(t, o)
			if treeSum(t, o.Sources[0]) != before {
				t.Error("the source was changed")
			}
			if res.Clean != (name == "kafka-clean") || res.Topics != 6 || len(res.Partitions) != 12 || len(res.Skipped) != 2 || res.Linked != 0 {
				t.Errorf("result %+v", res)
			}
			records := map[string]int64{}
			for _, p := range res.Partitions {
				records[p.Topic] += p.Records
				start := int64(0)
				if p.Topic == "audit" {
					start = 7
				}
				if p.Start != start || p.Cut != "" || p.Empty {
					t.Errorf("partition %+v, want start %d", p, start)
				}
			}
			// 5 codecs of 30 records; 3 transactions of 20 and their markers.
			if records["orders"] != 150 || records["ledger"] < 60+3 || records["__consumer_offsets"] == 0 || records["__transaction_state"] == 0 {
				t.Errorf("records by topic: %v", records)
			}
			verified(t, o.Data)
			if _, err := os.Stat(filepath.Join(o.Data, datadir.ImportMarker)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the marker is still there: %v", err)
			}
		})
	}
}

func TestMetadataBecomeThoseOfThisNode(t *testing.T) {
	o := options(t, kafkaDir(t, "kafka-clean"))
	r := &run{o: o}
	held, err := r.openSources()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.readMetadata(), closeAll(held)); err != nil {
		t.Fatal(err)
	}
	kafka := r.image
	res := mustRun(t, o)
	img := imageOf(t, o)
	for topic := range kafka.Topics() {
		got := img.TopicByName(topic.Name)
		if got == nil || got.ID != topic.ID || len(got.Partitions) != len(topic.Partitions) {
			t.Errorf("topic %s came out as %+v", topic.Name, got)
			continue
		}
		for i, p := range got.Partitions {
			if p.Leader != res.NodeID || p.LeaderEpoch <= topic.Partitions[i].LeaderEpoch || len(p.Replicas) != 1 || len(p.ISR) != 1 || len(p.Directories) != 1 {
				t.Errorf("partition %s-%d came out as %+v", topic.Name, i, p)
			}
		}
		want := kafka.Config(metadata.ResourceTopic, topic.Name)
		if g := img.Config(metadata.ResourceTopic, topic.Name); fmt.Sprint(g) != fmt.Sprint(want) {
			t.Errorf("settings of %s: %v, want %v", topic.Name, g, want)
		}
	}
	if img.Config(metadata.ResourceTopic, "orders")["retention.ms"] != "604800000" {
		t.Errorf("settings of orders: %v", img.Config(metadata.ResourceTopic, "orders"))
	}
	if img.TopicByName("gone") != nil {
		t.Error("a deleted topic came back")
	}
	if img.NextProducerID() != kafka.NextProducerID() || kafka.NextProducerID() == 0 {
		t.Errorf("producer ids go on at %d, Kafka's at %d", img.NextProducerID(), kafka.NextProducerID())
	}
	if img.BrokerCount() != 0 {
		t.Errorf("%d brokers of Kafka are registered", img.BrokerCount())
	}
}

func TestLinkedSegmentsAreThoseThatNothingWrites(t *testing.T) {
	for name, want := range map[string]bool{"kafka-clean": true, "kafka-killed": false} {
		o := options(t, kafkaDir(t, name))
		o.Link = true
		before := treeSum(t, o.Sources[0])
		res := mustRun(t, o)
		if (res.Linked > 0) != want {
			t.Errorf("%s: %d files are linked", name, res.Linked)
		}
		if treeSum(t, o.Sources[0]) != before {
			t.Errorf("%s: the source was changed", name)
		}
		verified(t, o.Data)
	}
}

// The import is stopped at several partitions in turn; the next one begins anew and comes out whole.
func TestABrokenOffImportIsBegunAnew(t *testing.T) {
	source := kafkaDir(t, "kafka-killed")
	o := options(t, source)
	whole := mustRun(t, o)
	for i := 0; i < len(whole.Partitions); i += len(whole.Partitions)/2 - 1 {
		again := options(t, source)
		ctx, cancel := context.WithCancel(t.Context())
		again.Progress = func(_ Partition, done, _ int) {
			if done == i+1 {
				cancel()
			}
		}
		_, err := Run(ctx, again)
		cancel()
		last := i == len(whole.Partitions)-1
		if (err == nil) != last {
			t.Fatalf("stopped at partition %d: %v", i, err)
		}
		if last {
			continue
		}
		if _, err := datadir.Open(again.FS, again.Data, datadir.Options{NodeID: -1}); err == nil {
			t.Fatal("a node took an unfinished import")
		}
		again.Progress = nil
		if res := mustRun(t, again); fmt.Sprint(res.Partitions) != fmt.Sprint(whole.Partitions) {
			t.Errorf("begun anew: %v, want %v", res.Partitions, whole.Partitions)
		}
	}
}

// failing is a disk on which the call number n of those that change it fails.
type failing struct {
	quick
	left int
}

var errDisk = errors.New("the disk failed")

func (f *failing) spend() error {
	f.left--
	if f.left == 0 {
		return errDisk
	}
	return nil
}

func (f *failing) SyncDir(name string) error {
	if err := f.spend(); err != nil {
		return err
	}
	return nil
}

func (f *failing) Rename(from, to string) error {
	if err := f.spend(); err != nil {
		return err
	}
	return f.OS.Rename(from, to)
}

func TestADiskThatFailsLeavesNothingThatANodeTakes(t *testing.T) {
	source := kafkaDir(t, "kafka-clean")
	for n := 1; n < 120; n += 13 {
		o := options(t, source)
		o.FS = &failing{quick: quick{vfs.NewOS()}, left: n}
		_, err := Run(t.Context(), o)
		disk := quick{vfs.NewOS()}
		if err == nil {
			continue
		}
		o.FS = disk
		if _, statErr := os.Stat(filepath.Join(o.Data, "ottla.properties")); statErr == nil {
			verified(t, o.Data) // all but the last steps were done
			continue
		}
		if _, err := os.Stat(filepath.Join(o.Data, datadir.ImportMarker)); err == nil {
			if _, err := datadir.Open(disk, o.Data, datadir.Options{NodeID: -1}); err == nil {
				t.Fatalf("failure %d: a node took an unfinished import", n)
			}
		}
		mustRun(t, o)
		verified(t, o.Data)
	}
}

func TestDamageOfTheSourceIsCutOrRefused(t *testing.T) {
	source := kafkaDir(t, "kafka-killed")
	segments, err := filepath.Glob(filepath.Join(source, "orders-0", "*.log"))
	if err != nil || len(segments) < 2 {
		t.Fatalf("segments %v %v", segments, err)
	}
	// A torn write at the end, as a power cut leaves it.
	last := segments[len(segments)-1]
	b, err := os.ReadFile(last)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(last, append(b, b[:100]...), 0o644); err != nil {
		t.Fatal(err)
	}
	res := mustRun(t, options(t, source))
	cut := 0
	for _, p := range res.Partitions {
		if p.Cut != "" {
			cut++
			if p.Topic != "orders" || p.Partition != 0 {
				t.Errorf("cut: %+v", p)
			}
		}
	}
	if cut != 1 {
		t.Errorf("%d partitions were cut, want 1", cut)
	}
	// Rot in the metadata.
	log := filepath.Join(source, metadataDir, "00000000000000000000.log")
	b, err = os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range mustGlob(t, filepath.Join(source, metadataDir, "*.checkpoint")) {
		if err := os.WriteFile(e, []byte(strings.Repeat("x", 100)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(log, b, 0o644); err != nil {
		t.Fatal(err)
	}
	refused(t, options(t, source), "cannot be read at byte")
}

func mustGlob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("%s: %v %v", pattern, found, err)
	}
	return found
}
