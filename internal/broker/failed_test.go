package broker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"ottla/internal/controller"
	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/sim"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

// failing makes every change below a directory fail from now on.
func failing(d *sim.Disk, dir string) {
	d.OnOp(func(op sim.Op) sim.Action {
		if strings.HasPrefix(op.Name, dir) {
			return sim.Action{Err: errors.New("input/output error")}
		}
		return sim.Action{}
	})
}

func TestAFailedDirectoryLeavesTheRestServing(t *testing.T) {
	d := sim.NewDisk(7)
	if err := errors.Join(d.MkdirAll("/data0", 0o755), d.MkdirAll("/data1", 0o755), d.SyncDir("/")); err != nil {
		t.Fatal(err)
	}
	r := start(t, d, 2)
	r.create("orders", 2)
	for i := range int32(2) {
		for range 3 {
			r.produce("orders", i, "x")
		}
	}
	told := make(chan struct{})
	control := r.broker.o.Control
	r.broker.o.Control = func(ctx context.Context, cmd any) (any, error) {
		reply, err := control(ctx, cmd)
		if _, is := cmd.(controller.FailDirectories); is {
			close(told)
		}
		return reply, err
	}
	failing(d, "/data1")
	if err := appendAndWait(r.find("orders", 1)); wire.CodeOf(err) != wire.KafkaStorageError {
		t.Errorf("in the failed directory: %v, want KAFKA_STORAGE_ERROR", err)
	}
	<-told
	if _, code := r.broker.ByName([]byte("orders"), 1); code != wire.KafkaStorageError {
		t.Errorf("looked up: %v", code)
	}
	img := r.broker.Image()
	if p := img.TopicByName("orders").Partitions; p[1].Leader != metadata.NoLeader || p[0].Leader != 1 || len(img.Broker(1).Directories) != 1 {
		t.Errorf("leaders %d and %d, directories %v", p[0].Leader, p[1].Leader, img.Broker(1).Directories)
	}
	r.produce("orders", 0, "y")
	r.create("more", 4)
	for i := range int32(4) {
		r.produce("more", i, "z")
	}
	for topic, want := range map[string]wire.Code{"orders": wire.KafkaStorageError, "more": wire.KafkaStorageError} {
		if got := wire.CodeOf(r.broker.Move(topic, 0, "/data1")); got != want {
			t.Errorf("move %s-0 to the failed directory: %v, want %v", topic, got, want)
		}
	}
	if got := wire.CodeOf(r.broker.Move("orders", 1, "/data0")); got != wire.KafkaStorageError {
		t.Errorf("move out of the failed directory: %v", got)
	}
	_ = errors.Join(r.quorum.Close(), r.broker.Close()) // the failed directory is no clean stop

	// It still fails at the next start: nothing is made anew in its place.
	r = start(t, d, 2)
	r.awaitRecovery()
	if _, code := r.broker.ByName([]byte("orders"), 1); code != wire.KafkaStorageError {
		t.Errorf("after a start without it: %v", code)
	}
	if o := r.find("orders", 0).Offsets(); o.LogEnd != 4 {
		t.Errorf("orders-0 after a start: %+v", o)
	}
	_ = errors.Join(r.quorum.Close(), r.broker.Close())

	// And works again.
	d.OnOp(nil)
	r = start(t, d, 2)
	defer r.stop()
	r.awaitRecovery()
	if o := r.find("orders", 1).Offsets(); o.HighWatermark < 3 {
		t.Errorf("orders-1 is back with %+v", o)
	}
	r.produce("orders", 1, "again")
}

func TestWithoutTheMetadataLogsDirectoryTheNodeEnds(t *testing.T) {
	d := sim.NewDisk(7)
	if err := errors.Join(d.MkdirAll("/data0", 0o755), d.SyncDir("/")); err != nil {
		t.Fatal(err)
	}
	fatal := make(chan error, 1)
	r := start(t, d, 1, func(_ *rig, o *Options) { o.Fatal = func(err error) { fatal <- err } })
	r.create("orders", 1)
	r.produce("orders", 0, "x")
	failing(d, "/data0")
	if err := appendAndWait(r.find("orders", 0)); err == nil {
		t.Error("a batch was taken")
	}
	if err := <-fatal; !errors.Is(err, log.ErrOffline) || !strings.Contains(err.Error(), "metadata") {
		t.Errorf("the node ends with %v", err)
	}
	_ = errors.Join(r.quorum.Close(), r.broker.Close())
}

