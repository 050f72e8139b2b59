package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/spf13/pflag"

	"ottla/internal/cli/ask"
	"ottla/internal/config"
)

// The files in deploy/ are for machines that this test has not: what it holds is
// that they can be parsed, and that every flag and setting in them is one of
// this binary.

const deploy = "../../deploy"

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(deploy, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// flagsOfServe are what `ottla serve` takes and shows.
func flagsOfServe(t *testing.T) *pflag.FlagSet {
	t.Helper()
	c, _, err := newRoot(&ask.Options{}).Find([]string{"serve"})
	if err != nil {
		t.Fatal(err)
	}
	return c.Flags()
}

var flagWord = regexp.MustCompile(`(?:^|[\s"'=])--([a-z][a-z-]*)`)

// foreign are flags of other programs in these files.
var foreign = map[string]bool{"build": true, "from": true, "system": true, "uid": true, "home-dir": true}

// checkFlags holds that every --flag of a command that starts a node is there.
func checkFlags(t *testing.T, name, text string) {
	t.Helper()
	flags, seen := flagsOfServe(t), 0
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") && !strings.HasPrefix(strings.TrimSpace(line), "#FLAGS") {
			continue
		}
		for _, m := range flagWord.FindAllStringSubmatch(line, -1) {
			if foreign[m[1]] {
				continue
			}
			seen++
			f := flags.Lookup(m[1])
			if f == nil || f.Hidden {
				t.Errorf("%s: serve has no flag --%s: %s", name, m[1], strings.TrimSpace(line))
			}
		}
	}
	if seen == 0 {
		t.Errorf("%s names no flag", name)
	}
}

// checkVariables holds that every OTTLA_ variable is a setting.
func checkVariables(t *testing.T, name, text string) {
	t.Helper()
	seen := 0
	for _, m := range regexp.MustCompile(`OTTLA_[A-Z_]+`).FindAllString(text, -1) {
		if m == tokenVariable {
			continue
		}
		seen++
		layer := config.Environment([]string{m + "=1"})
		if len(layer.Settings) != 1 || config.Lookup(config.ScopeBroker, layer.Settings[0].Name) == nil {
			t.Errorf("%s: %s is no setting", name, m)
		}
	}
	if seen == 0 {
		t.Errorf("%s sets nothing", name)
	}
}

