package cli

import (
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"ottla/internal/cli/out"
)

// defaultBootstrap is where `ottla dev` listens.
const defaultBootstrap = "127.0.0.1:9092"

// options are what all commands share.
type options struct {
	in       io.Reader
	out, err io.Writer

	bootstrap      string
	format         string
	connectTimeout time.Duration
	timeout        time.Duration
}

func (o *options) bind(f *pflag.FlagSet) {
	f.StringVarP(&o.bootstrap, "bootstrap-server", "b", envOr("OTTLA_BOOTSTRAP_SERVER", defaultBootstrap), "host:port of any node, or several with commas")
	f.StringVarP(&o.format, "output", "o", "table", "form of the output: "+strings.Join(out.Formats, ", "))
	f.DurationVar(&o.connectTimeout, "connect-timeout", 5*time.Second, "how long to try to reach the cluster")
	f.DurationVar(&o.timeout, "timeout", 30*time.Second, "how long one request may take")
}

// machine tells whether a program reads the output.
func (o *options) machine() bool { return o.format == "json" || o.format == "ndjson" }

func (o *options) print(t *out.Table) error { return t.Print(o.out, o.format) }

func envOr(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// terminal tells whether w is a terminal, so that a person reads it.
func terminal(w any) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
