// Package beside judges two programs that are measured in turn on one machine,
// A, B, A, B: figures, pairs of runs, what else the machine did meanwhile, and a
// table of ratios. It knows nothing of what is measured.
//
// Main types: Figure (what is judged, and the goal), Outcome (what a run brought),
// Gathered (all pairs of a measure), Meter (CPU of processes), Delays.
//
// Files in reading order: figure.go, pairs.go, report.go, meter.go, delays.go.
package beside
