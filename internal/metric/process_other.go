//go:build !linux

package metric

// Known on Linux only.
func residentBytes() float64   { return 0 }
func cpuSeconds() float64      { return 0 }
func openDescriptors() float64 { return 0 }
