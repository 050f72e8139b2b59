package settings

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPropertiesFilesAreReadAsJavaReadsThem(t *testing.T) {
	path := filepath.Join(t.TempDir(), "client.properties")
	text := "# comment\n! comment\n\nacks=all\n  linger.ms : 5\nclient.id me\nempty=\nalone\nlong=a,\\\n   b\nescaped=x\\=y\\ttab\\\\\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	want := Properties{"acks": "all", "linger.ms": "5", "client.id": "me", "empty": "", "alone": "", "long": "a,b", "escaped": "x=y\ttab\\"}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if _, err := Read(path + "x"); err == nil {
		t.Error("a file that is not there was read")
	}
}

func TestSafetyIsNotDroppedSilently(t *testing.T) {
	for _, p := range []Properties{
		{"security.protocol": "SASL_SSL"}, {"sasl.jaas.config": "x"}, {"ssl.truststore.location": "x"},
		{"interceptor.classes": "x"}, {"partitioner.class": "x"},
	} {
		if err := p.Refuse(); err == nil {
			t.Errorf("%v was accepted", p)
		}
	}
	if err := (Properties{"security.protocol": "plaintext"}).Refuse(); err != nil {
		t.Errorf("plain text: %v", err)
	}
}

func TestClientSettingsAreCheckedAndNamed(t *testing.T) {
	for _, c := range []struct {
		p    Properties
		want string // in the error; "" accepts
	}{
		{Properties{"acks": "1", "linger.ms": "5", "compression.type": "zstd", "retries": "3", "buffer.memory": "1000"}, ""},
		{Properties{"acks": "2"}, "acks"}, {Properties{"compression.type": "rar"}, "rar"}, {Properties{"linger.ms": "x"}, "linger.ms"},
		{Properties{"linger.ms": "-1"}, "at least 0"}, {Properties{"acks": "1", "enable.idempotence": "true"}, "acks to all"},
		{Properties{"enable.idempotence": "false", "transactional.id": "x"}, "idempotence"},
	} {
		var told bytes.Buffer
		_, err := Producer(c.p, &told)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("producer %v: got %v, want %q", c.p, err, c.want)
		}
	}
	for _, c := range []struct {
		p    Properties
		want string
	}{
		{Properties{"auto.offset.reset": "earliest", "isolation.level": "read_committed", "fetch.max.wait.ms": "5"}, ""},
		{Properties{"auto.offset.reset": "none"}, ""}, {Properties{"auto.offset.reset": "first"}, "first"},
		{Properties{"isolation.level": "x"}, "isolation.level"}, {Properties{"fetch.min.bytes": "x"}, "fetch.min.bytes"},
	} {
		var told bytes.Buffer
		_, err := Consumer(c.p, &told)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("consumer %v: got %v, want %q", c.p, err, c.want)
		}
	}
	if _, err := Group(Properties{"group.id": "g", "session.timeout.ms": "x"}); err == nil {
		t.Error("a session time-out that is no number was accepted")
	}
}

func TestSettingsWithoutEffectAreNamed(t *testing.T) {
	var told bytes.Buffer
	if _, err := Producer(Properties{"made.up": "1", "acks": "all"}, &told); err != nil || told.String() != "The configuration 'made.up' has no effect here.\n" {
		t.Errorf("got %q, %v", told.String(), err)
	}
}
