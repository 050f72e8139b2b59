// Package parting is for last words: what somebody is at when he is stopped, and what may
// take long, gets a moment more, and no longer.
//
// It is not for deciding what may be cut (who uses it does).
//
// The whole: Context. It keeps no state and takes no lock.
package parting
