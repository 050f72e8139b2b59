// Package wheel keeps many time-outs that are mostly cancelled: those of
// waiting fetches and parked produces. Arming and cancelling cost a short lock
// and no memory; an empty wheel costs nothing at all.
//
// It is not for precise times: a time-out fires up to one tick late, never
// early.
//
// Main types: Wheel, Timer. Files: wheel.go.
//
// Invariants: a Timer is armed at most once at a time. Fire is called without
// the wheel's lock, on a goroutine of the wheel's timer; after Cancel has
// returned true it will not be called, after false it was or is being called.
//
// Source: Varghese and Lauck, hashed timing wheels (1987), scheme 6.
package wheel
