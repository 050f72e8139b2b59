package realfault

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Image is an ext4 file system in a file, mounted by a loop device.
type Image struct {
	file, Dir string
	mounted   bool
}

// NewImage makes an image of so many MiB below dir and mounts it. Where the
// machine does not allow that, the error is a *Impossible.
func NewImage(ctx context.Context, dir string, mib int) (*Image, error) {
	if os.Geteuid() != 0 {
		return nil, &Impossible{"mounting needs root"}
	}
	mkfs, err := exec.LookPath("mkfs.ext4")
	if err != nil {
		return nil, &Impossible{"there is no mkfs.ext4"}
	}
	m := &Image{file: filepath.Join(dir, "disk.img"), Dir: filepath.Join(dir, "mnt")}
	if err := os.MkdirAll(m.Dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.Create(m.file)
	if err != nil {
		return nil, err
	}
	if err := f.Truncate(int64(mib) << 20); err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	if b, err := exec.CommandContext(ctx, mkfs, "-q", "-F", "-m", "0", m.file).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("mkfs.ext4: %w: %s", err, b)
	}
	if err := m.Mount(ctx); err != nil {
		return nil, &Impossible{err.Error()}
	}
	return m, nil
}

// Mount mounts the image; the journal is replayed as after a power cut.
func (m *Image) Mount(ctx context.Context) error {
	if b, err := exec.CommandContext(ctx, "mount", "-o", "loop", m.file, m.Dir).CombinedOutput(); err != nil {
		return fmt.Errorf("mount %s: %w: %s", m.file, err, b)
	}
	m.mounted = true
	return nil
}

// Unmount takes the mount away.
func (m *Image) Unmount(ctx context.Context) error {
	if !m.mounted {
		return nil
	}
	if b, err := exec.CommandContext(ctx, "umount", m.Dir).CombinedOutput(); err != nil {
		return fmt.Errorf("umount %s: %w: %s", m.Dir, err, b)
	}
	m.mounted = false
	return nil
}

// goingDown is XFS_IOC_GOINGDOWN, which ext4 has as EXT4_IOC_SHUTDOWN; its
// argument noLogFlush drops the journal in memory, as a power cut does.
const (
	goingDown  = 0x8004587d
	noLogFlush = 2
)

// Cut cuts the power of the disk: from now on nothing reaches it.
func (m *Image) Cut() error {
	d, err := os.Open(m.Dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }() // of a dead file system
	how := uint32(noLogFlush)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, d.Fd(), goingDown, uintptr(unsafe.Pointer(&how))); errno != 0 {
		return &Impossible{fmt.Sprintf("the file system does not let itself be cut off: %v", errno)}
	}
	return nil
}
