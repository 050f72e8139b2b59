package metric

import (
	"runtime"
	"time"
)

// Process declares the process's own metrics in r. started is when it began.
func Process(r *Registry, started time.Time) {
	r.Func("ottla_process_start_time_seconds", func() float64 { return float64(started.UnixMilli()) / 1000 })
	r.Func("ottla_process_resident_bytes", residentBytes)
	r.Func("ottla_process_cpu_seconds_total", cpuSeconds)
	r.Func("ottla_process_open_descriptors", openDescriptors)
	r.Func("ottla_go_goroutines", func() float64 { return float64(runtime.NumGoroutine()) })
	r.Func("ottla_go_heap_bytes", func() float64 { return float64(memory().HeapAlloc) })
	r.Func("ottla_go_gc_cycles_total", func() float64 { return float64(memory().NumGC) })
}

// memory reads the collector's statistics; rare enough for its short stop.
func memory() *runtime.MemStats {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return &m
}
