package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLaterLayersWinAndRememberTheirOrigin(t *testing.T) {
	file, err := File("ottla.yaml", []byte("num.partitions: 4\nlog:\n  retention:\n    ms: 7d\n  dirs: [/a, /b]\n"))
	if err != nil {
		t.Fatal(err)
	}
	env := Environment([]string{"KAFKA_NUM_PARTITIONS=5", "OTTLA_NUM_PARTITIONS=6", "KAFKA_HEAP_OPTS=-Xmx1G", "PATH=/bin"})
	flags, err := Flags([]string{"log.segment.bytes=64MiB"})
	if err != nil {
		t.Fatal(err)
	}
	s, r, err := Load(Defaults("ottla dev", map[string]string{"num.partitions": "3", "log.roll.ms": "5"}), file, env, flags)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][2]string{
		"num.partitions":    {"6", "environment (OTTLA_NUM_PARTITIONS)"},
		"log.roll.ms":       {"5", "ottla dev"},
		"log.retention.ms":  {"604800000", "ottla.yaml:4:9"},
		"log.dirs":          {"/a,/b", "ottla.yaml:5:9"},
		"log.segment.bytes": {"67108864", "--set"},
	} {
		value, _ := s.Get(name)
		from, ok := s.Origin(name)
		if value != want[0] || !ok || from.String() != want[1] {
			t.Errorf("%s: got %q from %q, want %q", name, value, from, want)
		}
	}
	if r.Len() != 5 || len(r.Unknown) != 0 {
		t.Errorf("report:\n%s", r)
	}
}

func TestKafkasOwnFileIsAcceptedAndSorted(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("testdata", "kafka.properties"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := File("server.properties", content)
	if err != nil {
		t.Fatal(err)
	}
	s, r, err := Load(l)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join("testdata", "kafka.report"))
	if err != nil {
		t.Fatal(err)
	}
	if got := r.String() + "\n"; got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	listen, advertised, err := s.Listeners()
	if err != nil || len(listen) != 1 || listen[0].String() != "PLAINTEXT://:9092" || len(advertised) != 1 || advertised[0].HostPort() != "localhost:9092" {
		t.Errorf("listeners: got %v, %v, %v", listen, advertised, err)
	}
}

