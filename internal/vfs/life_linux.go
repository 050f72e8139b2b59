package vfs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// bootID is drawn by the kernel when it boots.
const bootID = "/proc/sys/kernel/random/boot_id"

// life is the boot and the mounted file system.
func life(name string) string {
	boot, err := os.ReadFile(bootID)
	if err != nil {
		return ""
	}
	mounted := mountOf(name)
	if mounted == "" {
		return ""
	}
	return strings.TrimSpace(string(boot)) + ", " + mounted
}

// mountOf names the file system in the kernel's memory: by its own object in sysfs
// where it has one, else by the mount. A mount is another in every mount namespace,
// so that a service that gets one of its own with each start (a container,
// ProtectSystem= of systemd) seems to have a file system of its own each time.
func mountOf(name string) string {
	var s unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, name, 0, unix.STATX_BASIC_STATS|unix.STATX_MNT_ID_UNIQUE, &s); err != nil {
		return ""
	}
	if id := superblock(s.Dev_major, s.Dev_minor); id != 0 {
		return fmt.Sprintf("file system %d of %d:%d", id, s.Dev_major, s.Dev_minor)
	}
	if s.Mask&unix.STATX_MNT_ID_UNIQUE == 0 { // before Linux 6.8: ids of mounts are used again
		return ""
	}
	return fmt.Sprintf("mount %d", s.Mnt_id)
}

// superblock finds the directory that a mounted file system of a block device has
// in sysfs, 0 where there is none. It comes with the mount and goes with it, and
// the kernel gives no two the same number in one boot.
func superblock(major, minor uint32) uint64 {
	var fs unix.Statfs_t
	if err := unix.Statfs("/sys/fs", &fs); err != nil || fs.Type != unix.SYSFS_MAGIC {
		return 0
	}
	device, err := os.Readlink(fmt.Sprintf("/sys/dev/block/%d:%d", major, minor))
	if err != nil {
		return 0
	}
	for _, kind := range []string{"ext4", "xfs", "f2fs"} {
		info, err := os.Stat("/sys/fs/" + kind + "/" + filepath.Base(device))
		if err != nil {
			continue
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			return st.Ino
		}
	}
	return 0
}
