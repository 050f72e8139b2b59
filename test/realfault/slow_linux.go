package realfault

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// throttles is where the kernel's first kind of control groups has its limits of
// disks.
const throttles = "/sys/fs/cgroup/blkio"

// Throttle lets a process write to the disk no faster than so many bytes and
// operations a second, until the function that it gives is called. Where the
// machine does not allow that, the error is a *Impossible.
func (m *Image) Throttle(pid, bytes, operations int) (release func() error, err error) {
	var st unix.Stat_t
	if err := unix.Stat(m.Dir, &st); err != nil {
		return nil, fmt.Errorf("look at %s: %w", m.Dir, err)
	}
	device := fmt.Sprintf("%d:%d", unix.Major(st.Dev), unix.Minor(st.Dev))
	group := filepath.Join(throttles, fmt.Sprintf("ottla-%d-%s", pid, strings.ReplaceAll(device, ":", "-")))
	if err := os.Mkdir(group, 0o755); err != nil {
		return nil, &Impossible{"disks cannot be made slow: " + err.Error()}
	}
	put := func(dir, name, what string) error {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(what), 0o644); err != nil {
			return fmt.Errorf("make a disk slow: %w", err)
		}
		return nil
	}
	release = func() error {
		err := put(throttles, "cgroup.procs", fmt.Sprint(pid))
		if errors.Is(err, unix.ESRCH) { // it has ended meanwhile
			err = nil
		}
		return errors.Join(err, os.Remove(group))
	}
	for name, limit := range map[string]int{"blkio.throttle.write_bps_device": bytes, "blkio.throttle.write_iops_device": operations} {
		if err := put(group, name, fmt.Sprintf("%s %d", device, limit)); err != nil {
			return nil, errors.Join(&Impossible{err.Error()}, os.Remove(group))
		}
	}
	if err := put(group, "cgroup.procs", fmt.Sprint(pid)); err != nil {
		return nil, errors.Join(err, os.Remove(group))
	}
	return release, nil
}
