package function

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"ottla/internal/event/name"
)

// Bounds.
const (
	mostFile           = 1 << 20
	mostConcurrency    = 1000
	defaultConcurrency = 10
	mostTimeout        = 15 * time.Minute
)

// Function is one that the file declares.
type Function struct {
	Name string
	// URL or Command: one of them.
	URL     string
	Headers map[string]string
	Command []string
	Dir     string
	Env     map[string]string
	Keep    bool
	// Timeout of a call, beside that of who calls; 0 is none.
	Timeout time.Duration
	// Concurrency bounds calls at once on a node.
	Concurrency int
}

// declared is a function as the file has it.
type declared struct {
	URL         string            `yaml:"url"`
	Headers     map[string]string `yaml:"headers"`
	Command     []string          `yaml:"command"`
	Dir         string            `yaml:"dir"`
	Env         map[string]string `yaml:"env"`
	Keep        bool              `yaml:"keep"`
	Timeout     string            `yaml:"timeout"`
	Concurrency int               `yaml:"concurrency"`
}

// Load reads a file of functions.
func Load(path string) ([]Function, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read functions: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, mostFile+1))
	if err != nil {
		return nil, fmt.Errorf("read functions: %w", err)
	}
	out, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

// Parse reads the text of a file of functions.
func Parse(text []byte) ([]Function, error) {
	if len(text) > mostFile {
		return nil, fmt.Errorf("a file of functions has %d bytes at most", mostFile)
	}
	var file struct {
		Functions map[string]declared `yaml:"functions"`
	}
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&file); err != nil && err != io.EOF {
		return nil, fmt.Errorf("it is no file of functions (functions: NAME: url or command): %w", err)
	}
	var out []Function
	for _, called := range slices.Sorted(maps.Keys(file.Functions)) {
		f, err := file.Functions[called].function(called)
		if err != nil {
			return nil, fmt.Errorf("function %q: %w", called, err)
		}
		out = append(out, f)
	}
	return out, nil
}

func (d declared) function(called string) (Function, error) {
	f := Function{Name: called, URL: d.URL, Headers: d.Headers, Command: d.Command, Dir: d.Dir, Env: d.Env, Keep: d.Keep, Concurrency: d.Concurrency}
	if err := name.Check(name.Function, called); err != nil {
		return f, err
	}
	switch {
	case (d.URL == "") == (len(d.Command) == 0):
		return f, fmt.Errorf("want either url or command")
	case d.URL == "" && len(d.Headers) > 0:
		return f, fmt.Errorf("headers are of a url")
	case d.URL != "" && (d.Dir != "" || len(d.Env) > 0 || d.Keep):
		return f, fmt.Errorf("dir, env and keep are of a command")
	case d.Concurrency < 0 || d.Concurrency > mostConcurrency:
		return f, fmt.Errorf("its concurrency is %d; 1 to %d are possible", d.Concurrency, mostConcurrency)
	case len(d.Command) > 0 && d.Command[0] == "":
		return f, fmt.Errorf("its command names no program")
	}
	if d.URL != "" {
		u, err := url.Parse(d.URL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
			return f, fmt.Errorf("its url is not http(s)://HOST/…")
		}
	}
	for k := range d.Env {
		if k == "" || strings.ContainsAny(k, "=\x00") {
			return f, fmt.Errorf("%q is no name of a variable", k)
		}
	}
	if f.Concurrency == 0 {
		f.Concurrency = defaultConcurrency
	}
	if d.Timeout != "" {
		var err error
		if f.Timeout, err = time.ParseDuration(d.Timeout); err != nil || f.Timeout <= 0 || f.Timeout > mostTimeout {
			return f, fmt.Errorf("its timeout is %q; a time like 30s is possible, up to %s", d.Timeout, mostTimeout)
		}
	}
	return f, nil
}
