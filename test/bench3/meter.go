//go:build linux

package main

import (
	"fmt"
	"syscall"
	"time"

	"ottla/test/realfault"
)

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
		cpu, err := realfault.CPUTime(pid)
		if err != nil {
			return s, fmt.Errorf("a node has ended: %w", err)
		}
		s.ours += cpu
	}
	var mine syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &mine); err != nil {
		return s, fmt.Errorf("ask for this process's CPU time: %w", err)
	}
	s.self = float64(mine.Utime.Nano()+mine.Stime.Nano()) / 1e9
	var err error
	s.machine, err = realfault.MachineCPUTime()
	return s, err
}
