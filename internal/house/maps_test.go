package house

import (
	"go/doc"
	"strings"
	"testing"
)

func TestEveryPackageHasAMap(t *testing.T) {
	all, _ := rooms(t)
	for path, r := range all {
		f := r.files["doc.go"]
		if len(r.files) == 1 {
			for _, only := range r.files { // a program or leaf of one file carries its map itself
				f = only
			}
		}
		if f == nil || f.Doc == nil {
			t.Errorf("%s has no doc.go with a package comment: say what it is for, what it is not for, and its files in reading order", path)
			continue
		}
		var p doc.Package
		if text := p.Synopsis(f.Doc.Text()); len(strings.Fields(text)) < 5 {
			t.Errorf("%s: the package comment %q says too little", path, text)
		}
	}
}
