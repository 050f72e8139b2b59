package apache

import (
	"archive/zip"
	"context"
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

// logging is where Kafka's log, through slf4j 1.7, goes.
const logging = "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3"

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
	return install(ctx, BrokerVersion, brokerArtifacts)
}

// Tools returns the jars of the command-line tools.
func Tools(ctx context.Context) (*Distribution, error) {
	return install(ctx, ToolsVersion, toolsArtifacts)
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

func install(ctx context.Context, version string, artifacts []string) (*Distribution, error) {
	if err := Available(); err != nil {
		return nil, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("find a cache folder for Kafka's jars: %w", err)
	}
	var names []string
	for _, a := range artifacts {
		names = append(names, "org.apache.kafka:"+a+":"+version)
	}
	d := &Distribution{Version: version}
	if d.Libs, err = packages.Maven(ctx, filepath.Join(cache, "ottla-oracle"), append(names, logging)); err != nil {
		return nil, err
	}
	d.classes, err = classesOf(d.Libs)
	return d, err
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
