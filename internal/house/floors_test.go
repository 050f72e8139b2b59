package house

import (
	"strconv"
	"strings"
	"testing"
)

// floors is the law of imports: a package may import only packages on lower
// floors, or its own parts (a folder below it). A name ending in /... stands
// for the folder and everything below it. docs/architecture.md explains it.
const floors = `
0   internal/uuid internal/sockcall internal/nearest
1   internal/wire/... internal/record internal/vfs/... internal/metric
2   internal/clock internal/config internal/producer internal/sim internal/datadir internal/peer internal/outbox internal/quota
3   internal/log/... internal/metadata
4   internal/partition/... internal/quorum internal/coordinator
5   internal/replicate internal/controller/... internal/kafka/slab internal/group/... internal/txn/... internal/share/... internal/timer/...
6   internal/broker/... internal/kafka/api internal/inspect internal/marker internal/liveness/... internal/control
7   internal/kafka/...
8   internal/event/... internal/logimport/...
9   internal/gateway/...
10  internal/server
11  .
12  internal/cli/...
13  cmd/ottla test/known
14  tools/... test/... examples/...
`

// unbound packages hold no product code.
var unbound = map[string]bool{"internal/house": true}

type floor struct {
	pattern string
	level   int
}

func parseFloors(t *testing.T) []floor {
	t.Helper()
	var out []floor
	for line := range strings.Lines(strings.TrimSpace(floors)) {
		f := strings.Fields(line)
		level, err := strconv.Atoi(f[0])
		if err != nil {
			t.Fatalf("floors table: %q does not begin with a number", line)
		}
		for _, p := range f[1:] {
			out = append(out, floor{p, level})
		}
	}
	return out
}

// levelOf finds the most exact entry for a package.
func levelOf(table []floor, path string) (floor, bool) {
	var best floor
	found := false
	for _, f := range table {
		prefix, tree := strings.CutSuffix(f.pattern, "/...")
		hit := path == f.pattern || tree && (path == prefix || strings.HasPrefix(path, prefix+"/"))
		if hit && (!found || len(f.pattern) > len(best.pattern) || !tree) {
			best, found = f, true
		}
	}
	return best, found
}

// sameHouse tells whether two packages are parts of one tree entry.
func sameHouse(a, b floor) bool {
	return a.pattern == b.pattern && strings.HasSuffix(a.pattern, "/...")
}

func TestImportsPointDownOnly(t *testing.T) {
	table := parseFloors(t)
	all, set := rooms(t)
	for path, r := range all {
		if unbound[path] {
			continue
		}
		from, ok := levelOf(table, path)
		if !ok {
			t.Errorf("package %s stands on no floor: add it to the table in floors_test.go and to docs/architecture.md", path)
			continue
		}
		for _, file := range r.files {
			for _, im := range file.Imports {
				target, mine := ours(strings.Trim(im.Path.Value, `"`))
				if !mine {
					continue
				}
				to, ok := levelOf(table, target)
				if !ok || to.level > from.level || to.level == from.level && !sameHouse(from, to) {
					t.Errorf("%s: %s (floor %d) imports %s (floor %d): imports point down only; declare the small interface you need and let server wire it",
						set.Position(im.Pos()), path, from.level, target, to.level)
				}
			}
		}
	}
	for _, f := range table {
		if p, tree := strings.CutSuffix(f.pattern, "/..."); !tree && all[p] == nil {
			t.Errorf("the floors table names %s, which does not exist: no empty rooms", f.pattern)
		}
	}
}
