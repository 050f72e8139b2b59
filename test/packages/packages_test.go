package packages

import (
	"strings"
	"testing"
	"time"
)

// An installer that waits for a server that says nothing, and a child of it that holds
// its output open, are ended.
func TestAnInstallerHasItsTime(t *testing.T) {
	err := run(t.Context(), 50*time.Millisecond, t.TempDir(), "sh", "-c", "sleep 30 & exec sleep 30")
	if err == nil || !strings.Contains(err.Error(), "it was ended after 50ms") {
		t.Fatalf("the installer: %v", err)
	}
}
