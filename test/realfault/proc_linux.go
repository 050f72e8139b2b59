package realfault

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ticksPerSecond is the unit of CPU times in /proc (USER_HZ), the same on every
// Linux.
const ticksPerSecond = 100

// CPUTime is what a process has used so far, user and system time.
func CPUTime(pid int) (seconds float64, err error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, fmt.Errorf("read the CPU time of process %d: %w", pid, err)
	}
	if seconds, err = cpuOfProcess(string(text)); err != nil {
		return 0, fmt.Errorf("process %d: %w", pid, err)
	}
	return seconds, nil
}

// MachineCPUTime is what all processors of the machine have worked so far: they
// were neither idle nor waiting nor stolen.
func MachineCPUTime() (seconds float64, err error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("read the CPU time of the machine: %w", err)
	}
	return cpuOfMachine(string(text))
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

func ticks(fields []string) (seconds float64, err error) {
	for _, f := range fields {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("CPU time: %w", err)
		}
		seconds += float64(n)
	}
	return seconds / ticksPerSecond, nil
}

// Resident is the memory that a process has in use now, in bytes.
func Resident(pid int) (int64, error) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "statm"))
	if err != nil {
		return 0, fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	fields := bytes.Fields(b)
	if len(fields) < 2 {
		return 0, fmt.Errorf("/proc/%d/statm holds %q", pid, b)
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("/proc/%d/statm: %w", pid, err)
	}
	return pages * int64(os.Getpagesize()), nil
}
