package cli

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/reach"
	"ottla/internal/server"
)

// tokenVariable of the environment holds the token of a cluster, which does not
// belong into a list of processes.
const tokenVariable = "OTTLA_TOKEN"

// clusterFlags make a node one of several.
type clusterFlags struct {
	join       []string
	token      string
	noVote     bool
	found      bool
	rack       string
	nodeID     string // "" when not given
	whileStdin bool
	ofDev      int // how many nodes the `ottla dev` that started this one has; 0 for none
}

func (c *clusterFlags) bind(f *pflag.FlagSet) {
	f.StringVar(&c.rack, "rack", "", "rack or zone of this node, which replicas and readers are placed by")
	f.StringVar(&c.nodeID, "node-id", "", "number of this node (default: the directory's; a fresh one is 1, or gets one where it joins)")
	f.StringSliceVar(&c.join, "join", nil, "HOST:PORT of nodes of the cluster that a fresh directory shall belong to")
	f.StringVar(&c.token, "token", "", "what \"ottla cluster token\" printed, or @FILE that holds it (also in $"+tokenVariable+")")
	f.BoolVar(&c.noVote, "no-vote", false, "never become a voter of the metadata by itself")
	f.BoolVar(&c.found, "found", false, "found the cluster when none of --join answers (for the first node alone)")
	f.BoolVar(&c.whileStdin, "while-stdin", false, "stop when standard input ends")
	f.IntVar(&c.ofDev, "of-dev", 0, "take the defaults of \"ottla dev\" with so many nodes")
	for _, name := range []string{"while-stdin", "of-dev"} {
		f.Lookup(name).Hidden = true
	}
}

// settings are those that the flags stand for.
func (c *clusterFlags) settings(values map[string]string) {
	if c.rack != "" {
		values["broker.rack"] = c.rack
	}
	if c.nodeID != "" {
		values["node.id"] = c.nodeID
	}
}

// options checks the flags and hands them on.
func (c *clusterFlags) options(o *server.Options) error {
	if len(c.join) == 0 && (c.token != "" || c.found) {
		return fail.Usagef("--token and --found go with --join HOST:PORT")
	}
	if len(c.join) > 0 {
		addresses, err := reach.Split(strings.Join(c.join, ","))
		if err != nil {
			return fail.Usagef("--join: %v", err)
		}
		o.Join = addresses
	}
	token, err := readToken(c.token)
	if err != nil {
		return err
	}
	o.Token, o.NoVote = token, c.noVote
	return nil
}

// defaults are the settings that serve begins with.
func (c *clusterFlags) defaults() map[string]string {
	if c.ofDev > 0 {
		return devDefaults
	}
	return map[string]string{"listeners": "PLAINTEXT://" + ask.DefaultBootstrap}
}

// readToken takes a token as it is, out of a file, or from the environment.
func readToken(given string) (string, error) {
	if given == "" {
		return strings.TrimSpace(os.Getenv(tokenVariable)), nil
	}
	name, isFile := strings.CutPrefix(given, "@")
	if !isFile {
		return given, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return "", fail.New(fail.Usage, "the token cannot be read", err.Error(), "\"ottla cluster token --data DIR\" prints it, on a node of the cluster")
	}
	return strings.TrimSpace(string(text)), nil
}

// withoutToken keeps the token out of what is reported as settings.
func withoutToken(environ []string) []string {
	var out []string
	for _, kv := range environ {
		if !strings.HasPrefix(kv, tokenVariable+"=") {
			out = append(out, kv)
		}
	}
	return out
}

// foundIfAlone lets a fresh directory found its cluster when nobody is there to
// join. A directory that has been used belongs to a cluster already.
func (c *clusterFlags) foundIfAlone(ctx context.Context, o *server.Options, within time.Duration, logger *slog.Logger) error {
	if !c.found || len(o.Dirs) == 0 || used(o.Dirs[0]) {
		return nil
	}
	good, tried := reach.Any(ctx, o.Join, within)
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(good) > 0 {
		return nil
	}
	logger.Info("nobody to join answers: founding a cluster", "tried", strings.Join(tried, "; "))
	o.Join, o.Token = nil, ""
	return nil
}

// used tells whether a node has taken the directory before.
func used(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "ottla.properties"))
	return err == nil
}

// lifetime is ctx, or with --while-stdin ends with standard input: whoever
// started this node then holds the other end, and a node whose parent is gone
// does not stay.
func (c *clusterFlags) lifetime(ctx context.Context, in io.Reader) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if c.whileStdin {
		go func() {
			_, _ = io.Copy(io.Discard, in) // an error is an end too
			cancel()
		}()
	}
	return ctx, cancel
}
