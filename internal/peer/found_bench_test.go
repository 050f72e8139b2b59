package peer

import (
	"fmt"
	"os"
	"testing"

	"ottla/internal/vfs"
)

// BenchmarkFound is what a cluster's first node pays for its identity, once,
// and BenchmarkLoad what every start with other nodes does.
func BenchmarkFound(b *testing.B) {
	b.ReportAllocs()
	f, dir, n := vfs.NewOS(), b.TempDir(), 0
	for b.Loop() {
		n++
		d := fmt.Sprint(dir, "/", n)
		if err := os.Mkdir(d, 0o755); err != nil {
			b.Fatal(err)
		}
		if _, err := Found(f, d, whose(1), wall); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	f, dir := vfs.NewOS(), b.TempDir()
	if _, err := Found(f, dir, whose(1), wall); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Load(f, dir, whose(1)); err != nil {
			b.Fatal(err)
		}
	}
}
