package house

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// pure lists the packages that decide: the same inputs give the same outputs,
// so they can run in simulation and be replayed from a log.
var pure = []string{
	"internal/record", "internal/producer", "internal/metadata",
	"internal/controller", "internal/controller/election", "internal/liveness/tracker", "internal/partition/replica", "internal/log/compact",
	"internal/txn", "internal/txn/schema",
	"internal/group", "internal/group/schema", "internal/group/kind", "internal/group/assign", "internal/group/consumer",
	"internal/timer", "internal/timer/schema", "internal/timer/table",
	"internal/share", "internal/share/store", "internal/group/sharegroup", "internal/group/streams",
	"internal/event/name", "internal/event/cron", "internal/event/schedule/course", "internal/event/jsonwalk", "internal/event/pattern", "internal/event/envelope", "internal/event/transform", "internal/event/plan", "internal/event/run/course", "internal/event/sns/notice", "internal/event/delivery/course", "internal/event/webhook", "internal/nearest",
}

// impureImports bring a clock, a lock, a random source, files or sockets.
// record may use sync.Pool for its decoders: a pool changes no result.
var impureImports = []string{"os", "net", "net/http", "math/rand", "math/rand/v2", "crypto/rand", "sync", "sync/atomic", "time"}

// allowed are exceptions by package, each with its reason.
var allowed = map[string]map[string]string{
	"internal/record":                {"sync": "pools of decoders: they hold no state between batches"},
	"internal/controller":            {"time": "time.Time comes in as an argument; time.Now is forbidden below"},
	"internal/liveness/tracker":      {"time": "time.Time comes in as an argument; time.Now is forbidden below"},
	"internal/metadata":              {"time": "durations as types"},
	"internal/txn":                   {"time": "time.Time comes in as an argument; time.Now is forbidden below"},
	"internal/timer":                 {"time": "time.Time comes in as an argument; time.Now is forbidden below"},
	"internal/group":                 {"time": "time.Time comes in as an argument; time.Now is forbidden below"},
	"internal/group/kind":            {"time": "time.Time comes in as an argument; time.Now is forbidden below"},
	"internal/group/sharegroup":      {"time": "time.Time comes in as an argument; time.Now is forbidden below"},
	"internal/share/store":           {"time": "time.Time comes in as an argument; time.Now is forbidden below"},
	"internal/group/streams":         {"time": "time.Time comes in as an argument; time.Now is forbidden below"},
	"internal/event/envelope":        {"time": "reads and writes RFC 3339; time.Now is forbidden below"},
	"internal/event/cron":            {"time": "time.Time and time.Location come in as arguments; time.Now is forbidden below"},
	"internal/event/sns/notice":      {"time": "writes times that come in; time.Now is forbidden below"},
	"internal/event/schedule/course": {"time": "time.Time as package cron has it; time.Now is forbidden below"},
	"internal/group/consumer":        {"time": "time.Time comes in as an argument; time.Now is forbidden below"},
}

func TestPurePackagesHaveNoClockLockOrSocket(t *testing.T) {
	all, set := rooms(t)
	for _, path := range pure {
		r := all[path]
		if r == nil {
			t.Errorf("the list of pure packages names %s, which does not exist", path)
			continue
		}
		for _, file := range r.files {
			for _, im := range file.Imports {
				name := strings.Trim(im.Path.Value, `"`)
				if slices.Contains(impureImports, name) && allowed[path][name] == "" {
					t.Errorf("%s: %s imports %s: what decides must be pure; take it as an argument", set.Position(im.Pos()), path, name)
				}
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.GoStmt:
					t.Errorf("%s: a go statement in pure package %s: the order of goroutines cannot be replayed", set.Position(n.Pos()), path)
				case *ast.SelectorExpr:
					if id, ok := n.X.(*ast.Ident); ok && id.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "After", "Sleep", "NewTimer", "NewTicker", "Tick"}, n.Sel.Name) {
						t.Errorf("%s: time.%s in pure package %s: take now as an argument", set.Position(n.Pos()), n.Sel.Name, path)
					}
				}
				return true
			})
		}
	}
}
