//go:build unix

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const limited = "OTTLA_TEST_LIMITED_FILE"

// TestMain is the child of the test below when it is told a file.
func TestMain(m *testing.M) {
	name := os.Getenv(limited)
	if name == "" {
		os.Exit(m.Run())
	}
	ignoreSignals()
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 4096, Max: 4096}); err != nil {
		os.Exit(2)
	}
	if err := os.WriteFile(name, make([]byte, 8192), 0o600); !errors.Is(err, syscall.EFBIG) {
		os.Exit(3)
	}
}

func TestAFileSizeLimitIsAnErrorAndNotTheEnd(t *testing.T) {
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), limited+"="+filepath.Join(t.TempDir(), "file"))
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("a write beyond RLIMIT_FSIZE: %v\n%s", err, out)
	}
}
