// Package clock is the HTTP door of the domain clock: a test in any language asks
// what time it is and moves it, and is answered when all that became due has settled.
//
//	GET  /clock                          {"now":"2026-01-02T03:04:05.678Z","now_ms":…,"ahead_ms":0}
//	POST /clock {"advance":"24h"}        the same, afterwards; "advance_ms" in milliseconds
//	POST /clock {"set":"2030-01-01T00:00:00Z"}
//
// It is not for nodes that keep data: their clock is the real one, and a POST is
// refused. Callers are those of this machine, and no web page's.
//
// Main function: Mount. All is in clock.go.
package clock