func TestTheComposeFileStartsThreeNodes(t *testing.T) {
	text := read(t, "compose.yaml")
	checkFlags(t, "compose.yaml", text)
	checkVariables(t, "compose.yaml", text)
	type service struct {
		Build struct {
			Context    string `yaml:"context"`
			Dockerfile string `yaml:"dockerfile"`
		} `yaml:"build"`
		Restart         string            `yaml:"restart"`
		StopGracePeriod string            `yaml:"stop_grace_period"`
		Environment     map[string]string `yaml:"environment"`
		Command         []string          `yaml:"command"`
		Volumes         []string          `yaml:"volumes"`
		Ports           []string          `yaml:"ports"`
		DependsOn       []string          `yaml:"depends_on"`
	}
	var file struct {
		Name     string              `yaml:"name"`
		Node     service             `yaml:"x-node"`
		Services map[string]service  `yaml:"services"`
		Volumes  map[string]struct{} `yaml:"volumes"`
	}
	if err := yaml.UnmarshalWithOptions([]byte(text), &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if len(file.Services) != 3 || len(file.Volumes) != 3 {
		t.Fatalf("%d services, %d volumes", len(file.Services), len(file.Volumes))
	}
	founders := 0
	for name, s := range file.Services {
		if len(s.Command) == 0 || s.Command[0] != "serve" {
			t.Errorf("%s runs %v", name, s.Command)
			continue
		}
		flags := flagsOfServe(t)
		if err := flags.Parse(s.Command[1:]); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		join, err := flags.GetStringSlice("join")
		if err != nil || len(join) != 2 {
			t.Errorf("%s joins %v (%v)", name, join, err)
		}
		for _, other := range join {
			if host, _, _ := strings.Cut(other, ":"); file.Services[host].Command == nil || host == name {
				t.Errorf("%s joins %s, which is no other service", name, other)
			}
		}
		if found, err := flags.GetBool("found"); err == nil && found {
			founders++
		}
		if s.Environment["OTTLA_DEFAULT_REPLICATION_FACTOR"] != "3" || s.Build.Dockerfile != "deploy/Dockerfile" {
			t.Errorf("%s does not begin as the others do: %+v", name, s)
		}
	}
	if founders != 1 {
		t.Errorf("%d nodes found the cluster", founders)
	}
}

func TestTheStatefulSetStartsThreeNodes(t *testing.T) {
	text := read(t, "kubernetes/ottla.yaml")
	checkFlags(t, "kubernetes/ottla.yaml", text)
	checkVariables(t, "kubernetes/ottla.yaml", text)
	kinds := map[string]map[string]any{}
	decoder := yaml.NewDecoder(strings.NewReader(text), yaml.DisallowUnknownField())
	for {
		var object map[string]any
		if err := decoder.Decode(&object); err != nil {
			if err.Error() == "EOF" {
				break
			}
			t.Fatal(err)
		}
		kind, _ := object["kind"].(string)
		kinds[kind] = object
		if object["apiVersion"] == nil || object["metadata"] == nil || object["spec"] == nil {
			t.Errorf("%s lacks what every object has", kind)
		}
	}
	for _, kind := range []string{"Service", "PodDisruptionBudget", "NetworkPolicy", "StatefulSet"} {
		if kinds[kind] == nil {
			t.Errorf("there is no %s", kind)
		}
	}
	spec, _ := kinds["StatefulSet"]["spec"].(map[string]any)
	if spec["serviceName"] != "ottla" || spec["podManagementPolicy"] != "Parallel" || spec["volumeClaimTemplates"] == nil {
		t.Errorf("the set is %v", spec)
	}
	for _, path := range []string{"/livez", "/readyz"} {
		if !strings.Contains(text, path) {
			t.Errorf("no probe asks %s", path)
		}
	}
}

func TestTheUnitStartsANode(t *testing.T) {
	unit, env := read(t, "systemd/ottla.service"), read(t, "systemd/node.env")
	checkFlags(t, "systemd/ottla.service", unit)
	checkFlags(t, "systemd/node.env", env)
	checkVariables(t, "systemd/node.env", env)
	section := ""
	for line := range strings.Lines(unit) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "["):
			section = line
		case section == "" || !strings.Contains(line, "="):
			t.Errorf("the unit has a line that is no setting: %s", line)
		}
	}
	start := ""
	for line := range strings.Lines(unit) {
		if rest, ok := strings.CutPrefix(line, "ExecStart="); ok {
			start = rest
		}
	}
	for _, m := range regexp.MustCompile(`\$\{?([A-Z]+)`).FindAllStringSubmatch(start, -1) {
		if !strings.Contains(env, "\n"+m[1]+"=") {
			t.Errorf("the unit takes %s, which node.env does not set", m[1])
		}
	}
	if !strings.HasPrefix(start, "/usr/local/bin/ottla serve ") {
		t.Errorf("it starts %q", start)
	}
}

func TestTheImageStartsANode(t *testing.T) {
	text := read(t, "Dockerfile")
	checkFlags(t, "Dockerfile", text)
	at := strings.Index(text, "CMD [")
	if at < 0 || !strings.Contains(text, `ENTRYPOINT ["ottla"]`) {
		t.Fatal("it starts nothing")
	}
	var words []string
	if err := yaml.Unmarshal([]byte(strings.TrimPrefix(text[at:], "CMD ")), &words); err != nil {
		t.Fatal(err)
	}
	if words[0] != "serve" {
		t.Fatalf("it starts %v", words)
	}
	if err := flagsOfServe(t).Parse(words[1:]); err != nil {
		t.Error(err)
	}
}
