package vfs

import "testing"

// disk is an implementation under test and an empty directory of it.
type disk struct {
	FS
	root string
}

// disks returns every implementation of this package, fresh.
func disks(t *testing.T) map[string]disk {
	t.Helper()
	o := NewOS()
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	m := NewMem(1 << 30)
	if err := m.MkdirAll("/data/ottla", 0o755); err != nil {
		t.Fatal(err)
	}
	return map[string]disk{"OS": {o, t.TempDir()}, "Mem": {m, "/data/ottla"}}
}
