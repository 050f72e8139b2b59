package apache

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"ottla/test/packages"
)

// The versions that answers are compared with.
const (
	BrokerVersion = "4.4.0"
	ToolsVersion  = "4.3.1"
)

var brokerArtifacts = []string{"kafka_2.13"}

var toolsArtifacts = []string{"kafka_2.13", "kafka-tools", "kafka-shell", "kafka-streams", "connect-runtime", "connect-file"}

// Distribution is one set of jars.
type Distribution struct {
	Version string
	Libs    string              // folder of jars
	classes map[string]struct{} // names of the top-level classes in Kafka's own jars
}

// ClassPath is what java -cp takes.
func (d *Distribution) ClassPath() string { return filepath.Join(d.Libs, "*") }

// Broker and Tools install (at the first call on a machine) and return the
// jars of brokers and of command-line tools.
func Broker(ctx context.Context) (*Distribution, error) {
	return install(ctx, "broker", BrokerVersion, brokerArtifacts)
}

// Tools returns the jars of the command-line tools.
func Tools(ctx context.Context) (*Distribution, error) {
	return install(ctx, "tools", ToolsVersion, toolsArtifacts)
}

// Available tells why the oracle cannot run here, nil when it can.
func Available() error {
	for _, p := range []string{"java", "mvn"} {
		if _, err := exec.LookPath(p); err != nil {
			return fmt.Errorf("the oracle needs %s: %w", p, err)
		}
	}
	return nil
}

func install(ctx context.Context, role, version string, artifacts []string) (*Distribution, error) {
	if err := Available(); err != nil {
		return nil, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("find a cache folder for Kafka's jars: %w", err)
	}
	home := filepath.Join(cache, "ottla-oracle", role+"-"+version)
	d := &Distribution{Version: version, Libs: filepath.Join(home, "libs")}
	if _, err := os.Stat(d.Libs); errors.Is(err, os.ErrNotExist) {
		if err := fetch(ctx, home, version, artifacts); err != nil {
			return nil, err
		}
	}
	d.classes, err = classesOf(d.Libs)
	return d, err
}

// fetch brings the jars into a folder beside home and renames it, so that a
// broken fetch is never taken for a finished one.
func fetch(ctx context.Context, home, version string, artifacts []string) error {
	if err := os.MkdirAll(filepath.Dir(home), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(home), "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := os.WriteFile(filepath.Join(tmp, "pom.xml"), []byte(pom(version, artifacts)), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "oracle: brings Kafka %s\n", version)
	if err := packages.Jars(ctx, tmp); err != nil {
		return fmt.Errorf("bring Kafka %s: %w", version, err)
	}
	for _, other := range []string{"slf4j-log4j*", "slf4j-simple*", "logback-*"} {
		extra, err := filepath.Glob(filepath.Join(tmp, "libs", other))
		if err != nil {
			return err
		}
		for _, jar := range extra {
			if err := os.Remove(jar); err != nil {
				return err
			}
		}
	}
	if err := os.Rename(tmp, home); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("keep Kafka %s: %w", version, err)
	}
	return nil
}

// pom is a project whose dependencies are the wanted parts of Kafka.
func pom(version string, artifacts []string) string {
	var b strings.Builder
	b.WriteString(`<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>` +
		`<groupId>ottla.oracle</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging><dependencies>`)
	dep := func(group, artifact, version string) {
		fmt.Fprintf(&b, "<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version></dependency>", group, artifact, version)
	}
	for _, a := range artifacts {
		dep("org.apache.kafka", a, version)
	}
	dep("org.apache.logging.log4j", "log4j-slf4j-impl", "2.24.3") // Kafka logs through slf4j 1.7
	b.WriteString("</dependencies></project>")
	return b.String()
}

// classesOf lists the top-level classes of Kafka's own jars, so that a tool is
// found wherever this version keeps it.
func classesOf(libs string) (map[string]struct{}, error) {
	jars, err := filepath.Glob(filepath.Join(libs, "*.jar"))
	if err != nil {
		return nil, err
	}
	out := map[string]struct{}{}
	for _, jar := range jars {
		base := filepath.Base(jar)
		if !slices.ContainsFunc([]string{"kafka", "connect"}, func(p string) bool { return strings.HasPrefix(base, p) }) {
			continue
		}
		z, err := zip.OpenReader(jar)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", jar, err)
		}
		for _, f := range z.File {
			if name, ok := strings.CutSuffix(f.Name, ".class"); ok && !strings.Contains(name, "$") {
				out[strings.ReplaceAll(name, "/", ".")] = struct{}{}
			}
		}
		if err := z.Close(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func tail(b []byte, n int) []byte { return b[max(0, len(b)-n):] }
