package partition

import (
	"path/filepath"
	"testing"

	"ottla/internal/vfs"
)

// osRig is a partition on real files.
func osRig(t testing.TB, c Config) *rig {
	t.Helper()
	return newRig(t, vfs.NewOS(), filepath.ToSlash(t.TempDir()), c)
}
