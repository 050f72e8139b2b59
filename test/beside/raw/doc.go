// Package raw produces without a client: requests are encoded beforehand and their answers
// read as they come, so that what sends them costs next to nothing and the limit that
// shows is the other side's.
//
// It is not for anything but one batch of one partition, nor for asking whether a leader
// has moved.
//
// Main functions: Produce, Answer, SleepUntil (Linux). Files: raw.go, sleep_linux.go.
package raw
