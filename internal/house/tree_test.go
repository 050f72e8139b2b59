package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// room is one package of the module: its path below the module's name and its
// files that are not tests.
type room struct {
	path  string
	files map[string]*ast.File
}

// rooms parses every package of the module, without tests and testdata.
func rooms(t *testing.T) (map[string]*room, *token.FileSet) {
	t.Helper()
	root, set, out := moduleRoot(t), token.NewFileSet(), map[string]*room{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if out[rel] == nil {
			out[rel] = &room{path: rel, files: map[string]*ast.File{}}
		}
		out[rel].files[name] = f
		return nil
	})
	if err != nil {
		t.Fatalf("read the module's packages: %v", err)
	}
	return out, set
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test's folder")
		}
		dir = parent
	}
}

// ours strips the module's name from an import path; ok is false for others.
func ours(path string) (string, bool) {
	if path == "ottla" {
		return ".", true
	}
	rest, ok := strings.CutPrefix(path, "ottla/")
	return rest, ok
}
