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

// A test that sleeps hopes that what it waits for takes no longer: it fails on a
// machine that does much else, and wastes time on any other.
func TestNoTestSleeps(t *testing.T) {
	root, set, looked := moduleRoot(t), token.NewFileSet(), 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		looked++
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Sleep" {
				if pkg, ok := s.X.(*ast.Ident); ok && pkg.Name == "time" {
					t.Errorf("%s: a test sleeps: wait for the event, or let the time of a bubble (testing/synctest) go by with <-time.After", set.Position(s.Pos()))
				}
			}
			return true
		})
		return nil
	})
	if err != nil || looked == 0 {
		t.Fatalf("looked at %d files of tests: %v", looked, err)
	}
}
