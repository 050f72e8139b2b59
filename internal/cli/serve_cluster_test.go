package cli

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ottla/internal/cli/fail"
	"ottla/internal/server"
)

func TestRackAndNumberAreSettings(t *testing.T) {
	addr, stop := serving(t, "serve", "--data", t.TempDir(), "--listen", "127.0.0.1:0", "--http", "off", "--rack", "b", "--node-id", "7")
	call(t, nil, "", "cluster", "nodes", "-o", "json", "-b", addr).mustHold(t, 0, `"node": 7`, `"rack": "b"`)
	stop().mustHold(t, 0)
	call(t, nil, "", "serve", "--data", t.TempDir(), "--node-id", "x").mustHold(t, fail.Usage, "node.id")
}

func TestATokenComesFromAFlagAFileOrTheEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("ottla1.file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(tokenVariable, "ottla1.environment")
	for given, want := range map[string]string{"ottla1.flag": "ottla1.flag", "@" + file: "ottla1.file", "": "ottla1.environment"} {
		if got, err := readToken(given); err != nil || got != want {
			t.Errorf("%q: got %q (%v), want %q", given, got, err, want)
		}
	}
	if _, err := readToken("@" + file + ".none"); fail.CodeOf(err) != fail.Usage {
		t.Errorf("a file that is not there: %v", err)
	}
	if got := withoutToken([]string{"A=1", tokenVariable + "=secret", "OTTLA_X=2"}); !slices.Equal(got, []string{"A=1", "OTTLA_X=2"}) {
		t.Errorf("the settings' environment is %v", got)
	}
}

func TestFlagsOfJoiningGoTogether(t *testing.T) {
	for _, c := range []struct {
		flags clusterFlags
		wrong bool
	}{
		{clusterFlags{}, false},
		{clusterFlags{token: "ottla1.x"}, true},
		{clusterFlags{found: true}, true},
		{clusterFlags{join: []string{"a:b:c"}}, true},
		{clusterFlags{join: []string{"a:9092", "b"}, token: "ottla1.x"}, false},
	} {
		var o server.Options
		err := c.flags.options(&o)
		if (err != nil) != c.wrong || err != nil && fail.CodeOf(err) != fail.Usage {
			t.Errorf("%+v: %v", c.flags, err)
		}
		if err == nil && len(c.flags.join) > 0 && !slices.Equal(o.Join, []string{"a:9092", "b:9092"}) {
			t.Errorf("%+v: joins %v", c.flags, o.Join)
		}
	}
}

func TestANodeFoundsOnlyWhereNobodyAnswersAndNothingIsThere(t *testing.T) {
	up := node(t)
	const down = "127.0.0.1:1" // a port that was free a moment ago may be another test's by now
	old := t.TempDir()
	if err := os.WriteFile(filepath.Join(old, "ottla.properties"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		found bool
		dir   string
		join  []string
		left  int
	}{
		{"nobody answers", true, t.TempDir(), []string{down}, 0},
		{"somebody answers", true, t.TempDir(), []string{down, up.Addr()}, 2},
		{"the directory was used", true, old, []string{down}, 1},
		{"it shall not found", false, t.TempDir(), []string{down}, 1},
	} {
		o := server.Options{Dirs: []string{c.dir}, Join: c.join}
		f := clusterFlags{found: c.found}
		if err := f.foundIfAlone(context.Background(), &o, time.Minute, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		if len(o.Join) != c.left {
			t.Errorf("%s: joins %v", c.name, o.Join)
		}
	}
}

func TestANodeEndsWithItsStandardInput(t *testing.T) {
	r, w := io.Pipe()
	f := clusterFlags{whileStdin: true}
	ctx, cancel := f.lifetime(context.Background(), r)
	defer cancel()
	if ctx.Err() != nil {
		t.Fatal("it ended before its input did")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	f.whileStdin = false
	other, stop := f.lifetime(context.Background(), strings.NewReader(""))
	defer stop()
	if other.Err() != nil {
		t.Error("a node ended with its input although it was not told to")
	}
}
