package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// kgo's time-out of records goes by their timestamps. The event layer dates records by a
// clock that may be moved: they would be over before they are sent (event/produce).
func TestNoRecordOfTheEventLayerGoesByItsTimestamp(t *testing.T) {
	root, set, looked := moduleRoot(t), token.NewFileSet(), 0
	for _, under := range []string{"event", "gateway", "server"} {
		err := filepath.WalkDir(filepath.Join(root, "internal", under), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
				return err
			}
			f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			looked++
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "RecordDeliveryTimeout" {
					t.Errorf("%s: a context bounds how long a record may take: see produce.Within", set.Position(s.Pos()))
				}
				return true
			})
			return nil
		})
		if err != nil || looked == 0 {
			t.Fatalf("looked at %d files: %v", looked, err)
		}
	}
}
