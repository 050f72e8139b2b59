//go:build linux

package beside

import "testing"

func TestAMeterSeesWhatThisProcessDoes(t *testing.T) {
	m, err := StartMeter(nil)
	if err != nil {
		t.Fatal(err)
	}
	u, err := m.Stop()
	if err != nil || u.CPU != 0 || u.Wall <= 0 || u.Others < 0 {
		t.Errorf("of no processes: got %+v, %v", u, err)
	}
	if _, err := StartMeter([]int{0}); err == nil {
		t.Error("a process that is not there was measured")
	}
}
