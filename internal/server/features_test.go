package server

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/config"
	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/sim"
	"ottla/internal/vfs"
)

// startOn starts a node on a file system, by the directories given.
func startOn(t *testing.T, f vfs.FS, dirs ...string) (*Server, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	static, err := config.StaticOf("the test", map[string]string{"log.dirs": strings.Join(dirs, ",")})
	if err != nil {
		t.Fatal(err)
	}
	return Start(ctx, Options{
		FS: f, Dirs: dirs, NodeID: -1, Listen: []Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0"}},
		Static: static, Now: time.Now, Logger: slog.New(slog.DiscardHandler), VerifyAge: DefaultVerifyAge,
	})
}

// finalised asks a node as a client does.
func finalised(t *testing.T, s *Server) map[string]int16 {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := kgo.NewClient(kgo.SeedBrokers(s.KafkaAddr()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = "test", "1"
	resp, err := req.RequestWith(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int16{}
	for _, f := range resp.FinalizedFeatures {
		out[f.Name] = f.MaxVersionLevel
	}
	return out
}

func TestANewClusterRunsWhatIsServedAndAnOldOneWhatItHas(t *testing.T) {
	fresh := freshFeatures()
	maps.Copy(fresh, fixedFeatures())
	s, err := startOn(t, vfs.NewMem(0), "/data")
	if err != nil {
		t.Fatal(err)
	}
	if got := finalised(t, s); !maps.Equal(got, fresh) {
		t.Errorf("a new cluster runs %v, want %v", got, fresh)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}

	// One of a release that knew of metadata.version alone.
	all := features
	features = slices.DeleteFunc(slices.Clone(all), func(f feature) bool {
		return f.name != metadata.MetadataVersion && f.name != metadata.KRaftVersion
	})
	defer func() { features = all }()
	disk := vfs.NewMem(0)
	if s, err = startOn(t, disk, "/data"); err != nil {
		t.Fatal(err)
	}
	old := finalised(t, s)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	features = all
	if s, err = startOn(t, disk, "/data"); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := finalised(t, s); len(got) != 2 || !maps.Equal(got, old) {
		t.Errorf("a new release runs %v on the data of an old one, which ran %v", got, old)
	}
	c, err := kgo.NewClient(kgo.SeedBrokers(s.KafkaAddr()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	req := kmsg.NewPtrUpdateFeaturesRequest()
	u := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
	u.Feature, u.MaxVersionLevel, u.UpgradeType = metadata.GroupVersion, 1, 1
	req.FeatureUpdates = append(req.FeatureUpdates, u)
	resp, err := req.RequestWith(t.Context(), c)
	if err != nil || resp.ErrorCode != 0 {
		t.Fatalf("raise group.version: %v %+v", err, resp)
	}
	old[metadata.GroupVersion] = 1
	if got := finalised(t, s); !maps.Equal(got, old) {
		t.Errorf("raised to %v, want %v", got, old)
	}
}

// unreadableDir makes one directory fail as a disk does that is not there.
func unreadableDir(d *sim.Disk, dir string) {
	d.OnOp(func(op sim.Op) sim.Action {
		if op.Name == dir || strings.HasPrefix(op.Name, dir+"/") {
			return sim.Action{Err: errors.New("input/output error")}
		}
		return sim.Action{}
	})
}

func TestANodeStartsWithoutOneOfItsDirectoriesButNotTheFirst(t *testing.T) {
	d := sim.NewDisk(1)
	if err := errors.Join(d.MkdirAll("/a", 0o755), d.MkdirAll("/b", 0o755), d.SyncDir("/")); err != nil {
		t.Fatal(err)
	}
	s, err := startOn(t, d, "/a", "/b")
	if err != nil {
		t.Fatal(err)
	}
	admin := func(s *Server) *kadm.Client {
		c, err := kgo.NewClient(kgo.SeedBrokers(s.KafkaAddr()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return kadm.NewClient(c)
	}
	if r, err := admin(s).CreateTopic(t.Context(), 4, 1, nil, "orders"); err != nil || r.Err != nil {
		t.Fatal(err, r.Err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	unreadableDir(d, "/b")
	if s, err = startOn(t, d, "/a", "/b"); err != nil {
		t.Fatal(err)
	}
	m, err := admin(s).Metadata(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	led := 0
	for _, p := range m.Topics["orders"].Partitions {
		if p.Leader == 1 {
			led++
		}
	}
	dirs, err := admin(s).DescribeBrokerLogDirs(t.Context(), 1, nil)
	if err != nil || led != 2 || dirs["/a"].Err != nil || dirs["/b"].Err == nil {
		t.Errorf("%d of 4 partitions are led, directories %+v, %v", led, dirs, err)
	}
	if err := s.Close(); !errors.Is(err, log.ErrOffline) {
		t.Errorf("the stop says %v, want that a directory is offline", err)
	}
	unreadableDir(d, "/a")
	if s, err = startOn(t, d, "/a", "/b"); err == nil {
		t.Error("it starts without its first directory")
		_ = s.Close()
	}
}

func TestOneReasonIsEnoughToEnd(t *testing.T) {
	s := &Server{failed: make(chan error, 1), o: Options{Logger: slog.New(slog.DiscardHandler)}}
	first := errors.New("first")
	s.fatal(first)
	s.fatal(errors.New("second"))
	if err := <-s.Failed(); !errors.Is(err, first) {
		t.Errorf("it ends for %v", err)
	}
}