func TestPromisesThatCannotBeKeptStopTheStart(t *testing.T) {
	l, err := File("server.properties", []byte(strings.Join([]string{
		"listeners=SASL_SSL://:9093,INTERNAL://:9092",
		"listener.security.protocol.map=INTERNAL:SSL,SASL_SSL:SASL_SSL",
		"ssl.keystore.location=/etc/key.jks",
		"ssl.keystore.password=secret",
		"listener.name.internal.ssl.keystore.location=/etc/other.jks",
		"listener.name.internal.plain.sasl.jaas.config=secret",
		"authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"super.users=User:admin",
		"process.roles=broker",
		"controller.quorum.voters=1@a:9093,2@b:9093",
		"remote.log.storage.system.enable=true",
		"metric.reporters=com.example.Reporter",
		"num.partitions=2",
		"ssl.protocol=TLSv1.3",
		"metric.reporters.none=",
	}, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	_, r, err := Load(l)
	refused, ok := err.(*RefusedError)
	if !ok {
		t.Fatalf("got %v, want a refusal", err)
	}
	var names []string
	for _, l := range refused.Lines {
		names = append(names, l.Name)
	}
	want := "authorizer.class.name controller.quorum.voters listeners metric.reporters process.roles remote.log.storage.system.enable ssl.keystore.location ssl.keystore.password listener.name.internal.plain.sasl.jaas.config listener.name.internal.ssl.keystore.location super.users"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("refused\n%s\nwant\n%s", got, want)
	}
	if strings.Contains(err.Error()+r.String(), "secret") {
		t.Errorf("a password shows:\n%s\n%s", err, r)
	}
	if len(r.Acting) != 2 || len(r.Harmless) != 1 || len(r.Unknown) != 1 {
		t.Errorf("report:\n%s", r)
	}
}

func TestListenersOfOneNameMapAreRefusedWhenTheySpeakTLS(t *testing.T) {
	l, err := File("x.properties", []byte("listeners=INTERNAL://:9092\nlistener.security.protocol.map=INTERNAL:SSL"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Load(l); err == nil || !strings.Contains(err.Error(), "listener INTERNAL speaks SSL") {
		t.Errorf("got %v", err)
	}
}

func TestClusterIDOfTheImageCountsBesideSettings(t *testing.T) {
	s, _, err := Load(Environment([]string{"CLUSTER_ID=4L6g3nShT-eMCtK--X86sw", "KAFKA_NODE_ID=1"}))
	if err != nil {
		t.Fatal(err)
	}
	if id, _ := s.Get("cluster.id"); id != "4L6g3nShT-eMCtK--X86sw" {
		t.Errorf("got %q", id)
	}
	alone, _, err := Load(Environment([]string{"CLUSTER_ID=somebody-else"}))
	if err != nil {
		t.Fatal(err)
	}
	if id, ok := alone.Get("cluster.id"); ok {
		t.Errorf("alone: got %q, want none", id)
	}
}

func TestEnvironmentNamesFollowTheImage(t *testing.T) {
	for in, want := range map[string]string{"LOG_DIRS": "log.dirs", "A__B_C___D": "a_b.c-d", "NODE_ID": "node.id"} {
		if got := variableName(in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func TestEmbeddedNodesRefuseWhatCannotBeKept(t *testing.T) {
	_, err := StaticOf("ottla.Options.Settings", map[string]string{"ssl.keystore.password": "secret"})
	if err == nil || !strings.Contains(err.Error(), "no TLS") || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
	if _, err := StaticOf("x", map[string]string{"num.partitons": "1"}); err == nil || err.Error() != `x: there is no setting "num.partitons"; did you mean num.partitions?` {
		t.Errorf("got %v", err)
	}
	if _, err := StaticOf("x", map[string]string{"num.partitions": "0"}); err == nil {
		t.Error("0 partitions pass")
	}
}

func TestOlderNamesStandForNewer(t *testing.T) {
	l, err := File("server.properties", []byte("broker.id=7\nlog.dir=/old"))
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := Load(Defaults("ottla serve", map[string]string{"log.dirs": "/default"}), l)
	if err != nil {
		t.Fatal(err)
	}
	if id, _ := s.Get("node.id"); id != "7" {
		t.Errorf("node.id: got %q", id)
	}
	dirs, _ := s.Get("log.dirs")
	if from, _ := s.Origin("log.dirs"); dirs != "/old" || from.String() != "server.properties:2:9" {
		t.Errorf("log.dirs: got %q from %s", dirs, from)
	}
	both, err := File("server.properties", []byte("log.dir=/old\nlog.dirs=/new\nbroker.id=-1"))
	if err != nil {
		t.Fatal(err)
	}
	if s, _, err = Load(both); err != nil {
		t.Fatal(err)
	}
	if dirs, _ := s.Get("log.dirs"); dirs != "/new" {
		t.Errorf("beside the newer: got %q", dirs)
	}
	if id, ok := s.Get("node.id"); ok {
		t.Errorf("-1 gives no id: got %q", id)
	}
}

func TestHTTPCanBeOff(t *testing.T) {
	for _, v := range []string{"off", "OFF", ""} {
		s, err := StaticOf("test", map[string]string{"http.listen": v})
		if err != nil {
			t.Fatal(err)
		}
		if got := (&View{Static: s}).String(nil, "http.listen"); got != "" {
			t.Errorf("%q: got %q", v, got)
		}
	}
}

func TestFilesAreToldApartByEndingThenContent(t *testing.T) {
	for _, c := range []struct {
		name, content string
		want          bool
	}{
		{"a.properties", "x: 1", true},
		{"a.yaml", "x=1", false},
		{"conf", "# hello\nlog.dirs=/a: b", true},
		{"conf", "---\nlog.dirs: /a=b", false},
		{"conf", "log:\n  dirs: x", false},
		{"conf", "", false},
	} {
		if got := isProperties(c.name, c.content); got != c.want {
			t.Errorf("%s %q: got %v", c.name, c.content, got)
		}
	}
}
