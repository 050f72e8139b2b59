//go:build linux

package beside

import (
	"fmt"
	"syscall"
	"time"

	"ottla/test/realfault"
)

// Meter measures what processes, this one with its children and the whole
// machine use.
type Meter struct {
	pids, load []int
	began      time.Time
	at         stand
}

// stand is CPU time up to a moment, in seconds.
type stand struct{ ours, load, machine float64 }

// Used is what was used between two moments.
type Used struct {
	Wall   float64 // seconds
	CPU    float64 // of the processes, in seconds
	Others float64 // cores that neither they nor the load used
}

// StartMeter begins to measure processes; load are those, beside this one, that
// work for the measurement and are measured not.
func StartMeter(pids []int, load ...int) (*Meter, error) {
	m := &Meter{pids: pids, load: load, began: time.Now()}
	var err error
	m.at, err = m.stand()
	return m, err
}

// Stop tells what was used since the start.
func (m *Meter) Stop() (Used, error) {
	wall := time.Since(m.began).Seconds()
	now, err := m.stand()
	if err != nil {
		return Used{}, err
	}
	u := Used{Wall: wall, CPU: now.ours - m.at.ours}
	u.Others = max(0, now.machine-m.at.machine-u.CPU-(now.load-m.at.load)) / wall
	return u, nil
}

func (m *Meter) stand() (stand, error) {
	var s stand
	var err error
	if s.ours, err = cpuOf(m.pids); err != nil {
		return s, err
	}
	if s.load, err = cpuOf(m.load); err != nil {
		return s, err
	}
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			return s, fmt.Errorf("ask for this process's CPU time: %w", err)
		}
		s.load += float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
	}
	s.machine, err = realfault.MachineCPUTime()
	return s, err
}

func cpuOf(pids []int) (seconds float64, err error) {
	for _, pid := range pids {
		cpu, err := realfault.CPUTime(pid)
		if err != nil {
			return 0, fmt.Errorf("a process has ended: %w", err)
		}
		seconds += cpu
	}
	return seconds, nil
}
