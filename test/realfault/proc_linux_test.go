package realfault

import (
	"os"
	"testing"
)

func TestCPUTimeIsReadOffProc(t *testing.T) {
	got, err := cpuOfProcess("71 (a b) c) S 1 2 3 4 5 6 7 8 9 10 250 50 13 14 15")
	if err != nil || got != 3 {
		t.Errorf("of a process: got %v, %v, want 3 s", got, err)
	}
	got, err = cpuOfMachine("cpu  100 20 30 5000 700 4 6 900 0 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
	if err != nil || got != 1.6 {
		t.Errorf("of the machine: got %v, %v, want 1.6 s: neither idle, waiting nor stolen", got, err)
	}
	for _, bad := range []string{"", "cpu 1 2", "intr 1 2 3 4 5 6 7 8 9", "cpu x 2 3 4 5 6 7 8 9"} {
		if _, err := cpuOfMachine(bad); err == nil {
			t.Errorf("of the machine: %q was taken", bad)
		}
	}
	for _, bad := range []string{"", "71 (x) S 1", "71 (x) S 1 2 3 4 5 6 7 8 9 10 x 50"} {
		if _, err := cpuOfProcess(bad); err == nil {
			t.Errorf("of a process: %q was taken", bad)
		}
	}
}

// What a process costs is read from the kernel: this one has cost something.
func TestWhatThisProcessCosts(t *testing.T) {
	cpu, err := CPUTime(os.Getpid())
	if err != nil || cpu < 0 || cpu > 1e6 {
		t.Errorf("it has used %v s, %v", cpu, err)
	}
	bytes, err := Resident(os.Getpid())
	if err != nil || bytes < 1e6 || bytes > 1e11 {
		t.Errorf("it has %v bytes, %v", bytes, err)
	}
	if _, err := CPUTime(-1); err == nil {
		t.Error("a process that cannot be has used nothing")
	}
	if _, err := Resident(-1); err == nil {
		t.Error("a process that cannot be has memory")
	}
}
