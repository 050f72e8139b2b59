//go:build linux

package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ticksPerSecond is the unit of CPU times in /proc, the same on every Linux.
const ticksPerSecond = 100

// meter measures what processes, this one and the whole machine use.
type meter struct {
	pids  []int
	began time.Time
	at    stand
}

// stand is CPU time up to a moment, in seconds.
type stand struct{ ours, self, machine float64 }

// used is what was used between two moments.
type used struct {
	wall   float64 // seconds
	cpu    float64 // of the processes, in seconds
	others float64 // cores that neither they nor this process used
}

func startMeter(pids []int) (*meter, error) {
	at, err := standOf(pids)
	return &meter{pids: pids, began: time.Now(), at: at}, err
}

func (m *meter) stop() (used, error) {
	wall := time.Since(m.began).Seconds()
	now, err := standOf(m.pids)
	if err != nil {
		return used{}, err
	}
	u := used{wall: wall, cpu: now.ours - m.at.ours}
	u.others = max(0, now.machine-m.at.machine-u.cpu-(now.self-m.at.self)) / wall
	return u, nil
}

func standOf(pids []int) (stand, error) {
	var s stand
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return s, fmt.Errorf("a node has ended: %w", err)
		}
		cpu, err := cpuOfProcess(string(text))
		if err != nil {
			return s, fmt.Errorf("process %d: %w", pid, err)
		}
		s.ours += cpu
	}
	var mine syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &mine); err != nil {
		return s, fmt.Errorf("ask for this process's CPU time: %w", err)
	}
	s.self = float64(mine.Utime.Nano()+mine.Stime.Nano()) / 1e9
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return s, fmt.Errorf("ask for the machine's CPU time: %w", err)
	}
	s.machine, err = cpuOfMachine(string(text))
	return s, err
}

// cpuOfProcess reads user and system time off /proc/PID/stat. The name, which may
// hold anything, ends with the last bracket.
func cpuOfProcess(stat string) (float64, error) {
	f := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(f) < 13 {
		return 0, fmt.Errorf("its CPU time does not stand in %q", stat)
	}
	return ticks(f[11:13])
}

// cpuOfMachine reads the time that was neither idle nor stolen off /proc/stat:
// its first line has user, nice, system, idle, iowait, irq, softirq, steal.
func cpuOfMachine(stat string) (float64, error) {
	line, _, _ := strings.Cut(stat, "\n")
	f := strings.Fields(line)
	if len(f) < 9 || f[0] != "cpu" {
		return 0, fmt.Errorf("the machine's CPU time does not stand in %q", line)
	}
	return ticks(append(append([]string(nil), f[1:4]...), f[6:8]...))
}

func ticks(fields []string) (float64, error) {
	sum := 0.0
	for _, f := range fields {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("CPU time: %w", err)
		}
		sum += float64(n)
	}
	return sum / ticksPerSecond, nil
}