func TestWithoutAControllerAFailedDirectoryEndsTheNode(t *testing.T) {
	fatal := make(chan error, 1)
	r := start(t, vfs.NewMem(1<<30), 2, func(r *rig, o *Options) {
		control := o.Control
		o.Fatal = func(err error) { fatal <- err }
		o.Control = func(ctx context.Context, cmd any) (any, error) {
			if _, is := cmd.(controller.FailDirectories); is {
				if _, bounded := ctx.Deadline(); !bounded {
					r.t.Error("the controller is told without a time limit")
				}
				return nil, wire.NotController
			}
			return control(ctx, cmd)
		}
	})
	defer r.stop()
	r.broker.dirFailed(t.Context(), r.dirs[1])
	if err := <-fatal; !errors.Is(err, wire.NotController) || !strings.Contains(err.Error(), "log.dir.failure.timeout.ms") {
		t.Errorf("the node ends with %v", err)
	}
}

func TestCordonedDirectoriesTakeNothingNew(t *testing.T) {
	r := start(t, vfs.NewMem(1<<30), 2)
	defer r.stop()
	r.create("orders", 2)
	all := "/data1"
	r.do(controller.AlterConfigs{Incremental: true, Resources: []controller.AlterResource{{
		Type: metadata.ResourceBroker, Name: "1", Entries: []controller.AlterEntry{{Name: cordonedDirs, Op: controller.OpSet, Value: &all}},
	}}})
	r.broker.tellCordons(t.Context())
	if got := r.broker.Image().Broker(1).Cordoned; fmt.Sprint(got) != fmt.Sprint([]uuid.UUID{{0: 0xd, 15: 1}}) {
		t.Errorf("cordoned: %v", got)
	}
	r.create("more", 3)
	for i := range int32(3) {
		if is, _ := r.liesIn("more", i); is != "/data0" {
			t.Errorf("more-%d lies in %s", i, is)
		}
	}
	if got := wire.CodeOf(r.broker.Move("orders", 0, "/data1")); got != wire.InvalidReplicaAssignment {
		t.Errorf("move into it: %v", got)
	}
	r.move("orders", 1, "/data0")
	if is, _ := r.liesIn("orders", 1); is != "/data0" {
		t.Errorf("orders-1 lies in %s: a cordoned directory can be left", is)
	}
	star := "*"
	r.do(controller.AlterConfigs{Incremental: true, Resources: []controller.AlterResource{{
		Type: metadata.ResourceBroker, Name: "", Entries: []controller.AlterEntry{{Name: cordonedDirs, Op: controller.OpDelete}},
	}, {Type: metadata.ResourceBroker, Name: "1", Entries: []controller.AlterEntry{{Name: cordonedDirs, Op: controller.OpSet, Value: &star}}}}})
	r.broker.tellCordons(t.Context())
	if got := r.broker.Image().Broker(1).Cordoned; len(got) != 2 {
		t.Errorf("cordoned by *: %v", got)
	}
}

// Replicas of an older release are assigned to no directory: the controller
// learns at the start where they lie.
func TestTheControllerLearnsWherePartitionsLie(t *testing.T) {
	disk := vfs.NewMem(1 << 30)
	r := start(t, disk, 2)
	r.create("orders", 2)
	r.produce("orders", 0, "x")
	id := r.broker.Image().TopicByName("orders").ID
	r.stop()
	r = start(t, disk, 2)
	defer r.stop()
	if _, err := r.broker.o.Control(t.Context(), controller.AssignDirectories{ID: 1, Epoch: r.epoch, Partitions: []controller.DirectoryAssignment{{TopicID: id, Index: 0, Directory: r.broker.o.Directories[1]}}}); err != nil {
		t.Fatal(err)
	}
	r.broker.TellDirectories(t.Context())
	if is, named := r.liesIn("orders", 0); is != "/data0" || named != "/data0" {
		t.Errorf("orders-0 lies in %s, and the metadata have it in %s", is, named)
	}
}
