package vfs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheLifeOfADirectoryIsThatOfItsFileSystem(t *testing.T) {
	o, dir := NewOS(), t.TempDir()
	mine := o.Life(dir)
	boot, err := os.ReadFile(bootID)
	if err != nil || !strings.HasPrefix(mine, strings.TrimSpace(string(boot))+", ") {
		t.Fatalf("got %q, and the boot is %s (%v)", mine, boot, err)
	}
	below := filepath.Join(dir, "below")
	if err := o.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	if again := NewOS().Life(below); again != mine {
		t.Errorf("a directory below has %q, this one %q", again, mine)
	}
	if other := o.Life("/proc"); other == mine {
		t.Errorf("another file system has %q too", other)
	}
	if none := o.Life(filepath.Join(dir, "none")); none != "" {
		t.Errorf("what is not there has %q", none)
	}
}

func TestADeviceWithoutAFileSystemHasNoObject(t *testing.T) {
	if id := superblock(0, 0); id != 0 {
		t.Errorf("got %d", id)
	}
}
